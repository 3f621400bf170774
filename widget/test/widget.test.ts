// @vitest-environment jsdom
import { describe, expect, it, vi } from "vitest";
import { SOURCE, button, find, frame, host, load, log, messages, press, root, say, started, troubles } from "./page";

describe("the widget", () => {
  it("opens, takes the focus, and gives it back with Escape", async () => {
    await load({ title: "Coco" });
    expect(find("section").hidden).toBe(true);
    button("Open chat").click();
    expect(find("section").getAttribute("aria-label")).toBe("Coco");
    expect(root().activeElement).toBe(find("textarea"));
    press(find("textarea"), "Escape", { isComposing: true });
    expect(find("section").hidden).toBe(false);
    press(find("textarea"), "Escape");
    expect(find("section").hidden).toBe(true);
    expect(root().activeElement).toBe(find(".launcher"));
  });

  it("streams an answer and opens the source of a marker", async () => {
    await load();
    host().open();
    await say("How long?");
    expect(find(".body p strong").textContent).toBe("30 days");
    expect(messages[0]).toMatchObject({ message: "How long?", stream: true, session_context: { device: "desktop" } });
    button("Source 1: Returns").click();
    const card = find<HTMLDetailsElement>(".sources li details");
    expect([find<HTMLDetailsElement>(".sources").open, card.open]).toEqual([true, true]);
    expect(card.querySelector("small")?.textContent).toBe("shop.example · page 3");
    expect(card.querySelector("blockquote")?.textContent).toBe("Within 30 days of delivery.");
    expect(card.querySelector("a")?.href).toBe(SOURCE.url);
    expect(root().activeElement).toBe(card.querySelector("summary"));
  });

  it("goes on with the conversation, also on the next page, and starts a new one when asked", async () => {
    await load();
    await say("One");
    document.body.replaceChildren();
    await load();
    expect(log()).toContain("You have 30 days from delivery 1.");
    await say("Two");
    expect(messages.map((message) => message["conversation_id"])).toEqual([undefined, "c1"]);
    button("Start a new conversation").click();
    expect(log()).not.toContain("30 days");
    await say("Three");
    expect(messages[2]["conversation_id"]).toBeUndefined();
  });

  it("takes up an answer that a change of page cut off", async () => {
    const ask = { message: "How long?", key: "k1", conversation: null, turn: "t9" };
    const entries = [{ ask, text: "", sources: [], state: "waiting" }];
    sessionStorage.setItem("concierge:conversation:a1", JSON.stringify({ conversation: null, entries }));
    await load();
    await vi.waitFor(() => expect(log()).toContain("30 days"));
    expect(messages[0]["path"]).toBe("/api/v1/chat/a1/turns/t9/events");
  });

  it("says in words what went wrong and tries again with the same key", async () => {
    troubles.push((response) => response.writeHead(500, { "Access-Control-Allow-Origin": "*" }).end("{}"));
    await load();
    await say("How long?");
    expect(find(".note").textContent).toContain("Something went wrong on our side.");
    find(".note button").click();
    await vi.waitFor(() => expect(log()).toContain("30 days"));
    expect(find(".note").textContent).toBe("");
    expect(messages[0]["key"]).toBe(messages[1]["key"]);
  });

  it("lets the visitor wait as long as the server asks", async () => {
    const headers = { "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After", "Retry-After": "30" };
    troubles.push((response) => response.writeHead(429, headers).end("{}"));
    await load();
    await say("How long?");
    const retry = find<HTMLButtonElement>(".note button");
    expect([retry.textContent, retry.disabled]).toEqual(["Try again in 30 s", true]);
  });

  it("asks a failed turn anew under another key", async () => {
    troubles.push((response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*" });
      response.end(started + frame(2, "error", { code: "unavailable", detail: "The database is away." }));
    });
    await load();
    await say("How long?");
    expect(find(".note").textContent).toContain("The database is away.");
    find(".note button").click();
    await vi.waitFor(() => expect(log()).toContain("30 days"));
    expect(messages[0]["key"]).not.toBe(messages[1]["key"]);
  });

  it("stops when asked and keeps what was said", async () => {
    troubles.push((response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*" });
      response.write(started + frame(2, "message.delta", { text: "You have thirty" }));
    });
    await load();
    const input = find<HTMLTextAreaElement>("textarea");
    input.value = "How long?";
    input.dispatchEvent(new Event("input"));
    press(input, "Enter");
    await vi.waitFor(() => expect(log()).toContain("You have thirty"));
    button("Stop answering").click();
    await vi.waitFor(() => expect(log()).toContain("Stopped."));
    expect(log()).toContain("You have thirty");
  });
});
