import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Ask, type ChatError, createClient, type TurnEvent } from "../src/client";

interface Seen {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: Record<string, unknown>;
}

type Answer = (response: ServerResponse, seen: Seen) => void;

let server: Server;
let seen: Seen[] = [];
/** What the server does with the next requests; tokens are handed out by themselves. */
let answers: Answer[] = [];
let tokenAnswers: Answer[] = [];

const chats = (): Seen[] => seen.filter(({ path }) => path.startsWith("/api/v1/chat/"));
const tokens = (): Seen[] => seen.filter(({ path }) => path === "/api/v1/visitors/token");

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = "";
  for await (const chunk of request) text += chunk;
  const { method = "", url = "", headers } = request;
  const entry: Seen = { method, path: url, headers, body: JSON.parse(text || "{}") };
  seen.push(entry);
  const token: Answer = (reply) => json(200, { token: `visitor-${tokens().length}` })(reply, entry);
  const answer = url === "/api/v1/visitors/token" ? (tokenAnswers.shift() ?? token) : answers.shift();
  (answer ?? json(500, {}))(response, entry);
}

function json(status: number, body: object, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
}

const FRAMES: [number, string, object][] = [
  [1, "turn.started", { turn_id: "t1", conversation_id: "c1" }],
  [2, "status", { stage: "retrieve" }],
  [3, "message.delta", { text: "Thirty " }],
  [4, "message.delta", { text: "days [1]." }],
  [5, "message.completed", { response: "Thirty days [1].", conversation_id: "c1", turn_id: "t1", sources: [] }],
];

/** Streams the frames with ids in (after, last]; breaks the connection unless the last one is among them. */
function stream(after = 0, last = 5, frames = FRAMES): Answer {
  return (response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
    const wanted = frames.filter(([id]) => id > after && id <= last);
    response.write(wanted.map(([id, type, data]) => `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`).join(""));
    setTimeout(() => (last < 5 ? response.destroy() : response.end()), 20);
  };
}

async function run(ask: Partial<Ask> = {}, control = new AbortController(), silence = 1000): Promise<TurnEvent[]> {
  const { port } = server.address() as AddressInfo;
  const client = createClient({ origin: `http://127.0.0.1:${port}`, agent: "a1", key: "pk_1" }, { backoff: [5, 10, 15], silence });
  const events: TurnEvent[] = [];
  const whole: Ask = { message: "How long?", key: "k1", conversation: null, ...ask };
  try {
    await client.ask(whole, (event) => events.push(event), control.signal, { language: "en" });
  } catch (error) {
    throw Object.assign(error as ChatError, { events });
  }
  return events;
}

const types = (events: TurnEvent[]): string[] => events.map(({ type }) => type);

beforeEach(async () => {
  [seen, answers, tokenAnswers] = [[], [], []];
  const kept = new Map<string, string>();
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) };
  Object.defineProperty(globalThis, "localStorage", { value: storage, configurable: true });
  server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe("a turn", () => {
  it("is asked with a visitor token and reported event by event", async () => {
    answers = [stream()];
    expect(types(await run({ conversation: "c0" }))).toEqual(FRAMES.map(([, type]) => type));
    expect(tokens()[0]).toMatchObject({ body: { agent_id: "a1" }, headers: { authorization: "Bearer pk_1" } });
    const [post] = chats();
    expect(post.body).toEqual({ message: "How long?", conversation_id: "c0", session_context: { language: "en" }, stream: true });
    expect(post.headers).toMatchObject({ authorization: "Bearer visitor-1", "idempotency-key": "k1" });
  });

  it("may come back whole, as JSON", async () => {
    answers = [json(200, { response: "Yes.", conversation_id: "c1", turn_id: "t1", sources: [] })];
    expect(await run()).toMatchObject([{ type: "message.completed", response: "Yes." }]);
  });

  it("that failed on the server is an error, not a lost stream", async () => {
    const failing: typeof FRAMES = [FRAMES[0], [2, "error", { code: "unavailable", detail: "Please try again." }]];
    answers = [stream(0, 5, failing)];
    await expect(run()).rejects.toMatchObject({ status: -1, detail: "Please try again." });
    expect(chats()).toHaveLength(1);
  });

  it("stops when it is told to", async () => {
    const control = new AbortController();
    answers = [
      (response) => {
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        response.write('id: 1\nevent: turn.started\ndata: {"turn_id":"t1","conversation_id":"c1"}\n\n');
        setTimeout(() => control.abort(), 30);
      },
    ];
    await expect(run({}, control)).rejects.toBeDefined();
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(chats()).toHaveLength(1);
  });
});

describe("the visitor token", () => {
  it("is kept for the next message", async () => {
    answers = [stream(), stream()];
    await run();
    await run({ key: "k2" });
    expect(tokens()).toHaveLength(1);
  });

  it("is renewed once for the same visitor when it has expired", async () => {
    localStorage.setItem("concierge:visitor:a1", '"old"');
    answers = [json(401, { code: "token_expired" }), stream()];
    await run();
    expect(tokens().map(({ body }) => body)).toEqual([{ agent_id: "a1", token: "old" }]);
    expect(chats().map(({ headers }) => headers.authorization)).toEqual(["Bearer old", "Bearer visitor-1"]);
    expect(chats().map(({ headers }) => headers["idempotency-key"])).toEqual(["k1", "k1"]);
  });

  it("is asked for anew when the old one is not accepted", async () => {
    localStorage.setItem("concierge:visitor:a1", '"forged"');
    answers = [json(401, {}), stream()];
    tokenAnswers = [json(401, {})];
    await run();
    expect(tokens().map(({ body }) => body)).toEqual([{ agent_id: "a1", token: "forged" }, { agent_id: "a1" }]);
  });

  it("that is refused twice ends in an error", async () => {
    answers = [json(401, {}), json(401, { detail: "No." })];
    await expect(run()).rejects.toMatchObject({ status: 401, detail: "No." });
  });

  it("is not fetched again and again for a wrong key", async () => {
    tokenAnswers = [json(403, { detail: "Not from this site." })];
    await expect(run()).rejects.toMatchObject({ status: 403, detail: "Not from this site." });
    expect(seen).toHaveLength(1);
  });
});

describe("a dropped stream", () => {
  it("is taken up after the last event, without saying anything twice", async () => {
    answers = [stream(0, 3), stream(1, 4), stream(4)];
    const events = await run();
    expect(types(events).filter((type) => type !== "reconnecting")).toEqual(FRAMES.map(([, type]) => type));
    expect(types(events).filter((type) => type === "reconnecting")).toHaveLength(2);
    expect(chats().slice(1)).toMatchObject([
      { method: "GET", path: "/api/v1/chat/a1/turns/t1/events", headers: { "last-event-id": "3" } },
      { method: "GET", path: "/api/v1/chat/a1/turns/t1/events", headers: { "last-event-id": "4" } },
    ]);
  });

  it("is sent again with the same key when the turn is not known yet", async () => {
    answers = [(response) => response.destroy(), stream(0, 0), stream()];
    await run();
    expect(chats().map(({ method, headers }) => [method, headers["idempotency-key"]])).toEqual(Array(3).fill(["POST", "k1"]));
  });

  it("falls back to the same key when the events are gone", async () => {
    answers = [stream(0, 3), json(404, {}), stream()];
    const events = await run();
    expect(chats().map(({ method }) => method)).toEqual(["POST", "GET", "POST"]);
    expect(types(events).filter((type) => type === "turn.started")).toHaveLength(2);
    expect(events[events.length - 1].type).toBe("message.completed");
  });

  it("counts as lost when it has been silent for too long", async () => {
    const silent: Answer = (response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write('id: 1\nevent: turn.started\ndata: {"turn_id":"t1","conversation_id":"c1"}\n\n');
    };
    answers = [silent, stream(1)];
    expect(types(await run({}, new AbortController(), 60))).toContain("message.completed");
  });

  it("is given up after three tries that bring nothing", async () => {
    answers = Array.from({ length: 9 }, () => (response: ServerResponse) => response.destroy());
    await expect(run()).rejects.toMatchObject({ status: 0 });
    expect(chats()).toHaveLength(4);
  });
});

describe("a refused message", () => {
  it("waits as long as the server asks when that is short", async () => {
    answers = [json(503, {}, { "Retry-After": "1" }), stream()];
    const started = performance.now();
    await run();
    expect(performance.now() - started).toBeGreaterThan(990);
  });

  it("is left to the visitor when the wait is long", async () => {
    answers = [json(429, { detail: "Slow down." }, { "Retry-After": "30" })];
    await expect(run()).rejects.toMatchObject({ status: 429, retryAfter: 30 });
    expect(chats()).toHaveLength(1);
  });

  it("is not repeated when it is wrong", async () => {
    answers = [json(422, { detail: "The message is empty." })];
    await expect(run()).rejects.toMatchObject({ status: 422, detail: "The message is empty." });
    expect(chats()).toHaveLength(1);
  });

  it("begins a new conversation when the old one is gone", async () => {
    answers = [json(404, {}), stream()];
    await run({ conversation: "old" });
    expect(chats().map(({ body }) => body["conversation_id"])).toEqual(["old", undefined]);
  });

  it("says so when the agent does not exist", async () => {
    answers = [json(404, {}), json(404, {})];
    await expect(run({ conversation: "old" })).rejects.toMatchObject({ status: 404 });
  });
});
