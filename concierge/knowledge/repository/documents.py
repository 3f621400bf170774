from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector, SparseVector
from sqlalchemy import any_, func, literal, or_, select, text, update
from sqlalchemy.orm import undefer

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session, fetch
from concierge.kit.ids import new_id
from concierge.knowledge.chunking import Chunk
from concierge.knowledge.instructions import FLAG
from concierge.knowledge.models import DIMENSIONS, TERM_SPACE, Document, KnowledgePack
from concierge.knowledge.sources.repetition import NEAR

INSERT_CHUNK = """
INSERT INTO chunks (org_id, id, pack_id, document_id, ordinal, start_char, text, headings, embedding, bm25, terms,
                    sentence_spans, sentence_vectors)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

# Terms are taken in order, so that two transactions that share terms wait for each other instead of deadlocking.
COUNT_TERMS = """
INSERT INTO term_stats (org_id, pack_id, term, df)
SELECT :org_id, :pack_id, term, count(*) FROM chunks, unnest(terms) AS term
WHERE org_id = :org_id AND document_id = :document_id
GROUP BY term ORDER BY term
ON CONFLICT (org_id, pack_id, term) DO UPDATE SET df = term_stats.df + excluded.df
"""

UNCOUNT_TERMS = """
WITH gone AS (
    SELECT pack_id, term, count(*) AS n FROM chunks, unnest(terms) AS term
    WHERE org_id = :org_id AND document_id = ANY (:documents)
    GROUP BY pack_id, term
), emptied AS (
    DELETE FROM term_stats s USING gone g
    WHERE s.org_id = :org_id AND s.pack_id = g.pack_id AND s.term = g.term AND s.df <= g.n
)
UPDATE term_stats s SET df = s.df - g.n FROM gone g
WHERE s.org_id = :org_id AND s.pack_id = g.pack_id AND s.term = g.term AND s.df > g.n
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

HAND_OVER = """
UPDATE documents d
SET source_id = i.source_id, uri = i.uri, authoritative = s.authoritative, credibility = s.credibility
FROM source_items i JOIN sources s ON s.org_id = i.org_id AND s.id = i.source_id
WHERE d.org_id = :org_id AND d.id = ANY (:documents) AND i.org_id = d.org_id AND i.document_id = d.id
  AND (i.source_id, i.uri) <> (d.source_id, d.uri)
  AND i.source_id IS DISTINCT FROM CAST(:leaving AS uuid)
RETURNING d.id
"""

CHUNKS_OF = """
SELECT start_char, text, headings, embedding, sentence_spans, sentence_vectors FROM chunks
WHERE org_id = %(org_id)b AND document_id = %(document_id)b ORDER BY ordinal
"""

NEARLY_THE_SAME = """
SELECT id, uri, text FROM documents
WHERE org_id = :org_id AND source_id = :source_id AND uri <> :uri AND simhash IS NOT NULL
  AND bit_count((simhash # CAST(:simhash AS bigint))::bit(64)) <= :near
ORDER BY created_at LIMIT 1
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


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk ready to store. `weights` are BM25 term weights by dimension, `postings` its terms within the pack."""

    start: int
    text: str
    headings: tuple[str, ...]
    vector: NDArray[np.float32]
    weights: dict[int, float]
    postings: list[int]
    sentences: tuple[tuple[int, int], ...]
    sentence_vectors: NDArray[np.float32]


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

    async def same_content(self, pack_id: UUID, content_hash: bytes) -> tuple[UUID, UUID, str] | None:
        """Return id, source and name of the pack's document with this content."""
        row = (
            await self._session.execute(
                select(Document.id, Document.source_id, Document.uri).where(
                    Document.org_id == self._scope.org_id,
                    Document.pack_id == pack_id,
                    Document.content_hash == content_hash,
                )
            )
        ).first()
        return (row[0], row[1], row[2]) if row else None

    async def add(
        self, document: NewDocument, chunks: Sequence[NewChunk], *, known_as: UUID | None = None
    ) -> UUID:
        """Store a document with its chunks and count it. The caller holds the pack's lock."""
        document_id = known_as or new_id()
        self._session.add(
            Document(
                org_id=self._scope.org_id,
                id=document_id,
                chunk_count=len(chunks),
                embedding=mean_vector(chunks),
                **_columns(document),
            )
        )
        await self._session.flush()
        await self._insert_chunks(document_id, document.pack_id, chunks)
        counted = {"org_id": self._scope.org_id, "pack_id": document.pack_id, "document_id": document_id}
        await self._session.execute(text(COUNT_TERMS), counted)
        await self._session.execute(
            update(KnowledgePack)
            .where(KnowledgePack.org_id == self._scope.org_id, KnowledgePack.id == document.pack_id)
            .values(
                document_count=KnowledgePack.document_count + 1,
                chunk_count=KnowledgePack.chunk_count + len(chunks),
            )
        )
        return document_id

    async def _insert_chunks(self, document_id: UUID, pack_id: UUID, chunks: Sequence[NewChunk]) -> None:
        """Send the rows in one pipeline on the driver's cursor: one round trip instead of one per row."""
        rows = [
            (
                self._scope.org_id,
                new_id(),
                pack_id,
                document_id,
                ordinal,
                chunk.start,
                chunk.text,
                list(chunk.headings),
                HalfVector(chunk.vector),
                SparseVector(chunk.weights, TERM_SPACE),
                chunk.postings,
                [offset for span in chunk.sentences for offset in span],
                chunk.sentence_vectors.astype(np.float16).tobytes(),
            )
            for ordinal, chunk in enumerate(chunks)
        ]
        connection = await (await self._session.connection()).get_raw_connection()
        driver: Any = connection.driver_connection
        async with driver.cursor() as cursor:
            await cursor.executemany(INSERT_CHUNK, rows)

    async def remove(self, document_ids: Sequence[UUID]) -> None:
        """Forget documents, their chunks, and their share of the term statistics."""
        parameters = {"org_id": self._scope.org_id, "documents": list(document_ids)}
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

    async def hand_over(self, document_ids: Sequence[UUID], *, leaving: UUID | None = None) -> list[UUID]:
        """Give documents that another item has too to that item; a source that is leaving keeps nothing.

        Returns those nobody else has.
        """
        kept = await self._session.execute(
            text(HAND_OVER),
            {"org_id": self._scope.org_id, "documents": list(document_ids), "leaving": leaving},
        )
        return sorted(set(document_ids) - set(kept.scalars()))

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

    async def earlier(self, source_id: UUID, uri: str) -> tuple[str, list[Chunk]] | None:
        """Return the text a source's document has now, with its chunks and their vectors."""
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
        rows = await fetch(
            self._session, CHUNKS_OF, {"org_id": self._scope.org_id, "document_id": document[0]}
        )
        return document[1], [_chunk(*row) for row in rows]

    async def judge_again(self, document_id: UUID, *, authoritative: bool, credibility: float) -> None:
        """Note what the operator now thinks of the source of a document."""
        await self._session.execute(
            update(Document)
            .where(
                Document.org_id == self._scope.org_id,
                Document.id == document_id,
                or_(Document.authoritative != authoritative, Document.credibility != credibility),
            )
            .values(authoritative=authoritative, credibility=credibility)
        )

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

    async def near(self, source_id: UUID, simhash: int, uri: str) -> tuple[UUID, str, str] | None:
        """Return a document of the source, under another name, that reads nearly the same: id, name and text."""
        row = (
            await self._session.execute(
                text(NEARLY_THE_SAME),
                {
                    "org_id": self._scope.org_id,
                    "source_id": source_id,
                    "simhash": simhash,
                    "uri": uri,
                    "near": NEAR,
                },
            )
        ).first()
        return (row[0], row[1], row[2]) if row else None

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


def _chunk(
    start: int, body: str, headings: list[str], vector: HalfVector, spans: list[int], sentences: bytes
) -> Chunk:
    rows = np.frombuffer(sentences, dtype=np.float16).reshape(len(spans) // 2, -1)
    return Chunk(
        text=body,
        start=start,
        end=start + len(body),
        headings=tuple(headings),
        sentences=tuple(zip(spans[::2], spans[1::2], strict=True)),
        vector=vector.to_numpy().astype(np.float32),
        sentence_vectors=rows.astype(np.float32),
    )


def mean_vector(chunks: Sequence[NewChunk]) -> HalfVector:
    """What a document is about as a whole: the mean of its chunks' vectors, scaled to length 1."""
    total = np.sum([np.zeros(DIMENSIONS, np.float32), *(chunk.vector for chunk in chunks)], axis=0)
    return HalfVector(total / (np.linalg.norm(total) or 1.0))
