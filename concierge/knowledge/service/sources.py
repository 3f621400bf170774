from collections.abc import Sequence
from typing import cast
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id
from concierge.kit.jobs import defer
from concierge.knowledge.errors import (
    PackNotFoundError,
    SourceBusyError,
    SourceNotFoundError,
    SourceNotRunningError,
)
from concierge.knowledge.models import Source, SourceItem
from concierge.knowledge.repository import DocumentRepository, PackRepository, SourceRepository, Tally
from concierge.knowledge.schemas import NewItem, NewSource, Progress, SourceKind, SourceOut
from concierge.knowledge.schemas.sources import SourceStatus

INGEST_TASK = "knowledge.ingest"
UNDER_WAY = ("queued", "running")


class SourceService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._unit = unit
        self._org_id = unit.scope.org_id
        self._packs = PackRepository(unit.session, unit.scope)
        self._sources = SourceRepository(unit.session, unit.scope)
        self._documents = DocumentRepository(unit.session, unit.scope)
        self._clock = clock

    async def add(self, pack_id: UUID, wanted: NewSource) -> SourceOut:
        """Add a source, or read one again that has the same address; its job starts when the transaction commits.

        Errors: PackNotFoundError, SourceBusyError.
        """
        if await self._packs.get(pack_id) is None:
            raise PackNotFoundError
        source = await self._same_source(pack_id, wanted) or await self._new_source(pack_id, wanted)
        await self._sources.add_items(source.id, wanted.items)
        await self.enqueue(source.id)
        return await self.get(source.id)

    async def begin(self, pack_id: UUID, wanted: NewSource) -> UUID:
        """Add a source whose items follow in portions (`add_items`), then `enqueue` it. Errors as `add`."""
        if await self._packs.get(pack_id) is None:
            raise PackNotFoundError
        source = await self._same_source(pack_id, wanted) or await self._new_source(pack_id, wanted)
        return source.id

    async def add_items(self, source_id: UUID, items: Sequence[NewItem]) -> None:
        await self._sources.add_items(source_id, items)

    async def enqueue(self, source_id: UUID) -> None:
        args = {"org_id": str(self._org_id), "source_id": str(source_id)}
        await defer(self._unit.session, INGEST_TASK, lock=f"source:{source_id}", args=args)

    async def list(self, pack_id: UUID, *, before: UUID | None, limit: int) -> Sequence[SourceOut]:
        if await self._packs.get(pack_id) is None:
            raise PackNotFoundError
        sources = await self._sources.of_pack(pack_id, before, limit)
        tallies = await self._sources.tallies([source.id for source in sources])
        return [_out(source, tallies[source.id]) for source in sources]

    async def get(self, source_id: UUID) -> SourceOut:
        source = await self._found(source_id)
        return _out(source, (await self._sources.tallies([source_id]))[source_id])

    async def items(
        self, source_id: UUID, *, status: str | None, after: UUID | None, limit: int
    ) -> Sequence[SourceItem]:
        await self._found(source_id)
        return await self._sources.items(source_id, status, after, limit)

    async def cancel(self, source_id: UUID) -> SourceOut:
        """Ask a running source to stop after the document it is at. What was read stays."""
        source = await self._found(source_id, lock=True)
        if source.status not in UNDER_WAY:
            raise SourceNotRunningError
        source.cancel_requested = True
        if source.status == "queued":
            source.status = "cancelled"
            source.finished_at = self._clock()
        await self._unit.session.flush()
        return await self.get(source_id)

    async def retry(self, source_id: UUID) -> SourceOut:
        """Read again what failed, and go on with what was left. Errors: SourceBusyError."""
        source = await self._found(source_id, lock=True)
        if source.status in UNDER_WAY:
            raise SourceBusyError
        await self._sources.retry_failed(source_id)
        self._reset(source)
        await self._unit.session.flush()
        await self.enqueue(source_id)
        return await self.get(source_id)

    async def remove(self, source_id: UUID) -> None:
        """Forget a source and its documents, but not those that another source has too."""
        # The pack first, then its source, as everybody does who locks both.
        await self._documents.lock_pack((await self._found(source_id)).pack_id)
        source = await self._found(source_id, lock=True)
        if source.status == "running":
            raise SourceBusyError
        documents = await self._documents.of_source(source_id)
        if documents:
            await self._documents.remove(await self._documents.hand_over(documents, leaving=source_id))
        await self._sources.remove(source)

    async def _found(self, source_id: UUID, *, lock: bool = False) -> Source:
        source = await self._sources.get(source_id, lock=lock)
        if source is None:
            raise SourceNotFoundError
        return source

    async def _same_source(self, pack_id: UUID, wanted: NewSource) -> Source | None:
        if wanted.uri is None:
            return None
        await self._sources.lock_uri(pack_id, wanted.kind, wanted.uri)
        source = await self._sources.by_uri(pack_id, wanted.kind, wanted.uri)
        if source is None:
            return None
        if source.status in UNDER_WAY:
            raise SourceBusyError
        await self._sources.clear_items(source.id)
        source.authoritative, source.credibility = wanted.authoritative, wanted.credibility
        self._reset(source)
        await self._unit.session.flush()
        return source

    async def _new_source(self, pack_id: UUID, wanted: NewSource) -> Source:
        source = Source(
            org_id=self._org_id,
            id=new_id(),
            pack_id=pack_id,
            kind=wanted.kind,
            name=wanted.name,
            uri=wanted.uri,
            status="queued",
            authoritative=wanted.authoritative,
            credibility=wanted.credibility,
            cancel_requested=False,
            created_at=self._clock(),
        )
        await self._sources.add(source)
        return source

    @staticmethod
    def _reset(source: Source) -> None:
        source.status = "queued"
        source.cancel_requested = False
        source.current_item = source.error = source.error_code = None
        source.started_at = source.finished_at = None


def progress(tally: Tally, current: str | None) -> Progress:
    total = tally.items
    done = total - tally.of("pending")
    return Progress(
        percent=100 * done // total if total else 0,
        items=total,
        done=done,
        stored=tally.of("stored"),
        duplicate=tally.of("duplicate"),
        unchanged=tally.of("unchanged"),
        skipped=tally.of("skipped"),
        failed=tally.of("failed"),
        chunks=tally.chunks,
        current=current,
    )


def _out(source: Source, tally: Tally) -> SourceOut:
    current = source.current_item if source.status == "running" else None
    return SourceOut(
        id=source.id,
        pack_id=source.pack_id,
        kind=cast("SourceKind", source.kind),
        name=source.name,
        uri=source.uri,
        status=cast("SourceStatus", source.status),
        authoritative=source.authoritative,
        credibility=source.credibility,
        error_code=source.error_code,
        error=source.error,
        progress=progress(tally, current),
        created_at=source.created_at,
        started_at=source.started_at,
        finished_at=source.finished_at,
    )
