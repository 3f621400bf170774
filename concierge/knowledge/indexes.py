"""How a question is compared with chunks: what every place they are kept in has in common, and what the database does."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from concierge.knowledge.lexical import index_term, term_id
from concierge.knowledge.repository.search import (
    Asked,
    Candidate,
    Contender,
    PackStatistics,
    SearchRepository,
)
from concierge.llm.embeddings import VectorSpace

Vector = NDArray[np.float32]

# Up to this many chunks an exact scan is faster than the approximate index, and exact.
EXACT_SCAN_CHUNKS = 4_000
# Chunks having one of the question's rarest terms are scored until so many are reached; the rest, which only share
# common words with the question, cannot be among the best.
POSTINGS_BUDGET = 2_500


class Comparison(Protocol):
    """A question and the chunks it is compared with."""

    async def candidates(self, wanted: int) -> list[Candidate]:
        """Return the union of the best `wanted` by words and by meaning."""
        ...

    async def contenders(self, chunk_ids: Sequence[UUID], cosine: float, bm25: float) -> list[Contender]:
        """Read some of the candidates whole, in any order; the chunks beside them score by the two weights."""
        ...


class Index(Protocol):
    """The current indexes of the packs of one search, by pack whose vectors `spaces` they hold. `chunks` is how many
    of theirs the asker may read.
    """

    chunks: int

    @property
    def spaces(self) -> Mapping[UUID, VectorSpace]: ...

    def frequency(self, word: str) -> int:
        """How many chunks hold a word of the question."""
        ...

    def compare(self, vectors: Mapping[VectorSpace, Vector], rarity: Mapping[str, float]) -> Comparison:
        """Begin to compare; `vectors` are the question in each space, `rarity` weighs each word of it."""
        ...


class StoredIndex:
    """Packs in the database."""

    def __init__(self, repository: SearchRepository, statistics: Mapping[UUID, PackStatistics]) -> None:
        self._repository = repository
        self.statistics = statistics
        self.chunks = sum(pack.readable for pack in statistics.values())
        self.is_small = sum(pack.index.chunks for pack in statistics.values()) <= EXACT_SCAN_CHUNKS

    @classmethod
    async def open(
        cls,
        repository: SearchRepository,
        packs: Sequence[UUID],
        words: Sequence[str],
        believed: Mapping[UUID, UUID],
    ) -> "StoredIndex":
        """Look the words up in the indexes that are `believed` to be current, and again where one is no longer."""
        while True:
            indexes = {pack: believed.get(pack, pack) for pack in packs}
            postings = [index_term(index, word) for index in indexes.values() for word in words]
            statistics = await repository.statistics(packs, postings)
            now = {pack: found.index.id for pack, found in statistics.items()}
            if all(indexes[pack] == index for pack, index in now.items()):
                return cls(repository, statistics)
            believed = now

    @property
    def spaces(self) -> Mapping[UUID, VectorSpace]:
        found = {pack: statistics.index.space for pack, statistics in self.statistics.items()}
        return {pack: space for pack, space in found.items() if space is not None}

    def frequency(self, word: str) -> int:
        packs = self.statistics.values()
        return sum(pack.document_frequency.get(index_term(pack.index.id, word), 0) for pack in packs)

    def compare(self, vectors: Mapping[VectorSpace, Vector], rarity: Mapping[str, float]) -> Comparison:
        weights = {term_id(word): weight for word, weight in rarity.items()}
        groups: dict[VectorSpace, list[PackStatistics]] = defaultdict(list)
        for pack, space in self.spaces.items():
            groups[space].append(self.statistics[pack])
        return joined(
            [
                StoredComparison(
                    self._repository,
                    [pack.index.id for pack in group],
                    Asked.of(vectors[space], weights),
                    None if self.is_small else chosen_postings(list(rarity), group),
                )
                for space, group in groups.items()
            ]
        )


@dataclass(frozen=True, slots=True)
class StoredComparison:
    """Small packs are scanned; large ones, which have `postings`, are searched by these and the approximate index."""

    repository: SearchRepository
    indexes: Sequence[UUID]
    asked: Asked
    postings: Sequence[int] | None

    async def candidates(self, wanted: int) -> list[Candidate]:
        if self.postings is None:
            return await self.repository.scan(self.indexes, self.asked, wanted)
        return await self.repository.candidates(self.indexes, self.asked, self.postings, wanted)

    async def contenders(self, chunk_ids: Sequence[UUID], cosine: float, bm25: float) -> list[Contender]:
        return await self.repository.contenders(chunk_ids, self.asked, cosine, bm25)


def joined(parts: Sequence[Comparison]) -> Comparison:
    """Several comparisons of one question as one; most often there is but one."""
    return parts[0] if len(parts) == 1 else JointComparison(parts)


class JointComparison:
    """Comparisons of one question within several vector spaces, or several packs in memory."""

    def __init__(self, parts: Sequence[Comparison]) -> None:
        self._parts = parts
        self._found_by: list[set[UUID]] = [set() for _ in parts]

    async def candidates(self, wanted: int) -> list[Candidate]:
        found: list[Candidate] = []
        for part, own in zip(self._parts, self._found_by, strict=True):
            candidates = await part.candidates(wanted)
            own.update(entry.chunk_id for entry in candidates)
            found += candidates
        return found

    async def contenders(self, chunk_ids: Sequence[UUID], cosine: float, bm25: float) -> list[Contender]:
        found: list[Contender] = []
        for part, own in zip(self._parts, self._found_by, strict=True):
            chosen = [chunk_id for chunk_id in chunk_ids if chunk_id in own]
            found += await part.contenders(chosen, cosine, bm25)
        return found


def chosen_postings(words: Sequence[str], statistics: Iterable[PackStatistics]) -> list[int]:
    """Choose whose posting lists are read: the rarest words' first, until the budget is spent."""
    lists: dict[str, list[int]] = defaultdict(list)
    sizes: dict[str, int] = defaultdict(int)
    for pack in statistics:
        for word in words:
            posting = index_term(pack.index.id, word)
            if (df := pack.document_frequency.get(posting, 0)) > 0:
                lists[word].append(posting)
                sizes[word] += df
    chosen: list[int] = []
    spent = 0
    for word in sorted(lists, key=lambda word: sizes[word]):
        if chosen and spent + sizes[word] > POSTINGS_BUDGET:
            break
        chosen.extend(lists[word])
        spent += sizes[word]
    return chosen
