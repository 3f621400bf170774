"""Search in SQL: exact BM25 as a sparse inner product, vectors by HNSW or by exact scan, exact scores of the union."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector, SparseVector

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session, fetch
from concierge.knowledge.models import TERM_SPACE
from concierge.knowledge.surroundings import Neighbours

REVISIONS = """
SELECT id, revision FROM knowledge_packs WHERE org_id = %(org_id)b AND id = ANY (%(packs)b)
"""

STATISTICS = """
SELECT p.id, p.chunk_count, p.revision, s.term, s.df
FROM knowledge_packs p
LEFT JOIN term_stats s ON s.org_id = p.org_id AND s.pack_id = p.id AND s.term = ANY (%(postings)b::bigint[])
WHERE p.org_id = %(org_id)b AND p.id = ANY (%(packs)b)
"""

# Of a small pack everything is scored in one pass, which is exact and faster than any index.
SCAN = """
WITH scored AS MATERIALIZED (
    SELECT id, document_id, ordinal, -(bm25 <#> %(query)b) AS bm25, -(embedding <#> %(vector)b) AS cosine
    FROM chunks WHERE org_id = %(org_id)b AND pack_id = ANY (%(packs)b)
)
(SELECT * FROM scored WHERE bm25 > 0 ORDER BY bm25 DESC LIMIT %(wanted)b)
UNION (SELECT * FROM scored ORDER BY cosine DESC LIMIT %(wanted)b)
"""

CANDIDATES = """
WITH lexical AS (SELECT chunk_id FROM chunks_with_terms(%(packs)b, %(postings)b, %(query)b, %(wanted)b)),
near AS (
    SELECT id FROM chunks WHERE org_id = %(org_id)b AND pack_id = ANY (%(packs)b)
    ORDER BY embedding <#> %(vector)b LIMIT %(wanted)b
), candidates AS (SELECT chunk_id AS id FROM lexical UNION SELECT id FROM near)
SELECT c.id, c.document_id, c.ordinal, -(c.bm25 <#> %(query)b), -(c.embedding <#> %(vector)b)
FROM candidates JOIN chunks c ON c.org_id = %(org_id)b AND c.id = candidates.id
"""

CONTENDERS = """
SELECT c.id, c.document_id, c.pack_id, d.title, d.url, c.headings, c.text, c.start_char, c.sentence_spans,
       c.sentence_vectors, coalesce(d.modified_at, d.published_at), d.credibility, d.authoritative,
       d.page_starts, d.kind, -(d.embedding <#> %(vector)b),
       (SELECT max(-%(cosine)b * (n.embedding <#> %(vector)b) - %(bm25)b * (n.bm25 <#> %(query)b)) FROM chunks n
        WHERE n.org_id = c.org_id AND n.document_id = c.document_id AND n.ordinal IN (c.ordinal - 1, c.ordinal + 1))
FROM chunks c JOIN documents d ON d.org_id = c.org_id AND d.id = c.document_id
WHERE c.org_id = %(org_id)b AND c.id = ANY (%(ids)b)
"""

# Text that lies between a chunk and the far ends of the chunks beside it.
AROUND = """
SELECT c.id, p.id, coalesce(substr(d.text, p.start_char + 1, c.start_char - p.start_char), ''),
       n.id, coalesce(substr(d.text, c.start_char + length(c.text) + 1,
                             n.start_char + length(n.text) - c.start_char - length(c.text)), '')
FROM chunks c JOIN documents d ON d.org_id = c.org_id AND d.id = c.document_id
LEFT JOIN chunks p ON p.org_id = c.org_id AND p.document_id = c.document_id AND p.ordinal = c.ordinal - 1
LEFT JOIN chunks n ON n.org_id = c.org_id AND n.document_id = c.document_id AND n.ordinal = c.ordinal + 1
WHERE c.org_id = %(org_id)b AND c.id = ANY (%(ids)b)
"""

PICTURE = """
SELECT c.id, c.document_id, c.pack_id, d.title, d.url, c.headings, c.text, c.start_char, c.sentence_spans,
       c.sentence_vectors, coalesce(d.modified_at, d.published_at), d.credibility, d.authoritative,
       d.page_starts, d.kind, c.ordinal, halfvec_send(c.embedding), halfvec_send(d.embedding), sparsevec_send(c.bm25)
FROM chunks c JOIN documents d ON d.org_id = c.org_id AND d.id = c.document_id
WHERE c.org_id = %(org_id)b AND c.pack_id = %(pack)b
ORDER BY c.document_id, c.ordinal
"""


@dataclass(frozen=True, slots=True)
class PackStatistics:
    chunks: int
    revision: int
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
class Contender:
    """A passage read whole. `spans` are starts and ends of its sentences, `sentence_vectors` their float16 rows.

    `document_cosine` is that of its document's mean vector, `beside` the score of the better chunk beside it.
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
    page_starts: Sequence[int] | None = None
    kind: str = "pack"
    document_cosine: float = 0.0
    beside: float | None = None


@dataclass(frozen=True, slots=True)
class PictureRow:
    """A chunk with all that a search may need of it; its vectors are as PostgreSQL sends them."""

    passage: Contender
    ordinal: int
    embedding: bytes
    document_embedding: bytes
    bm25: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the database compares it: BM25 weights of its terms by dimension, and its vector."""

    query: SparseVector
    vector: HalfVector

    @classmethod
    def of(cls, vector: NDArray[np.float32], weights: Mapping[int, float]) -> Self:
        return cls(SparseVector(dict(weights), TERM_SPACE), HalfVector(vector))


class SearchRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def revisions(self, packs: Sequence[UUID]) -> dict[UUID, int]:
        """Return the present revision of each pack there is."""
        rows = await fetch(self._session, REVISIONS, {"org_id": self._scope.org_id, "packs": list(packs)})
        return {row[0]: row[1] for row in rows}

    async def picture(self, pack_id: UUID) -> list[PictureRow]:
        """Read a pack whole, document by document."""
        rows = await fetch(self._session, PICTURE, {"org_id": self._scope.org_id, "pack": pack_id})
        return [PictureRow(Contender(*row[:15]), *row[15:]) for row in rows]

    async def statistics(self, packs: Sequence[UUID], postings: Sequence[int]) -> dict[UUID, PackStatistics]:
        """Return size and document frequencies of the query's terms, for each pack there is."""
        rows = await fetch(
            self._session,
            STATISTICS,
            {"org_id": self._scope.org_id, "packs": list(packs), "postings": list(postings)},
        )
        found: dict[UUID, PackStatistics] = {}
        frequencies: dict[UUID, dict[int, int]] = {}
        for pack_id, chunks, revision, term, frequency in rows:
            known = frequencies.setdefault(pack_id, {})
            if term is not None:
                known[term] = frequency
            found[pack_id] = PackStatistics(chunks, revision, known)
        return found

    async def scan(self, packs: Sequence[UUID], asked: Asked, wanted: int) -> list[Candidate]:
        """Return the union of the best `wanted` by words and by vector, all chunks of the packs compared."""
        rows = await fetch(
            self._session, SCAN, {**self._compared(asked), "packs": list(packs), "wanted": wanted}
        )
        return [Candidate(*row) for row in rows]

    async def candidates(
        self, packs: Sequence[UUID], asked: Asked, postings: Sequence[int], wanted: int
    ) -> list[Candidate]:
        """Return the same of large packs, by posting lists and the approximate index; both scores are exact."""
        rows = await fetch(
            self._session,
            CANDIDATES,
            {
                **self._compared(asked),
                "packs": list(packs),
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
        return [Contender(*row) for row in rows]

    async def around(self, chunk_ids: Sequence[UUID]) -> dict[UUID, Neighbours]:
        """Read what stands before and behind each of these chunks."""
        rows = await fetch(self._session, AROUND, {"org_id": self._scope.org_id, "ids": list(chunk_ids)})
        return {row[0]: Neighbours(*row[1:]) for row in rows}

    def _compared(self, asked: Asked) -> dict[str, Any]:
        return {"org_id": self._scope.org_id, "query": asked.query, "vector": asked.vector}
