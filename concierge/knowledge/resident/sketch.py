"""A large pack's index kept in memory without its texts: its candidates are found there, and read in the database.

All chunks are compared by the signs of their vectors' numbers, which is a small part of the work; those that come nearest
so are compared exactly, and so is everything that is found by words.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
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
    POSTINGS_CHUNKS,
    Mask,
    Postings,
    Readers,
    Rows,
    Vector,
    best,
    best_above_zero,
    halves,
)

# So many of those that are nearest by signs are compared exactly, or one of so many where there are very many.
LOOKED_AT: Final = 512
ONE_LOOKED_AT_OF: Final = 256
WORD_BITS: Final = 64
# What a chunk takes besides its vector: its ids, its place, and about sixty words.
OUTLINE_BYTES: Final = 400

Bytes = NDArray[np.uint8]
Halves = NDArray[np.float16]


def sketch_bytes(chunks: int, dimensions: int) -> int:
    """About what a sketch will take."""
    return chunks * (2 * dimensions + dimensions // 8 + OUTLINE_BYTES)


@dataclass(frozen=True, slots=True)
class Part:
    """The vectors and the words of some of an index's chunks. Sorting them at once would take twice the memory."""

    vectors: Halves
    postings: Postings

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def nbytes(self) -> int:
        return self.vectors.nbytes + self.postings.nbytes


class Drawing:
    """A sketch under way: rows are added as they are read."""

    def __init__(self, index: CurrentIndex, part_chunks: int = POSTINGS_CHUNKS) -> None:
        self._index = index
        self._part_chunks = part_chunks
        self._ids: list[bytes] = []
        self._documents: dict[bytes, int] = {}
        self._document_of: list[int] = []
        self._ordinals: list[int] = []
        self._audiences: list[str | None] = []
        self._parts: list[Part] = []
        self._vectors: list[Halves] = []
        self._words: list[bytes] = []

    def add(self, rows: Sequence[OutlineRow]) -> None:
        """Some of these calls take half a second; a thread of their own is the place for them."""
        if len(self._words) + len(rows) > self._part_chunks:
            self._complete_part()
        ids, documents, ordinals, audiences, vectors, words = zip(*rows, strict=True)
        self._ids.append(b"".join(ids))
        self._document_of += [self._documents.setdefault(own, len(self._documents)) for own in documents]
        self._ordinals += ordinals
        self._audiences += audiences
        self._vectors.append(halves(vectors))
        self._words += words

    def finished(self) -> "Sketch":
        """Takes a second for a hundred thousand chunks, and should have a thread of its own, too."""
        self._complete_part()
        return Sketch(
            self._index,
            np.frombuffer(b"".join(self._ids), np.uint8).reshape(-1, 16),
            [UUID(bytes=own) for own in self._documents],
            np.array(self._document_of, dtype=np.int32),
            np.array(self._ordinals, dtype=np.int32),
            Readers(self._audiences),
            self._parts,
        )

    def _complete_part(self) -> None:
        if self._words:
            self._parts.append(Part(np.concatenate(self._vectors), Postings.of(self._words)))
            self._vectors, self._words = [], []


class Sketch:
    """The chunks of a pack in any order. `size` is about how many bytes it takes."""

    def __init__(
        self,
        index: CurrentIndex,
        ids: Bytes,
        documents: Sequence[UUID],
        document_of: NDArray[np.int32],
        ordinals: NDArray[np.int32],
        readers: Readers,
        parts: Sequence[Part],
    ) -> None:
        self.index = index
        self._ids = ids
        self._documents = documents
        self._document_of = document_of
        self._ordinals = ordinals
        self._readers = readers
        self._parts = parts
        bounds = np.cumsum([0, *map(len, parts)]).tolist()
        self._slices = [slice(*pair) for pair in pairwise(bounds)]
        self._middle = _middle(parts)
        self._signs = [_signs(part.vectors > self._middle) for part in parts]
        arrays = (ids, document_of, ordinals, *self._signs, *parts)
        self.size = sum(array.nbytes for array in arrays)

    def __len__(self) -> int:
        return len(self._ids)

    def readable(self, audiences: Audiences) -> Mask | None:
        """Say which chunks somebody may read: (chunks,); None when it is all of them."""
        return self._readers.mask(audiences)

    def frequency(self, term: int, readable: Mask | None) -> int:
        return sum(
            part.postings.frequency(term, None if readable is None else readable[own])
            for part, own in zip(self._parts, self._slices, strict=True)
        )

    def by_words(
        self, weights: Mapping[int, float], readable: Mask | None, wanted: int
    ) -> tuple[Rows, Vector]:
        """The chunks that score best by words, and what every chunk scores: (chunks,)."""
        bm25 = np.empty(len(self), dtype=np.float32)
        for part, own in zip(self._parts, self._slices, strict=True):
            mask = None if readable is None else readable[own]
            bm25[own] = part.postings.bm25(weights, len(part), mask)
        return best_above_zero(bm25, wanted), bm25

    def by_meaning(self, vector: Vector, readable: Mask | None, wanted: int) -> Rows:
        """The chunks that are nearest by their vectors."""
        if not len(self):
            return np.zeros(0, dtype=np.int64)
        apart = self._apart(vector)
        if readable is not None:
            apart = np.where(readable, apart, np.iinfo(np.int16).max)
        near = _least(apart, max(wanted, LOOKED_AT, len(self) // ONE_LOOKED_AT_OF))
        if readable is not None:
            near = near[readable[near]]
        return near[best(self.cosines(near, vector), wanted)]

    def cosines(self, rows: Rows, vector: Vector) -> Vector:
        """Those of some chunks to `vector`: (rows,)."""
        found = np.empty(len(rows), dtype=np.float32)
        for part, own in zip(self._parts, self._slices, strict=True):
            here = (own.start <= rows) & (rows < own.stop)
            found[here] = part.vectors[rows[here] - own.start].astype(np.float32) @ vector
        return found

    def candidate(self, row: int, bm25: float, cosine: float) -> Candidate:
        chunk, document = UUID(bytes=self._ids[row].tobytes()), self._documents[self._document_of[row]]
        return Candidate(chunk, document, int(self._ordinals[row]), bm25, cosine)

    def _apart(self, vector: Vector) -> NDArray[np.int16]:
        """By how many signs each chunk differs: (chunks,)."""
        own = _signs((vector > self._middle)[np.newaxis])
        return np.concatenate(
            [np.bitwise_count(signs ^ own).sum(axis=0, dtype=np.int16) for signs in self._signs]
        )


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
        # Half a million chunks take 10 ms, in which other visitors are to be answered, too.
        return await asyncio.to_thread(self._nearest, wanted)

    async def contenders(self, chunk_ids: Sequence[UUID], cosine: float, bm25: float) -> list[Contender]:
        return await self.repository.contenders(chunk_ids, Asked.of(self.vector, self.weights), cosine, bm25)

    def _nearest(self, wanted: int) -> list[Candidate]:
        words, bm25 = self.sketch.by_words(self.weights, self.readable, wanted)
        rows = np.union1d(words, self.sketch.by_meaning(self.vector, self.readable, wanted))
        cosines = self.sketch.cosines(rows, self.vector)
        scores = zip(rows.tolist(), bm25[rows].tolist(), cosines.tolist(), strict=True)
        return [self.sketch.candidate(*entry) for entry in scores]


def _middle(parts: Sequence[Part]) -> Vector:
    """The mean of all vectors: signs tell most where half of them are positive."""
    if not parts:
        return np.zeros(WORD_BITS, dtype=np.float32)
    sums = np.array([part.vectors.sum(axis=0, dtype=np.float32) for part in parts])
    return (sums.sum(axis=0) / sum(map(len, parts))).astype(np.float32)


def _least(numbers: NDArray[np.int16], wanted: int) -> Rows:
    """The places of the `wanted` smallest of many small numbers; of those that equal the last, any."""
    upto = np.cumsum(np.bincount(numbers))
    last = int(np.searchsorted(upto, wanted))
    below = np.flatnonzero(numbers < last)
    return np.append(below, np.flatnonzero(numbers == last)[: wanted - len(below)])


def _signs(positive: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Pack (chunks, dimensions) into (words, chunks): each word has 64 signs."""
    packed = np.packbits(positive, axis=1)
    missing = -packed.shape[1] % (WORD_BITS // 8)
    packed = np.pad(packed, ((0, 0), (0, missing)))
    return np.ascontiguousarray(packed.view(np.uint64).T)
