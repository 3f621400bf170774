/** Talks to the server: visitor token, one turn as a stream of events, and getting back into a lost stream. */

import type { Config } from "./config";
import { eventParser } from "./sse";
import { load, save } from "./storage";

export interface Source {
  number: number;
  title: string;
  url: string | null;
  quote: string;
  page?: number | null;
}

/** The whole verified message, as the last event carries it. */
export interface Reply {
  response: string;
  conversation_id: string;
  turn_id: string;
  sources: Source[];
}

export type TurnEvent =
  | { type: "turn.started"; turn_id: string; conversation_id: string }
  | { type: "status"; stage: string }
  | { type: "message.delta"; text: string }
  | ({ type: "citation" } & Source)
  | ({ type: "message.completed" } & Reply)
  | { type: "reconnecting" };

/** One visitor message. The client notes in it how far the answer came, so that it can be taken up again. */
export interface Ask {
  message: string;
  /** Sent as `Idempotency-Key`: the same message is answered once however often it is sent. */
  key: string;
  conversation: string | null;
  turn?: string | undefined;
  lastId?: string | undefined;
}

export class ChatError extends Error {
  constructor(
    /** The HTTP status, 0 when there was no answer, -1 when the turn itself failed. */
    readonly status: number,
    /** What the server says to the visitor. */
    readonly detail = "",
    /** Seconds to wait before another try, when the server says so. */
    readonly retryAfter = 0,
  ) {
    super(detail);
  }
}

export interface Timing {
  /** Milliseconds before each further try. */
  backoff: number[];
  /** Milliseconds without a byte (the server pings every 15 s) after which a stream counts as lost. */
  silence: number;
}

export interface Client {
  /** Asks and reports until the answer is complete. Throws a ChatError; stops quietly broken once `signal` fires. */
  ask(ask: Ask, report: (event: TurnEvent) => void, signal: AbortSignal, context?: object): Promise<void>;
}

const TIMING: Timing = { backoff: [600, 1800, 4500], silence: 40_000 };
/** Statuses that pass by themselves; with a longer `Retry-After` than this many seconds the visitor decides. */
const PASSING = [0, 409, 425, 429, 502, 503, 504];
const PATIENCE = 5;

export function createClient(config: Pick<Config, "origin" | "agent" | "key">, timing = TIMING): Client {
  const tokenKey = `concierge:visitor:${config.agent}`;
  const chat = `/api/v1/chat/${config.agent}`;
  async function send(path: string, token: string, signal: AbortSignal | null, headers = {}, body?: object): Promise<Response> {
    const response = await fetch(config.origin + path, {
      method: body ? "POST" : "GET",
      headers: { ...headers, Authorization: `Bearer ${token}`, ...(body && { "Content-Type": "application/json" }) },
      body: body ? JSON.stringify(body) : null,
      credentials: "omit",
      signal,
    }).catch(() => {
      throw new ChatError(0);
    });
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as { detail?: string };
    throw new ChatError(response.status, problem.detail, Number(response.headers.get("Retry-After")) || 0);
  }

  /** A token; with the previous one, for the same visitor. */
  async function fetchToken(previous: string | null): Promise<string> {
    const body = { agent_id: config.agent, ...(previous && { token: previous }) };
    try {
      const response = await send("/api/v1/visitors/token", config.key, null, {}, body);
      const { token } = (await response.json()) as { token: string };
      save("localStorage", tokenKey, token);
      return token;
    } catch (error) {
      const { status } = error as ChatError;
      // A previous token that the server no longer accepts must not lock the visitor out.
      if (previous && status > 399 && status < 429) return fetchToken(null);
      throw error;
    }
  }

  async function authorized(path: string, signal: AbortSignal, headers: object, body?: object): Promise<Response> {
    const token = load<string>("localStorage", tokenKey) ?? (await fetchToken(null));
    return send(path, token, signal, headers, body).catch(async (error: ChatError) => {
      if (error.status !== 401) throw error;
      return send(path, await fetchToken(token), signal, headers, body);
    });
  }

  async function connect(ask: Ask, signal: AbortSignal, context: object): Promise<Response> {
    try {
      if (ask.turn) {
        return await authorized(`${chat}/turns/${ask.turn}/events`, signal, { "Last-Event-ID": ask.lastId ?? "0" });
      }
      ask.lastId = undefined;
      const conversation = ask.conversation && { conversation_id: ask.conversation };
      const body = { message: ask.message, ...conversation, session_context: context, stream: true };
      return await authorized(chat, signal, { "Idempotency-Key": ask.key }, body);
    } catch (error) {
      // Gone: first the events of the turn (the same key brings its answer back), then the whole conversation.
      if (![404, 410].includes((error as ChatError).status) || !(ask.turn || ask.conversation)) throw error;
      if (ask.turn) ask.turn = undefined;
      else ask.conversation = null;
      return connect(ask, signal, context);
    }
  }

  /** Reads one response; true when the answer is complete, false when the stream broke off before. */
  async function consume(response: Response, ask: Ask, report: (event: TurnEvent) => void): Promise<boolean> {
    if (response.headers.get("Content-Type")?.includes("json")) {
      report({ type: "message.completed", ...((await response.json()) as Reply) });
      return true;
    }
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const hangUp = (): unknown => reader.cancel().catch(() => 0);
    const parse = eventParser();
    for (;;) {
      const alarm = setTimeout(hangUp, timing.silence);
      const { value } = await reader.read().catch(() => ({ value: undefined }));
      clearTimeout(alarm);
      if (!value) return false;
      for (const { id, type, data } of parse(value)) {
        if (id && Number(id) <= Number(ask.lastId ?? 0)) continue; // Sent again after a resume.
        const event = { ...JSON.parse(data), type };
        ask.lastId = id || ask.lastId;
        if (type === "turn.started") ask.turn = event.turn_id;
        const done = type === "message.completed";
        if (done || type === "error") hangUp();
        if (type === "error") throw new ChatError(-1, event.detail);
        report(event);
        if (done) return true;
      }
    }
  }

  async function ask(ask: Ask, report: (event: TurnEvent) => void, signal: AbortSignal, context = {}): Promise<void> {
    let failures = 0;
    for (;;) {
      let failure = new ChatError(0);
      let seen: string | undefined;
      try {
        const response = await connect(ask, signal, context);
        seen = ask.lastId;
        if (await consume(response, ask, report)) return;
      } catch (error) {
        failure = error as ChatError;
      }
      if (ask.lastId !== seen) failures = 0;
      const { status, retryAfter } = failure;
      const pause = timing.backoff[failures++];
      if (signal.aborted || !pause || !PASSING.includes(status) || retryAfter > PATIENCE) throw failure;
      report({ type: "reconnecting" });
      await new Promise((resolve) => {
        signal.addEventListener("abort", resolve);
        setTimeout(resolve, Math.max(pause, retryAfter * 1000));
      });
    }
  }

  return { ask };
}
