from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import cast, false, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import undefer

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.kit.ids import new_id
from concierge.knowledge.models import KnowledgePack, Source, SourceItem
from concierge.knowledge.schemas.sources import NewItem

# An item that is listed again is read again; what it is known to hold stays with it until then.
LIST_ITEM = """
INSERT INTO source_items (org_id, id, source_id, uri, media_type, data, size, status, error_code, error, depth, sync_id)
SELECT s.org_id, CAST(:id AS uuid), s.id, CAST(:uri AS text), CAST(:media_type AS text), CAST(:data AS bytea),
       CAST(:size AS bigint), CAST(:status AS text), CAST(:error_code AS text), CAST(:error AS text),
       CAST(:depth AS integer), s.sync_id
FROM sources s WHERE s.org_id = :org_id AND s.id = :source_id
ON CONFLICT (org_id, source_id, uri) DO UPDATE
SET media_type = excluded.media_type, data = excluded.data, size = excluded.size, status = excluded.status,
    error_code = excluded.error_code, error = excluded.error, depth = excluded.depth, sync_id = excluded.sync_id,
    chunk_count = 0, finished_at = NULL
WHERE source_items.sync_id IS DISTINCT FROM excluded.sync_id
"""

LIST_AGAIN = """
UPDATE source_items SET status = 'pending', sync_id = :sync_id, error_code = NULL, error = NULL, chunk_count = 0,
    finished_at = NULL
WHERE org_id = :org_id AND source_id = :source_id AND status <> 'expanded'
"""

# What was in an archive that cannot be opened this time is not gone.
FORGET_UNLISTED = """
DELETE FROM source_items i WHERE i.org_id = :org_id AND i.source_id = :source_id
  AND i.sync_id IS DISTINCT FROM :sync_id AND NOT EXISTS (
    SELECT FROM source_items a WHERE a.org_id = i.org_id AND a.source_id = i.source_id AND a.sync_id = :sync_id
      AND a.status IN ('failed', 'skipped') AND starts_with(i.uri, a.uri || '/'))
"""


@dataclass(frozen=True, slots=True)
class PendingItem:
    """What is left to read. `size` is 0 for what must be fetched; the validators are those of `document_id`."""

    id: UUID
    uri: str
    media_type: str | None
    size: int
    document_id: UUID | None = None
    etag: str | None = None
    last_modified: str | None = None
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Validators:
    """What a website said of the version it sent, to ask later whether there is another."""

    etag: str | None
    last_modified: str | None


@dataclass(frozen=True, slots=True)
class Tally:
    """Items of a source's sync by status, the chunks they became, and how much of it was done lately."""

    by_status: dict[str, int]
    chunks: int
    recent_items: int = 0
    recent_chunks: int = 0

    @property
    def items(self) -> int:
        """Count the things to read; an archive counts as what it expanded to."""
        return sum(count for status, count in self.by_status.items() if status != "expanded")

    @property
    def read(self) -> int:
        """Count the items whose content the pack now has."""
        return sum(map(self.of, ("stored", "duplicate", "near_duplicate", "unchanged")))

    def of(self, status: str) -> int:
        return self.by_status.get(status, 0)


class SourceRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def add(self, source: Source) -> None:
        self._session.add(source)
        await self._session.flush()

    async def add_items(self, source_id: UUID, items: Sequence[NewItem]) -> None:
        """List items to read in the source's present sync; one that is listed already is left alone."""
        rows = [
            {
                "org_id": self._scope.org_id,
                "id": new_id(),
                "source_id": source_id,
                "uri": item.uri,
                "media_type": item.media_type,
                "data": item.data,
                "size": len(item.data or b""),
                "status": "skipped" if item.skipped_because else "pending",
                "error_code": "item_skipped" if item.skipped_because else None,
                "error": item.skipped_because,
                "depth": item.depth,
            }
            for item in items
        ]
        if rows:
            await self._session.execute(text(LIST_ITEM), rows)

    async def list_again(self, source_id: UUID, sync_id: UUID) -> None:
        """List everything that is known of a source for its new sync."""
        await self._session.execute(text(LIST_AGAIN), self._of_sync(source_id, sync_id))

    async def forget_unlisted(self, source_id: UUID, sync_id: UUID | None) -> None:
        """Forget the items that a complete sync has not met any more."""
        await self._session.execute(text(FORGET_UNLISTED), self._of_sync(source_id, sync_id))

    def _of_sync(self, source_id: UUID, sync_id: UUID | None) -> dict[str, Any]:
        return {"org_id": self._scope.org_id, "source_id": source_id, "sync_id": sync_id}

    async def get(self, source_id: UUID, *, lock: bool = False) -> Source | None:
        query = select(Source).where(Source.org_id == self._scope.org_id, Source.id == source_id)
        return await self._session.scalar(query.with_for_update(key_share=True) if lock else query)

    async def with_pack(self, source_id: UUID) -> tuple[Source, KnowledgePack] | None:
        row = (
            await self._session.execute(
                select(Source, KnowledgePack)
                .join(
                    KnowledgePack,
                    (KnowledgePack.org_id == Source.org_id) & (KnowledgePack.id == Source.pack_id),
                )
                .where(Source.org_id == self._scope.org_id, Source.id == source_id)
            )
        ).first()
        return (row[0], row[1]) if row else None

    async def lock_uri(self, pack_id: UUID, kind: str, uri: str) -> None:
        """Let one transaction at a time look for a source by its address, and add it."""
        await self._session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"),
            {"key": f"{pack_id} {kind} {uri}"},
        )

    async def by_uri(self, pack_id: UUID, kind: str, uri: str) -> Source | None:
        return await self._session.scalar(
            select(Source)
            .where(
                Source.org_id == self._scope.org_id,
                Source.pack_id == pack_id,
                Source.kind == kind,
                Source.uri == uri,
            )
            .with_for_update(key_share=True)
        )

    async def of_pack(self, pack_id: UUID, before: UUID | None, limit: int) -> Sequence[Source]:
        query = select(Source).where(Source.org_id == self._scope.org_id, Source.pack_id == pack_id)
        if before is not None:
            query = query.where(Source.id < before)
        return (await self._session.scalars(query.order_by(Source.id.desc()).limit(limit))).all()

    async def all_of_pack(self, pack_id: UUID) -> Sequence[Source]:
        """Lock all sources of a pack, in order."""
        return (
            await self._session.scalars(
                select(Source)
                .where(Source.org_id == self._scope.org_id, Source.pack_id == pack_id)
                .order_by(Source.id)
                .with_for_update(key_share=True)
            )
        ).all()

    async def tallies(
        self, source_ids: Sequence[UUID], recently: datetime | None = None
    ) -> dict[UUID, Tally]:
        """Count the items of several sources' present syncs in one statement; `recently` is since when."""
        since = func.greatest(recently, Source.started_at)
        recent = false() if recently is None else SourceItem.finished_at >= since
        rows = await self._session.execute(
            select(
                SourceItem.source_id,
                SourceItem.status,
                func.count(),
                func.sum(SourceItem.chunk_count),
                func.count().filter(recent),
                func.sum(SourceItem.chunk_count).filter(recent),
            )
            .join(Source, (Source.org_id == SourceItem.org_id) & (Source.id == SourceItem.source_id))
            .where(
                SourceItem.org_id == self._scope.org_id,
                SourceItem.source_id.in_(source_ids),
                SourceItem.sync_id.is_not_distinct_from(Source.sync_id),
            )
            .group_by(SourceItem.source_id, SourceItem.status)
        )
        found: dict[UUID, list[tuple[str, int, int, int, int]]] = {source_id: [] for source_id in source_ids}
        for source_id, status, items, chunks, items_lately, chunks_lately in rows:
            found[source_id].append((status, items, chunks or 0, items_lately, chunks_lately or 0))
        return {
            source_id: Tally(
                {row[0]: row[1] for row in counted},
                chunks=sum(row[2] for row in counted),
                recent_items=sum(row[3] for row in counted if row[0] != "expanded"),
                recent_chunks=sum(row[4] for row in counted),
            )
            for source_id, counted in found.items()
        }

    async def items(
        self, source_id: UUID, status: str | None, after: UUID | None, limit: int
    ) -> Sequence[SourceItem]:
        query = select(SourceItem).where(
            SourceItem.org_id == self._scope.org_id, SourceItem.source_id == source_id
        )
        if status is not None:
            query = query.where(SourceItem.status == status)
        if after is not None:
            query = query.where(SourceItem.id > after)
        return (await self._session.scalars(query.order_by(SourceItem.id).limit(limit))).all()

    async def pending(self, source_id: UUID, limit: int) -> list[PendingItem]:
        """Return what is next to read in the source's present sync."""
        rows = await self._session.execute(
            select(
                SourceItem.id,
                SourceItem.uri,
                SourceItem.media_type,
                SourceItem.size,
                SourceItem.document_id,
                SourceItem.etag,
                SourceItem.last_modified,
                SourceItem.depth,
            )
            .join(Source, (Source.org_id == SourceItem.org_id) & (Source.id == SourceItem.source_id))
            .where(
                SourceItem.org_id == self._scope.org_id,
                SourceItem.source_id == source_id,
                SourceItem.status == "pending",
                SourceItem.sync_id.is_not_distinct_from(Source.sync_id),
            )
            .order_by(SourceItem.id)
            .limit(limit)
        )
        return [PendingItem(*row) for row in rows]

    async def listed(self, source_id: UUID) -> set[str]:
        """Return the names of everything in the source's present sync."""
        rows = await self._session.scalars(
            select(SourceItem.uri)
            .join(Source, (Source.org_id == SourceItem.org_id) & (Source.id == SourceItem.source_id))
            .where(
                SourceItem.org_id == self._scope.org_id,
                SourceItem.source_id == source_id,
                SourceItem.sync_id.is_not_distinct_from(Source.sync_id),
            )
        )
        return set(rows)

    async def pend_again(self, source_id: UUID, uris: Sequence[str]) -> bool:
        """Have items read again within the same sync. Returns whether there are any."""
        present = (SourceItem.org_id == self._scope.org_id) & (SourceItem.source_id == source_id)
        rows = await self._session.scalars(
            update(SourceItem)
            .where(
                present,
                SourceItem.uri.in_(uris),
                SourceItem.status.in_(("stored", "unchanged")),
            )
            .values(status="pending")
            .returning(SourceItem.id)
        )
        return len(rows.all()) > 0

    async def keep_option(self, source_id: UUID, name: str, value: Mapping[str, Any]) -> None:
        await self._session.execute(
            update(Source)
            .where(Source.org_id == self._scope.org_id, Source.id == source_id)
            .values(options=Source.options.op("||")(cast({name: dict(value)}, JSONB)))
        )

    async def is_pending(self, item_id: UUID) -> bool:
        status = await self._session.scalar(
            select(SourceItem.status).where(SourceItem.org_id == self._scope.org_id, SourceItem.id == item_id)
        )
        return status == "pending"

    async def item(self, source_id: UUID, item_id: UUID) -> SourceItem | None:
        return await self._session.scalar(
            select(SourceItem).where(
                SourceItem.org_id == self._scope.org_id,
                SourceItem.source_id == source_id,
                SourceItem.id == item_id,
            )
        )

    async def item_data(self, item_id: UUID) -> bytes | None:
        item = await self._session.scalar(
            select(SourceItem)
            .where(SourceItem.org_id == self._scope.org_id, SourceItem.id == item_id)
            .options(undefer(SourceItem.data))
        )
        return None if item is None else item.data

    async def finish_item(
        self,
        item_id: UUID,
        *,
        status: str,
        now: datetime,
        document_id: UUID | None = None,
        chunk_count: int = 0,
        error: tuple[str, str] | None = None,
        validators: Validators | None = None,
    ) -> None:
        """Note what became of an item, which the caller has seen pending under the pack's lock.

        When reading it failed, its bytes are kept, to try again, and so is what it is known to hold.
        """
        values: dict[str, Any] = {
            "status": status,
            "chunk_count": chunk_count,
            "finished_at": now,
            "error_code": error[0] if error else None,
            "error": error[1] if error else None,
        }
        if error is None:
            values |= {"data": None, "document_id": document_id}
        if validators is not None:
            values |= {"etag": validators.etag, "last_modified": validators.last_modified}
        await self._session.execute(
            update(SourceItem)
            .where(SourceItem.org_id == self._scope.org_id, SourceItem.id == item_id)
            .values(**values)
        )

    async def set_current(self, source_id: UUID, uri: str) -> bool:
        """Note what is being read now. Returns whether to go on: not when the source is gone, cancelled or paused."""
        stopped = await self._session.scalar(
            update(Source)
            .where(Source.org_id == self._scope.org_id, Source.id == source_id)
            .values(current_item=uri)
            .returning(Source.cancel_requested | Source.pause_requested)
        )
        return stopped is False

    async def read_again(self, source_id: UUID, sync_id: UUID, *, only: UUID | None = None) -> None:
        """Take the items over into a new sync; those that failed, or `only` one of them, are pending again."""
        present = (SourceItem.org_id == self._scope.org_id) & (SourceItem.source_id == source_id)
        earlier = (
            select(Source.sync_id)
            .where(Source.org_id == self._scope.org_id, Source.id == source_id)
            .scalar_subquery()
        )
        await self._session.execute(
            update(SourceItem)
            .where(
                present,
                SourceItem.status == "failed" if only is None else SourceItem.id == only,
                SourceItem.sync_id.is_not_distinct_from(earlier),
            )
            .values(status="pending", error_code=None, error=None, finished_at=None)
        )
        await self._session.execute(
            update(SourceItem)
            .where(present, SourceItem.sync_id.is_not_distinct_from(earlier))
            .values(sync_id=sync_id)
        )

    async def holds_instead(self, earlier: UUID, document_id: UUID) -> None:
        """Note that what one document held another one holds."""
        await self._session.execute(
            update(SourceItem)
            .where(SourceItem.org_id == self._scope.org_id, SourceItem.document_id == earlier)
            .values(document_id=document_id)
        )

    async def loses_document(self, item_id: UUID) -> None:
        """Note that an item's page is gone for good, and with it what it held."""
        await self._session.execute(
            update(SourceItem)
            .where(SourceItem.org_id == self._scope.org_id, SourceItem.id == item_id)
            .values(document_id=None, etag=None, last_modified=None)
        )

    async def remove(self, source: Source) -> None:
        await self._session.delete(source)
        await self._session.flush()
