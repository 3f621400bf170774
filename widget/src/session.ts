/** The conversation of this tab: what was said, what is being answered, and what survives a change of page. */

import { type AnswerView, createAnswer, visitorMessage } from "./answer";
import { type Ask, type ChatError, type Client, type Source, type TurnEvent } from "./client";
import { randomKey, sessionContext } from "./context";
import { Word, type Words } from "./i18n";
import { load, save } from "./storage";

interface Entry {
  ask: Ask;
  text: string;
  sources: Source[];
  state: "waiting" | "done" | "stopped" | "failed";
}

interface Stored {
  conversation: string | null;
  entries: Entry[];
}

/** What the session needs from the window around it. */
export interface Surface {
  add(...messages: HTMLElement[]): void;
  clear(): void;
  /** Called after every paint. */
  follow(): void;
  setBusy(busy: boolean): void;
  finished(): void;
}

export interface Session {
  /** Shows what this tab already talked about and takes up an answer that a change of page cut off. */
  restore(): void;
  send(message: string): void;
  stop(): void;
  reset(): void;
}

const KEPT = 30;
/** Statuses after which the same message would fail again. */
const FINAL = [400, 401, 403, 404, 413, 422];

export function createSession(agent: string, client: Client, surface: Surface, words: Words): Session {
  const storeKey = `concierge:conversation:${agent}`;
  let { conversation, entries }: Stored = { conversation: null, entries: [] };
  let running: AbortController | null = null;

  const keep = (): void => save("sessionStorage", storeKey, { conversation, entries: entries.slice(-KEPT) } satisfies Stored);
  const newAsk = (message: string): Ask => ({ message, key: randomKey(), conversation });

  function present(entry: Entry): AnswerView {
    const view = createAnswer(words, () => surface.follow());
    surface.add(visitorMessage(entry.ask.message, words), view.element);
    return view;
  }

  function take(event: TurnEvent, entry: Entry, view: AnswerView): void {
    if (event.type === "status") {
      if (event.stage === "rewriting") entry.text = ""; // What was shown so far is taken back.
      return view.status(stage(event.stage));
    }
    if (event.type === "reconnecting") return view.status(words[Word.reconnecting]);
    if (event.type === "message.delta") {
      entry.text += event.text;
      view.status("");
      view.show(entry.text, entry.sources, false);
    } else if (event.type === "citation") {
      entry.sources = [...entry.sources.filter(({ number }) => number !== event.number), event];
    } else if ("conversation_id" in event) {
      const done = event.type === "message.completed";
      [entry.text, entry.sources] = done ? [event.response, event.sources] : ["", []];
      conversation = event.conversation_id;
      keep();
    }
  }

  function stage(name: string): string {
    return /retriev|search/.test(name) ? words[Word.searching] : words[Word.thinking];
  }

  async function run(entry: Entry, view: AnswerView): Promise<void> {
    const control = (running = new AbortController());
    let failure: ChatError | undefined;
    entry.state = "waiting";
    view.show(entry.text, entry.sources, false);
    view.status(words[Word.thinking]);
    surface.setBusy(true);
    keep();
    try {
      const report = (event: TurnEvent): unknown => running === control && take(event, entry, view);
      await client.ask(entry.ask, report, control.signal, sessionContext());
      entry.state = "done";
    } catch (error) {
      failure = error as ChatError;
      entry.state = control.signal.aborted ? "stopped" : "failed";
    }
    if (running !== control) return; // A new conversation has begun meanwhile.
    running = null;
    keep();
    surface.setBusy(false);
    settle(entry, view, failure);
    surface.finished();
  }

  /** Shows how a turn ended; the failure is unknown for one that failed before the page changed. */
  function settle(entry: Entry, view: AnswerView, failure?: ChatError): void {
    view.show(entry.text, entry.sources, true);
    if (entry.state === "stopped") view.status(words[Word.stopped], false);
    if (entry.state !== "failed") return;
    const status = failure?.status ?? 500;
    const retry = (): void => {
      if (running) return;
      // A turn that failed is stored so; only a new one can end differently.
      if (status < 0) entry.ask = newAsk(entry.ask.message);
      void run(entry, view);
    };
    view.fail(explain(status, failure?.detail), FINAL.includes(status) ? null : retry, failure?.retryAfter ?? 0);
  }

  function explain(status: number, detail = ""): string {
    if (status === 0) return words[Word.network];
    if ([401, 403, 404].includes(status)) return words[Word.denied];
    if (status === 429) return words[Word.busy];
    if (status > 501) return words[Word.down];
    return (status < 500 && detail) || words[Word.failed];
  }

  return {
    restore() {
      ({ conversation, entries } = load<Stored>("sessionStorage", storeKey) ?? { conversation, entries });
      for (const entry of entries) {
        const view = present(entry);
        entry.ask.lastId = undefined;
        if (entry.state === "waiting") void run(entry, view);
        else settle(entry, view);
      }
    },
    send(message) {
      const entry: Entry = { ask: newAsk(message), text: "", sources: [], state: "waiting" };
      entries.push(entry);
      void run(entry, present(entry));
    },
    stop: () => running?.abort(),
    reset() {
      running?.abort();
      running = null;
      conversation = null;
      entries = [];
      keep();
      surface.setBusy(false);
      surface.clear();
    },
  };
}
