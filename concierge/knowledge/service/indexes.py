"""The indexes of a pack as the operator sees them: what there is, how far a build is, and a new one beside it."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

from concierge.accounts.scope import TenantScope, Unit
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Session
from concierge.kit.errors import UnavailableError
from concierge.kit.jobs import defer
from concierge.knowledge.chunkers import Chunkers
from concierge.knowledge.errors import IndexInUseError, IndexNotFoundError, IndexPlanError, PackNotFoundError
from concierge.knowledge.models import PackIndex
from concierge.knowledge.repository import DocumentRepository, IndexRepository, IndexSize, plan_of
from concierge.knowledge.schemas.indexes import (
    ChunkerName,
    IndexOut,
    IndexPlan,
    IndexProgress,
    IndexState,
    ReindexIn,
)
from concierge.knowledge.service.progress import ENOUGH_DOCUMENTS, ENOUGH_SECONDS, RECENTLY
from concierge.llm.embeddings import LOCAL_MODEL, LOCAL_SPACE, VectorSpace

REINDEX_TASK: Final = "knowledge.reindex"
REMOVE_INDEX_TASK: Final = "knowledge.remove_index"


# Behind everything that is read: there is an index that answers.
LAST: Final = -100


async def look_for_build(session: Session, scope: TenantScope, index_id: UUID) -> None:
    """Have an index built on in the background, once this transaction is committed."""
    args = {"org_id": str(scope.org_id), "index_id": str(index_id)}
    await defer(session, REINDEX_TASK, lock=f"index:{index_id}", args=args, priority=LAST)


async def look_for_removal(
    session: Session, scope: TenantScope, index_id: UUID, *, at: datetime | None = None
) -> None:
    """Have an index removed in the background that is not searched any more, once this transaction is committed."""
    args = {"org_id": str(scope.org_id), "index_id": str(index_id)}
    await defer(session, REMOVE_INDEX_TASK, lock=f"index:{index_id}", args=args, priority=LAST, at=at)


class IndexService:
    def __init__(self, unit: Unit, chunkers: Chunkers, clock: Clock = utc_now) -> None:
        self._unit = unit
        self._indexes = IndexRepository(unit.session, unit.scope)
        self._documents = DocumentRepository(unit.session, unit.scope)
        self._chunkers = chunkers
        self._clock = clock

    async def reindex(self, pack_id: UUID, wanted: ReindexIn) -> IndexOut:
        """Have a new index built beside the current one, which answers until then.

        Errors: PackNotFoundError, IndexBuildingError, IndexPlanError.
        """
        if not await self._documents.lock_pack(pack_id):
            raise PackNotFoundError
        index = await self._indexes.add(pack_id, await self._plan(wanted), self._clock())
        for earlier in await self._indexes.list(pack_id):
            if earlier.state == "failed":
                await self._leave(earlier)
        await look_for_build(self._unit.session, self._unit.scope, index.id)
        return await self.get(pack_id, index.id)

    async def list(self, pack_id: UUID) -> Sequence[IndexOut]:
        """Return the indexes of a pack, the latest first. Errors: PackNotFoundError."""
        return await self._shown(pack_id, await self._indexes.list(pack_id))

    async def get(self, pack_id: UUID, index_id: UUID) -> IndexOut:
        """Errors: PackNotFoundError, IndexNotFoundError."""
        index = await self._indexes.get(index_id)
        shown = await self._shown(pack_id, [] if index is None else [index])
        if index is None or index.pack_id != pack_id:
            raise IndexNotFoundError
        return shown[0]

    async def remove(self, pack_id: UUID, index_id: UUID) -> None:
        """Cancel a build, or remove what an old or failed index has left.

        Errors: PackNotFoundError, IndexNotFoundError, IndexInUseError.
        """
        if not await self._documents.lock_pack(pack_id):
            raise PackNotFoundError
        index = await self._indexes.get(index_id, lock=True)
        if index is None or index.pack_id != pack_id:
            raise IndexNotFoundError
        if index.state == "current":
            raise IndexInUseError
        await self._leave(index)

    async def _leave(self, index: PackIndex) -> None:
        index.state, index.ended_at = "cancelled", index.ended_at or self._clock()
        await self._unit.session.flush()
        await look_for_removal(self._unit.session, self._unit.scope, index.id)

    async def _plan(self, wanted: ReindexIn) -> IndexPlan:
        default = self._chunkers.default_plan.space
        model = wanted.embedding_model or default.model
        usual = LOCAL_SPACE.dimensions if model == LOCAL_MODEL else default.dimensions
        space = VectorSpace(model, wanted.dimensions or usual)
        plan = IndexPlan(space, wanted.chunker or IndexPlan.of(space).chunker)
        try:
            await self._chunkers.of(plan)
        except UnavailableError as error:
            raise IndexPlanError(error.detail, code=error.code) from error
        return plan

    async def _shown(self, pack_id: UUID, indexes: Sequence[PackIndex]) -> Sequence[IndexOut]:
        documents = await self._indexes.document_count(pack_id)
        if documents is None:
            raise PackNotFoundError
        now = self._clock()
        sizes = await self._indexes.sizes([index.id for index in indexes], now - RECENTLY)
        default = self._chunkers.default_plan
        return [_out(index, sizes.get(index.id, IndexSize()), documents, default, now) for index in indexes]


def _out(index: PackIndex, size: IndexSize, documents: int, default: IndexPlan, now: datetime) -> IndexOut:
    return IndexOut(
        id=index.id,
        pack_id=index.pack_id,
        number=index.number,
        state=cast("IndexState", index.state),
        embedding_model=index.embedding_model,
        dimensions=index.dimensions,
        chunker=cast("ChunkerName", index.chunker),
        is_default=plan_of(index) == default,
        progress=_progress(index, size, documents, now),
        error_code=index.error_code,
        error=index.error,
        created_at=index.created_at,
        started_at=index.started_at,
        switched_at=index.switched_at,
        ended_at=index.ended_at,
    )


def _progress(index: PackIndex, size: IndexSize, documents: int, now: datetime) -> IndexProgress:
    """An index that does not grow any more is as large as it is."""
    total = documents if index.state == "building" else size.documents
    return IndexProgress(
        percent=100 * min(size.documents, total) // total if total else 100,
        documents=total,
        done=size.documents,
        chunks=size.chunks,
        seconds_left=_seconds_left(index, size, total, now),
    )


def _seconds_left(index: PackIndex, size: IndexSize, total: int, now: datetime) -> int | None:
    if index.state != "building" or index.started_at is None or size.recent < ENOUGH_DOCUMENTS:
        return None
    seconds = (now - max(index.started_at, now - RECENTLY)) / timedelta(seconds=1)
    if seconds < ENOUGH_SECONDS:
        return None
    return math.ceil(max(0, total - size.documents) * seconds / size.recent)
