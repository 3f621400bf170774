"""SQL of feeds: the rows of one, listed in one go; those that are as they were need not be read again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.kit.ids import new_id
from concierge.knowledge.models import Source, SourceItem

# A row is as it was when its mark is, and what it said then was stored.
LIST_ROW = """
INSERT INTO source_items AS i (org_id, id, source_id, uri, media_type, data, size, status, error_code, error, etag,
                               sync_id, finished_at)
SELECT s.org_id, CAST(:id AS uuid), s.id, CAST(:uri AS text), CAST(:media_type AS text), CAST(:data AS bytea),
       CAST(:size AS bigint), CAST(:status AS text), CAST(:error_code AS text), CAST(:error AS text),
       CAST(:mark AS text), s.sync_id, CASE WHEN CAST(:status AS text) = 'failed' THEN CAST(:now AS timestamptz) END
FROM sources s WHERE s.org_id = :org_id AND s.id = :source_id
ON CONFLICT (org_id, source_id, uri) DO UPDATE
SET (media_type, data, size, status, error_code, error, etag, chunk_count, finished_at, sync_id) = (
    SELECT excluded.media_type, CASE WHEN same THEN NULL ELSE excluded.data END, excluded.size,
           CASE WHEN same THEN 'unchanged' ELSE excluded.status END, excluded.error_code, excluded.error,
           coalesce(excluded.etag, i.etag), 0, CASE WHEN same THEN CAST(:now AS timestamptz) ELSE excluded.finished_at END,
           excluded.sync_id
    FROM (SELECT coalesce(NOT CAST(:anew AS boolean) AND i.etag = excluded.etag AND i.document_id IS NOT NULL
                          AND i.status IN ('stored', 'unchanged'), false) AS same) AS compared)
WHERE i.sync_id IS DISTINCT FROM excluded.sync_id
"""
ROWS_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class ListedRow:
    """A row of a feed under its name in the source: its document as bytes and their mark, or why there is none."""

    uri: str
    data: bytes | None
    media_type: str
    mark: str | None
    reason: str | None = None


class FeedRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def list_rows(
        self, source_id: UUID, rows: Sequence[ListedRow], now: datetime, *, anew: bool
    ) -> None:
        """List the rows of a feed in the source's present sync; `anew` has all of them read again."""
        for start in range(0, len(rows), ROWS_AT_A_TIME):
            portion = [
                self._row(source_id, row, now, anew=anew) for row in rows[start : start + ROWS_AT_A_TIME]
            ]
            await self._session.execute(text(LIST_ROW), portion)

    async def counts(self, source_id: UUID) -> dict[str, int]:
        """Count the items of the source's present sync by status."""
        rows = await self._session.execute(
            select(SourceItem.status, func.count())
            .join(Source, (Source.org_id == SourceItem.org_id) & (Source.id == SourceItem.source_id))
            .where(
                SourceItem.org_id == self._scope.org_id,
                SourceItem.source_id == source_id,
                SourceItem.sync_id.is_not_distinct_from(Source.sync_id),
            )
            .group_by(SourceItem.status)
        )
        return {row[0]: row[1] for row in rows}

    def _row(self, source_id: UUID, row: ListedRow, now: datetime, *, anew: bool) -> dict[str, object]:
        return {
            "org_id": self._scope.org_id,
            "id": new_id(),
            "source_id": source_id,
            "uri": row.uri,
            "media_type": row.media_type,
            "data": row.data,
            "size": len(row.data or b""),
            "status": "failed" if row.reason else "pending",
            "error_code": "feed_row_invalid" if row.reason else None,
            "error": row.reason,
            "mark": row.mark,
            "now": now,
            "anew": anew,
        }
