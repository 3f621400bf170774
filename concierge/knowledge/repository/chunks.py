"""SQL of chunks: what a document is within one index."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector, SparseVector
from sqlalchemy import text

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session, fetch
from concierge.kit.ids import new_id
from concierge.knowledge.chunking import Chunk
from concierge.knowledge.models import TERM_SPACE, IndexedDocument, PackIndex
from concierge.knowledge.repository.restricted import count_restricted

INSERT_CHUNK = """
INSERT INTO chunks (org_id, id, index_id, document_id, ordinal, start_char, text, headings, embedding, dimensions,
                    bm25, terms, sentence_spans, sentence_vectors)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

# Terms are taken in order, so that two transactions that share terms wait for each other instead of deadlocking.
COUNT_TERMS = """
INSERT INTO term_stats (org_id, index_id, term, df)
SELECT :org_id, index_id, term, count(*) FROM chunks, unnest(terms) AS term
WHERE org_id = :org_id AND document_id = :document_id
  AND (CAST(:index_id AS uuid) IS NULL OR index_id = :index_id)
GROUP BY index_id, term ORDER BY index_id, term
ON CONFLICT (org_id, index_id, term) DO UPDATE SET df = term_stats.df + excluded.df
"""

CHUNKS_OF = """
SELECT start_char, text, headings, embedding, sentence_spans, sentence_vectors FROM chunks
WHERE org_id = %(org_id)b AND document_id = %(document_id)b AND index_id = %(index_id)b ORDER BY ordinal
"""


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk ready to store. `weights` are BM25 term weights by dimension, `postings` its terms within the index."""

    start: int
    text: str
    headings: tuple[str, ...]
    vector: NDArray[np.float32]
    weights: dict[int, float]
    postings: list[int]
    sentences: tuple[tuple[int, int], ...]
    sentence_vectors: NDArray[np.float32]


class ChunkRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def store(self, index: PackIndex, document_id: UUID, chunks: Sequence[NewChunk]) -> None:
        """Take a document into an index and count its terms there. The caller holds the pack's lock."""
        self._session.add(
            IndexedDocument(
                org_id=self._scope.org_id,
                document_id=document_id,
                index_id=index.id,
                embedding=mean_vector(chunks, index.dimensions),
                chunk_count=len(chunks),
            )
        )
        await self._session.flush()
        await self._insert(index, document_id, chunks)
        await self.count(document_id, index.id)

    async def count(self, document_id: UUID, index_id: UUID | None = None) -> None:
        """Count the terms of a document that was just added, in one index or in all that hold it."""
        parameters = {"org_id": self._scope.org_id, "index_id": index_id, "document_id": document_id}
        await self._session.execute(text(COUNT_TERMS), parameters)
        await count_restricted(self._session, self._scope, [document_id], index_id)

    async def of_document(self, index_id: UUID, document_id: UUID) -> list[Chunk]:
        """Return the chunks of a document in one index, with their vectors."""
        rows = await fetch(
            self._session,
            CHUNKS_OF,
            {"org_id": self._scope.org_id, "document_id": document_id, "index_id": index_id},
        )
        return [_chunk(*row) for row in rows]

    async def _insert(self, index: PackIndex, document_id: UUID, chunks: Sequence[NewChunk]) -> None:
        """Send the rows in one pipeline on the driver's cursor: one round trip instead of one per row."""
        rows = [
            (
                self._scope.org_id,
                new_id(),
                index.id,
                document_id,
                ordinal,
                chunk.start,
                chunk.text,
                list(chunk.headings),
                HalfVector(chunk.vector),
                index.dimensions,
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


def mean_vector(chunks: Sequence[NewChunk], dimensions: int) -> HalfVector:
    """What a document is about as a whole: the mean of its chunks' vectors, scaled to length 1."""
    total = np.sum([np.zeros(dimensions, np.float32), *(chunk.vector for chunk in chunks)], axis=0)
    return HalfVector(total / (np.linalg.norm(total) or 1.0))
