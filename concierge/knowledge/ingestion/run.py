"""The run of a source: claim it, read what is left of it, and end it as what it has become."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog

from concierge.accounts.scope import TenantScope, Unit
from concierge.kit.clock import Clock
from concierge.kit.db import Database, Session, StorageFullError
from concierge.kit.errors import ConciergeError
from concierge.kit.fetch import Fetcher
from concierge.knowledge.ingestion.claim import Claim
from concierge.knowledge.ingestion.read import OUR_FAULT, Reader
from concierge.knowledge.ingestion.store import Storing, Tables, remove_counted
from concierge.knowledge.models import KnowledgePack, Source
from concierge.knowledge.repository import PendingItem, SourceRepository, SyncRepository, Tally
from concierge.knowledge.service.contradictions import look_for_contradictions
from concierge.knowledge.service.ending import Ending, end_reading
from concierge.knowledge.service.freshness import policy_of
from concierge.knowledge.service.sources import SourceService
from concierge.knowledge.sources.pairs import PairIndexer

logger = structlog.get_logger(__name__)

ITEMS_AT_A_TIME: Final = 3
# So many are looked up at once, so that the quick ones need not wait for a slow one after every few.
PORTION: Final = 24


class Ingestion:
    """Runs the jobs of one source."""

    def __init__(self, db: Database, indexer: PairIndexer, fetcher: Fetcher, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._reader = Reader(db, indexer, fetcher, Storing(db, clock))

    async def run(self, scope: TenantScope, source_id: UUID, *, last_attempt: bool = True) -> None:
        """Read what is left of a source. Errors: UnavailableError and StorageFullError, to be tried again.

        Before such an error is raised it is noted with the source, as far as that is possible.
        """
        claim = await self._claim(scope, source_id)
        if claim is None:
            return
        log = logger.bind(org_id=str(scope.org_id), source_id=str(source_id))
        log.info("reading source", kind=claim.source.kind)
        try:
            await self._read_all(claim)
            if await self._reader.sites.read_again(claim):
                await self._read_all(claim)
            await self._reader.sites.leave(claim)
            await self._finish(claim)
        except Exception as error:
            log.warning("reading source interrupted", reason=type(error).__name__)
            await self._interrupt(claim, error, last_attempt=last_attempt)
            raise
        log.info("source read")

    async def refresh(self, scope: TenantScope, source_id: UUID) -> None:
        """Have a source read again if that is due and nobody reads it."""
        async with self._db.transaction(scope.org_id) as session:
            await SourceService(Unit(session, scope), self._clock).refresh(source_id)

    async def _claim(self, scope: TenantScope, source_id: UUID) -> Claim | None:
        async with self._db.transaction(scope.org_id) as session:
            sources = SourceRepository(session, scope)
            source = await sources.get(source_id, lock=True)
            if source is None or not _goes_on(source):
                return None
            found = await sources.with_pack(source_id)
            assert found is not None, "a source cannot outlive its pack"
            pack = found[1]
            if source.cancel_requested or source.pause_requested:
                # Whoever was reading it died before it could stop.
                await end_reading(Unit(session, scope), source, pack, _stopped(source), self._clock())
                return None
            source.status = "running"
            source.error = source.error_code = source.finished_at = None
            source.started_at = source.started_at or self._clock()
            if source.sync_id is not None:
                await SyncRepository(session, scope).set_status(source.sync_id, "running", None)
            return Claim(scope, source, anew=policy_of(pack).recrawl == "always")

    async def _read_all(self, claim: Claim) -> None:
        while items := await self._pending(claim):
            if not await self._read_portion(claim, items):
                return

    async def _read_portion(self, claim: Claim, items: Sequence[PendingItem]) -> bool:
        """Read some items, a few at a time. Returns whether to go on with the source."""
        left = deque(items)
        going = True

        async def read_some() -> None:
            nonlocal going
            while left and going:
                try:
                    if not await self._reader.read(claim, left.popleft()):
                        going = False
                except BaseException:
                    going = False
                    raise

        # Each one is waited for, whatever became of the others: none goes on behind our back.
        readers = (read_some() for _ in range(ITEMS_AT_A_TIME))
        for result in await asyncio.gather(*readers, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        return going

    async def _pending(self, claim: Claim) -> list[PendingItem]:
        async with self._db.transaction(claim.scope.org_id) as session:
            return await SourceRepository(session, claim.scope).pending(claim.source_id, PORTION)

    async def _interrupt(self, claim: Claim, error: Exception, *, last_attempt: bool) -> None:
        """Say with the source why it does not go on. It waits in the queue, unless somebody must do something."""
        known = isinstance(error, ConciergeError)
        waits = known and not last_attempt and not isinstance(error, StorageFullError)
        reason = (error.code, error.detail) if known else OUR_FAULT
        try:
            async with self._db.transaction(claim.scope.org_id) as session:
                source, pack = await self._locked(session, claim)
                if source is None or pack is None or source.status != "running":
                    return
                status = "queued" if waits else "failed"
                if source.cancel_requested or source.pause_requested:
                    status = _stopped(source)
                await end_reading(Unit(session, claim.scope), source, pack, status, self._clock(), reason)
        except ConciergeError as unnoted:
            # The database is away: the source stays as it is, and its job is taken up again.
            logger.warning(
                "interruption could not be noted", source_id=str(claim.source_id), code=unnoted.code
            )

    async def _finish(self, claim: Claim) -> None:
        async with self._db.transaction(claim.scope.org_id) as session:
            tables = Tables.of(session, claim)
            # The pack first, then its source, as everybody does who locks both.
            await tables.documents.lock_pack(claim.pack_id)
            source, pack = await self._locked(session, claim)
            if source is None or pack is None or source.status != "running":
                return
            tally = (await tables.sources.tallies([source.id]))[source.id]
            status = _ended(source, tally)
            if status == "succeeded":
                await self._drop_missing(tables, claim)
                await look_for_contradictions(session, claim.scope, claim.pack_id)
            reason = await _reason(tables.sources, source.id) if status == "failed" else None
            await end_reading(Unit(session, claim.scope), source, pack, status, self._clock(), reason)

    @staticmethod
    async def _locked(session: Session, claim: Claim) -> tuple[Source | None, KnowledgePack | None]:
        sources = SourceRepository(session, claim.scope)
        source = await sources.get(claim.source_id, lock=True)
        found = await sources.with_pack(claim.source_id)
        return source, found[1] if found else None

    @staticmethod
    async def _drop_missing(tables: Tables, claim: Claim) -> None:
        """Forget what the source no longer has, as when a folder is read again. Only a complete sync can tell."""
        await tables.sources.forget_unlisted(claim.source_id, claim.sync_id)
        await remove_counted(tables, claim, await tables.documents.no_longer_in(claim.source_id))


def _goes_on(source: Source) -> bool:
    """Whether there is something to do: a source that stopped for want of space goes on when there is some."""
    return source.status in {"queued", "running"} or (
        source.status == "failed" and source.error_code == StorageFullError.code
    )


def _stopped(source: Source) -> Ending:
    return "cancelled" if source.cancel_requested else "paused"


def _ended(source: Source, tally: Tally) -> Ending:
    """What a source has become whose reader has stopped."""
    if source.cancel_requested:
        return "cancelled"
    if tally.of("pending"):
        # Its reader was to pause. If it was resumed at that very moment, the job of its resumption follows.
        return "paused" if source.pause_requested else "queued"
    return "succeeded" if tally.read else "failed"


async def _reason(sources: SourceRepository, source_id: UUID) -> tuple[str, str]:
    """Say why nothing could be read: the only reason, or that there are several."""
    failed = await sources.items(source_id, "failed", None, 2)
    if len(failed) == 1:
        return failed[0].error_code or "internal_error", failed[0].error or ""
    if not failed:
        return "source_empty", "There was no document to read here."
    return "all_items_failed", "None of the documents could be read. Each one's reason is listed with it."
