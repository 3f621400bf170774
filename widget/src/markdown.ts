/** Markdown as nodes: paragraphs, headings, lists, tables, quotes and code. Never HTML, never images. */

import { h } from "./dom";
import { type Cite, inline } from "./inline";

const MAX_DEPTH = 20;
const FENCE = /^ {0,3}(```+|~~~+)/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(\S.*)/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^ {0,3}(?:[-*+]|(\d{1,9})[.)])(?:[ \t]+|$)/;

export function renderMarkdown(source: string, cite: Cite = () => null): DocumentFragment {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(source.split(/\r\n?|\n/), cite, 0));
  return fragment;
}

function indentOf(line: string): number {
  return line.search(/\S|$/);
}

function isRule(line: string): boolean {
  return /^([-*_])\1\1+$/.test(line.replace(/\s/g, ""));
}

function isTable(lines: string[], at: number): boolean {
  const ruler = lines[at + 1] ?? "";
  if (!lines[at].includes("|") || !/^[\s:|-]+$/.test(ruler)) return false;
  const columns = cells(ruler);
  return columns.every((cell) => /^:?-+:?$/.test(cell)) && columns.length === cells(lines[at]).length;
}

/** Whether a line ends the paragraph above it. A number only starts a list there when it is 1. */
function interrupts(lines: string[], at: number): boolean {
  const line = lines[at];
  if (!line.trim() || [FENCE, HEADING, QUOTE].some((start) => start.test(line)) || isRule(line)) return true;
  const item = ITEM.exec(line);
  return item ? Number(item[1] ?? 1) === 1 : isTable(lines, at);
}

function blocks(lines: string[], cite: Cite, depth: number): Node[] {
  const found: Node[] = [];
  const nests = depth < MAX_DEPTH;
  let at = 0;
  /** Takes the lines from here on for which `goes` holds. */
  const take = (goes: (at: number) => boolean): string[] => {
    const start = at;
    while (at < lines.length && goes(at)) at += 1;
    return lines.slice(start, at);
  };
  const fenced = (mark: string): Node => {
    at += 1;
    const code = take((next) => !lines[next].trim().startsWith(mark)).join("\n");
    at += 1;
    return h("pre", { tabindex: "0" }, h("code", {}, code));
  };
  const quote = (): Node => {
    const inner = take((next) => QUOTE.test(lines[next])).map((line) => line.replace(QUOTE, ""));
    return h("blockquote", {}, ...blocks(inner, cite, depth + 1));
  };
  const list = (number: string | undefined): Node => {
    const node = number ? h("ol", number === "1" ? {} : { start: number }) : h("ul");
    for (;;) {
      take((next) => !lines[next].trim());
      const mark = ITEM.exec(lines[at] ?? "");
      if (!mark || Boolean(mark[1]) !== Boolean(number) || isRule(lines[at])) return node;
      const width = mark[0].length;
      const first = at;
      const inner = take((next) => next === first || continues(lines, next));
      const strip = (line: string, index: number): string => line.slice(index ? Math.min(indentOf(line), width) : width);
      node.append(h("li", {}, ...blocks(inner.map(strip), cite, depth + 1)));
    }
  };
  const table = (): Node => {
    const sides = cells(lines[at + 1]).map((ruler) => /[^:].*:$/.test(ruler) && "end");
    const row = (line: string, tag: "th" | "td"): Node => {
      const texts = cells(line);
      return h("tr", {}, ...sides.map((side, column) => h(tag, { class: side }, ...inline(texts[column] ?? "", cite))));
    };
    const [head, , ...rows] = take((next) => lines[next].includes("|"));
    const body = rows.map((line) => row(line, "td"));
    return h("div.table", { tabindex: "0" }, h("table", {}, h("thead", {}, row(head, "th")), h("tbody", {}, ...body)));
  };
  while (at < lines.length) {
    const line = lines[at];
    const start = at;
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    const item = ITEM.exec(line);
    if (!line.trim()) at += 1;
    else if (fence) found.push(fenced(fence[1]));
    else if (heading) found.push(h("h3", {}, ...inline(heading[2].trim(), cite))), (at += 1);
    else if (isRule(line)) found.push(h("hr")), (at += 1);
    else if (nests && QUOTE.test(line)) found.push(quote());
    else if (nests && item) found.push(list(item[1]));
    else if (isTable(lines, at)) found.push(table());
    else {
      const text = take((next) => next === start || !interrupts(lines, next)).map((part) => part.slice(indentOf(part)));
      found.push(h("p", {}, ...inline(text.join("\n"), cite)));
    }
  }
  return found;
}

/** Whether a line belongs to the list item above it: indented, blank, or lazily going on with its paragraph. */
function continues(lines: string[], at: number): boolean {
  if (!lines[at].trim() || indentOf(lines[at]) > 1) return true;
  return Boolean(lines[at - 1].trim()) && !ITEM.test(lines[at]) && !interrupts(lines, at);
}

function cells(line: string): string[] {
  return line
    .trim()
    .replace(/^\||\|$/g, "")
    .replace(/\\\|/g, "\0")
    .split("|")
    .map((cell) => cell.replace(/\0/g, "|").trim());
}
