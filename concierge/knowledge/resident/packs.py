"""Which packs a process keeps in memory, and how a question is compared with them there."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from uuid import UUID

from concierge.accounts.scope import TenantScope
from concierge.kit.memory import machine_bytes
from concierge.knowledge.indexes import Comparison, StoredIndex, joined
from concierge.knowledge.lexical import term_id
from concierge.knowledge.repository.search import CurrentIndex, SearchRepository
from concierge.knowledge.resident.picture import Picture
from concierge.knowledge.resident.postings import Vector
from concierge.knowledge.resident.sketch import Drawing, Sketch, SketchComparison, sketch_bytes
from concierge.llm.embeddings import VectorSpace

# What a process keeps in memory of packs, at least: pictures of some 16,000 chunks, or sketches of 110,000. On a machine of
# 24 GB it is six times as much, which is room for half a million.
LEAST_BYTES = 128 * 1024 * 1024
SHARE_OF_MACHINE = 1 / 32
CHUNK_BYTES = 8_000  # About what a chunk takes in a picture.
BUSY_SECONDS = 60.0
# Of so many packs it is remembered which index was searched.
SEEN_PACKS = 10_000

NOT_SEARCHED = -1  # No revision of a pack.

Key = tuple[UUID, UUID]


class ResidentIndex:
    """Packs in memory, as far as those that the repository finds for may read them."""

    def __init__(self, repository: SearchRepository, pictures: Mapping[UUID, Picture | Sketch]) -> None:
        self._repository = repository
        self._pictures = pictures
        self._readable = {pack: picture.readable(repository.audiences) for pack, picture in pictures.items()}
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
        return joined([self._compared(pack, vectors[space], weights) for pack, space in self.spaces.items()])

    def _compared(self, pack: UUID, vector: Vector, weights: Mapping[int, float]) -> Comparison:
        picture, readable = self._pictures[pack], self._readable[pack]
        if isinstance(picture, Sketch):
            return SketchComparison(picture, self._repository, vector, weights, readable)
        return picture.compare(vector, weights, readable)


@dataclass(slots=True)
class _Kept:
    picture: Picture | Sketch
    used_at: float


class ResidentPacks:
    """The pictures and sketches of a process, and which index of each pack it saw last.

    Every search first reads the packs' revisions, in its own transaction and under row-level security, so that no
    picture of another organization's or of an older revision is ever used. A pack is pictured when it is asked for the
    second time at one revision, which spares those that are just being read, and where there is room: a picture gives
    way only when nobody asked for it for a while, so that many busy packs do not push each other out all the time.
    Packs that are too large for a picture are sketched, which takes seconds and is for others than the asker to wait for.
    """

    def __init__(self, budget_bytes: int | None = None) -> None:
        """`budget_bytes` bounds what is kept; by default it is a share of what the machine has."""
        self._budget = resident_budget() if budget_bytes is None else budget_bytes
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
        present: dict[UUID, Picture | Sketch] = {}
        for pack_id, now in (await repository.revisions(packs)).items():
            picture = self._present((scope.org_id, pack_id), now)
            if picture is None:
                return None
            present[pack_id] = picture
        return ResidentIndex(repository, present)

    async def consider(
        self, repository: SearchRepository, scope: TenantScope, stored: StoredIndex
    ) -> list[UUID]:
        """Note what was searched, and picture those packs that were before at the revision they have now.

        Returns those that are worth a sketch.
        """
        to_sketch: list[UUID] = []
        for pack_id, pack in stored.statistics.items():
            key = scope.org_id, pack_id
            again = key in self._seen and _same(self._seen[key], pack.index)
            self._seen[key] = pack.index
            self._seen.move_to_end(key)
            if not again or key in self._loading or self._present(key, pack.index) is not None:
                continue
            if not self._has_room(key, resident_bytes(pack.index, whole=stored.is_small)):
                continue
            if stored.is_small:
                await self._load(repository, key, pack.index)
            else:
                to_sketch.append(pack_id)
        while len(self._seen) > SEEN_PACKS:
            self._seen.popitem(last=False)
        return to_sketch

    async def sketch(self, repository: SearchRepository, scope: TenantScope, pack_id: UUID) -> None:
        """Sketch a pack as it is now, if there is room; whoever asks meanwhile goes to the database."""
        key = scope.org_id, pack_id
        index = (await repository.revisions([pack_id])).get(pack_id)
        if (
            index is None
            or key in self._loading
            or not self._has_room(key, resident_bytes(index, whole=False))
        ):
            return
        self._loading.add(key)
        try:
            drawing = Drawing(index)
            async for rows in repository.outline(index.id):
                await asyncio.to_thread(drawing.add, rows)
            self._kept[key] = _Kept(await asyncio.to_thread(drawing.finished), monotonic())
        finally:
            self._loading.discard(key)

    async def _load(self, repository: SearchRepository, key: Key, index: CurrentIndex) -> None:
        """Picture a pack; whoever asks meanwhile goes to the database."""
        self._loading.add(key)
        try:
            rows = await repository.picture(index.id)
            self._kept[key] = _Kept(await asyncio.to_thread(Picture, index, rows), monotonic())
        finally:
            self._loading.discard(key)

    def _present(self, key: Key, index: CurrentIndex) -> Picture | Sketch | None:
        kept = self._kept.get(key)
        if kept is None or not _same(kept.picture.index, index):
            return None
        kept.used_at = monotonic()
        self._kept.move_to_end(key)
        return kept.picture

    def _has_room(self, key: Key, needed: int) -> bool:
        """Make room by giving up what nobody asked for lately. The pack's own older picture is always given up."""
        self._kept.pop(key, None)
        if needed > self._budget:
            return False
        while self._bytes() + needed > self._budget:
            oldest = next(iter(self._kept), None)
            if oldest is None or monotonic() - self._kept[oldest].used_at < BUSY_SECONDS:
                return False
            del self._kept[oldest]
        return True

    def _bytes(self) -> int:
        return sum(kept.picture.size for kept in self._kept.values())


def resident_budget() -> int:
    """How many bytes a process keeps of packs where nobody says otherwise."""
    return max(LEAST_BYTES, int(machine_bytes() * SHARE_OF_MACHINE))


def resident_bytes(index: CurrentIndex, *, whole: bool) -> int:
    """About what an index will take in memory, as a picture or as a sketch."""
    if whole or index.space is None:
        return index.chunks * CHUNK_BYTES
    return sketch_bytes(index.chunks, index.space.dimensions)


def _same(one: CurrentIndex, other: CurrentIndex) -> bool:
    return (one.id, one.revision) == (other.id, other.revision)
