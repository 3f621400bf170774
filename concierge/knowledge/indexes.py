"""Where a question is compared with chunks: in the database, or in pictures of packs kept in memory. Both are exact alike."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from concierge.accounts.scope import Audiences, TenantScope
from concierge.knowledge.lexical import pack_term, term_id
from concierge.knowledge.repository.search import (
    Asked,
    Candidate,
    Contender,
    PackStatistics,
    SearchRepository,
)
from concierge.knowledge.resident import Picture, PictureComparison

Vector = NDArray[np.float32]

# Up to this many chunks an exact scan is faster than the approximate index, and exact.
EXACT_SCAN_CHUNKS = 4_000
# Chunks having one of the question's rarest terms are scored until so many are reached; the rest, which only share
# common words with the question, cannot be among the best.
POSTINGS_BUDGET = 2_500
# What the pictures of a process may take together: some 12,000 chunks.
PICTURES_BYTES = 96 * 1024 * 1024
CHUNK_BYTES = 8_000  # About what a chunk takes in a picture.
BUSY_SECONDS = 60.0
# Of so many packs it is remembered that they were asked.
ASKED_PACKS = 10_000

Key = tuple[UUID, UUID]


class Comparison(Protocol):
    """A question and the chunks it is compared with."""

    async def candidates(self, wanted: int) -> list[Candidate]:
        """Return the union of the best `wanted` by words and by meaning."""
        ...

    async def contenders(self, chunk_ids: Sequence[UUID], cosine: float, bm25: float) -> list[Contender]:
        """Read some of the candidates whole, in any order; the chunks beside them score by the two weights."""
        ...


class Index(Protocol):
    """The packs of one search. `chunks` is how many they hold that the asker may read."""

    chunks: int

    def frequency(self, word: str) -> int:
        """How many chunks hold a word of the question."""
        ...

    def compare(self, vector: Vector, rarity: Mapping[str, float]) -> Comparison:
        """Begin to compare; `rarity` weighs each word of the question."""
        ...


class StoredIndex:
    """Packs in the database."""

    def __init__(self, repository: SearchRepository, statistics: Mapping[UUID, PackStatistics]) -> None:
        self._repository = repository
        self.statistics = statistics
        self.chunks = sum(pack.readable for pack in statistics.values())
        self.is_small = sum(pack.chunks for pack in statistics.values()) <= EXACT_SCAN_CHUNKS

    @classmethod
    async def open(
        cls, repository: SearchRepository, packs: Sequence[UUID], words: Sequence[str]
    ) -> "StoredIndex":
        postings = [pack_term(pack, word) for pack in packs for word in words]
        return cls(repository, await repository.statistics(packs, postings))

    def frequency(self, word: str) -> int:
        packs = self.statistics.items()
        return sum(pack.document_frequency.get(pack_term(pack_id, word), 0) for pack_id, pack in packs)

    def compare(self, vector: Vector, rarity: Mapping[str, float]) -> Comparison:
        asked = Asked.of(vector, {term_id(word): weight for word, weight in rarity.items()})
        postings = None if self.is_small else chosen_postings(list(rarity), self.statistics)
        return StoredComparison(self._repository, list(self.statistics), asked, postings)


@dataclass(frozen=True, slots=True)
class StoredComparison:
    """Small packs are scanned; large ones, which have `postings`, are searched by these and the approximate index."""

    repository: SearchRepository
    packs: Sequence[UUID]
    asked: Asked
    postings: Sequence[int] | None

    async def candidates(self, wanted: int) -> list[Candidate]:
        if self.postings is None:
            return await self.repository.scan(self.packs, self.asked, wanted)
        return await self.repository.candidates(self.packs, self.asked, self.postings, wanted)

    async def contenders(self, chunk_ids: Sequence[UUID], cosine: float, bm25: float) -> list[Contender]:
        return await self.repository.contenders(chunk_ids, self.asked, cosine, bm25)


def chosen_postings(words: Sequence[str], statistics: Mapping[UUID, PackStatistics]) -> list[int]:
    """Choose whose posting lists are read: the rarest words' first, until the budget is spent."""
    lists: dict[str, list[int]] = defaultdict(list)
    sizes: dict[str, int] = defaultdict(int)
    for pack_id, pack in statistics.items():
        for word in words:
            posting = pack_term(pack_id, word)
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


class ResidentIndex:
    """Packs in memory, as far as somebody of these audiences may read them."""

    def __init__(self, pictures: Sequence[Picture], audiences: Audiences) -> None:
        self._pictures = [(picture, picture.readable(audiences)) for picture in pictures]
        self.chunks = sum(
            len(picture) if readable is None else int(readable.sum()) for picture, readable in self._pictures
        )

    def frequency(self, word: str) -> int:
        term = term_id(word)
        return sum(picture.frequency(term, readable) for picture, readable in self._pictures)

    def compare(self, vector: Vector, rarity: Mapping[str, float]) -> Comparison:
        weights = {term_id(word): weight for word, weight in rarity.items()}
        return ResidentComparison(
            [picture.compare(vector, weights, readable) for picture, readable in self._pictures]
        )


@dataclass(frozen=True, slots=True)
class ResidentComparison:
    parts: Sequence[PictureComparison]

    async def candidates(self, wanted: int) -> list[Candidate]:
        return [entry for part in self.parts for entry in part.candidates(wanted)]

    async def contenders(self, chunk_ids: Sequence[UUID], cosine: float, bm25: float) -> list[Contender]:
        return [entry for part in self.parts for entry in part.contenders(chunk_ids, cosine, bm25)]


@dataclass(slots=True)
class _Kept:
    picture: Picture
    used_at: float


class ResidentPacks:
    """The pictures of a process.

    Every search first reads the packs' revisions, in its own transaction and under row-level security, so that no
    picture of another organization's or of an older revision is ever used. A pack is pictured when it is asked for the
    second time at one revision, which spares those that are just being read, and where there is room: a picture gives
    way only when nobody asked for it for a while, so that many busy packs do not push each other out all the time.
    """

    def __init__(self, budget_bytes: int = PICTURES_BYTES) -> None:
        self._budget = budget_bytes
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()  # The least recently used first.
        self._asked: OrderedDict[Key, int] = OrderedDict()
        self._loading: set[Key] = set()

    async def open(
        self, repository: SearchRepository, scope: TenantScope, packs: Sequence[UUID]
    ) -> ResidentIndex | None:
        """Return an index of the packs there are, or None when one of them is not in memory as it is now."""
        keys = [(scope.org_id, pack_id) for pack_id in packs]
        if not keys or any(key not in self._kept for key in keys):
            return None
        revisions = await repository.revisions(packs)
        pictures = [self._present((scope.org_id, pack_id), now) for pack_id, now in revisions.items()]
        present = [picture for picture in pictures if picture is not None]
        return ResidentIndex(present, repository.audiences) if len(present) == len(pictures) else None

    async def consider(
        self, repository: SearchRepository, scope: TenantScope, statistics: Mapping[UUID, PackStatistics]
    ) -> None:
        """Picture those packs that were asked for before at the revision they have now."""
        for pack_id, pack in statistics.items():
            key = scope.org_id, pack_id
            again = self._asked.get(key) == pack.revision
            self._asked[key] = pack.revision
            self._asked.move_to_end(key)
            if again and self._present(key, pack.revision) is None and self._has_room(key, pack.chunks):
                await self._load(repository, key, pack.revision)
        while len(self._asked) > ASKED_PACKS:
            self._asked.popitem(last=False)

    async def _load(self, repository: SearchRepository, key: Key, revision: int) -> None:
        """Picture a pack; whoever asks meanwhile goes to the database."""
        if key in self._loading:
            return
        self._loading.add(key)
        try:
            rows = await repository.picture(key[1])
            self._kept[key] = _Kept(await asyncio.to_thread(Picture, revision, rows), monotonic())
        finally:
            self._loading.discard(key)

    def _present(self, key: Key, revision: int) -> Picture | None:
        kept = self._kept.get(key)
        if kept is None or kept.picture.revision != revision:
            return None
        kept.used_at = monotonic()
        self._kept.move_to_end(key)
        return kept.picture

    def _has_room(self, key: Key, chunks: int) -> bool:
        """Make room by giving up what nobody asked for lately. The pack's own older picture is always given up."""
        self._kept.pop(key, None)
        needed = chunks * CHUNK_BYTES
        while self._bytes() + needed > self._budget:
            oldest = next(iter(self._kept), None)
            if oldest is None or monotonic() - self._kept[oldest].used_at < BUSY_SECONDS:
                return False
            del self._kept[oldest]
        return True

    def _bytes(self) -> int:
        return sum(kept.picture.size for kept in self._kept.values())
