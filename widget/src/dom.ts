/** Small helpers that build nodes. Nothing here, or anywhere in the widget, parses HTML. */

type Child = Node | string;
type Properties = Record<string, string | boolean | EventListener>;

/**
 * `h("p.note", { hidden: true, click: … }, …)`: an element with its class. A function among the properties is a
 * listener, `true` an empty attribute, `false` none.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  selector: K | `${K}.${string}`,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const [tag, style] = selector.split(".");
  const node = document.createElement(tag) as HTMLElementTagNameMap[K];
  if (style) node.className = style;
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** The properties of a button that shows no words: its name for screen readers and for the pointer. */
export function named(label: string): Properties {
  return { "aria-label": label, title: label };
}

/** A decorative 24 × 24 line icon from one path; the button around it has the name. */
export function icon(path: string): Node {
  const node = (tag: string, name: string, value: string): Element => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    element.setAttribute(name, value);
    return element;
  };
  const svg = node("svg", "viewBox", "0 0 24 24");
  svg.append(node("path", "d", path));
  return svg;
}

export const ICONS = {
  bell: "M3 17h18M5 17a7 7 0 0 1 14 0M12 10V7M10 7h4",
  chat: "M5 15a8 8 0 1 1 4 4l-5 1Z",
  close: "M6 6l12 12M18 6L6 18",
  down: "M6 9l6 6 6-6",
  plus: "M12 5v14M5 12h14",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7Z",
};

/**
 * Makes `target` show `fresh` and touches only the children that differ, so that a screen reader, a selection
 * and the focus stay undisturbed in what has been said already.
 */
export function patch(target: Element, fresh: DocumentFragment): void {
  const wanted = Array.from(fresh.childNodes);
  wanted.forEach((node, index) => {
    const shown = target.childNodes[index];
    if (!shown) target.append(node);
    else if (!shown.isEqualNode(node)) shown.replaceWith(node);
  });
  while (target.childNodes.length > wanted.length) target.lastChild?.remove();
}

/** An absolute http, https or mailto address in its normal form, or null for everything else. */
export function safeHref(address: string): string | null {
  try {
    const url = new URL(address.trim());
    return /^(https?|mailto):$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** A link; pages of the site the visitor is on open in place, all others in a new tab. */
export function link(href: string, ...children: Child[]): HTMLAnchorElement {
  const node = h("a", { href, rel: "noopener" }, ...children);
  if (node.origin !== location.origin) node.target = "_blank";
  return node;
}
