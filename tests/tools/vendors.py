"""A server on this machine that answers as the providers of web search do."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from concierge.tools.providers.asking import VENDORS, Provider
from concierge.tools.providers.vendor import ProviderName

KEY: Final = "the-key-of-the-vendor"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    method: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(slots=True)
class Local:
    """What the server answers from now on, and what it was asked."""

    port: int = 0
    body: bytes = b""
    status: str = "200 OK"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    delay_s: float = 0.0
    endless: bytes = b""
    pause_s: float = 0.0
    hangs_up: bool = False
    asked: list[Asked] = field(default_factory=list[Asked])

    def provider(self, name: ProviderName) -> Provider:
        vendor = VENDORS[name]
        key = SecretStr(KEY) if vendor.needs_key else None
        return Provider(vendor, f"http://127.0.0.1:{self.port}/search", key)

    def answers(self, answer: bytes | Mapping[str, Any], status: str = "200 OK", **headers: str) -> None:
        self.body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@asynccontextmanager
async def vendor_server() -> AsyncGenerator[Local]:
    local = Local()
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await _serve(local, reader, writer)
        finally:
            running.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    local.port = server.sockets[0].getsockname()[1]
    async with server:
        yield local
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _serve(local: Local, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    local.asked.append(await _asked(reader))
    if local.hangs_up:
        return
    await asyncio.sleep(local.delay_s)
    length = "" if local.endless else f"Content-Length: {len(local.body)}\r\n"
    own = "".join(f"{name}: {value}\r\n" for name, value in local.headers.items())
    head = f"HTTP/1.1 {local.status}\r\nConnection: close\r\n{length}{own}\r\n"
    writer.write(head.encode() + local.body)
    await writer.drain()
    while local.endless:
        writer.write(local.endless)
        await writer.drain()
        await asyncio.sleep(local.pause_s)


async def _asked(reader: asyncio.StreamReader) -> Asked:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    parameters = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
    return Asked(method, parameters, headers, json.loads(body) if body else None)


Row = Mapping[str, str]


def _serpapi(*rows: Row) -> dict[str, Any]:
    results = [
        {
            "position": place,
            "title": row["title"],
            "link": row["url"],
            "redirect_link": f"https://www.google.com/url?q={row['url']}",
            "displayed_link": "https://example.com › news",
            "favicon": "https://serpapi.com/searches/x/images/y.png",
            "snippet": row["snippet"],
            "snippet_highlighted_words": ["rattan"],
            "source": "Example",
            **({"date": row["dated"]} if row.get("dated") else {}),
        }
        for place, row in enumerate(rows, start=1)
    ]
    found = {"search_information": {"total_results": len(rows), "organic_results_state": "Results for exact"}}
    if not rows:
        found = {
            "search_information": {"organic_results_state": "Fully empty", "total_results": 0},
            "error": "Google hasn't returned any results for this query.",
        }
    return {
        "search_metadata": {"id": "64f", "status": "Success", "total_time_taken": 0.87},
        "search_parameters": {"engine": "google", "q": "rattan", "device": "desktop"},
        **found,
        **({"organic_results": results} if rows else {}),
        "pagination": {"current": 1},
    }


def _brave(*rows: Row) -> dict[str, Any]:
    results = [
        {
            "type": "search_result",
            "subtype": "generic",
            "title": row["title"],
            "url": row["url"],
            "description": row["snippet"],
            "is_source_local": False,
            "is_source_both": False,
            "profile": {"name": "Example", "long_name": "example.com"},
            "language": "en",
            "family_friendly": True,
            "meta_url": {"scheme": "https", "netloc": "example.com", "hostname": "example.com", "path": ""},
            **({"page_age": row["dated"]} if row.get("dated") else {}),
        }
        for row in rows
    ]
    web = {"web": {"type": "search", "results": results, "family_friendly": True}} if rows else {}
    query = {"original": "rattan", "more_results_available": False}
    return {"type": "search", "query": query, "mixed": {"type": "mixed", "main": []}, **web}


def _tavily(*rows: Row) -> dict[str, Any]:
    results = [
        {
            "title": row["title"],
            "url": row["url"],
            "content": row["snippet"],
            "score": 0.81,
            "raw_content": None,
            **({"published_date": row["dated"]} if row.get("dated") else {}),
        }
        for row in rows
    ]
    return {
        "query": "rattan",
        "follow_up_questions": None,
        "answer": None,
        "images": [],
        "results": results,
        "response_time": 1.09,
        "request_id": "a1",
    }


def _searxng(*rows: Row) -> dict[str, Any]:
    results = [
        {
            "url": row["url"],
            "title": row["title"],
            "content": row["snippet"],
            "publishedDate": row.get("dated") or None,
            "thumbnail": "",
            "engine": "duckduckgo",
            "template": "default.html",
            "parsed_url": ["https", "example.com", "/", "", "", ""],
            "engines": ["duckduckgo", "brave"],
            "positions": [1],
            "score": 2.0,
            "category": "general",
        }
        for row in rows
    ]
    return {
        "query": "rattan",
        "number_of_results": 0,
        "results": results,
        "answers": [],
        "corrections": [],
        "infoboxes": [],
        "suggestions": [],
        "unresponsive_engines": [["qwant", "access denied"]],
    }


# An answer of each provider with these results (`title`, `url`, `snippet`, `dated`), as it documents them.
WRITTEN: Final[Mapping[ProviderName, Callable[..., dict[str, Any]]]] = {
    "serpapi": _serpapi,
    "brave": _brave,
    "tavily": _tavily,
    "searxng": _searxng,
}
# How each says that it does not know the key.
BAD_KEY: Final[Mapping[ProviderName, tuple[str, Mapping[str, Any]]]] = {
    "serpapi": (
        "401 Unauthorized",
        {"error": "Invalid API key. Your API key should be here: https://serpapi.com/manage-api-key"},
    ),
    "brave": (
        "422 Unprocessable Entity",
        {
            "type": "ErrorResponse",
            "error": {
                "id": "8a",
                "status": 422,
                "code": "SUBSCRIPTION_TOKEN_INVALID",
                "detail": "The provided subscription token is invalid.",
            },
            "time": 1_700_000_000,
        },
    ),
    "tavily": ("401 Unauthorized", {"detail": {"error": "Unauthorized: missing or invalid API key."}}),
    "searxng": ("403 Forbidden", {"error": "the format is not allowed"}),
}


def row(url: str, title: str = "A page", snippet: str = "What it says.", dated: str = "") -> dict[str, str]:
    return {"url": url, "title": title, "snippet": snippet, "dated": dated}
