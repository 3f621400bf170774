"""SQL about statements that disagree: what is still to compare, the pairs that were found, and those dismissed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector import SparseVector
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session, fetch
from concierge.kit.ids import new_id
from concierge.knowledge.models import TERM_SPACE, Document, FoundContradiction, KnowledgePack, TermStats

# Each document that is new, or was given another title since: titles say what a sentence is about.
TO_COMPARE = """
SELECT d.id FROM documents d
LEFT JOIN compared_documents c ON c.org_id = d.org_id AND c.document_id = d.id AND c.title = d.title
WHERE d.org_id = :org_id AND d.pack_id = :pack_id AND c.document_id IS NULL
ORDER BY d.id
"""

SENTENCES = """
SELECT d.id, d.source_id, d.uri, d.title, coalesce(d.modified_at, d.published_at), d.authoritative, d.credibility,
       c.headings, c.text, c.start_char, c.sentence_spans
FROM chunks c JOIN documents d ON d.org_id = c.org_id AND d.id = c.document_id
JOIN pack_indexes x ON x.org_id = c.org_id AND x.id = c.index_id AND x.state = 'current'
WHERE c.org_id = %(org_id)b AND c.document_id = ANY (%(documents)b)
ORDER BY c.document_id, c.ordinal
"""

DOCUMENTS_WITH = """
SELECT DISTINCT c.document_id
FROM chunks_with_terms(%(indexes)b, %(postings)b, %(query)b, %(wanted)b) found
JOIN chunks c ON c.org_id = %(org_id)b AND c.id = found.chunk_id
"""

FORGET_PAIRS = """
DELETE FROM contradictions WHERE org_id = :org_id AND pack_id = :pack_id
  AND (valid_document_id = ANY (:documents) OR other_document_id = ANY (:documents))
"""

NOTE_COMPARED = """
INSERT INTO compared_documents (org_id, document_id, title)
SELECT org_id, id, title FROM documents WHERE org_id = :org_id AND id = ANY (:documents)
ON CONFLICT (org_id, document_id) DO UPDATE SET title = excluded.title
"""

DISMISS_AGAIN = """
UPDATE contradictions c SET status = 'dismissed' FROM contradiction_dismissals d
WHERE c.org_id = :org_id AND c.pack_id = :pack_id AND c.status <> 'dismissed'
  AND d.org_id = c.org_id AND d.pack_id = c.pack_id AND d.fingerprint = c.fingerprint
"""

FORGET_DISMISSALS = """
DELETE FROM contradiction_dismissals d WHERE d.org_id = :org_id AND d.pack_id = :pack_id AND NOT EXISTS (
    SELECT FROM contradictions c
    WHERE c.org_id = d.org_id AND c.pack_id = d.pack_id AND c.fingerprint = d.fingerprint)
"""

DISMISS = """
WITH found AS (
    UPDATE contradictions SET status = 'dismissed' WHERE org_id = :org_id AND id = :id RETURNING pack_id, fingerprint
)
INSERT INTO contradiction_dismissals (org_id, pack_id, fingerprint)
SELECT :org_id, pack_id, fingerprint FROM found ON CONFLICT DO NOTHING
"""

REOPEN = """
WITH found AS (
    UPDATE contradictions SET status = 'open' WHERE org_id = :org_id AND id = :id RETURNING pack_id, fingerprint
)
DELETE FROM contradiction_dismissals d USING found f
WHERE d.org_id = :org_id AND d.pack_id = f.pack_id AND d.fingerprint = f.fingerprint
"""


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """The sentences of a chunk, and what its document says of itself; `spans` are offsets in the document."""

    document_id: UUID
    source_id: UUID
    uri: str
    title: str
    dated: datetime | None
    authoritative: bool
    credibility: float
    headings: Sequence[str]
    text: str
    start: int
    spans: Sequence[int]


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """What a list says of a document that holds a statement."""

    id: UUID
    title: str
    url: str | None
    dated: datetime | None
    authoritative: bool
    credibility: float


class ContradictionRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def to_compare(self, pack_id: UUID) -> list[UUID]:
        """Return the documents whose statements were not compared yet."""
        rows = await self._session.execute(
            text(TO_COMPARE), {"org_id": self._scope.org_id, "pack_id": pack_id}
        )
        return list(rows.scalars())

    async def documents_of(self, pack_id: UUID) -> list[UUID]:
        rows = await self._session.scalars(
            select(Document.id)
            .where(Document.org_id == self._scope.org_id, Document.pack_id == pack_id)
            .order_by(Document.id)
        )
        return list(rows)

    async def size_of(self, pack_id: UUID) -> int | None:
        """Return how many chunks a pack has; None when it is gone."""
        return await self._session.scalar(
            select(KnowledgePack.chunk_count).where(
                KnowledgePack.org_id == self._scope.org_id, KnowledgePack.id == pack_id
            )
        )

    async def passages(self, document_ids: Sequence[UUID]) -> list[StoredPassage]:
        rows = await fetch(
            self._session, SENTENCES, {"org_id": self._scope.org_id, "documents": list(document_ids)}
        )
        return [StoredPassage(*row) for row in rows]

    async def frequencies(self, index_id: UUID, postings: Iterable[int]) -> dict[int, int]:
        """Return in how many chunks of an index each of these terms stands."""
        rows = await self._session.execute(
            select(TermStats.term, TermStats.df).where(
                TermStats.org_id == self._scope.org_id,
                TermStats.index_id == index_id,
                TermStats.term == func.any(list(postings)),
            )
        )
        return {row[0]: row[1] for row in rows}

    async def documents_with(self, index_id: UUID, postings: Sequence[int], most: int) -> list[UUID]:
        """Return the documents that an index has with one of these terms, as long as no more than `most` chunks have."""
        rows = await fetch(
            self._session,
            DOCUMENTS_WITH,
            {
                "org_id": self._scope.org_id,
                "indexes": [index_id],
                "postings": list(postings),
                "query": SparseVector({1: 1.0}, TERM_SPACE),
                "wanted": most,
            },
        )
        return [row[0] for row in rows]

    async def replace(self, pack_id: UUID, compared: Sequence[UUID], pairs: Sequence[dict[str, Any]]) -> int:
        """Store what was found of the documents that were `compared`. The caller holds the pack's lock.

        A pair whose document has gone meanwhile is left out. Returns how many are new.
        """
        of_documents = {
            "org_id": self._scope.org_id,
            "pack_id": pack_id,
            "documents": list(compared),
        }
        await self._session.execute(text(FORGET_PAIRS), of_documents)
        there = set(await self.documents_of(pack_id))
        rows = [
            {"org_id": self._scope.org_id, "id": new_id(), "pack_id": pack_id, **pair}
            for pair in pairs
            if {pair["valid_document_id"], pair["other_document_id"]} <= there
        ]
        if rows:
            await self._session.execute(insert(FoundContradiction).on_conflict_do_nothing(), rows)
        await self._session.execute(text(NOTE_COMPARED), of_documents)
        of_pack = {"org_id": self._scope.org_id, "pack_id": pack_id}
        await self._session.execute(text(DISMISS_AGAIN), of_pack)
        await self._session.execute(text(FORGET_DISMISSALS), of_pack)
        return len(rows)

    async def list(
        self, pack_id: UUID, status: str | None, before: UUID | None, limit: int
    ) -> Sequence[FoundContradiction]:
        """Return the pack's pairs, those found last first."""
        query = select(FoundContradiction).where(
            FoundContradiction.org_id == self._scope.org_id, FoundContradiction.pack_id == pack_id
        )
        if status is not None:
            query = query.where(FoundContradiction.status == status)
        if before is not None:
            query = query.where(FoundContradiction.id < before)
        return (await self._session.scalars(query.order_by(FoundContradiction.id.desc()).limit(limit))).all()

    async def get(self, contradiction_id: UUID) -> FoundContradiction | None:
        return await self._session.scalar(
            select(FoundContradiction)
            .where(FoundContradiction.org_id == self._scope.org_id, FoundContradiction.id == contradiction_id)
            .execution_options(populate_existing=True)
        )

    async def documents(self, document_ids: Iterable[UUID]) -> dict[UUID, ListedDocument]:
        rows = await self._session.execute(
            select(
                Document.id,
                Document.title,
                Document.url,
                func.coalesce(Document.modified_at, Document.published_at),
                Document.authoritative,
                Document.credibility,
            ).where(Document.org_id == self._scope.org_id, Document.id.in_(set(document_ids)))
        )
        return {row[0]: ListedDocument(*row) for row in rows}

    async def set_status(self, contradiction_id: UUID, *, dismissed: bool) -> None:
        await self._session.execute(
            text(DISMISS if dismissed else REOPEN), {"org_id": self._scope.org_id, "id": contradiction_id}
        )
