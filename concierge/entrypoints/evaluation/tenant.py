"""An organization to measure in, and the documents in it. What is measured never meets a customer's data."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql

from concierge.accounts.scope import TenantScope, Unit
from concierge.entrypoints.evaluation.documents import EvalDocument
from concierge.entrypoints.wiring import Platform
from concierge.kit.ids import new_id
from concierge.knowledge.ingestion import Ingestion
from concierge.knowledge.schemas import NewItem, NewSource, PackIn
from concierge.knowledge.service import PackService, SourceService

PORTION = 200
Watcher = Callable[[TenantScope, UUID], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents that were read into one pack. `ids` are theirs; equal texts are one document with several ids.

    `failed` says why, by id, for those that could not be read.
    """

    scope: TenantScope
    pack_id: UUID
    ids: Mapping[UUID, tuple[str, ...]]
    failed: Mapping[str, str]


@asynccontextmanager
async def temporary_organization(owner_url: str) -> AsyncGenerator[TenantScope]:
    """An organization that is gone afterwards with everything in it."""
    scope = TenantScope(new_id())
    await create_organization(owner_url, scope.org_id, f"evaluation-{scope.org_id.hex}")
    try:
        yield scope
    finally:
        await remove_organization(owner_url, scope.org_id)


async def create_organization(owner_url: str, org_id: UUID, slug: str) -> None:
    async with await psycopg.AsyncConnection.connect(_conninfo(owner_url)) as connection:
        await connection.execute(
            "INSERT INTO organizations (id, name, slug) VALUES (%s, 'Evaluation', %s)", [org_id, slug]
        )


async def remove_organization(owner_url: str, org_id: UUID) -> None:
    """Chunks go first: cascading one document after another would take minutes for thousands."""
    async with await psycopg.AsyncConnection.connect(_conninfo(owner_url)) as connection:
        for table in ("chunks", "source_items"):
            await connection.execute(
                sql.SQL("DELETE FROM {} WHERE org_id = %s").format(sql.Identifier(table)), [org_id]
            )
        await connection.execute("DELETE FROM organizations WHERE id = %s", [org_id])


async def ingest(
    platform: Platform,
    scope: TenantScope,
    documents: Sequence[EvalDocument],
    *,
    ingestion: Ingestion | None = None,
    begun: Callable[[UUID], None] = lambda _source_id: None,
) -> Collection:
    """Read documents into a new pack, in this process; `begun` is told the source, whose progress can be watched."""
    async with platform.db.transaction(scope.org_id) as session:
        unit = Unit(session, scope)
        pack = await PackService(unit).create(PackIn(name="Evaluation"))
        source = SourceService(unit)
        source_id = await source.begin(pack.id, NewSource("folder", "Evaluation", "evaluation", []))
        for start in range(0, len(documents), PORTION):
            portion = documents[start : start + PORTION]
            items = [NewItem(document.filename, document.data) for document in portion]
            await source.add_items(source_id, items)
    begun(source_id)
    await (ingestion or platform.ingestion).run(scope, source_id)
    names = {document.filename: document.id for document in documents}
    return await collection_of(platform, scope, pack.id, source_id, names)


async def collection_of(
    platform: Platform, scope: TenantScope, pack_id: UUID, source_id: UUID, names: Mapping[str, str]
) -> Collection:
    """What became of the items of a source, whose `names` map to the ids they have outside."""
    ids: dict[UUID, list[str]] = defaultdict(list)
    failed: dict[str, str] = {}
    after: UUID | None = None
    async with platform.db.transaction(scope.org_id) as session:
        service = SourceService(Unit(session, scope))
        while items := await service.items(source_id, status=None, after=after, limit=1000):
            for item in items:
                if item.document_id is not None:
                    ids[item.document_id].append(names[item.uri])
                elif item.error is not None:
                    failed[names[item.uri]] = item.error
            after = items[-1].id
    return Collection(scope, pack_id, {key: tuple(value) for key, value in ids.items()}, failed)


def _conninfo(owner_url: str) -> str:
    return owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
