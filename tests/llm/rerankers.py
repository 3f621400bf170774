"""A server on this machine that answers as hosted cross-encoders do."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from pydantic import SecretStr

from concierge.llm.reranking import HostedReranker


@asynccontextmanager
async def hosted(
    reply: bytes | Callable[[Any], bytes], status: str = "200 OK", delay_s: float = 0.0
) -> AsyncGenerator[tuple[HostedReranker, list[Any]]]:
    requests: list[Any] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        requests.append((head.decode(), json.loads(await reader.readexactly(length))))
        await asyncio.sleep(delay_s)
        body = reply if isinstance(reply, bytes) else reply(requests[-1][1])
        writer.write(
            f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/rerank"
        yield HostedReranker(url, "rerank-v3", SecretStr("secret-key"), 0.5), requests


def cohere(*scores: tuple[int, float]) -> bytes:
    return json.dumps(
        {"results": [{"index": index, "relevance_score": score} for index, score in scores], "id": "x"}
    ).encode()
