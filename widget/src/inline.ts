/**
 * The inside of a Markdown paragraph, built as nodes in one pass from left to right.
 *
 * Every kind of emphasis is open at most once, so the stack stays a handful deep and the time linear.
 * What never closes turns back into the characters that were typed.
 */

import { h, link, safeHref } from "./dom";

/** Makes the marker for source number `n`, or null when `[n]` is to stay plain text. */
export type Cite = (number: number) => Node | null;

type Item = Node | string;

interface Frame {
  /** The delimiter that opened it: `*`, `**`, `_`, `__`, `~~`, `[` or `![`; empty for the outermost. */
  kind: string;
  items: Item[];
}

/**
 * In this order: an escaped sign, code (twice), emphasis, citation numbers and the punctuation behind them, the start
 * of a link, its end with the address, a bare address without the punctuation around it, a line break.
 */
const TOKEN =
  /\\([!-/:-@[-`{-~])|``([^]+?)``|`([^`]+)`|(\*\*?|__?|~~)|\[(\d{1,3}(?:, ?\d{1,3})*)\](?!\()([.,;:!?]*)|(!?\[)|\]\(<?([^\s()<>[\]]*)>?\)|(https?:\/\/[^\s<>"'`|[\]]*[^\s<>"'`|[\].,;:!?*_~()])|(<br ?\/?>|(?: {2}|\\)\n)/g;
const WORD = /[\p{L}\p{N}]/u;

export function inline(text: string, cite: Cite): Item[] {
  const stack: Frame[] = [{ kind: "", items: [] }];
  let at = 0;

  const put = (item: Item): unknown => item && stack[stack.length - 1].items.push(item);
  const find = (...kinds: string[]): number => stack.findIndex((frame) => frame.kind && kinds.includes(frame.kind));
  const goTo = (index: number): void => {
    at = TOKEN.lastIndex = index;
  };
  /** Turns a frame that never closed back into text within the frame around it. */
  const unwrap = (index: number): void => {
    const [{ kind, items }] = stack.splice(index, 1);
    for (const item of [kind, ...items]) stack[index - 1].items.push(item);
  };
  const close = (index: number): Item[] => {
    while (stack.length - 1 > index) unwrap(stack.length - 1);
    return (stack.pop() as Frame).items;
  };

  const emphasis = (mark: string, start: number): void => {
    // In `***both***` the inner mark closes first.
    const kind = text[start + 2] === mark[0] && stack[stack.length - 1].kind === mark[0] ? mark[0] : mark;
    goTo(start + kind.length);
    const [before, after] = [text[start - 1] ?? " ", text[at] ?? " "];
    const inWord = (char: string): boolean => kind[0] === "_" && WORD.test(char);
    const open = find(kind);
    if (open > 0 && /\S/.test(before) && !inWord(after) && (stack[open].items.length || open < stack.length - 1)) {
      const items = close(open);
      put(h(kind === "~~" ? "s" : kind[1] ? "strong" : "em", {}, ...items));
    } else if (open < 0 && /\S/.test(after) && !inWord(before)) stack.push({ kind, items: [] });
    else put(kind);
  };

  const bracket = (kind: string): void => {
    const open = find("[", "![");
    if (open > 0) unwrap(open);
    stack.push({ kind, items: [] });
  };

  const endLink = (whole: string, address: string): unknown => {
    const open = find("[", "![");
    if (open < 0) return put(whole);
    const items = close(open);
    const href = safeHref(address);
    if (!href) return items.forEach(put);
    const anchor = link(href, ...items);
    return put(anchor.querySelector("a") ? link(href, anchor.textContent ?? "") : anchor);
  };

  goTo(0);
  for (let found = TOKEN.exec(text); found; found = TOKEN.exec(text)) {
    const [whole, escaped, ticked, code, mark, numbers, stop, open, address, bare, line] = found;
    put(text.slice(at, found.index));
    at = TOKEN.lastIndex;
    if (ticked || code) put(h("code", {}, (ticked || code).trim()));
    else if (mark) emphasis(mark, found.index);
    else if (numbers) {
      const marks = numbers.split(",").map((number) => cite(Number(number)));
      // A full stop stays on the line of the marker before it.
      put(marks.every(Boolean) ? h("span.cite", {}, ...(marks as Node[]), stop) : whole);
    } else if (open) bracket(open);
    else if (bare) {
      const href = safeHref(bare);
      put(href ? link(href, bare) : bare);
    } else if (line) put(h("br"));
    else if (escaped) put(escaped);
    else endLink(whole, address);
  }
  put(text.slice(at));
  while (stack.length > 1) unwrap(stack.length - 1);
  return stack[0].items;
}
