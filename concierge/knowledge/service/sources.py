from collections.abc import Sequence
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id
from concierge.kit.jobs import defer
from concierge.knowledge.errors import (
    ItemNotFailedError,
    ItemNotFoundError,
    PackNotFoundError,
    SourceBusyError,
    SourceNotFetchedError,
    SourceNotFoundError,
    SourceNotPausedError,
    SourceNotRunningError,
    SourcePausedError,
)
from concierge.knowledge.models import KnowledgePack, Source, SourceItem, Sync
from concierge.knowledge.repository import (
    DocumentRepository,
    JudgementRepository,
    PackRepository,
    SourceRepository,
    SyncRepository,
    Tally,
)
from concierge.knowledge.schemas import NewItem, NewSource, SourceOut
from concierge.knowledge.schemas.syncs import Trigger
from concierge.knowledge.service.ending import Ending, end_reading
from concierge.knowledge.service.freshness import (
    ASKED_FOR,
    PRIORITIES,
    UNDER_WAY,
    RefreshPlan,
    is_fetched,
    next_due,
    policy_of,
)
from concierge.knowledge.service.progress import RECENTLY, source_out

INGEST_TASK = "knowledge.ingest"


class SourceService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._unit = unit
        self._org_id = unit.scope.org_id
        self._packs = PackRepository(unit.session, unit.scope)
        self._sources = SourceRepository(unit.session, unit.scope)
        self._syncs = SyncRepository(unit.session, unit.scope)
        self._documents = DocumentRepository(unit.session, unit.scope)
        self._judgements = JudgementRepository(unit.session, unit.scope)
        self._plan = RefreshPlan(unit.session, unit.scope)
        self._clock = clock

    async def add(self, pack_id: UUID, wanted: NewSource) -> SourceOut:
        """Add a source, or read one again that has the same address; its job starts when the transaction commits.

        Errors: PackNotFoundError, SourceBusyError, SourcePausedError.
        """
        source_id = await self.begin(pack_id, wanted)
        await self._sources.add_items(source_id, wanted.items)
        await self.enqueue(source_id)
        return await self.get(source_id)

    async def begin(self, pack_id: UUID, wanted: NewSource) -> UUID:
        """Add a source whose items follow in portions (`add_items`), then `enqueue` it. Errors as `add`."""
        if await self._packs.get(pack_id) is None:
            raise PackNotFoundError
        source = await self._same_source(pack_id, wanted) or await self._new_source(pack_id, wanted)
        return source.id

    async def add_items(self, source_id: UUID, items: Sequence[NewItem]) -> None:
        await self._sources.add_items(source_id, items)

    async def enqueue(self, source_id: UUID, *, asked: bool = True) -> None:
        """Queue the reading of a source; one that somebody `asked` for goes before those that are routine."""
        _, pack = await self._with_pack(source_id)
        priority = PRIORITIES[policy_of(pack).priority] + (ASKED_FOR if asked else 0)
        args = {"org_id": str(self._org_id), "source_id": str(source_id)}
        await defer(self._unit.session, INGEST_TASK, lock=f"source:{source_id}", args=args, priority=priority)

    async def begin_again(self, source_id: UUID) -> None:
        """Begin a new sync of a source that was given, whose items follow. Errors: SourceBusyError, SourcePausedError."""
        source = await self._idle(source_id)
        await self._start(source, await self._new_sync(source, "manual"))

    async def list(self, pack_id: UUID, *, before: UUID | None, limit: int) -> Sequence[SourceOut]:
        pack = await self._packs.get(pack_id)
        if pack is None:
            raise PackNotFoundError
        sources = await self._sources.of_pack(pack_id, before, limit)
        tallies = await self._tallies([source.id for source in sources])
        policy, now = policy_of(pack), self._clock()
        return [source_out(source, tallies[source.id], policy, now) for source in sources]

    async def get(self, source_id: UUID) -> SourceOut:
        source, pack = await self._with_pack(source_id)
        tally = (await self._tallies([source_id]))[source_id]
        return source_out(source, tally, policy_of(pack), self._clock())

    async def items(
        self, source_id: UUID, *, status: str | None, after: UUID | None, limit: int
    ) -> Sequence[SourceItem]:
        await self._found(source_id)
        return await self._sources.items(source_id, status, after, limit)

    async def syncs(self, source_id: UUID, *, before: UUID | None, limit: int) -> Sequence[Sync]:
        """Return the readings of a source, the latest first."""
        await self._found(source_id)
        return await self._syncs.of_source(source_id, before, limit)

    async def sync(self, source_id: UUID) -> SourceOut:
        """Read a source again now. Errors: SourceNotFetchedError, SourceBusyError, SourcePausedError."""
        source = await self._idle(source_id)
        if not is_fetched(source):
            raise SourceNotFetchedError
        await self._list_again(source, "manual")
        await self.enqueue(source_id)
        return await self.get(source_id)

    async def refresh(self, source_id: UUID) -> None:
        """Read a source again if that is due; nothing happens to one that is gone, busy, paused or not due."""
        source = await self._sources.get(source_id, lock=True)
        if source is None:
            return
        _, pack = await self._with_pack(source_id)
        due = next_due(source, policy_of(pack))
        if due is None:
            return
        if due > self._clock():
            await self._plan.plan(source, policy_of(pack))
            return
        await self._list_again(source, "scheduled")
        await self.enqueue(source_id, asked=False)

    async def pause(self, source_id: UUID) -> SourceOut:
        """Have a source wait, after the documents it is at, until it is resumed. Errors: SourceNotRunningError."""
        source = await self._found(source_id, lock=True)
        if source.status not in UNDER_WAY:
            raise SourceNotRunningError("pause")
        source.pause_requested = True
        if source.status == "queued":
            await self._end(source, "paused")
        await self._unit.session.flush()
        return await self.get(source_id)

    async def resume(self, source_id: UUID) -> SourceOut:
        """Go on with a paused source. Errors: SourceNotPausedError."""
        source = await self._found(source_id, lock=True)
        if source.status != "paused" and not (source.status == "running" and source.pause_requested):
            raise SourceNotPausedError
        source.pause_requested = False
        if source.status == "paused":
            await self._end(source, "queued")
            source.started_at = None
        await self._unit.session.flush()
        # Its reader may have stopped just now; if it has not, this job finds nothing left to do.
        await self.enqueue(source_id)
        return await self.get(source_id)

    async def cancel(self, source_id: UUID) -> SourceOut:
        """Ask a running source to stop after the documents it is at. What was read stays."""
        source = await self._found(source_id, lock=True)
        if source.status not in {*UNDER_WAY, "paused"}:
            raise SourceNotRunningError("cancel")
        source.cancel_requested = True
        if source.status != "running":
            await self._end(source, "cancelled")
        await self._unit.session.flush()
        return await self.get(source_id)

    async def retry(self, source_id: UUID) -> SourceOut:
        """Read again what failed, and go on with what was left. Errors: SourceBusyError, SourcePausedError."""
        source = await self._idle(source_id)
        if source.kind == "feed" and is_fetched(source):
            # Its rows are only in the feed itself.
            await self._list_again(source, "retry")
            await self.enqueue(source_id)
        else:
            await self._read_again(source)
        return await self.get(source_id)

    async def retry_item(self, source_id: UUID, item_id: UUID) -> SourceOut:
        """Read one document again that failed. Errors: ItemNotFoundError, ItemNotFailedError, and those of `retry`."""
        await self._found(source_id)
        item = await self._sources.item(source_id, item_id)
        if item is None:
            raise ItemNotFoundError
        source = await self._idle(source_id)
        if item.status != "failed":
            raise ItemNotFailedError
        await self._read_again(source, only=item_id)
        return await self.get(source_id)

    async def remove(self, source_id: UUID) -> None:
        """Forget a source and its documents, but not those that another source has too. Its reader notices and stops."""
        # The pack first, then its source, as everybody does who locks both.
        await self._documents.lock_pack((await self._found(source_id)).pack_id)
        source = await self._found(source_id, lock=True)
        documents = await self._documents.of_source(source_id)
        if documents:
            await self._documents.remove(await self._judgements.hand_over(documents, leaving=source_id))
        await self._plan.forget(source)
        await self._sources.remove(source)

    async def plan_again(self, pack: KnowledgePack) -> None:
        """Have a pack's sources looked at when its policy now says so."""
        for source in await self._sources.all_of_pack(pack.id):
            if is_fetched(source):
                await self._plan.plan(source, policy_of(pack))

    async def _found(self, source_id: UUID, *, lock: bool = False) -> Source:
        source = await self._sources.get(source_id, lock=lock)
        if source is None:
            raise SourceNotFoundError
        return source

    async def _with_pack(self, source_id: UUID) -> tuple[Source, KnowledgePack]:
        found = await self._sources.with_pack(source_id)
        if found is None:
            raise SourceNotFoundError
        return found

    async def _idle(self, source_id: UUID) -> Source:
        """Find and lock a source that nobody reads or is about to read."""
        source = await self._found(source_id, lock=True)
        _require_idle(source)
        return source

    async def _tallies(self, source_ids: Sequence[UUID]) -> dict[UUID, Tally]:
        return await self._sources.tallies(source_ids, self._clock() - RECENTLY)

    async def _end(self, source: Source, status: Ending) -> None:
        _, pack = await self._with_pack(source.id)
        await end_reading(self._unit, source, pack, status, self._clock())

    async def _same_source(self, pack_id: UUID, wanted: NewSource) -> Source | None:
        if wanted.uri is None:
            return None
        await self._sources.lock_uri(pack_id, wanted.kind, wanted.uri)
        if wanted.audience is not None:
            # The pack first, then its source, as everybody does who locks both.
            await self._documents.lock_pack(pack_id)
        source = await self._sources.by_uri(pack_id, wanted.kind, wanted.uri)
        if source is None:
            return None
        _require_idle(source)
        source.authoritative, source.credibility = wanted.authoritative, wanted.credibility
        source.options = {**source.options, **wanted.options}
        if wanted.audience is not None:
            source.audience = wanted.audience or None
            await self._unit.session.flush()
            await self._judgements.apply_to_source(source.id)
        if is_fetched(source):
            # What is known of it is read again too: a page that is unchanged does not say again where it leads.
            await self._list_again(source, "manual")
        else:
            await self._start(source, await self._new_sync(source, "manual"))
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
            options=dict(wanted.options),
            audience=wanted.audience or None,
            cancel_requested=False,
            pause_requested=False,
            created_at=self._clock(),
        )
        await self._sources.add(source)
        await self._start(source, await self._new_sync(source, "added"))
        return source

    async def _list_again(self, source: Source, trigger: Trigger) -> None:
        sync_id = await self._new_sync(source, trigger)
        if source.kind == "feed" and source.uri is not None:
            # A feed lists its rows itself, when it is read.
            await self._start(source, sync_id)
            await self._sources.add_items(source.id, [NewItem(source.uri, None)])
            return
        await self._sources.list_again(source.id, sync_id)
        await self._start(source, sync_id)

    async def _read_again(self, source: Source, *, only: UUID | None = None) -> None:
        sync_id = await self._new_sync(source, "retry")
        await self._sources.read_again(source.id, sync_id, only=only)
        await self._start(source, sync_id)
        await self.enqueue(source.id)

    async def _new_sync(self, source: Source, trigger: Trigger) -> UUID:
        sync_id = new_id()
        await self._syncs.add(
            Sync(
                org_id=self._org_id,
                id=sync_id,
                source_id=source.id,
                trigger=trigger,
                changes=[],
                started_at=self._clock(),
            )
        )
        return sync_id

    async def _start(self, source: Source, sync_id: UUID) -> None:
        source.sync_id = sync_id
        source.status = "queued"
        source.cancel_requested = source.pause_requested = False
        source.current_item = source.error = source.error_code = None
        source.started_at = source.finished_at = None
        await self._plan.forget(source)
        await self._unit.session.flush()


def _require_idle(source: Source) -> None:
    if source.status in UNDER_WAY:
        raise SourceBusyError
    if source.status == "paused":
        raise SourcePausedError
