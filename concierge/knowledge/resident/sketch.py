"""A large pack's index kept in memory without its texts: its candidates are found there, and read in the database.

All chunks are compared by the signs of their vectors' numbers, which is a small part of the work; those that come nearest
so are compared exactly, and so is everything that is found by words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from concierge.accounts.scope import Audiences
from concierge.knowledge.repository.search import (
    Asked,
    Candidate,
    Contender,
    CurrentIndex,
    OutlineRow,
    SearchRepository,
)
from concierge.knowledge.resident.postings import (
    Mask,
    Postings,
    Readers,
    Rows,
    Vector,
    best,
    best_above_zero,
    halves,
)

# So many of those that are nearest by signs are compared exactly.
LOOKED_AT: Final = 512
WORD_BITS: Final = 64
# What a chunk takes besides its vector: its ids, its place, and about sixty words.
OUTLINE_BYTES: Final = 600

Bytes = NDArray[np.uint8]


def sketch_bytes(chunks: int, dimensions: int) -> int:
    """About what a sketch will take."""
    return chunks * (2 * dimensions + dimensions // 8 + OUTLINE_BYTES)


class Drawing:
    """A sketch under way: rows are added as they are read."""

    def __init__(self, index: CurrentIndex) -> None:
        self._index = index
        self._ids: list[bytes] = []
        self._documents: list[bytes] = []
        self._ordinals: list[int] = []
        self._audiences: list[str | None] = []
        self._vectors: list[NDArray[np.float16]] = []
        self._words: list[bytes] = []

    def add(self, rows: Sequence[OutlineRow]) -> None:
        ids, documents, ordinals, audiences, vectors, words = zip(*rows, strict=True)
        self._ids.append(b"".join(ids))
        self._documents += documents
        self._ordinals += ordinals
        self._audiences += audiences
        self._vectors.append(halves(vectors))
        self._words += words

    def finished(self) -> "Sketch":
        """Takes a second for a hundred thousand chunks, and should have a thread of its own."""
        return Sketch(
            self._index,
            _rows_of_bytes(self._ids),
            self._documents,
            np.array(self._ordinals, dtype=np.int32),
            Readers(self._audiences),
            np.concatenate(self._vectors) if self._vectors else np.zeros((0, WORD_BITS), np.float16),
            Postings.of(self._words),
        )


class Sketch:
    """The chunks of a pack in any order. `size` is about how many bytes it takes."""

    def __init__(
        self,
        index: CurrentIndex,
        ids: Bytes,
        documents: Sequence[bytes],
        ordinals: NDArray[np.int32],
        readers: Readers,
        vectors: NDArray[np.float16],
        postings: Postings,
    ) -> None:
        self.index = index
        self._ids = ids
        place = {own: at for at, own in enumerate(dict.fromkeys(documents))}
        self._documents = [UUID(bytes=own) for own in place]
        self._document_of = np.fromiter((place[own] for own in documents), np.int32, len(documents))
        self._ordinals = ordinals
        self._readers = readers
        self._vectors = vectors
        self._postings = postings
        # Signs tell most where half of them are positive.
        self._middle = vectors.mean(axis=0, dtype=np.float32) if len(vectors) else np.zeros(WORD_BITS)
        self._signs = _signs(vectors > self._middle)
        arrays = (ids, self._document_of, ordinals, vectors, self._signs)
        self.size = sum(array.nbytes for array in arrays) + postings.nbytes

    def __len__(self) -> int:
        return len(self._ids)

    def readable(self, audiences: Audiences) -> Mask | None:
        """Say which chunks somebody may read: (chunks,); None when it is all of them."""
        return self._readers.mask(audiences)

    def frequency(self, term: int, readable: Mask | None) -> int:
        return self._postings.frequency(term, readable)

    def by_words(
        self, weights: Mapping[int, float], readable: Mask | None, wanted: int
    ) -> tuple[Rows, Vector]:
        """The chunks that score best by words, and what every chunk scores: (chunks,)."""
        bm25 = self._postings.bm25(weights, len(self), readable)
        return best_above_zero(bm25, wanted), bm25

    def by_meaning(self, vector: Vector, readable: Mask | None, wanted: int) -> Rows:
        """The chunks that are nearest by their vectors."""
        if not len(self):
            return np.zeros(0, dtype=np.int64)
        own = _signs((vector > self._middle)[np.newaxis])
        apart = np.bitwise_count(self._signs ^ own).sum(axis=0, dtype=np.int16)
        if readable is not None:
            apart = np.where(readable, apart, np.int16(WORD_BITS * len(self._signs) + 1))
        near = _least(apart, max(wanted, LOOKED_AT))
        if readable is not None:
            near = near[readable[near]]
        return near[best(self.cosines(near, vector), wanted)]

    def cosines(self, rows: Rows, vector: Vector) -> Vector:
        return self._vectors[rows].astype(np.float32) @ vector

    def candidate(self, row: int, bm25: float, cosine: float) -> Candidate:
        chunk, document = UUID(bytes=self._ids[row].tobytes()), self._documents[self._document_of[row]]
        return Candidate(chunk, document, int(self._ordinals[row]), bm25, cosine)

    def compare(
        self,
        repository: SearchRepository,
        vector: Vector,
        weights: Mapping[int, float],
        readable: Mask | None,
    ) -> "SketchComparison":
        return SketchComparison(self, repository, vector, weights, readable)


@dataclass(frozen=True, slots=True)
class SketchComparison:
    """A question and a sketch; what competes is read from the `repository`."""

    sketch: Sketch
    repository: SearchRepository
    vector: Vector
    weights: Mapping[int, float]
    readable: Mask | None

    async def candidates(self, wanted: int) -> list[Candidate]:
        """Return the union of the best `wanted` by words and by meaning."""
        words, bm25 = self.sketch.by_words(self.weights, self.readable, wanted)
        rows = np.union1d(words, self.sketch.by_meaning(self.vector, self.readable, wanted))
        cosines = self.sketch.cosines(rows, self.vector)
        scores = zip(rows.tolist(), bm25[rows].tolist(), cosines.tolist(), strict=True)
        return [self.sketch.candidate(*entry) for entry in scores]

    async def contenders(self, chunk_ids: Sequence[UUID], cosine: float, bm25: float) -> list[Contender]:
        return await self.repository.contenders(chunk_ids, Asked.of(self.vector, self.weights), cosine, bm25)


def _least(numbers: NDArray[np.int16], wanted: int) -> Rows:
    """The places of the `wanted` smallest of many small numbers, and of what equals the last of them."""
    upto = np.cumsum(np.bincount(numbers))
    return np.flatnonzero(numbers <= np.searchsorted(upto, wanted))


def _rows_of_bytes(portions: Sequence[bytes]) -> Bytes:
    return np.frombuffer(b"".join(portions), np.uint8).reshape(-1, 16)


def _signs(positive: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Pack (chunks, dimensions) into (words, chunks): each word has 64 signs."""
    packed = np.packbits(positive, axis=1)
    missing = -packed.shape[1] % (WORD_BITS // 8)
    packed = np.pad(packed, ((0, 0), (0, missing)))
    return np.ascontiguousarray(packed.view(np.uint64).T)
