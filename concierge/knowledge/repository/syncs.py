from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, update

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.knowledge.models import Sync
from concierge.knowledge.schemas.syncs import Change, Outcome

MOST_CHANGES = 200

COUNT = """
UPDATE syncs SET {outcome} = {outcome} + :documents, changes = CASE
    WHEN CAST(:changes AS jsonb) <> '[]' AND jsonb_array_length(changes) < :most
    THEN jsonb_path_query_array(changes || CAST(:changes AS jsonb), '$[0 to 199]') ELSE changes END
WHERE org_id = :org_id AND id = :sync_id
"""
OUTCOMES: tuple[Outcome, ...] = ("added", "changed", "removed", "unchanged", "duplicate", "failed")
COUNTING: Mapping[Outcome, str] = {outcome: COUNT.format(outcome=outcome) for outcome in OUTCOMES}


class SyncRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def add(self, sync: Sync) -> None:
        self._session.add(sync)
        await self._session.flush()

    async def get(self, sync_id: UUID) -> Sync | None:
        return await self._session.scalar(
            select(Sync).where(Sync.org_id == self._scope.org_id, Sync.id == sync_id)
        )

    async def count(
        self, sync_id: UUID | None, outcome: Outcome, documents: int = 1, changes: Sequence[Change] = ()
    ) -> None:
        """Note what became of documents, in the transaction that makes it so; only the first changes keep their name."""
        await self._session.execute(
            text(COUNTING[outcome]),
            {
                "org_id": self._scope.org_id,
                "sync_id": sync_id,
                "documents": documents,
                "changes": _json(changes[:MOST_CHANGES]),
                "most": MOST_CHANGES,
            },
        )

    async def set_status(
        self, sync_id: UUID, status: str, finished_at: datetime | None, error: tuple[str, str] | None = None
    ) -> None:
        code, detail = error or (None, None)
        await self._session.execute(
            update(Sync)
            .where(Sync.org_id == self._scope.org_id, Sync.id == sync_id)
            .values(status=status, finished_at=finished_at, error_code=code, error=detail)
        )

    async def of_source(self, source_id: UUID, before: UUID | None, limit: int) -> Sequence[Sync]:
        """Return a source's syncs, the latest first."""
        query = select(Sync).where(Sync.org_id == self._scope.org_id, Sync.source_id == source_id)
        if before is not None:
            query = query.where(Sync.id < before)
        return (await self._session.scalars(query.order_by(Sync.id.desc()).limit(limit))).all()


def _json(changes: Sequence[Change]) -> str:
    return f"[{','.join(change.model_dump_json() for change in changes)}]"
