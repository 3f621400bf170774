/** One message on screen: what the visitor said, or an answer with its sources. */

import type { Source } from "./client";
import { h, icon, ICONS, link, named, patch, safeHref } from "./dom";
import { fill, Word, type Words } from "./i18n";
import { renderMarkdown } from "./markdown";

export function visitorMessage(text: string, words: Words): HTMLElement {
  return h("div.visitor", {}, h("span.hidden", {}, words[Word.you]), text);
}

export interface AnswerView {
  element: HTMLElement;
  /** Shows this much of the answer, at once when it is complete, else with the next frame. */
  show(text: string, sources: Source[], complete: boolean): void;
  /** What is going on while there is nothing more to read yet; an empty text hides it. */
  status(text: string, moving?: boolean): void;
  /** Says what went wrong; the button of `retry` waits `seconds` when the server asked for it. */
  fail(text: string, retry: (() => void) | null, seconds: number): void;
}

export function createAnswer(words: Words, onPaint: () => void): AnswerView {
  let shown = "";
  let known: Source[] = [];
  let listed: Source[] = [];
  let frame = 0;
  let cards: HTMLDetailsElement[] = [];
  const body = h("div.body");
  const state = h("p.state");
  const note = h("div.note");
  const list = h("ol");
  const drawer = h("details.sources");
  const element = h("div.answer", {}, body, state, note, drawer);

  /** Opens the card of one source below the answer and leads there. */
  const open = (number: number): void => {
    drawer.open = true;
    cards.forEach((card, index) => {
      card.open = listed[index].number === number;
      if (!card.open) return;
      (card.firstChild as HTMLElement).focus();
      card.scrollIntoView({ block: "nearest" });
    });
  };
  const mark = (number: number): Node | null => {
    const source = known.find((candidate) => candidate.number === number);
    if (!source) return null;
    const label = `${fill(words[Word.source], number)}: ${source.title}`;
    return h("button.mark", named(label), String(number));
  };
  const paint = (): void => {
    cancelAnimationFrame(frame);
    frame = 0;
    if (listed !== known) {
      listed = known;
      cards = known.map((source) => card(source, words));
      list.replaceChildren(...cards.map((details) => h("li", {}, details)));
      const count = h("span", {}, String(known.length));
      drawer.replaceChildren(...(known.length ? [h("summary", {}, words[Word.sources], count, icon(ICONS.down)), list] : []));
    }
    patch(body, renderMarkdown(shown, mark));
    onPaint();
  };

  body.addEventListener("click", ({ target }) => {
    if (target instanceof HTMLButtonElement) open(Number(target.textContent));
  });
  const status = (text: string, moving = true): void => {
    state.textContent = text;
    state.classList.toggle("moving", moving);
  };
  return {
    element,
    status,
    show(text, sources, complete) {
      shown = text;
      known = sources;
      element.setAttribute("aria-busy", String(!complete));
      note.replaceChildren();
      if (complete) {
        status("");
        paint();
      } else frame ||= requestAnimationFrame(paint);
    },
    fail(text, retry, seconds) {
      note.replaceChildren(text);
      if (!retry) return;
      const button = h("button", { click: retry });
      note.append(button);
      const tick = (): void => {
        button.disabled = seconds > 0;
        button.textContent = seconds > 0 ? fill(words[Word.retryIn], seconds) : words[Word.retry];
        if (seconds-- > 0) setTimeout(tick, 1000);
      };
      tick();
    },
  };
}

/** Title, exact quote and link of one source, folded. */
function card({ number, title, url, quote, page }: Source, words: Words): HTMLDetailsElement {
  const href = safeHref(url ?? "");
  const place = href ? new URL(href).host : "";
  const name = h("span.name", {}, title || place, h("small", {}, [place, page && fill(words[Word.page], page)].filter(Boolean).join(" · ")));
  const details = h("details", {}, h("summary", {}, h("b", {}, String(number)), name, icon(ICONS.down)));
  details.append(h("blockquote", {}, renderMarkdown(quote)));
  if (href) details.append(link(href, words[Word.openSource]));
  return details;
}
