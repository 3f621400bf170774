"""A vendor's embeddings, over its real client, against a local server that speaks its protocol."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.providers.openai import OpenAIProvider

from concierge.kit.errors import UnavailableError
from concierge.llm.embedding_models import VendorEmbedder

pytestmark = pytest.mark.anyio

CLOSED_PORT = 9  # Discard: nobody listens there.


@asynccontextmanager
async def vendor(
    status: str, reply: object, headers: str = ""
) -> AsyncGenerator[tuple[VendorEmbedder, list[bytes]]]:
    """An OpenAI-like service on this machine that gives the same reply to every request."""
    requests: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        requests.append(await reader.readexactly(length))
        body = json.dumps(reply).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n{headers}"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, embedder_at(server.sockets[0].getsockname()[1]) as embedder:
        yield embedder, requests


@asynccontextmanager
async def embedder_at(port: int) -> AsyncGenerator[VendorEmbedder]:
    provider = OpenAIProvider(base_url=f"http://127.0.0.1:{port}/v1", api_key="key")
    provider.client.max_retries = 0
    model = OpenAIEmbeddingModel("text-embedding-3-small", provider=provider)
    yield VendorEmbedder(model, name="openai:text-embedding-3-small", dimension=3)
    await provider.client.close()


def reply(*vectors: list[float]) -> dict[str, object]:
    data = [
        {"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return {"object": "list", "model": "text-embedding-3-small", "data": data, "usage": usage}


async def test_a_vendor_is_asked_for_our_dimension_and_its_vectors_are_scaled_to_one() -> None:
    async with vendor("200 OK", reply([3.0, 4.0, 0.0])) as (embedder, requests):
        np.testing.assert_allclose(await embedder.embed_query("chair"), [0.6, 0.8, 0.0], atol=1e-6)
    assert json.loads(requests[0])["dimensions"] == 3
    assert json.loads(requests[0])["input"] == ["chair"]


async def test_no_documents_ask_nothing_of_a_vendor() -> None:
    async with vendor("200 OK", reply()) as (embedder, requests):
        assert (await embedder.embed_documents([])).shape == (0, 3)
    assert requests == []


@pytest.mark.parametrize(
    ("status", "body", "headers", "code", "wait"),
    [
        ("503 Service Unavailable", {"error": {"message": "busy"}}, "", "embedding_unavailable", "2"),
        ("429 Too Many", {"error": {"message": "slow"}}, "Retry-After: 7\r\n", "embedding_unavailable", "7"),
        ("401 Unauthorized", {"error": {"message": "bad key"}}, "", "embedding_unavailable", "2"),
        ("200 OK", reply([1.0, 0.0]), "", "embedding_dimension", "60"),
    ],
)
async def test_a_vendor_that_fails_is_reported_as_unavailable(
    status: str, body: object, headers: str, code: str, wait: str
) -> None:
    async with vendor(status, body, headers) as (embedder, _):
        with pytest.raises(UnavailableError) as caught:
            await embedder.embed_documents(["chair"])
    assert caught.value.code == code
    assert caught.value.headers["Retry-After"] == wait


async def test_a_vendor_that_cannot_be_reached_is_reported_as_unavailable() -> None:
    async with embedder_at(CLOSED_PORT) as embedder:
        with pytest.raises(UnavailableError):
            await embedder.embed_query("chair")
