from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import any_, func, literal, select, text, update
from sqlalchemy.orm import undefer

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.kit.ids import new_id
from concierge.knowledge.chunking import Chunk
from concierge.knowledge.instructions import FLAG
from concierge.knowledge.models import Document, KnowledgePack, PackIndex
from concierge.knowledge.repository.chunks import ChunkRepository, NewChunk
from concierge.knowledge.repository.restricted import uncount_restricted
from concierge.knowledge.sources.repetition import NEAR

# In every index that holds them, as one may be building beside the current one.
UNCOUNT_TERMS = """
WITH gone AS (
    SELECT index_id, term, count(*) AS n FROM chunks, unnest(terms) AS term
    WHERE org_id = :org_id AND document_id = ANY (:documents)
    GROUP BY index_id, term
), emptied AS (
    DELETE FROM term_stats s USING gone g
    WHERE s.org_id = :org_id AND s.index_id = g.index_id AND s.term = g.term AND s.df <= g.n
)
UPDATE term_stats s SET df = s.df - g.n FROM gone g
WHERE s.org_id = :org_id AND s.index_id = g.index_id AND s.term = g.term AND s.df > g.n
"""

FORGET_DOCUMENTS = """
WITH gone AS (
    DELETE FROM documents WHERE org_id = :org_id AND id = ANY (:documents) RETURNING pack_id, chunk_count
), totals AS (
    SELECT pack_id, count(*) AS documents, sum(chunk_count) AS chunks FROM gone GROUP BY pack_id
)
UPDATE knowledge_packs p
SET document_count = p.document_count - t.documents, chunk_count = p.chunk_count - t.chunks, updated_at = now()
FROM totals t WHERE p.org_id = :org_id AND p.id = t.pack_id
"""

NO_LONGER_IN = """
SELECT d.id FROM documents d WHERE d.org_id = :org_id AND d.source_id = :source_id AND NOT EXISTS (
    SELECT FROM source_items i WHERE i.org_id = d.org_id AND i.source_id = d.source_id AND (
        i.uri = d.uri OR i.status IN ('failed', 'skipped') AND starts_with(d.uri, i.uri || '/')))
"""

# Pages that differ only in their numbers are all kept, and each of them reads nearly the same as the others.
MOST_NEAR = 20
NEARLY_THE_SAME = """
SELECT id, uri, text FROM documents
WHERE org_id = :org_id AND source_id = :source_id AND uri <> :uri AND simhash IS NOT NULL
  AND audience IS NOT DISTINCT FROM CAST(:audience AS text)
  AND bit_count((simhash # CAST(:simhash AS bigint))::bit(64)) <= :near
ORDER BY created_at LIMIT :most
"""

# What the same text may say of itself anew.
REFRESHED = (
    *("title", "url", "language", "published_at", "modified_at", "authoritative", "credibility"),
    *("simhash", "page_starts"),
)


@dataclass(frozen=True, slots=True)
class NewDocument:
    source_id: UUID
    pack_id: UUID
    uri: str
    title: str
    url: str | None
    text: str
    content_hash: bytes
    media_type: str
    language: str | None
    published_at: datetime | None
    modified_at: datetime | None
    authoritative: bool
    credibility: float
    audience: str | None
    simhash: int | None = None
    page_starts: list[int] | None = None
    flags: tuple[str, ...] = ()
    instruction_spans: tuple[int, ...] = ()
    kind: str = "pack"
    questions: tuple[str, ...] = ()

    def flagged(self, chunks: Sequence[Chunk]) -> Self:
        """The document with what its chunks left out because it gives orders."""
        spans = sorted({span for chunk in chunks for span in chunk.left_out})
        if not spans:
            return self
        offsets = tuple(offset for span in spans for offset in span)
        return replace(self, flags=(*self.flags, FLAG), instruction_spans=offsets)


class DocumentRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def lock_pack(self, pack_id: UUID) -> bool:
        """Let one transaction at a time change a pack's documents. False when the pack is gone."""
        found = await self._session.scalar(
            select(KnowledgePack.id)
            .where(KnowledgePack.org_id == self._scope.org_id, KnowledgePack.id == pack_id)
            .with_for_update(key_share=True)
        )
        return found is not None

    async def same_content(self, new: NewDocument) -> tuple[UUID, UUID, str] | None:
        """Return id, source and name of the document with this content in the pack, for the same audience."""
        row = (
            await self._session.execute(
                select(Document.id, Document.source_id, Document.uri).where(
                    Document.org_id == self._scope.org_id,
                    Document.pack_id == new.pack_id,
                    Document.content_hash == new.content_hash,
                    Document.audience.is_not_distinct_from(new.audience),
                )
            )
        ).first()
        return (row[0], row[1], row[2]) if row else None

    async def add(
        self,
        document: NewDocument,
        index: PackIndex,
        chunks: Sequence[NewChunk],
        *,
        known_as: UUID | None = None,
    ) -> UUID:
        """Store a document with its chunks in the current index and count it. The caller holds the pack's lock."""
        document_id = known_as or new_id()
        self._session.add(
            Document(org_id=self._scope.org_id, id=document_id, chunk_count=len(chunks), **_columns(document))
        )
        await self._session.flush()
        await ChunkRepository(self._session, self._scope).store(index, document_id, chunks)
        await self.count(document.pack_id, len(chunks))
        return document_id

    async def count(self, pack_id: UUID, chunks: int) -> None:
        """Count a document that was just added to a pack."""
        await self._session.execute(
            update(KnowledgePack)
            .where(KnowledgePack.org_id == self._scope.org_id, KnowledgePack.id == pack_id)
            .values(
                document_count=KnowledgePack.document_count + 1,
                chunk_count=KnowledgePack.chunk_count + chunks,
            )
        )

    async def remove(self, document_ids: Sequence[UUID]) -> None:
        """Forget documents, their chunks, and their share of the term statistics."""
        parameters = {"org_id": self._scope.org_id, "documents": list(document_ids)}
        await uncount_restricted(self._session, self._scope, document_ids)
        await self._session.execute(text(UNCOUNT_TERMS), parameters)
        await self._session.execute(text(FORGET_DOCUMENTS), parameters)

    async def others_of(self, source_id: UUID, uri: str, keep: UUID | None) -> list[UUID]:
        """Return all versions of one document of a source but the one to keep."""
        rows = await self._session.scalars(
            select(Document.id).where(
                Document.org_id == self._scope.org_id,
                Document.source_id == source_id,
                Document.uri == uri,
                Document.id != keep,
            )
        )
        return list(rows)

    async def names(self, document_ids: Sequence[UUID]) -> list[tuple[str, str]]:
        """Return name within its source and title of documents, in any order."""
        rows = await self._session.execute(
            select(Document.uri, Document.title).where(
                Document.org_id == self._scope.org_id, Document.id.in_(document_ids)
            )
        )
        return [(row[0], row[1]) for row in rows]

    async def no_longer_in(self, source_id: UUID) -> list[UUID]:
        """Return documents whose name is no longer among the source's items, nor in an archive it could not open."""
        rows = await self._session.execute(
            text(NO_LONGER_IN), {"org_id": self._scope.org_id, "source_id": source_id}
        )
        return list(rows.scalars())

    async def of_source(self, source_id: UUID) -> list[UUID]:
        rows = await self._session.scalars(
            select(Document.id).where(Document.org_id == self._scope.org_id, Document.source_id == source_id)
        )
        return list(rows)

    async def place_of(self, document_id: UUID) -> tuple[UUID, str] | None:
        """Return source and name of a document, or None when it is gone."""
        row = (
            await self._session.execute(
                select(Document.source_id, Document.uri).where(
                    Document.org_id == self._scope.org_id, Document.id == document_id
                )
            )
        ).first()
        return (row[0], row[1]) if row else None

    async def earlier(self, source_id: UUID, uri: str, index_id: UUID) -> tuple[str, list[Chunk]] | None:
        """Return the text a source's document has now, with its chunks of an index and their vectors."""
        document = (
            await self._session.execute(
                select(Document.id, Document.text)
                .where(
                    Document.org_id == self._scope.org_id,
                    Document.source_id == source_id,
                    Document.uri == uri,
                )
                .order_by(Document.id.desc())
                .limit(1)
            )
        ).first()
        if document is None:
            return None
        chunks = ChunkRepository(self._session, self._scope)
        return document[1], await chunks.of_document(index_id, document[0])

    async def refresh(self, document_id: UUID, new: NewDocument) -> None:
        """Note what a new reading says about a document whose text is the same."""
        await self._session.execute(
            update(Document)
            .where(Document.org_id == self._scope.org_id, Document.id == document_id)
            .values({name: getattr(new, name) for name in REFRESHED})
        )

    async def list(
        self, pack_id: UUID, after: UUID | None, limit: int, flag: str | None = None
    ) -> Sequence[Document]:
        query = select(Document).where(Document.org_id == self._scope.org_id, Document.pack_id == pack_id)
        if flag is not None:
            query = query.where(literal(flag) == any_(Document.flags))
        if after is not None:
            query = query.where(Document.id > after)
        return (await self._session.scalars(query.order_by(Document.id).limit(limit))).all()

    async def near(self, new: NewDocument) -> Sequence[tuple[UUID, str, str]]:
        """Return some of the source's documents, under other names, that read nearly the same: id, name and text."""
        if new.simhash is None:
            return []
        rows = await self._session.execute(
            text(NEARLY_THE_SAME),
            {
                "org_id": self._scope.org_id,
                "source_id": new.source_id,
                "simhash": new.simhash,
                "uri": new.uri,
                "audience": new.audience,
                "near": NEAR,
                "most": MOST_NEAR,
            },
        )
        return [(row[0], row[1], row[2]) for row in rows]

    async def flags(self, document_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[str]]:
        """Return the flags of the documents that have some."""
        rows = await self._session.execute(
            select(Document.id, Document.flags).where(
                Document.org_id == self._scope.org_id,
                Document.id.in_(set(document_ids)),
                func.cardinality(Document.flags) > 0,
            )
        )
        return {row[0]: row[1] for row in rows}

    async def titles(self, document_ids: Sequence[UUID]) -> dict[UUID, str]:
        rows = await self._session.execute(
            select(Document.id, Document.title).where(
                Document.org_id == self._scope.org_id, Document.id.in_(set(document_ids))
            )
        )
        return {row[0]: row[1] for row in rows}

    async def get(self, document_id: UUID) -> Document | None:
        return await self._session.scalar(
            select(Document)
            .where(Document.org_id == self._scope.org_id, Document.id == document_id)
            .options(undefer(Document.text))
        )


def _columns(document: NewDocument) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(document, name) for name in NewDocument.__slots__}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
