"""A passage is found small and read with what stands around it, as far as the reader has room. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The chunks beside a chunk, and the document's text up to their far ends; no chunk and no text where there is none."""

    previous: UUID | None
    before: str
    following: UUID | None
    behind: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`before + passage.text + after` is one stretch of the passage's document, character for character."""

    before: str = ""
    after: str = ""


def surroundings(
    chunks: Sequence[UUID], neighbours: Mapping[UUID, Neighbours], budget: int
) -> dict[UUID, Surroundings]:
    """Give each of these chunks, best first, the whole text beside it while `budget` characters last.

    What follows is worth more than what went before, as answers go on. Nothing is given twice: a neighbour that is one
    of the chunks, or that a better one has, is left out.
    """
    given = set(chunks)
    read: dict[UUID, Surroundings] = {}
    for chunk in chunks:
        beside = neighbours.get(chunk)
        if beside is None:
            continue
        texts: list[str] = []
        for other, text in ((beside.following, beside.behind), (beside.previous, beside.before)):
            fits = other is not None and other not in given and len(text) <= budget
            texts.append(text if fits else "")
            if fits and other is not None:
                budget -= len(text)
                given.add(other)
        read[chunk] = Surroundings(before=texts[1], after=texts[0])
    return read
