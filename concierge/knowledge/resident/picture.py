"""A small pack as it was at one revision, whole: it is searched in memory without being read anew."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from concierge.accounts.scope import Audiences
from concierge.knowledge.repository.search import Candidate, Contender, CurrentIndex, PictureRow
from concierge.knowledge.resident.postings import (
    Mask,
    Postings,
    Readers,
    Vector,
    best,
    best_above_zero,
    halves,
)

# What a passage takes besides its text and vectors: names, headings, spans.
ROW_BYTES = 700


class Picture:
    """A pack's passages in the order of their documents, and what a question is compared with.

    `size` is about how many bytes it takes. A switch to another index is a new revision, too.
    """

    def __init__(self, index: CurrentIndex, rows: Sequence[PictureRow]) -> None:
        self.index = index
        self._passages = [row.passage for row in rows]
        self._ordinals = [row.ordinal for row in rows]
        self._vectors = _matrix([row.embedding for row in rows])
        self._documents = _matrix([row.document_embedding for row in rows])
        self._postings = Postings.of([row.bm25 for row in rows])
        self._readers = Readers([passage.audience for passage in self._passages])
        self._row_of = {passage.chunk_id: row for row, passage in enumerate(self._passages)}
        self._joined = self._seams()
        self.size = self._measured()

    def __len__(self) -> int:
        return len(self._passages)

    def readable(self, audiences: Audiences) -> Mask | None:
        return self._readers.mask(audiences)

    def frequency(self, term: int, readable: Mask | None) -> int:
        return self._postings.frequency(term, readable)

    def compare(
        self, vector: Vector, weights: Mapping[int, float], readable: Mask | None
    ) -> "PictureComparison":
        """Score every chunk by words and by meaning; `weights` are those of the question's terms.

        What may not be read is as far away as can be, and never a candidate.
        """
        bm25 = self._postings.bm25(weights, len(self), readable)
        cosine = self._vectors @ vector if len(self) else bm25
        if readable is not None:
            cosine = np.where(readable, cosine, -np.inf)
        return PictureComparison(self, vector, bm25, cosine)

    def candidate(self, row: int, bm25: float, cosine: float) -> Candidate:
        passage = self._passages[row]
        return Candidate(passage.chunk_id, passage.document_id, self._ordinals[row], bm25, cosine)

    def contenders(self, chunk_ids: Sequence[UUID], vector: Vector, first: Vector) -> Iterator[Contender]:
        """Yield those of these passages that are here as they compete; `first` is the first score of every chunk."""
        known = (self._row_of.get(chunk_id) for chunk_id in chunk_ids)
        rows = [row for row in known if row is not None and np.isfinite(first[row])]
        cosines = self._documents[rows] @ vector if rows else np.zeros(0)
        around = np.pad(first, 1, constant_values=-np.inf)
        before = np.where(self._joined[rows], around[rows], -np.inf)
        behind = np.where(self._joined[1:][rows], around[2:][rows], -np.inf)
        beside = np.maximum(before, behind)
        for row, cosine, near in zip(rows, cosines.tolist(), beside.tolist(), strict=True):
            met = near if near > -math.inf else None
            yield Contender(self._passages[row], cosine, met)

    def _measured(self) -> int:
        texts = sum(len(entry.text) + len(entry.sentence_vectors) + ROW_BYTES for entry in self._passages)
        return texts + self._postings.nbytes + self._vectors.nbytes + self._documents.nbytes

    def _seams(self) -> Mask:
        """Whether each chunk goes on from the one before it: (chunks + 1,), whose ends never do."""
        joined = np.zeros(len(self) + 1, dtype=np.bool_)
        for row in range(1, len(self)):
            same = self._passages[row].document_id == self._passages[row - 1].document_id
            joined[row] = same and self._ordinals[row] - self._ordinals[row - 1] == 1
        return joined


@dataclass(frozen=True, slots=True)
class PictureComparison:
    """A question's scores of every chunk of a picture; `bm25` and `cosine` are each (chunks,)."""

    picture: Picture
    vector: Vector
    bm25: Vector
    cosine: Vector

    async def candidates(self, wanted: int) -> list[Candidate]:
        """Return the union of the best `wanted` by words and by meaning."""
        by_meaning = best(self.cosine, wanted)
        chosen = np.zeros(len(self.picture), dtype=np.bool_)
        chosen[best_above_zero(self.bm25, wanted)] = True
        chosen[by_meaning[np.isfinite(self.cosine[by_meaning])]] = True
        rows = np.flatnonzero(chosen)
        scores = zip(rows.tolist(), self.bm25[rows].tolist(), self.cosine[rows].tolist(), strict=True)
        return [self.picture.candidate(*entry) for entry in scores]

    async def contenders(self, chunk_ids: Sequence[UUID], cosine: float, bm25: float) -> list[Contender]:
        """Return those of these passages that are here; the chunks beside them score by the two weights."""
        first = (cosine * self.cosine + bm25 * self.bm25).astype(np.float32)
        return list(self.picture.contenders(chunk_ids, self.vector, first))


def _matrix(vectors: Sequence[bytes]) -> Vector:
    """Decode halfvecs as PostgreSQL sends them: (rows, dimension)."""
    return halves(vectors).astype(np.float32) if vectors else np.zeros((0, 0), dtype=np.float32)
