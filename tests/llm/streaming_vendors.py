"""A server on this machine that streams as the vendors of language models do, each in its own wire format."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from concierge.llm.structured import ModelAddress
from concierge.llm.writing import TextModel, create_text_model
from tests.llm.language_vendors import KEY, VENDORS, Request, Vendor, request_of

Event = dict[str, Any]


def _sse(events: Sequence[Event], *, named: bool, last: str = "") -> list[bytes]:
    heads = [f"event: {event['type']}\n" if named else "" for event in events]
    lines = [f"{head}data: {json.dumps(event)}\n\n" for head, event in zip(heads, events, strict=True)]
    return [line.encode() for line in (*lines, *([last] if last else []))]


def _responses_end(number: int, item: Event) -> list[Event]:
    usage = {
        "input_tokens": 11,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 18,
    }
    done = {"type": "response.output_item.done", "output_index": 0, "item": item, "sequence_number": number}
    response = _response("completed", [item], usage)
    return [done, {"type": "response.completed", "response": response, "sequence_number": number + 1}]


def _response(status: str, output: list[Event], usage: Event | None) -> Event:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": status,
        "model": "gpt-5.1-2026-01-01",
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage,
    }


def _begin(item: Event) -> list[Event]:
    created = {"type": "response.created", "response": _response("in_progress", [], None)}
    added = {"type": "response.output_item.added", "output_index": 0, "item": item}
    return [created | {"sequence_number": 0}, added | {"sequence_number": 1}]


def responses_text(pieces: Sequence[str]) -> list[bytes]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": []}
    begun = {"type": "response.content_part.added", **place, "part": part, "sequence_number": 2}
    deltas = [
        {
            "type": "response.output_text.delta",
            **place,
            "delta": piece,
            "logprobs": [],
            "sequence_number": number,
        }
        for number, piece in enumerate(pieces, 3)
    ]
    whole = {**part, "text": "".join(pieces)}
    end = _responses_end(99, {**message, "status": "completed", "content": [whole]})
    return _sse([*_begin(message), begun, *deltas, *end], named=True)


def responses_call(name: str, arguments: Any) -> list[bytes]:
    call = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": name, "arguments": ""}
    written = json.dumps(arguments)
    place = {"item_id": "fc_1", "output_index": 0, "sequence_number": 2}
    delta = {"type": "response.function_call_arguments.delta", **place, "delta": written}
    end = _responses_end(3, {**call, "arguments": written, "status": "completed"})
    return _sse([*_begin({**call, "status": "in_progress"}), delta, *end], named=True)


def _chunk(delta: Event, reason: str | None = None, usage: Event | None = None) -> Event:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": "qwen3",
        "choices": [] if usage else [{"index": 0, "delta": delta, "finish_reason": reason}],
        "usage": usage,
    }


COUNTED = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def completions_text(pieces: Sequence[str]) -> list[bytes]:
    chunks = [_chunk({"role": "assistant", "content": piece}) for piece in pieces]
    ends = [_chunk({}, "stop"), _chunk({}, None, COUNTED)]
    return _sse([*chunks, *ends], named=False, last="data: [DONE]\n\n")


def completions_call(name: str, arguments: Any) -> list[bytes]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    chunks = [
        _chunk({"role": "assistant", "tool_calls": [call]}),
        _chunk({}, "tool_calls"),
        _chunk({}, None, COUNTED),
    ]
    return _sse(chunks, named=False, last="data: [DONE]\n\n")


def _anthropic(block: Event, deltas: Sequence[Event], reason: str) -> list[bytes]:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 1},
    }
    stop = {"stop_reason": reason, "stop_sequence": None}
    events: list[Event] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]
    return _sse(events, named=True)


def anthropic_text(pieces: Sequence[str]) -> list[bytes]:
    deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
    return _anthropic({"type": "text", "text": ""}, deltas, "end_turn")


def anthropic_call(name: str, arguments: Any) -> list[bytes]:
    block = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}
    deltas = [{"type": "input_json_delta", "partial_json": json.dumps(arguments)}]
    return _anthropic(block, deltas, "tool_use")


def _gemini(parts: Sequence[Event]) -> list[bytes]:
    events: list[Event] = [
        {
            "candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}],
            "modelVersion": "gemini-2.5-flash",
            "responseId": "response-1",
        }
        for part in parts
    ]
    events[-1]["candidates"][0]["finishReason"] = "STOP"
    events[-1]["usageMetadata"] = {
        "promptTokenCount": 11,
        "candidatesTokenCount": 7,
        "totalTokenCount": 18,
    }
    return _sse(events, named=False)


def gemini_text(pieces: Sequence[str]) -> list[bytes]:
    return _gemini([{"text": piece} for piece in pieces])


def gemini_call(name: str, arguments: Any) -> list[bytes]:
    return _gemini([{"functionCall": {"name": name, "args": arguments}}])


@dataclass(frozen=True, slots=True)
class Wire:
    """How a vendor streams words and the call of a tool."""

    vendor: Vendor
    text: Callable[[Sequence[str]], list[bytes]]
    call: Callable[[str, Any], list[bytes]]


WIRES = {
    "openai": Wire(VENDORS["openai"], responses_text, responses_call),
    "a server like OpenAI's": Wire(VENDORS["a server like OpenAI's"], completions_text, completions_call),
    "anthropic": Wire(VENDORS["anthropic"], anthropic_text, anthropic_call),
    "google": Wire(VENDORS["google"], gemini_text, gemini_call),
    "ollama": Wire(VENDORS["ollama"], completions_text, completions_call),
}


@dataclass(frozen=True, slots=True)
class Streamed:
    """What the server does with a request: sends chunks, each after a pause, and then ends well or hangs up."""

    chunks: Sequence[bytes] = ()
    status: int = 200
    headers: str = ""
    pauses_s: float = 0.0
    stalls_after: int | None = None
    dropped_after: int | None = None


@dataclass(slots=True)
class StreamingServer:
    """Answers requests one after the other, the last answer again and again, and keeps what it was asked."""

    answers: list[Streamed] = field(default_factory=list[Streamed])
    requests: list[Request] = field(default_factory=list[Request])
    left: asyncio.Event = field(default_factory=asyncio.Event)
    first_sent_at: float = 0.0
    handling: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            self.handling.add(task)
        self.requests.append(await request_of(reader))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        try:
            await self._stream(answer, reader, writer)
        except ConnectionError:
            self.left.set()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _stream(
        self, answer: Streamed, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        media = "text/event-stream" if answer.status == 200 else "application/json"
        head = f"HTTP/1.1 {answer.status} S\r\nContent-Type: {media}\r\n{answer.headers}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head.encode())
        for number, chunk in enumerate(answer.chunks):
            if number == answer.stalls_after:
                await reader.read()
                self.left.set()
                return
            if number == answer.dropped_after:
                return
            await asyncio.sleep(answer.pauses_s)
            self.first_sent_at = self.first_sent_at or asyncio.get_running_loop().time()
            writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()


@asynccontextmanager
async def streaming(wire: Wire, *answers: Streamed) -> AsyncGenerator[tuple[TextModel, StreamingServer]]:
    """Yield a model and the server that it asks."""
    server = StreamingServer(list(answers))
    async with await asyncio.start_server(server.handle, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        yield create_text_model(address_of(wire.vendor, port)), server
        await asyncio.gather(*server.handling, return_exceptions=True)


def address_of(vendor: Vendor, port: int) -> ModelAddress:
    # OpenAI's own API is told its address as a server like it would be.
    model = vendor.model.replace("openai:gpt", "openai-responses:gpt")
    return ModelAddress(model, SecretStr(KEY), f"http://127.0.0.1:{port}{vendor.base}")
