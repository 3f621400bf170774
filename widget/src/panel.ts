/** The window: launcher, header, message list, composer; opening, closing, focus and scrolling. */

import { createComposer } from "./composer";
import type { Config } from "./config";
import { h, icon, ICONS } from "./dom";
import { Word, type Words } from "./i18n";
import { renderMarkdown } from "./markdown";
import type { Surface } from "./session";

export interface Actions {
  send(text: string): void;
  stop(): void;
  reset(): void;
}

export interface Panel extends Surface {
  root: HTMLElement;
  isOpen(): boolean;
  open(): void;
  close(): void;
}

/** How near the end, in pixels, still counts as reading along. */
const NEAR_END = 80;

export function createPanel(config: Config, words: Words, actions: Actions): Panel {
  const title = config.title ?? words[Word.title];
  let readingAlong = true;
  const isOpen = (): boolean => !dialog.hidden;
  const tool = (label: string, path: string, click: () => void): Node =>
    h("button.tool", { "aria-label": label, title: label, click }, icon(path));

  /** Keeps the newest words in view, unless the visitor has scrolled up to read. */
  const follow = (): void => {
    if (readingAlong) log.scrollTop = log.scrollHeight;
  };
  const send = (text: string): void => {
    actions.send(text);
    composer.input.focus();
  };
  const label = (news = false): void => {
    launcher.setAttribute("aria-expanded", String(isOpen()));
    launcher.setAttribute("aria-label", isOpen() ? words[Word.close] : news ? words[Word.unread] : words[Word.open]);
    launcher.replaceChildren(icon(isOpen() ? ICONS.down : ICONS.chat), ...(news ? [h("i")] : []));
    root.classList.toggle("open", isOpen());
  };
  const open = (): void => {
    dialog.hidden = false;
    label();
    follow();
    // On a touch screen focus in the field would raise the keyboard over the greeting.
    const touch = window.matchMedia?.("(pointer: coarse)").matches;
    (touch ? dialog : composer.input).focus();
  };
  const close = (): void => {
    dialog.hidden = true;
    label();
    launcher.focus();
  };
  const keys = (event: Event): void => {
    const { type, key, isComposing } = event as KeyboardEvent;
    // The page's own shortcuts must not fire while someone types a message.
    event.stopPropagation();
    if (type === "keydown" && key === "Escape" && !isComposing && isOpen()) close();
  };
  const welcome = (): Node[] => {
    const greeting = h("div.answer", {}, h("div.body", {}, renderMarkdown(config.greeting ?? words[Word.greeting])));
    const choices = (config.suggestions?.split("|") ?? []).map((text) => h("button", { click: () => send(text) }, text));
    const group = h("div.suggestions", {}, ...choices);
    return choices.length ? [greeting, group] : [greeting];
  };

  const composer = createComposer(words, send, actions.stop);
  composer.element.addEventListener("input", follow);
  const scroll = (): void => {
    readingAlong = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
  };
  const log = h("div.log", { role: "log", "aria-live": "polite", "aria-label": words[Word.log], tabindex: "0", scroll }, ...welcome());
  const header = h(
    "header",
    {},
    h("span.avatar", {}, icon(ICONS.bell)),
    h("div", {}, h("h2", {}, title), h("p", {}, words[Word.subtitle])),
    tool(words[Word.fresh], ICONS.plus, actions.reset),
    tool(words[Word.close], ICONS.close, close),
  );
  const dialog = h(
    "section",
    { role: "dialog", "aria-label": title, tabindex: "-1", hidden: true },
    header,
    log,
    composer.element,
  );
  const click = (): void => (isOpen() ? close() : open());
  const launcher = h("button.launcher", { click });
  const root = h("div", { class: `root${/left/.test(config.position ?? "") ? " left" : ""}`, keydown: keys, keyup: keys, keypress: keys }, dialog, launcher);
  label();

  return {
    root,
    isOpen,
    open,
    close,
    follow,
    setBusy: composer.setBusy,
    add(...messages) {
      log.querySelector(".suggestions")?.remove();
      log.append(...messages);
      readingAlong = true;
      follow();
    },
    clear() {
      log.replaceChildren(...welcome());
      composer.input.focus();
    },
    finished() {
      follow();
      if (!isOpen()) label(true);
    },
  };
}
