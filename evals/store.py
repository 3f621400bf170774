"""An installation kept for evaluations: every set is read once, by the product's own ingestion, and then found again.

It lies in CONCIERGE_EVAL_CACHE, or in a folder of the system's temporary one. A change to the code that decides what
is stored starts a new database; the chunks with their vectors, which take longest, are kept apart and only start
anew when the code of chunking or of the model changes.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg

from concierge.accounts.scope import TenantScope
from concierge.entrypoints.cli.progress import watch_source
from concierge.entrypoints.evaluation import Collection, EvalDocument, ingest
from concierge.entrypoints.evaluation.dialogues import TurnedClock
from concierge.entrypoints.evaluation.tenant import collection_of, create_organization, remove_organization
from concierge.entrypoints.wiring import Platform, running_platform
from concierge.kit.clock import utc_now
from concierge.kit.ids import new_id
from concierge.kit.logging import configure_logging
from concierge.kit.settings import Settings
from concierge.knowledge.chunker import chunker_for
from concierge.knowledge.chunkers import Chunkers
from concierge.knowledge.ingestion import Ingestion
from evals.chunk_cache import DECIDES_CHUNKS, PACKAGE, CachedChunker, code_digest, digest_of

DECIDES_ROWS = (
    *DECIDES_CHUNKS,
    "knowledge/parsing",
    "knowledge/lexical.py",
    "knowledge/ingestion",
    "knowledge/models.py",
    "knowledge/repository/documents.py",
    "knowledge/repository/chunks.py",
)
MIGRATIONS = PACKAGE.parent / "migrations" / "versions"

FIND = """
SELECT s.org_id, s.pack_id, s.id FROM organizations o JOIN sources s ON s.org_id = o.id
WHERE o.slug = %s AND s.status = 'succeeded'
"""


def cache_folder() -> Path:
    chosen = os.environ.get("CONCIERGE_EVAL_CACHE")
    return Path(chosen) if chosen else Path(tempfile.gettempdir()) / "concierge-eval"


@dataclass(frozen=True, slots=True)
class Store:
    """`clock` is the platform's, and runs with the world's until somebody turns it."""

    platform: Platform
    ingestion: Ingestion
    clock: TurnedClock

    async def collection(self, name: str, documents: Sequence[EvalDocument]) -> Collection:
        """These documents, read now unless they have been."""
        slug = f"{name}-{_digest_of_documents(documents)}".replace("_", "-")
        names = {document.filename: document.id for document in documents}
        owner_url = self.platform.address.owner_url
        known = await _found(owner_url, slug)
        if known is not None:
            org_id, pack_id, source_id = known
            return await collection_of(self.platform, TenantScope(org_id), pack_id, source_id, names)
        await _forget(owner_url, slug)
        scope = TenantScope(new_id())
        await create_organization(owner_url, scope.org_id, slug)
        watching: list[asyncio.Task[object]] = []
        collection = await ingest(
            self.platform,
            scope,
            documents,
            ingestion=self.ingestion,
            begun=lambda source_id: watching.append(
                asyncio.create_task(watch_source(self.platform, scope, source_id))
            ),
        )
        await asyncio.gather(*watching)
        return collection


@asynccontextmanager
async def open_store() -> AsyncGenerator[Store]:
    folder = cache_folder()
    digest = digest_of([code_digest(*DECIDES_ROWS), *_migration_texts()])
    settings = Settings(data_dir=folder / f"store-{digest}", database_url=None, worker=False)
    configure_logging(settings.model_copy(update={"log_level": "warning"}))
    clock = TurnedClock()
    async with running_platform(settings, clock=clock) as platform:
        chunker = CachedChunker(chunker_for(platform.embedder), folder / "chunks")
        plan = Chunkers(platform.embedders).default_plan
        chunkers = Chunkers(platform.embedders, {plan: chunker})
        yield Store(platform, Ingestion(platform.db, chunkers, platform.fetcher, utc_now), clock)


def _migration_texts() -> Iterable[str]:
    return (path.read_text("utf-8") for path in sorted(MIGRATIONS.glob("*.py")))


def _digest_of_documents(documents: Sequence[EvalDocument]) -> str:
    digest = hashlib.sha256()
    for document in documents:
        digest.update(document.filename.encode() + b"\0" + document.data + b"\0")
    return digest.hexdigest()[:12]


async def _found(owner_url: str, slug: str) -> tuple[UUID, UUID, UUID] | None:
    async with await psycopg.AsyncConnection.connect(conninfo(owner_url)) as connection:
        return await (await connection.execute(FIND, [slug])).fetchone()


async def _forget(owner_url: str, slug: str) -> None:
    """Remove what an interrupted run has left."""
    async with await psycopg.AsyncConnection.connect(conninfo(owner_url)) as connection:
        rows = await (
            await connection.execute("SELECT id FROM organizations WHERE slug = %s", [slug])
        ).fetchall()
    for row in rows:
        await remove_organization(owner_url, row[0])


def conninfo(owner_url: str) -> str:
    return owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
