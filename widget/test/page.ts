/** A page with the widget on it, and a server that speaks the chat API. */

import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from "vitest";

export const SOURCE = { number: 1, title: "Returns", url: "https://shop.example/returns", quote: "Within **30 days** of delivery.", page: 3 };
const RESPONSE = "You have **30 days** from delivery [1].";

let server: Server;
let origin = "";
/** What the server was asked: the body of each message with its path and its key. */
export const messages: Record<string, unknown>[] = [];
/** Each message takes the next of these; an empty list answers properly. */
export const troubles: ((response: ServerResponse) => void)[] = [];

export const frame = (id: number, type: string, data: object): string => `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
export const started = frame(1, "turn.started", { turn_id: "t1", conversation_id: "c1" });

function answer(response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*" });
  response.write(started + frame(2, "status", { stage: "retrieve" }) + frame(3, "message.delta", { text: "You have " }));
  const reply = { response: RESPONSE, conversation_id: "c1", turn_id: "t1", sources: [SOURCE] };
  response.end(frame(4, "citation", SOURCE) + frame(5, "message.completed", reply));
}

/** A page with the script tag, as a browser would run it. */
export async function load(attributes: Record<string, string> = {}): Promise<void> {
  const script = document.createElement("script");
  Object.assign(script.dataset, { agent: "a1", key: "pk_1", origin, ...attributes });
  document.body.append(script);
  Object.defineProperty(document, "currentScript", { value: script, configurable: true });
  vi.resetModules();
  await import("../src/widget");
}

export const host = (): HTMLElement & { open(): void; close(): void } => document.querySelector("concierge-widget")!;
export const root = (): ShadowRoot => host().shadowRoot!;
export const find = <T extends HTMLElement = HTMLElement>(selector: string): T => root().querySelector<T>(selector)!;
export const button = (label: string): HTMLButtonElement => find(`button[aria-label="${label}"]`);
export const log = (): string => find(".log").textContent ?? "";

export async function say(text: string): Promise<void> {
  const input = find<HTMLTextAreaElement>("textarea");
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  press(input, "Enter");
  await vi.waitFor(() => expect(button("Send")).toBeTruthy());
}

export function press(target: HTMLElement, key: string, more: KeyboardEventInit = {}): void {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true, ...more }));
}

beforeAll(async () => {
  Element.prototype.scrollIntoView = () => undefined;
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const cors = { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*" };
    if (request.url === "/api/v1/visitors/token") {
      response.writeHead(200, { "Content-Type": "application/json", ...cors }).end('{"token":"v"}');
    } else {
      messages.push({ ...JSON.parse(text || "{}"), path: request.url, key: request.headers["idempotency-key"] });
      (troubles.shift() ?? answer)(response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  messages.length = troubles.length = 0;
  localStorage.clear();
  sessionStorage.clear();
});

afterEach(() => document.body.replaceChildren());
