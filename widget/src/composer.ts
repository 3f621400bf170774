/** Where the visitor writes: grows with the text, sends with Enter, counts near the limit. */

import { h, icon, ICONS } from "./dom";
import { fill, Word, type Words } from "./i18n";

/** Characters after which we advise to be brief, and the most the server takes. */
export const SOFT_LIMIT = 2000;
export const HARD_LIMIT = 20_000;
/** How long before the first limit the counter appears, in characters, and how high the field grows, in pixels. */
const NEAR = 200;
const MAX_HEIGHT = 160;

export interface Composer {
  element: HTMLElement;
  input: HTMLTextAreaElement;
  /** While an answer streams the button stops it; writing the next message stays possible. */
  setBusy(busy: boolean): void;
}

export function createComposer(words: Words, onSend: (text: string) => void, onStop: () => void): Composer {
  let busy = false;
  const counter = h("p.counter", { role: "status" });
  const button = h("button.send");

  const refresh = (): void => {
    const { length } = Array.from(input.value.trim());
    const over = length > HARD_LIMIT;
    const text = words[length > SOFT_LIMIT && !over ? Word.long : Word.count];
    counter.textContent = length > SOFT_LIMIT - NEAR ? fill(text, length, over ? HARD_LIMIT : SOFT_LIMIT) : "";
    element.classList.toggle("over", over);
    button.disabled = !busy && (!length || over);
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, MAX_HEIGHT)}px`;
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    if (button.disabled || busy) return;
    const text = input.value.trim();
    input.value = "";
    refresh();
    onSend(text);
  };
  const keydown = (event: Event): void => {
    const { key, shiftKey, isComposing, keyCode } = event as KeyboardEvent;
    // Enter also confirms a word in an input method editor; Safari reports that with key code 229 alone.
    if (key === "Enter" && !shiftKey && !isComposing && keyCode !== 229) submit(event);
  };
  const setBusy = (now: boolean): void => {
    busy = now;
    button.title = busy ? words[Word.stop] : words[Word.send];
    button.setAttribute("aria-label", button.title);
    button.replaceChildren(icon(busy ? ICONS.stop : ICONS.send));
    refresh();
  };

  const input = h("textarea", { rows: "1", placeholder: words[Word.placeholder], "aria-label": words[Word.message], input: refresh, keydown });
  button.addEventListener("click", () => busy && onStop());
  const element = h("form.composer", { submit }, h("div.field", {}, input, button), counter);
  setBusy(false);
  return { element, input, setBusy };
}
