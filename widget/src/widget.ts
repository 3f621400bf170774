/** The custom element, and the script tag that puts it on the page. */

import { createClient } from "./client";
import type { Config } from "./config";
import { h } from "./dom";
import { wordsFor } from "./i18n";
import message from "./message.css?inline";
import { createPanel, type Panel } from "./panel";
import { createSession, type Session } from "./session";
import { load, save } from "./storage";
import styles from "./styles.css?inline";
import { applyTheme } from "./theme";

const TAG = "concierge-widget";
const STYLES = styles + message;

/** Adopted sheets are not subject to the page's `style-src`; old browsers get an element instead. */
function adoptStyles(shadow: ShadowRoot): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
    shadow.adoptedStyleSheets = [sheet];
  } catch {
    shadow.append(h("style", {}, STYLES));
  }
}

/** Follows the part of a phone's screen that the keyboard leaves free. */
function followViewport({ style }: HTMLElement): void {
  const viewport = window.visualViewport;
  const update = (): void => {
    style.setProperty("--height", `${viewport?.height}px`);
    style.setProperty("--top", `${viewport?.offsetTop}px`);
  };
  for (const event of ["resize", "scroll"]) viewport?.addEventListener(event, update);
}

class ConciergeWidget extends HTMLElement {
  private panel?: Panel;

  connectedCallback(): void {
    if (this.panel) return;
    const config = { origin: location.origin, ...this.dataset } as Config;
    const words = wordsFor(config.lang ?? (document.documentElement.lang || navigator.language));
    const openKey = `concierge:open:${config.agent}`;
    const panel = createPanel(config, words, {
      send: (text) => session.send(text),
      stop: () => session.stop(),
      reset: () => session.reset(),
    });
    const session: Session = createSession(config.agent, createClient(config), panel, words);
    const shadow = this.attachShadow({ mode: "open" });
    adoptStyles(shadow);
    shadow.append(panel.root);
    applyTheme(panel.root, config.color, config.theme);
    followViewport(panel.root);
    this.panel = panel;
    session.restore();
    // On a phone an open panel would cover the page the visitor just went to.
    if (load("sessionStorage", openKey) && innerWidth > 480) panel.open();
    addEventListener("pagehide", () => save("sessionStorage", openKey, panel.isOpen()));
  }

  open(): void {
    this.panel?.open();
  }

  close(): void {
    this.panel?.close();
  }
}

function mount({ dataset, src }: HTMLScriptElement): void {
  if (!dataset["agent"] || !dataset["key"]) return console.error("Concierge: the script tag needs data-agent and data-key.");
  const element = document.createElement(TAG);
  Object.assign(element.dataset, { origin: new URL(src, location.href).origin }, dataset);
  const place = (): unknown => document.querySelector(TAG) ?? document.body.append(element);
  if (document.body) place();
  else addEventListener("DOMContentLoaded", place);
}

// The script tag is known only now, while the script runs for the first time; some tag managers leave it empty.
const script = document.currentScript ?? document.querySelector("script[data-agent]");
if (!customElements.get(TAG)) customElements.define(TAG, ConciergeWidget);
if (script) mount(script as HTMLScriptElement);
