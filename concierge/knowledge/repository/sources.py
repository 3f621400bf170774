from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import undefer

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.kit.ids import new_id
from concierge.knowledge.models import Source, SourceItem
from concierge.knowledge.schemas.sources import NewItem


@dataclass(frozen=True, slots=True)
class PendingItem:
    """What is left to read. `size` is 0 for what must be fetched."""

    id: UUID
    uri: str
    media_type: str | None
    size: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Items of a source by status, and the chunks they became."""

    by_status: dict[str, int]
    chunks: int

    @property
    def items(self) -> int:
        """Count the things to read; an archive counts as what it expanded to."""
        return sum(count for status, count in self.by_status.items() if status != "expanded")

    @property
    def read(self) -> int:
        """Count the items whose content the pack now has."""
        return self.of("stored") + self.of("duplicate") + self.of("unchanged")

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
        """Add items to read; one that is already there by name is left alone."""
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
            }
            for item in items
        ]
        if rows:
            await self._session.execute(
                text(
                    "INSERT INTO source_items (org_id, id, source_id, uri, media_type, data, size, status, "
                    "error_code, error) "
                    "VALUES (:org_id, :id, :source_id, :uri, :media_type, :data, :size, :status, :error_code, :error) "
                    "ON CONFLICT (org_id, source_id, uri) DO NOTHING"
                ),
                rows,
            )

    async def clear_items(self, source_id: UUID) -> None:
        await self._session.execute(
            delete(SourceItem).where(
                SourceItem.org_id == self._scope.org_id, SourceItem.source_id == source_id
            )
        )

    async def get(self, source_id: UUID, *, lock: bool = False) -> Source | None:
        query = select(Source).where(Source.org_id == self._scope.org_id, Source.id == source_id)
        return await self._session.scalar(query.with_for_update(key_share=True) if lock else query)

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

    async def tallies(self, source_ids: Sequence[UUID]) -> dict[UUID, Tally]:
        """Count the items of several sources in one statement."""
        rows = await self._session.execute(
            select(SourceItem.source_id, SourceItem.status, func.count(), func.sum(SourceItem.chunk_count))
            .where(SourceItem.org_id == self._scope.org_id, SourceItem.source_id.in_(source_ids))
            .group_by(SourceItem.source_id, SourceItem.status)
        )
        found: dict[UUID, dict[str, tuple[int, int]]] = {source_id: {} for source_id in source_ids}
        for source_id, status, count, chunks in rows:
            found[source_id][status] = (count, chunks or 0)
        return {
            source_id: Tally(
                {status: count for status, (count, _) in counts.items()},
                sum(chunks for _, chunks in counts.values()),
            )
            for source_id, counts in found.items()
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
        rows = await self._session.execute(
            select(SourceItem.id, SourceItem.uri, SourceItem.media_type, SourceItem.size)
            .where(
                SourceItem.org_id == self._scope.org_id,
                SourceItem.source_id == source_id,
                SourceItem.status == "pending",
            )
            .order_by(SourceItem.id)
            .limit(limit)
        )
        return [PendingItem(*row) for row in rows]

    async def is_pending(self, item_id: UUID) -> bool:
        status = await self._session.scalar(
            select(SourceItem.status).where(SourceItem.org_id == self._scope.org_id, SourceItem.id == item_id)
        )
        return status == "pending"

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
    ) -> None:
        """Note what became of an item. Its bytes are kept only when reading them failed, to try again."""
        values: dict[str, Any] = {
            "status": status,
            "document_id": document_id,
            "chunk_count": chunk_count,
            "finished_at": now,
            "error_code": error[0] if error else None,
            "error": error[1] if error else None,
        }
        if error is None:
            values["data"] = None
        await self._session.execute(
            update(SourceItem)
            .where(SourceItem.org_id == self._scope.org_id, SourceItem.id == item_id)
            .values(**values)
        )

    async def set_current(self, source_id: UUID, uri: str) -> bool:
        """Note what is being read now. Returns whether to go on: false when the source is gone or cancelled."""
        cancelled = await self._session.scalar(
            update(Source)
            .where(Source.org_id == self._scope.org_id, Source.id == source_id)
            .values(current_item=uri)
            .returning(Source.cancel_requested)
        )
        return cancelled is False

    async def retry_failed(self, source_id: UUID) -> None:
        await self._session.execute(
            update(SourceItem)
            .where(
                SourceItem.org_id == self._scope.org_id,
                SourceItem.source_id == source_id,
                SourceItem.status == "failed",
            )
            .values(status="pending", error_code=None, error=None, finished_at=None)
        )

    async def remove(self, source: Source) -> None:
        await self._session.delete(source)
        await self._session.flush()
