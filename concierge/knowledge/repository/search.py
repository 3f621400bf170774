"""Search in SQL: exact BM25 as a sparse inner product, vectors by HNSW or by exact scan, exact scores of the union."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector, SparseVector

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session, fetch
from concierge.knowledge.models import DIMENSIONS, TERM_SPACE
from concierge.knowledge.schemas.passage import Passage

STATISTICS = """
SELECT p.id, p.chunk_count, s.term, s.df
FROM knowledge_packs p
LEFT JOIN term_stats s ON s.org_id = p.org_id AND s.pack_id = p.id AND s.term = ANY (%(postings)b::bigint[])
WHERE p.org_id = %(org_id)b AND p.id = ANY (%(packs)b)
"""

# Adding nothing to the distance keeps the planner from the HNSW index where an exact scan is faster and exact.
EXACT: LiteralString = "(embedding <#> %(vector)b) + 0"
NEAREST: LiteralString = "embedding <#> %(vector)b"

CANDIDATES: LiteralString = """
WITH lexical AS (SELECT chunk_id FROM chunks_with_terms(%(packs)b, %(postings)b, %(query)b, %(wanted)b)),
near AS (
    SELECT id FROM chunks WHERE org_id = %(org_id)b AND pack_id = ANY (%(packs)b)
    ORDER BY <distance> LIMIT %(wanted)b
), candidates AS (SELECT chunk_id AS id FROM lexical UNION SELECT id FROM near)
SELECT c.id, c.document_id, c.ordinal, -(c.bm25 <#> %(query)b), -(c.embedding <#> %(vector)b)
FROM candidates JOIN chunks c ON c.org_id = %(org_id)b AND c.id = candidates.id
"""

AT_PLACES = """
SELECT c.id, c.document_id, c.ordinal, -(c.bm25 <#> %(query)b), -(c.embedding <#> %(vector)b)
FROM unnest(%(documents)b::uuid[], %(ordinals)b::integer[]) AS place (document_id, ordinal)
JOIN chunks c ON c.org_id = %(org_id)b AND c.document_id = place.document_id AND c.ordinal = place.ordinal
"""

PASSAGES = """
SELECT c.id, c.document_id, c.pack_id, d.title, d.url, c.headings, c.text, c.start_char, c.sentence_spans,
       c.sentence_vectors, coalesce(d.modified_at, d.published_at), d.credibility, d.authoritative
FROM chunks c JOIN documents d ON d.org_id = c.org_id AND d.id = c.document_id
WHERE c.org_id = %(org_id)b AND c.id = ANY (%(ids)b)
"""


@dataclass(frozen=True, slots=True)
class PackStatistics:
    chunks: int
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
class Scores:
    score: float
    bm25: float
    cosine: float
    rank: int


class SearchRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def statistics(self, packs: Sequence[UUID], postings: Sequence[int]) -> dict[UUID, PackStatistics]:
        """Return size and document frequencies of the query's terms, for each pack there is."""
        rows = await fetch(
            self._session,
            STATISTICS,
            {"org_id": self._scope.org_id, "packs": list(packs), "postings": list(postings)},
        )
        frequencies: dict[UUID, dict[int, int]] = {}
        sizes: dict[UUID, int] = {}
        for pack_id, chunks, term, frequency in rows:
            sizes[pack_id] = chunks
            known = frequencies.setdefault(pack_id, {})
            if term is not None:
                known[term] = frequency
        return {pack_id: PackStatistics(size, frequencies[pack_id]) for pack_id, size in sizes.items()}

    async def candidates(
        self,
        packs: Sequence[UUID],
        *,
        vector: NDArray[np.float32],
        query: Mapping[int, float],
        postings: Sequence[int],
        wanted: int,
        exact: bool,
    ) -> list[Candidate]:
        """Return the union of the best `wanted` by words and by vector, each with both exact scores."""
        rows = await fetch(
            self._session,
            CANDIDATES.replace("<distance>", EXACT if exact else NEAREST),
            {
                "org_id": self._scope.org_id,
                "packs": list(packs),
                "postings": list(postings),
                "query": SparseVector(dict(query), TERM_SPACE),
                "vector": HalfVector(vector),
                "wanted": wanted,
            },
        )
        return [Candidate(*row) for row in rows]

    async def candidates_at(
        self, places: Sequence[tuple[UUID, int]], *, vector: NDArray[np.float32], query: Mapping[int, float]
    ) -> list[Candidate]:
        """Return the chunks at these places, (document, ordinal), that exist, with both exact scores."""
        if not places:
            return []
        rows = await fetch(
            self._session,
            AT_PLACES,
            {
                "org_id": self._scope.org_id,
                "documents": [document for document, _ in places],
                "ordinals": [ordinal for _, ordinal in places],
                "query": SparseVector(dict(query), TERM_SPACE),
                "vector": HalfVector(vector),
            },
        )
        return [Candidate(*row) for row in rows]

    async def passages(self, scores: Mapping[UUID, Scores]) -> list[Passage]:
        """Read the chosen passages whole, best first."""
        rows = await fetch(self._session, PASSAGES, {"org_id": self._scope.org_id, "ids": list(scores)})
        found = [_passage(row, scores[row[0]]) for row in rows]
        return sorted(found, key=lambda passage: passage.rank)


def _passage(row: Any, scores: Scores) -> Passage:
    (
        chunk_id,
        document_id,
        pack_id,
        title,
        url,
        headings,
        body,
        start,
        spans,
        vectors,
        updated,
        credibility,
        own,
    ) = row
    matrix = np.frombuffer(vectors, dtype=np.float16).reshape(-1, DIMENSIONS).astype(np.float32)
    return Passage(
        chunk_id=chunk_id,
        document_id=document_id,
        pack_id=pack_id,
        title=title,
        url=url,
        kind="pack",
        headings=tuple(headings),
        text=body,
        start=start,
        sentences=tuple(zip(spans[::2], spans[1::2], strict=True)),
        sentence_vectors=matrix,
        score=scores.score,
        bm25=scores.bm25,
        cosine=scores.cosine,
        rank=scores.rank,
        updated_at=updated,
        credibility=credibility,
        authoritative=own,
    )
