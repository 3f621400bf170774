import { describe, expect, it } from "vitest";
import { eventParser, type ServerEvent } from "../src/sse";

const STREAM =
  "\uFEFF: hello\r\n" +
  'id: 1\r\nevent: turn.started\r\ndata: {"turn_id":"t"}\r\n\r\n' +
  "id: 2\nevent: message.delta\ndata: Möbel 🪑 für\ndata:  zwei\n\n" +
  "event: ping\ndata\n\n" +
  "retry: 10\rdata:{}\r\r" +
  "event: nothing\n\n" +
  "id: 3\ndata: last\n\n" +
  "data: never finished\n";

const EVENTS: ServerEvent[] = [
  { id: "1", type: "turn.started", data: '{"turn_id":"t"}' },
  { id: "2", type: "message.delta", data: "Möbel 🪑 für\n zwei" },
  { id: "2", type: "ping", data: "" },
  { id: "2", type: "message", data: "{}" },
  { id: "3", type: "message", data: "last" },
];

function parsed(stream: string, size: number, offset = 0): ServerEvent[] {
  const bytes = new TextEncoder().encode(stream);
  const parse = eventParser();
  const events = parse(bytes.subarray(0, offset));
  for (let at = offset; at < bytes.length; at += size) events.push(...parse(bytes.subarray(at, at + size)));
  return events;
}

describe("server-sent events", () => {
  for (let size = 1; size <= 8; size += 1) {
    it(`are the same in chunks of ${size} bytes from every start`, () => {
      for (let offset = 0; offset < size; offset += 1) expect(parsed(STREAM, size, offset)).toEqual(EVENTS);
    });
  }

  it("are the same whatever ends the lines", () => {
    const plain = STREAM.replace(/\r\n|\r/g, "\n");
    for (const ending of ["\n", "\r", "\r\n"]) expect(parsed(plain.replace(/\n/g, ending), 3)).toEqual(EVENTS);
  });

  it("take long data in linear time", () => {
    const started = performance.now();
    const [event] = parsed(`data: ${"x".repeat(500_000)}\n\n`, 7);
    expect(event?.data.length).toBe(500_000);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
