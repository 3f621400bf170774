"""What of a document's earlier chunks still holds after it has changed. Pure.

A vector of late chunking knows the section it stands in and the path of its headings, and nothing else. So a chunk holds
as long as every section it touches is the same, wherever the section has moved to.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from concierge.knowledge.chunking.chunk import Chunk
from concierge.knowledge.chunking.outline import Outline, outline_of
from concierge.knowledge.chunking.spans import Unit, units_of

SECTION_CHARACTERS = (
    40_000  # A long document is encoded in sections: token states are 500 times the size of the text.
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A document as it was, with the chunks it had."""

    text: str
    chunks: Sequence[Chunk]


@dataclass(frozen=True, slots=True)
class Section:
    """A run of units of one document under the same headings, encoded together."""

    first: int
    last: int  # exclusive


@dataclass(frozen=True, slots=True)
class Kept:
    """An earlier chunk where it stands now, as the units it consists of."""

    first: int
    last: int  # exclusive
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Outlined:
    """A text with its units, their headings and its sections."""

    text: str
    units: Sequence[Unit]
    outline: Outline
    sections: Sequence[Section]

    @classmethod
    def of(cls, text: str) -> "Outlined":
        units = units_of(text)
        outline = outline_of(text, units)
        return cls(text, units, outline, list(_sections(units, outline)))

    def body(self, section: Section) -> str:
        return self.text[self.units[section.first].start : self.units[section.last - 1].end]

    def path(self, section: Section) -> tuple[str, ...]:
        return self.outline.paths[section.first]


def _sections(units: Sequence[Unit], outline: Outline) -> Iterator[Section]:
    first = 0
    for index, unit in enumerate(units):
        too_long = unit.end - units[first].start > SECTION_CHARACTERS
        if index > first and (too_long or outline.paths[index] != outline.paths[first]):
            yield Section(first, index)
            first = index
    if units:
        yield Section(first, len(units))


def kept_chunks(now: Outlined, earlier: Earlier) -> list[Kept]:
    """Find the earlier chunks that still hold, in the order in which they stand now."""
    before = Outlined.of(earlier.text)
    moved = _same_sections(before, now)
    kept = [found for chunk in earlier.chunks if (found := _placed(chunk, before, now, moved)) is not None]
    return sorted(kept, key=lambda entry: entry.first)


def gaps(kept: Sequence[Kept], units: int) -> list[tuple[int, int]]:
    """The runs of units that no kept chunk covers."""
    bounds = [0, *(edge for entry in kept for edge in (entry.first, entry.last)), units]
    return [(first, last) for first, last in zip(bounds[::2], bounds[1::2], strict=True) if first < last]


def _same_sections(before: Outlined, now: Outlined) -> dict[int, int]:
    """Which section of now is which of before: with the same text and headings, the first the first, and so on."""
    places: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, section in enumerate(now.sections):
        places[_key(now, section)].append(index)
    moved: dict[int, int] = {}
    for places_now in places.values():
        places_now.reverse()
    for index, section in enumerate(before.sections):
        same = places.get(_key(before, section))
        if same:
            moved[index] = same.pop()
    return moved


def _key(outlined: Outlined, section: Section) -> tuple[object, ...]:
    return outlined.path(section), section.last - section.first, outlined.body(section)


def _placed(chunk: Chunk, before: Outlined, now: Outlined, moved: dict[int, int]) -> Kept | None:
    first, last = _units_of_chunk(chunk, before)
    if first >= last:
        return None
    section, final = (
        bisect_right(before.sections, unit, key=lambda section: section.first) - 1
        for unit in (first, last - 1)
    )
    target = moved.get(section)
    touched = range(section, final + 1)
    if target is None or any(moved.get(index) != target + index - section for index in touched):
        return None
    new_first = now.sections[target].first + first - before.sections[section].first
    new_last = now.sections[target + final - section].first + last - before.sections[final].first
    start, end = now.units[new_first].start, now.units[new_last - 1].end
    if now.text[start:end] != chunk.text:  # What stands between two sections may have changed.
        return None
    by = start - chunk.start
    spans = tuple((begin + by, stop + by) for begin, stop in chunk.sentences)
    return Kept(new_first, new_last, replace(chunk, start=start, end=end, sentences=spans))


def _units_of_chunk(chunk: Chunk, before: Outlined) -> tuple[int, int]:
    """The units a chunk consists of; none when it does not begin and end with one, as another chunker's may not."""
    first = bisect_left(before.units, chunk.start, key=lambda unit: unit.start)
    last = bisect_left(before.units, chunk.end, key=lambda unit: unit.end) + 1
    whole = (
        first < len(before.units)
        and last <= len(before.units)
        and before.units[first].start == chunk.start
        and before.units[last - 1].end == chunk.end
    )
    return (first, last) if whole else (0, 0)
