"""Where a question is compared with chunks: in the database, or in pictures of packs kept in memory. Both are exact alike."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from concierge.accounts.scope import Audiences, TenantScope
from concierge.knowledge.lexical import index_term, term_id
from concierge.knowledge.repository.search import (
    Asked,
    Candidate,
    Contender,
    CurrentIndex,
    PackStatistics,
    SearchRepository,
)
from concierge.knowledge.resident import Picture, PictureComparison
from concierge.llm.embeddings import VectorSpace

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
# Of so many packs it is remembered which index was searched.
SEEN_PACKS = 10_000

NOT_SEARCHED = -1  # No revision of a pack.

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
        return JointComparison(
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


class JointComparison:
    """Comparisons of one question within several vector spaces; most often it is one."""

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


class ResidentIndex:
    """Packs in memory, as far as somebody of these audiences may read them."""

    def __init__(self, pictures: Mapping[UUID, Picture], audiences: Audiences) -> None:
        self._pictures = pictures
        self._readable = {pack: picture.readable(audiences) for pack, picture in pictures.items()}
        self.chunks = sum(
            len(picture) if (readable := self._readable[pack]) is None else int(readable.sum())
            for pack, picture in pictures.items()
        )

    @property
    def spaces(self) -> Mapping[UUID, VectorSpace]:
        found = {pack: picture.index.space for pack, picture in self._pictures.items()}
        return {pack: space for pack, space in found.items() if space is not None}

    def frequency(self, word: str) -> int:
        term = term_id(word)
        return sum(picture.frequency(term, self._readable[pack]) for pack, picture in self._pictures.items())

    def compare(self, vectors: Mapping[VectorSpace, Vector], rarity: Mapping[str, float]) -> Comparison:
        weights = {term_id(word): weight for word, weight in rarity.items()}
        return ResidentComparison(
            [
                self._pictures[pack].compare(vectors[space], weights, self._readable[pack])
                for pack, space in self.spaces.items()
            ]
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
    """The pictures of a process, and which index of each pack it saw last.

    Every search first reads the packs' revisions, in its own transaction and under row-level security, so that no
    picture of another organization's or of an older revision is ever used. A pack is pictured when it is asked for the
    second time at one revision, which spares those that are just being read, and where there is room: a picture gives
    way only when nobody asked for it for a while, so that many busy packs do not push each other out all the time.
    """

    def __init__(self, budget_bytes: int = PICTURES_BYTES) -> None:
        self._budget = budget_bytes
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()  # The least recently used first.
        self._seen: OrderedDict[Key, CurrentIndex] = OrderedDict()
        self._loading: set[Key] = set()

    def believed(self, scope: TenantScope, packs: Sequence[UUID]) -> dict[UUID, CurrentIndex]:
        """Return the index of each pack that was current when a search last saw it; there may be another by now."""
        seen = {pack_id: self._seen.get((scope.org_id, pack_id)) for pack_id in packs}
        return {pack_id: index for pack_id, index in seen.items() if index is not None}

    async def look_up(self, repository: SearchRepository, scope: TenantScope, packs: Sequence[UUID]) -> None:
        """See which indexes are current of packs that were not searched by this process yet."""
        for pack_id, index in (await repository.revisions(packs)).items():
            self._seen.setdefault((scope.org_id, pack_id), replace(index, revision=NOT_SEARCHED))

    async def open(
        self, repository: SearchRepository, scope: TenantScope, packs: Sequence[UUID]
    ) -> ResidentIndex | None:
        """Return an index of the packs there are, or None when one of them is not in memory as it is now."""
        keys = [(scope.org_id, pack_id) for pack_id in packs]
        if not keys or any(key not in self._kept for key in keys):
            return None
        present: dict[UUID, Picture] = {}
        for pack_id, now in (await repository.revisions(packs)).items():
            picture = self._present((scope.org_id, pack_id), now)
            if picture is None:
                return None
            present[pack_id] = picture
        return ResidentIndex(present, repository.audiences)

    async def consider(self, repository: SearchRepository, scope: TenantScope, stored: StoredIndex) -> None:
        """Note what was searched, and picture those packs that were before at the revision they have now."""
        for pack_id, pack in stored.statistics.items():
            key = scope.org_id, pack_id
            again = key in self._seen and _same(self._seen[key], pack.index)
            self._seen[key] = pack.index
            self._seen.move_to_end(key)
            wanted = stored.is_small and again and self._present(key, pack.index) is None
            if wanted and self._has_room(key, pack.index.chunks):
                await self._load(repository, key, pack.index)
        while len(self._seen) > SEEN_PACKS:
            self._seen.popitem(last=False)

    async def _load(self, repository: SearchRepository, key: Key, index: CurrentIndex) -> None:
        """Picture a pack; whoever asks meanwhile goes to the database."""
        if key in self._loading:
            return
        self._loading.add(key)
        try:
            rows = await repository.picture(index.id)
            self._kept[key] = _Kept(await asyncio.to_thread(Picture, index, rows), monotonic())
        finally:
            self._loading.discard(key)

    def _present(self, key: Key, index: CurrentIndex) -> Picture | None:
        kept = self._kept.get(key)
        if kept is None or not _same(kept.picture.index, index):
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


def _same(one: CurrentIndex, other: CurrentIndex) -> bool:
    return (one.id, one.revision) == (other.id, other.revision)
