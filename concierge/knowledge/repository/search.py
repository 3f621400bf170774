"""Search in SQL: exact BM25 as a sparse inner product, vectors by HNSW or by exact scan, exact scores of the union."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector, SparseVector

from concierge.accounts.scope import Audiences, TenantScope
from concierge.kit.db import Session, fetch, portions
from concierge.knowledge.models import TERM_SPACE
from concierge.knowledge.surroundings import Neighbours
from concierge.llm.embeddings import VectorSpace

# A pack in which nothing was read yet has no index; its first one will bear its own id.
REVISIONS = """
SELECT p.id, coalesce(x.id, p.id), p.chunk_count, p.revision, x.embedding_model, x.dimensions
FROM knowledge_packs p
LEFT JOIN pack_indexes x ON x.org_id = p.org_id AND x.pack_id = p.id AND x.state = 'current'
WHERE p.org_id = %(org_id)b AND p.id = ANY (%(packs)b)
"""

# Whoever may not read a document is not to notice it in what is counted either. Where all is public, the indexes of
# what is not are empty.
STATISTICS = """
WITH current AS MATERIALIZED (
    SELECT id, pack_id, embedding_model, dimensions FROM pack_indexes
    WHERE org_id = %(org_id)b AND pack_id = ANY (%(packs)b) AND state = 'current'
), hidden AS MATERIALIZED (
    SELECT pack_id, sum(chunk_count) AS chunks FROM documents
    WHERE org_id = %(org_id)b AND pack_id = ANY (%(packs)b)
      AND NOT may_read(audience, %(everything)b, %(labels)b)
    GROUP BY pack_id
), hidden_terms AS MATERIALIZED (
    SELECT term, sum(df) AS df FROM restricted_term_stats
    WHERE org_id = %(org_id)b AND index_id = ANY (ARRAY(SELECT id FROM current))
      AND term = ANY (%(postings)b::bigint[]) AND NOT may_read(audience, %(everything)b, %(labels)b)
    GROUP BY term
)
SELECT p.id, coalesce(x.id, p.id), p.chunk_count, p.revision, x.embedding_model, x.dimensions,
       (p.chunk_count - coalesce(h.chunks, 0))::integer, s.term, (s.df - coalesce(t.df, 0))::integer
FROM knowledge_packs p
LEFT JOIN current x ON x.pack_id = p.id
LEFT JOIN hidden h ON h.pack_id = p.id
LEFT JOIN term_stats s ON s.org_id = p.org_id AND s.index_id = x.id AND s.term = ANY (%(postings)b::bigint[])
LEFT JOIN hidden_terms t ON t.term = s.term
WHERE p.org_id = %(org_id)b AND p.id = ANY (%(packs)b)
"""

# The documents of these indexes that the asker may not read.
HIDDEN: LiteralString = """
SELECT d.id FROM documents d
WHERE d.org_id = %(org_id)b AND d.pack_id = ANY (ARRAY(
    SELECT x.pack_id FROM pack_indexes x WHERE x.org_id = %(org_id)b AND x.id = ANY (%(indexes)b)))
  AND NOT may_read(d.audience, %(everything)b, %(labels)b)
"""

# Of a small pack everything is scored in one pass, which is exact and faster than any index.
SCAN: LiteralString = """
WITH scored AS MATERIALIZED (
    SELECT id, document_id, ordinal, -(bm25 <#> %(query)b) AS bm25, -(embedding <#> %(vector)b) AS cosine
    FROM chunks WHERE org_id = %(org_id)b AND index_id = ANY (%(indexes)b) AND document_id NOT IN ({hidden})
)
(SELECT * FROM scored WHERE bm25 > 0 ORDER BY bm25 DESC LIMIT %(wanted)b)
UNION (SELECT * FROM scored ORDER BY cosine DESC LIMIT %(wanted)b)
""".replace("{hidden}", HIDDEN)

# The planner takes an approximate index only where the statement names its length as it does.
NEAR: Mapping[int, LiteralString] = {
    384: "AND dimensions = 384 ORDER BY embedding::halfvec(384)",
    512: "AND dimensions = 512 ORDER BY embedding::halfvec(512)",
    768: "AND dimensions = 768 ORDER BY embedding::halfvec(768)",
    1024: "AND dimensions = 1024 ORDER BY embedding::halfvec(1024)",
    1536: "AND dimensions = 1536 ORDER BY embedding::halfvec(1536)",
    3072: "AND dimensions = 3072 ORDER BY embedding::halfvec(3072)",
}
NEAR_EXACTLY: LiteralString = "ORDER BY embedding"
CANDIDATES: LiteralString = """
WITH lexical AS (
    SELECT chunk_id FROM readable_chunks_with_terms(
        %(indexes)b, %(postings)b, %(query)b, %(everything)b, %(labels)b, %(wanted)b)
), near AS (
    SELECT id FROM chunks WHERE org_id = %(org_id)b AND index_id = ANY (%(indexes)b) AND document_id NOT IN ({hidden})
    {near} <#> %(vector)b LIMIT %(wanted)b
), candidates AS (SELECT chunk_id AS id FROM lexical UNION SELECT id FROM near)
SELECT c.id, c.document_id, c.ordinal, -(c.bm25 <#> %(query)b), -(c.embedding <#> %(vector)b)
FROM candidates JOIN chunks c ON c.org_id = %(org_id)b AND c.id = candidates.id
"""

CONTENDERS = """
SELECT c.id, c.document_id, d.pack_id, d.title, d.url, c.headings, c.text, c.start_char, c.sentence_spans,
       c.sentence_vectors, coalesce(d.modified_at, d.published_at), d.credibility, d.authoritative,
       d.audience, d.page_starts, d.kind, d.questions, -(i.embedding <#> %(vector)b),
       (SELECT max(-%(cosine)b * (n.embedding <#> %(vector)b) - %(bm25)b * (n.bm25 <#> %(query)b)) FROM chunks n
        WHERE n.org_id = c.org_id AND n.document_id = c.document_id AND n.index_id = c.index_id
          AND n.ordinal IN (c.ordinal - 1, c.ordinal + 1))
FROM chunks c JOIN documents d ON d.org_id = c.org_id AND d.id = c.document_id
JOIN indexed_documents i ON i.org_id = c.org_id AND i.document_id = c.document_id AND i.index_id = c.index_id
WHERE c.org_id = %(org_id)b AND c.id = ANY (%(ids)b)
  AND may_read(d.audience, %(everything)b, %(labels)b)
"""

# Text that lies between a chunk and the far ends of the chunks beside it.
AROUND = """
SELECT c.id, p.id, coalesce(substr(d.text, p.start_char + 1, c.start_char - p.start_char), ''),
       n.id, coalesce(substr(d.text, c.start_char + length(c.text) + 1,
                             n.start_char + length(n.text) - c.start_char - length(c.text)), '')
FROM chunks c JOIN documents d ON d.org_id = c.org_id AND d.id = c.document_id
LEFT JOIN chunks p ON p.org_id = c.org_id AND p.document_id = c.document_id AND p.index_id = c.index_id
    AND p.ordinal = c.ordinal - 1
LEFT JOIN chunks n ON n.org_id = c.org_id AND n.document_id = c.document_id AND n.index_id = c.index_id
    AND n.ordinal = c.ordinal + 1
WHERE c.org_id = %(org_id)b AND c.id = ANY (%(ids)b)
  AND may_read(d.audience, %(everything)b, %(labels)b)
"""

PICTURE = """
SELECT c.id, c.document_id, d.pack_id, d.title, d.url, c.headings, c.text, c.start_char, c.sentence_spans,
       c.sentence_vectors, coalesce(d.modified_at, d.published_at), d.credibility, d.authoritative,
       d.audience, d.page_starts, d.kind, d.questions, c.ordinal, halfvec_send(c.embedding), halfvec_send(i.embedding),
       sparsevec_send(c.bm25)
FROM chunks c JOIN documents d ON d.org_id = c.org_id AND d.id = c.document_id
JOIN indexed_documents i ON i.org_id = c.org_id AND i.document_id = c.document_id AND i.index_id = c.index_id
WHERE c.org_id = %(org_id)b AND c.index_id = %(index)b
ORDER BY c.document_id, c.ordinal
"""

# Of a large index what it takes to find candidates, in any order.
OUTLINE = """
SELECT uuid_send(c.id), uuid_send(c.document_id), c.ordinal, d.audience, halfvec_send(c.embedding), sparsevec_send(c.bm25)
FROM chunks c JOIN documents d ON d.org_id = c.org_id AND d.id = c.document_id
WHERE c.org_id = %(org_id)b AND c.index_id = %(index)b
"""
OUTLINE_PORTION = 1_000  # Rows; the event loop stands still for some milliseconds with each portion.


@dataclass(frozen=True, slots=True)
class CurrentIndex:
    """The index a pack is searched in now, at one revision of the pack. `space` is None while the pack is empty."""

    id: UUID
    chunks: int
    revision: int
    space: VectorSpace | None

    @classmethod
    def of(
        cls, index_id: UUID, chunks: int, revision: int, model: str | None, dimensions: int | None
    ) -> Self:
        space = None if model is None or dimensions is None else VectorSpace(model, dimensions)
        return cls(index_id, chunks, revision, space)


@dataclass(frozen=True, slots=True)
class PackStatistics:
    """`readable` is how many of the index's chunks the asker may read; the frequencies are of these alone."""

    index: CurrentIndex
    readable: int
    document_frequency: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk with its exact scores: BM25, and the cosine of its vector to the question's."""

    chunk_id: UUID
    document_id: UUID
    ordinal: int
    bm25: float
    cosine: float


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage read whole. `spans` are starts and ends of its sentences, `sentence_vectors` their float16 rows.

    Of a question–answer pair `questions` are the ways in which it is asked.
    """

    chunk_id: UUID
    document_id: UUID
    pack_id: UUID
    title: str
    url: str | None
    headings: Sequence[str]
    text: str
    start: int
    spans: Sequence[int]
    sentence_vectors: bytes
    updated_at: datetime | None
    credibility: float
    authoritative: bool
    audience: str | None = None
    page_starts: Sequence[int] | None = None
    kind: str = "pack"
    questions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Contender:
    """A passage and how a question meets what is around it: `document_cosine` is that of its document's mean vector,
    `beside` the score of the better chunk beside it.
    """

    passage: StoredPassage
    document_cosine: float = 0.0
    beside: float | None = None


@dataclass(frozen=True, slots=True)
class PictureRow:
    """A chunk with all that a search may need of it; its vectors are as PostgreSQL sends them."""

    passage: StoredPassage
    ordinal: int
    embedding: bytes
    document_embedding: bytes
    bm25: bytes


# A chunk's id, its document's, its place in it, who may read it, its vector and its words, as PostgreSQL sends them.
OutlineRow = tuple[bytes, bytes, int, str | None, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the database compares it: BM25 weights of its terms by dimension, and its vector."""

    query: SparseVector
    vector: HalfVector

    @classmethod
    def of(cls, vector: NDArray[np.float32], weights: Mapping[int, float]) -> Self:
        return cls(SparseVector(dict(weights), TERM_SPACE), HalfVector(vector))


class SearchRepository:
    """Finds for somebody of these `audiences`, and nothing else."""

    def __init__(self, session: Session, scope: TenantScope, audiences: Audiences) -> None:
        self._session = session
        self._scope = scope
        self.audiences = audiences

    async def revisions(self, packs: Sequence[UUID]) -> dict[UUID, CurrentIndex]:
        """Return the current index of each pack there is, with the pack's present revision."""
        rows = await fetch(self._session, REVISIONS, {"org_id": self._scope.org_id, "packs": list(packs)})
        return {row[0]: CurrentIndex.of(*row[1:]) for row in rows}

    async def picture(self, index_id: UUID) -> list[PictureRow]:
        """Read an index whole, document by document: for all audiences, so whoever shows of it must look at theirs."""
        rows = await fetch(self._session, PICTURE, {"org_id": self._scope.org_id, "index": index_id})
        return [PictureRow(StoredPassage(*row[:17]), *row[17:]) for row in rows]

    async def outline(self, index_id: UUID) -> AsyncGenerator[list[OutlineRow]]:
        """Read an index without its texts, in portions: for all audiences."""
        parameters = {"org_id": self._scope.org_id, "index": index_id}
        async for portion in portions(self._session, OUTLINE, parameters, OUTLINE_PORTION):
            yield portion

    async def statistics(self, packs: Sequence[UUID], postings: Sequence[int]) -> dict[UUID, PackStatistics]:
        """Return the current index and document frequencies of the query's terms, for each pack there is."""
        rows = await fetch(
            self._session,
            STATISTICS,
            {**self._readable(), "packs": list(packs), "postings": list(postings)},
        )
        found: dict[UUID, PackStatistics] = {}
        frequencies: dict[UUID, dict[int, int]] = {}
        for pack_id, *index, readable, term, frequency in rows:
            known = frequencies.setdefault(pack_id, {})
            if term is not None and frequency > 0:
                known[term] = frequency
            if pack_id not in found:
                found[pack_id] = PackStatistics(CurrentIndex.of(*index), readable, known)
        return found

    async def scan(self, indexes: Sequence[UUID], asked: Asked, wanted: int) -> list[Candidate]:
        """Return the union of the best `wanted` by words and by vector, all chunks of the indexes compared."""
        rows = await fetch(
            self._session, SCAN, {**self._compared(asked), "indexes": list(indexes), "wanted": wanted}
        )
        return [Candidate(*row) for row in rows]

    async def candidates(
        self, indexes: Sequence[UUID], asked: Asked, postings: Sequence[int], wanted: int
    ) -> list[Candidate]:
        """Return the same of large indexes, by posting lists and the approximate index; both scores are exact."""
        rows = await fetch(
            self._session,
            CANDIDATES.format(hidden=HIDDEN, near=NEAR.get(asked.vector.dimensions(), NEAR_EXACTLY)),
            {
                **self._compared(asked),
                "indexes": list(indexes),
                "postings": list(postings),
                "wanted": wanted,
            },
        )
        return [Candidate(*row) for row in rows]

    async def contenders(
        self, chunk_ids: Sequence[UUID], asked: Asked, cosine: float, bm25: float
    ) -> list[Contender]:
        """Read passages whole, in any order; the chunks beside them score by these two weights."""
        rows = await fetch(
            self._session,
            CONTENDERS,
            {**self._compared(asked), "ids": list(chunk_ids), "cosine": cosine, "bm25": bm25},
        )
        return [Contender(StoredPassage(*row[:17]), *row[17:]) for row in rows]

    async def around(self, chunk_ids: Sequence[UUID]) -> dict[UUID, Neighbours]:
        """Read what stands before and behind each of these chunks."""
        rows = await fetch(self._session, AROUND, {**self._readable(), "ids": list(chunk_ids)})
        return {row[0]: Neighbours(*row[1:]) for row in rows}

    def _compared(self, asked: Asked) -> dict[str, Any]:
        return {**self._readable(), "query": asked.query, "vector": asked.vector}

    def _readable(self) -> dict[str, Any]:
        return {
            "org_id": self._scope.org_id,
            "everything": self.audiences.everything,
            "labels": sorted(self.audiences.labels),
        }
