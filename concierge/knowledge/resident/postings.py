"""What pictures and sketches of packs share: which chunk holds which words, and who may read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from concierge.accounts.scope import Audiences

Vector = NDArray[np.float32]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

HALF_HEADER, SPARSE_HEADER = 4, 12
# Chunks are numbered by 16 bits within their postings.
POSTINGS_CHUNKS: Final = 1 << 16
# So many scores are looked at before the best of them are chosen anew.
PORTION: Final = 1 << 14


@dataclass(frozen=True, slots=True)
class Postings:
    """The BM25 weights of up to POSTINGS_CHUNKS chunks by term: those of `terms[i]` stand at `starts[i]` to `starts[i + 1]`."""

    terms: NDArray[np.int32]
    starts: NDArray[np.int32]
    rows: NDArray[np.uint16]
    weights: Vector

    @classmethod
    def of(cls, chunks: Sequence[bytes]) -> "Postings":
        """`chunks` are the sparse vectors of a pack's chunks, as PostgreSQL sends them."""
        lengths = [(len(chunk) - SPARSE_HEADER) // 8 for chunk in chunks]
        terms = b"".join(
            chunk[SPARSE_HEADER : SPARSE_HEADER + 4 * length]
            for chunk, length in zip(chunks, lengths, strict=True)
        )
        values = b"".join(
            chunk[SPARSE_HEADER + 4 * length :] for chunk, length in zip(chunks, lengths, strict=True)
        )
        keys = np.frombuffer(terms, ">i4").astype(np.int32)
        order = np.argsort(keys, kind="stable")
        distinct, starts = np.unique(keys[order], return_index=True)
        rows = np.repeat(np.arange(len(chunks), dtype=np.uint16), lengths)
        weights = np.frombuffer(values, ">f4").astype(np.float32)
        return cls(distinct, np.append(starts, len(keys)).astype(np.int32), rows[order], weights[order])

    @property
    def nbytes(self) -> int:
        return self.terms.nbytes + self.starts.nbytes + self.rows.nbytes + self.weights.nbytes

    def frequency(self, term: int, readable: Mask | None) -> int:
        """How many chunks, of those that may be read, hold a term."""
        held = self.of_term(term)
        if readable is None:
            return held.stop - held.start
        return int(np.count_nonzero(readable[self.rows[held]]))

    def bm25(self, weights: Mapping[int, float], chunks: int, readable: Mask | None) -> Vector:
        """Score every chunk by the terms of a question: (chunks,). What may not be read is as far away as can be."""
        scores = np.zeros(chunks, dtype=np.float32)
        for term, weight in weights.items():
            held = self.of_term(term)
            scores[self.rows[held]] += weight * self.weights[held]
        return scores if readable is None else np.where(readable, scores, -np.inf)

    def of_term(self, term: int) -> slice:
        """Where the postings of a term stand; an empty slice for one that no chunk holds."""
        place = int(np.searchsorted(self.terms, term))
        if place == len(self.terms) or self.terms[place] != term:
            return slice(0, 0)
        return slice(int(self.starts[place]), int(self.starts[place + 1]))


class Readers:
    """Who may read each chunk of a pack."""

    def __init__(self, audiences: Sequence[str | None]) -> None:
        self._labels = list(dict.fromkeys(audiences))
        number = {label: at for at, label in enumerate(self._labels)}
        self._label_of = np.fromiter((number[label] for label in audiences), np.int32, len(audiences))

    def mask(self, audiences: Audiences) -> Mask | None:
        """Say which chunks somebody may read: (chunks,); None when it is all of them."""
        open_to = {None, *audiences.labels}
        if audiences.everything or open_to.issuperset(self._labels):
            return None
        return np.array([label in open_to for label in self._labels])[self._label_of]


def halves(vectors: Sequence[bytes]) -> NDArray[np.float16]:
    """Decode halfvecs, of which there are some, as PostgreSQL sends them: (rows, dimensions)."""
    raw = np.frombuffer(b"".join(vector[HALF_HEADER:] for vector in vectors), ">f2")
    return raw.reshape(len(vectors), -1).astype(np.float16)


def best(scores: Vector, wanted: int) -> Rows:
    """Return the places of the `wanted` highest scores, in any order."""
    if len(scores) <= wanted:
        return np.arange(len(scores))
    return np.argpartition(scores, len(scores) - wanted)[-wanted:]


def best_above_zero(scores: Vector, wanted: int) -> Rows:
    """The same of those above zero. What is below the best of the portions before is not looked at again."""
    kept = np.zeros(0, dtype=np.int64)
    bound = np.float32(0)
    for begin in range(0, len(scores), PORTION):
        kept = np.append(kept, begin + np.flatnonzero(scores[begin : begin + PORTION] > bound))
        kept = kept[best(scores[kept], wanted)]
        if len(kept) == wanted:
            bound = scores[kept].min()
    return kept
