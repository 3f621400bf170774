"""Build a pack's new index beside the old one, switch when nothing is missing, and remove the old one later.

Whoever changes a pack's documents holds its lock, and so does each step here: a document is taken into the new index in
one transaction, and the switch is one in which none is missing. What was read or removed meanwhile needs no notes: the
new index lacks every document that has no row in it, and a removed document takes its rows of all indexes along.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Final
from uuid import UUID

import structlog

from concierge.accounts.scope import TenantScope
from concierge.kit.clock import Clock
from concierge.kit.db import Database, Session
from concierge.kit.errors import ConciergeError
from concierge.knowledge.chunker import Chunker
from concierge.knowledge.chunkers import Chunkers
from concierge.knowledge.chunking import Chunk, Span
from concierge.knowledge.errors import IndexPlanError
from concierge.knowledge.ingestion.prepare import prepared
from concierge.knowledge.ingestion.read import OUR_FAULT
from concierge.knowledge.instructions import FLAG, Order, leaving_out
from concierge.knowledge.models import PackIndex
from concierge.knowledge.repository import (
    ChunkRepository,
    DocumentRepository,
    IndexRepository,
    NewChunk,
    plan_of,
)
from concierge.knowledge.repository.indexes import StoredText
from concierge.knowledge.service.indexes import look_for_build, look_for_removal
from concierge.llm.embeddings import Embedder

logger = structlog.get_logger(__name__)

DOCUMENTS_AT_A_TIME: Final = 3
PORTION: Final = 24
ROWS_PER_REMOVAL: Final = 1_000
# A search that began before the switch reads the old index to its end, and a turn what stands around its passages.
GRACE: Final = timedelta(minutes=10)
# After so long a build goes to the end of the queue, so that large packs leave room for what is to be read.
TURN_SECONDS: Final = 60.0
# What no later attempt would mend.
LASTING: Final = frozenset({"embedding_dimension", "embedding_misconfigured", IndexPlanError.code})


@dataclass(frozen=True, slots=True)
class Build:
    """An index that is being built, and what cuts and embeds documents for it."""

    scope: TenantScope
    index: PackIndex
    chunker: Chunker
    embedder: Embedder


class Reindexing:
    """Runs the jobs of indexes."""

    def __init__(self, db: Database, chunkers: Chunkers, clock: Clock) -> None:
        self._db = db
        self._chunkers = chunkers
        self._clock = clock

    async def run(self, scope: TenantScope, index_id: UUID, *, last_attempt: bool = True) -> None:
        """Build what is left of an index and switch to it, or queue what a turn leaves. Errors: ConciergeError.

        Before such an error is raised it is noted with the index. One that will not pass ends the build instead.
        """
        index = await self._begin(scope, index_id)
        if index is None:
            return
        log = logger.bind(org_id=str(scope.org_id), pack_id=str(index.pack_id), index=index.number)
        log.info("building index", embedding_model=index.embedding_model, chunker=index.chunker)
        try:
            plan = plan_of(index)
            chunker, embedder = await self._chunkers.of(plan), await self._chunkers.embedder(plan)
            await self._build(Build(scope, index, chunker, embedder))
        except Exception as error:
            log.warning("building index interrupted", reason=type(error).__name__)
            if await self._interrupt(scope, index, error, last_attempt=last_attempt):
                raise
        else:
            log.info("building index ended")

    async def remove(self, scope: TenantScope, index_id: UUID) -> None:
        """Remove what an index holds that nobody searches any more, and the index itself unless it says why it failed."""
        while True:
            async with self._db.transaction(scope.org_id) as session:
                indexes = IndexRepository(session, scope)
                index = await indexes.get(index_id)
                if index is None or index.state in {"building", "current"}:
                    return
                # A document that is removed takes its rows of this index along.
                await DocumentRepository(session, scope).lock_pack(index.pack_id)
                if await indexes.remove_portion(index, ROWS_PER_REMOVAL):
                    continue
                if index.state != "failed":
                    await indexes.forget(index)
                return

    async def _begin(self, scope: TenantScope, index_id: UUID) -> PackIndex | None:
        async with self._db.transaction(scope.org_id) as session:
            index = await IndexRepository(session, scope).get(index_id, lock=True)
            if index is None or index.state != "building":
                return None
            index.started_at = index.started_at or self._clock()
            return index

    async def _build(self, build: Build) -> None:
        """Build until nothing is missing, nobody wants the index any more, or the turn is over."""
        until = monotonic() + TURN_SECONDS
        last: UUID | None = None
        while True:
            some = await self._missing(build, after=last)
            if not some:
                # What came meanwhile may stand anywhere, so what is missing is looked for from the beginning.
                if await self._switch(build):
                    return
                last = None
            elif not await self._take_in_some(build, some):
                return
            else:
                last = some[-1]
            if monotonic() >= until:
                async with self._db.transaction(build.scope.org_id) as session:
                    await look_for_build(session, build.scope, build.index.id)
                return

    async def _missing(self, build: Build, *, after: UUID | None) -> list[UUID]:
        async with self._db.transaction(build.scope.org_id) as session:
            return await IndexRepository(session, build.scope).missing(build.index, PORTION, after)

    async def _take_in_some(self, build: Build, documents: Sequence[UUID]) -> bool:
        """Take documents into the index, a few at a time. Returns whether to go on building."""
        for start in range(0, len(documents), DOCUMENTS_AT_A_TIME):
            some = documents[start : start + DOCUMENTS_AT_A_TIME]
            taking = (self._take_in(build, document_id) for document_id in some)
            # Each one is waited for, whatever became of the others: none goes on behind our back.
            results = await asyncio.gather(*taking, return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException):
                    raise result
            if not all(results):
                return False
        return True

    async def _take_in(self, build: Build, document_id: UUID) -> bool:
        """Take a document into the index, unless it is gone or there by now. Returns whether to go on building."""
        async with self._db.transaction(build.scope.org_id) as session:
            stored = await IndexRepository(session, build.scope).to_take_in(build.index.id, document_id)
        if stored is None:
            return True
        chunks = await build.chunker.chunks(stored.text)
        known = _pairs(stored.instruction_spans)
        seen = {span for chunk in chunks for span in chunk.left_out}
        chunks = _without(chunks, [span for span in known if span not in seen])
        rows = await prepared(build.embedder, build.index.id, chunks, stored.text, stored.questions)
        return await self._store(build, document_id, stored, rows, sorted({*known, *seen}))

    async def _store(
        self,
        build: Build,
        document_id: UUID,
        stored: StoredText,
        rows: Sequence[NewChunk],
        orders: Sequence[Span],
    ) -> bool:
        async with self._db.transaction(build.scope.org_id) as session:
            if await self._locked(session, build) is None:
                return False
            indexes = IndexRepository(session, build.scope)
            if not await indexes.lacks(build.index.id, document_id):
                return True
            await ChunkRepository(session, build.scope).store(build.index, document_id, rows)
            if len(orders) > len(stored.instruction_spans) // 2:
                flags = sorted({*stored.flags, FLAG})
                await indexes.flag(document_id, flags, [offset for span in orders for offset in span])
        return True

    async def _switch(self, build: Build) -> bool:
        """Let the pack be searched in the new index if it lacks nothing. Returns whether the build is over."""
        async with self._db.transaction(build.scope.org_id) as session:
            index = await self._locked(session, build)
            if index is None:
                return True
            indexes = IndexRepository(session, build.scope)
            if await indexes.missing(index, 1):
                return False
            old = await indexes.current(index.pack_id)
            await indexes.switch(old, index, self._clock())
            if old is not None:
                await look_for_removal(session, build.scope, old.id, at=self._clock() + GRACE)
        return True

    @staticmethod
    async def _locked(session: Session, build: Build) -> PackIndex | None:
        """Wait until no other changes the pack. Returns the index as it is then; None when it is not built any more."""
        if not await DocumentRepository(session, build.scope).lock_pack(build.index.pack_id):
            return None
        index = await IndexRepository(session, build.scope).get(build.index.id)
        return index if index is not None and index.state == "building" else None

    async def _interrupt(
        self, scope: TenantScope, index: PackIndex, error: Exception, *, last_attempt: bool
    ) -> bool:
        """Say with the index why it is not built on. Returns whether it waits to be tried again."""
        known = isinstance(error, ConciergeError)
        waits = known and not last_attempt and error.code not in LASTING
        code, detail = (error.code, error.detail) if known else OUR_FAULT
        if not known:
            logger.error("index could not be built", index_id=str(index.id), exc_info=error)
        try:
            async with self._db.transaction(scope.org_id) as session:
                await DocumentRepository(session, scope).lock_pack(index.pack_id)
                now = await IndexRepository(session, scope).get(index.id, lock=True)
                if now is None or now.state != "building":
                    return False
                now.error_code, now.error = code, detail
                if not waits:
                    now.state, now.ended_at = "failed", self._clock()
                    await look_for_removal(session, scope, index.id)
        except ConciergeError as unnoted:
            # The database is away: the index stays as it is, and its job is taken up again.
            logger.warning("interruption could not be noted", index_id=str(index.id), code=unnoted.code)
            return True
        return waits


def _pairs(offsets: Sequence[int]) -> list[Span]:
    return list(zip(offsets[::2], offsets[1::2], strict=True))


def _without(chunks: Sequence[Chunk], orders: Sequence[Span]) -> Sequence[Chunk]:
    """Leave out what the document is known to order, also where this chunker would not have seen it."""
    return leaving_out(chunks, [Order(start, end, ()) for start, end in orders]) if orders else chunks
