"""A server on this machine that answers as the vendors of language models do, each in its own wire format."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import HttpUrl, SecretStr

from concierge.kit.settings import LanguageModel
from concierge.llm.structured import StructuredModel, create_structured_model

KEY = "sk-a-key-that-nobody-may-see"


@dataclass(frozen=True, slots=True)
class Vendor:
    """`fills` answers with the form, `says` with words; both count 11 tokens in and 7 out."""

    model: str
    path: str
    key_header: str
    fills: Callable[[Any], Any]
    says: Callable[[str], Any]
    fails: Callable[[int], Any]
    base: str = ""
    variable: str | None = None  # Takes the address where the setting does not.


def _responses(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "model": "gpt-5.1-2026-01-01",
        "output": [{"id": "item_1", "status": "completed", **item}],
        "parallel_tool_calls": True,
        "tool_choice": "required",
        "tools": [],
        "usage": {
            "input_tokens": 11,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 18,
        },
    }


def _calls_function(arguments: Any) -> dict[str, Any]:
    call = {"type": "function_call", "call_id": "call_1", "name": "final_result"}
    return _responses({**call, "arguments": json.dumps(arguments)})


def _says_output_text(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return _responses({"type": "message", "role": "assistant", "content": content})


def _completion(message: dict[str, Any], reason: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "qwen3",
        "choices": [{"index": 0, "finish_reason": reason, "message": {"role": "assistant", **message}}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }


def _calls_tool(arguments: Any) -> dict[str, Any]:
    function = {"name": "final_result", "arguments": json.dumps(arguments)}
    calls = [{"id": "call_1", "type": "function", "function": function}]
    return _completion({"content": None, "tool_calls": calls}, "tool_calls")


def _says_content(text: str) -> dict[str, Any]:
    return _completion({"content": text}, "stop")


def _openai_error(status: int) -> dict[str, Any]:
    return {"error": {"message": f"no: {status}", "type": "some_error", "param": None, "code": None}}


def _message(block: dict[str, Any], reason: str) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "content": [block],
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 7},
    }


def _uses_tool(arguments: Any) -> dict[str, Any]:
    block = {"type": "tool_use", "id": "toolu_1", "name": "final_result", "input": arguments}
    return _message(block, "tool_use")


def _says_text_block(text: str) -> dict[str, Any]:
    return _message({"type": "text", "text": text}, "end_turn")


def _anthropic_error(status: int) -> dict[str, Any]:
    kinds = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error"}
    kinds |= {
        403: "permission_error",
        413: "request_too_large",
        429: "rate_limit_error",
        500: "api_error",
        529: "overloaded_error",
    }
    return {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": f"no: {status}"}}


def _candidate(part: dict[str, Any]) -> dict[str, Any]:
    content = {"role": "model", "parts": [part]}
    return {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18},
        "modelVersion": "gemini-2.5-flash",
        "responseId": "response-1",
    }


def _google_error(status: int) -> dict[str, Any]:
    kinds = {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        429: "RESOURCE_EXHAUSTED",
    }
    kinds |= {413: "OUT_OF_RANGE", 503: "UNAVAILABLE", 529: "UNAVAILABLE"}
    return {"error": {"code": status, "message": f"no: {status}", "status": kinds.get(status, "INTERNAL")}}


VENDORS = {
    "openai": Vendor(
        "openai:gpt-5.1",
        "/v1/responses",
        f"authorization: bearer {KEY}",
        _calls_function,
        _says_output_text,
        _openai_error,
        base="/v1",
        variable="OPENAI_BASE_URL",
    ),
    "a server like OpenAI's": Vendor(
        "openai:qwen3",
        "/v1/chat/completions",
        f"authorization: bearer {KEY}",
        _calls_tool,
        _says_content,
        _openai_error,
        base="/v1",
    ),
    "anthropic": Vendor(
        "anthropic:claude-haiku-4-5",
        "/v1/messages",
        f"authorization: bearer {KEY}",
        _uses_tool,
        _says_text_block,
        _anthropic_error,
    ),
    "google": Vendor(
        "google:gemini-2.5-flash",
        "/v1beta/models/gemini-2.5-flash:generateContent",
        f"x-goog-api-key: {KEY}",
        lambda arguments: _candidate({"functionCall": {"name": "final_result", "args": arguments}}),
        lambda text: _candidate({"text": text}),
        _google_error,
    ),
    "ollama": Vendor(
        "ollama:llama3.2",
        "/v1/chat/completions",
        f"authorization: bearer {KEY}",
        lambda arguments: _says_content(json.dumps(arguments)),
        _says_content,
        _openai_error,
        base="/v1",
    ),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server does with every request; `body` is sent as it is where it is bytes."""

    body: Any = b""
    status: int = 200
    delay_s: float = 0.0
    dropped: bool = False
    media_type: str = "application/json"


@dataclass(slots=True)
class Request:
    head: str
    body: Any


class VendorServer:
    """Answers a model's questions, keeps them, and notices whether it was left before it could answer."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.answers(Answer())

    def answers(self, answer: Answer) -> None:
        """From now on, having forgotten what it was asked before."""
        self._answer = answer
        self.requests: list[Request] = []
        self.asked = asyncio.Event()
        self.left = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer, left = self._answer, self.left
        self.requests.append(await request_of(reader))
        self.asked.set()
        if answer.delay_s and await _is_left(reader, answer.delay_s):
            left.set()
        elif not answer.dropped:
            writer.write(_response(answer))
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def served(
    vendor: Vendor, *, seconds: float = 20, key: str | None = KEY
) -> AsyncGenerator[tuple[StructuredModel, VendorServer]]:
    """Yield a model and the server that it asks."""
    server = VendorServer(vendor)
    async with await asyncio.start_server(server.handle, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        yield model_at(vendor, port, seconds=seconds, key=key), server


def model_at(vendor: Vendor, port: int, *, seconds: float = 20, key: str | None = KEY) -> StructuredModel:
    url = f"http://127.0.0.1:{port}{vendor.base}"
    settings = LanguageModel(
        model=vendor.model,
        key=SecretStr(key) if key else None,
        url=None if vendor.variable else HttpUrl(url),
        seconds=seconds,
    )
    with pytest.MonkeyPatch.context() as patch:
        if vendor.variable:
            patch.setenv(vendor.variable, url)
        model = create_structured_model(settings)
    assert model is not None
    return model


async def request_of(reader: asyncio.StreamReader) -> Request:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return Request(head.decode().lower(), json.loads(await reader.readexactly(length)))


async def _is_left(reader: asyncio.StreamReader, delay_s: float) -> bool:
    """Whether who asked hung up within the time."""
    try:
        async with asyncio.timeout(delay_s):
            return await reader.read() == b""
    except TimeoutError:
        return False


def _response(answer: Answer) -> bytes:
    body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    head = (
        f"HTTP/1.1 {answer.status} Status\r\nContent-Type: {answer.media_type}\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
