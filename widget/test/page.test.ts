// @vitest-environment jsdom
import axe from "axe-core";
import { describe, expect, it, vi } from "vitest";
import { button, find, host, load, log, messages, press, say } from "./page";

describe("the composer", () => {
  it("does not send while a word is being composed, with Shift, or nothing", async () => {
    await load();
    const input = find<HTMLTextAreaElement>("textarea");
    press(input, "Enter");
    input.value = "に";
    input.dispatchEvent(new Event("input"));
    press(input, "Enter", { isComposing: true });
    press(input, "Enter", { shiftKey: true });
    expect(input.value).toBe("に");
    expect(log()).not.toContain("に");
  });

  it("counts near the limit and refuses beyond it", async () => {
    await load();
    const input = find<HTMLTextAreaElement>("textarea");
    const counter = (length: number): string => {
      input.value = "é".repeat(length);
      input.dispatchEvent(new Event("input"));
      return find(".counter").textContent ?? "";
    };
    expect(counter(1800)).toBe("");
    expect(counter(1801)).toBe("1,801 of 2,000 characters");
    expect(counter(2001)).toBe("2,001 characters: shorter questions get better answers.");
    expect(button("Send").disabled).toBe(false);
    expect(counter(20_001)).toBe("20,001 of 20,000 characters");
    expect(button("Send").disabled).toBe(true);
  });

  it("keeps the page's shortcuts quiet", async () => {
    await load();
    const heard = vi.fn();
    document.addEventListener("keydown", heard);
    press(find("textarea"), "j");
    expect(heard).not.toHaveBeenCalled();
  });
});

describe("the page", () => {
  it("hears about missing attributes and gets no widget", async () => {
    const complain = vi.spyOn(console, "error").mockImplementation(() => undefined);
    await load({ key: "" });
    expect(complain).toHaveBeenCalledWith("Concierge: the script tag needs data-agent and data-key.");
    expect(host()).toBeNull();
  });

  it("sets title, greeting, suggestions, side and colour", async () => {
    await load({ greeting: "Hi **there**", suggestions: "One?|Two?", position: "left", color: "#ffe08a", theme: "dark" });
    expect(find(".body strong").textContent).toBe("there");
    expect(find(".root").className).toBe("root left pale dark");
    expect(find(".root").style.getPropertyValue("--accent")).toBe("rgb(255,224,138)");
    find(".suggestions button").click();
    await vi.waitFor(() => expect(log()).toContain("30 days"));
    expect(messages[0]["message"]).toBe("One?");
  });

  it("may forbid all storage", async () => {
    const refuse = (): never => {
      throw new DOMException("denied", "SecurityError");
    };
    for (const area of ["localStorage", "sessionStorage"]) vi.spyOn(window, area as "localStorage", "get").mockImplementation(refuse);
    await load();
    await say("One");
    await say("Two");
    expect(messages.map((message) => message["conversation_id"])).toEqual([undefined, "c1"]);
    vi.restoreAllMocks();
    expect([localStorage.length, sessionStorage.length]).toEqual([0, 0]);
  });

  it("gets one widget however often the script runs", async () => {
    await load();
    await load();
    expect(document.querySelectorAll("concierge-widget")).toHaveLength(1);
  });

  it("shows nothing that axe-core objects to", async () => {
    await load({ suggestions: "One?" });
    host().open();
    const check = async (): Promise<string[]> => {
      // jsdom lays nothing out, so contrast is looked at in a real browser.
      const { violations } = await axe.run(host(), { rules: { "color-contrast": { enabled: false } } });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
    };
    expect(await check()).toEqual([]);
    await say("How long?");
    button("Source 1: Returns").click();
    expect(await check()).toEqual([]);
    find("section .send").removeAttribute("aria-label");
    find("section .send").removeAttribute("title");
    expect((await check()).join()).toContain("button-name");
  });
});
