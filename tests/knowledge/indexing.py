"""What the tests of indexes share: an embedding service on this machine, a chunker that can be interrupted, and looks."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import text

from concierge.accounts.scope import Unit
from concierge.entrypoints.wiring import Platform, build
from concierge.kit.clock import utc_now
from concierge.knowledge.chunker import Chunker
from concierge.knowledge.chunkers import Chunkers
from concierge.knowledge.chunking import Chunk, Earlier
from concierge.knowledge.ingestion import Ingestion
from concierge.knowledge.reindexing import Reindexing
from concierge.knowledge.schemas.indexes import IndexOut, IndexPlan, ReindexIn
from concierge.knowledge.search import Found
from concierge.knowledge.service import IndexService
from tests.conftest import SETTINGS
from tests.factories.tenants import Tenant

VENDOR = "openai:text-embedding-3-small"
HELD = """
SELECT (SELECT count(*) FROM chunks WHERE index_id = :index_id)
     + (SELECT count(*) FROM term_stats WHERE index_id = :index_id)
     + (SELECT count(*) FROM indexed_documents WHERE index_id = :index_id)
"""


@dataclass(slots=True)
class EmbeddingService:
    """Speaks OpenAI's protocol. Texts that share words have vectors alike, of the length that was asked for."""

    port: int = 0
    status: str = "200 OK"
    longer_by: int = 0
    asked: list[str] = field(default_factory=list[str])

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        wanted = json.loads(await reader.readexactly(length))
        self.asked += wanted["input"]
        vectors = [_vector(text, wanted["dimensions"] + self.longer_by) for text in wanted["input"]]
        data = [
            {"object": "embedding", "index": row, "embedding": vector} for row, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        body = json.dumps({"object": "list", "model": wanted["model"], "data": data, "usage": usage}).encode()
        headers = "Content-Type: application/json\r\nConnection: close"
        writer.write(
            f"HTTP/1.1 {self.status}\r\n{headers}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        await writer.drain()
        writer.close()


def _vector(words: str, dimensions: int) -> list[float]:
    total = np.full(dimensions, 1e-3)
    for word in re.findall(r"\w+", words.lower()):
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
        total += np.random.default_rng(seed).standard_normal(dimensions)
    return (total / np.linalg.norm(total)).tolist()


@asynccontextmanager
async def embedding_service(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[EmbeddingService]:
    service = EmbeddingService()
    server = await asyncio.start_server(service.answer, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{service.port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    async with server:
        yield service


@dataclass(slots=True)
class Interrupted:
    """The chunker of a plan, which has something else happen before it cuts its `at`th document."""

    chunker: Chunker
    happens: Callable[[], Awaitable[None]]
    at: int = 3
    texts: list[str] = field(default_factory=list[str])

    async def chunks(self, text: str, earlier: Earlier | None = None) -> Sequence[Chunk]:
        self.texts.append(text)
        if len(self.texts) == self.at:
            await self.happens()
        return await self.chunker.chunks(text, earlier)


async def interrupted(
    platform: Platform, plan: IndexPlan, happens: Callable[[], Awaitable[None]], at: int = 3
) -> tuple[Platform, Interrupted]:
    """The platform with that chunker, for ingestion and for building indexes."""
    chunker = Interrupted(await platform.chunkers.of(plan), happens, at)
    chunkers = Chunkers(platform.embedders, {plan: chunker})
    ingestion = Ingestion(platform.db, chunkers, platform.fetcher, utc_now)
    reindexing = Reindexing(platform.db, chunkers, utc_now)
    return replace(platform, chunkers=chunkers, ingestion=ingestion, reindexing=reindexing), chunker


@asynccontextmanager
async def own_platform(tenant: Tenant, **settings: Any) -> AsyncGenerator[Tenant]:
    """The tenant on a platform of its own, which knows no models of other tests."""
    embedder = None if "embedding_model" in settings else tenant.platform.embedder
    platform = build(SETTINGS.model_copy(update=settings), tenant.platform.address, embedder=embedder)
    yield replace(tenant, platform=platform)
    await platform.db.close()


async def begin(tenant: Tenant, **wanted: Any) -> IndexOut:
    """Ask for a new index without building it."""
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        service = IndexService(Unit(session, tenant.scope), tenant.platform.chunkers)
        return await service.reindex(tenant.pack_id, ReindexIn.model_validate(wanted))


async def build_index(tenant: Tenant, index: IndexOut, *, last_attempt: bool = True) -> None:
    await tenant.platform.reindexing.run(tenant.scope, index.id, last_attempt=last_attempt)


async def reindex(tenant: Tenant, **wanted: Any) -> IndexOut:
    """Build a new index now. Returns it as it ended."""
    index = await begin(tenant, **wanted)
    await build_index(tenant, index)
    return (await indexes_of(tenant))[0]


async def cancel(tenant: Tenant, index: IndexOut) -> None:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        service = IndexService(Unit(session, tenant.scope), tenant.platform.chunkers)
        await service.remove(tenant.pack_id, index.id)


async def indexes_of(tenant: Tenant) -> list[IndexOut]:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        service = IndexService(Unit(session, tenant.scope), tenant.platform.chunkers)
        return list(await service.list(tenant.pack_id))


async def find(tenant: Tenant, question: str, *packs: UUID) -> Found:
    search, chosen = tenant.platform.search, list(packs) or [tenant.pack_id]
    return await search.find(tenant.scope, chosen, await search.ask(tenant.scope, chosen, question))


def seen(found: Found) -> list[tuple[object, ...]]:
    return [(entry.chunk_id, entry.text, round(entry.score, 4)) for entry in found.passages]


async def held_by(tenant: Tenant, index_id: UUID) -> int:
    """How many rows there are of an index."""
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        return (await session.execute(text(HELD), {"index_id": index_id})).scalar_one()
