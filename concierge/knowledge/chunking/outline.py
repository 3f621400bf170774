"""Which headings a unit stands under, and which headings a chunk that begins there may not cross."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from concierge.knowledge.chunking.spans import Kind, Unit, heading_title

NO_HEADING = 7  # Deeper than any: before the first heading, every heading is a new section.


@dataclass(frozen=True, slots=True)
class Outline:
    paths: tuple[tuple[str, ...], ...]  # per unit, its own title included when it is a heading
    barriers: NDArray[np.int64]  # per unit, the next heading of its own or a higher level, or the end


def outline_of(text: str, units: Sequence[Unit]) -> Outline:
    paths: list[tuple[str, ...]] = []
    levels: list[int] = []
    stack: list[tuple[int, str]] = []
    path: tuple[str, ...] = ()
    for unit in units:
        if unit.kind is Kind.HEADING:
            stack = [entry for entry in stack if entry[0] < unit.level] + [
                (unit.level, heading_title(text, unit))
            ]
            path = tuple(title for _, title in stack if title)
        paths.append(path)
        levels.append(stack[-1][0] if stack else NO_HEADING)
    return Outline(tuple(paths), _barriers(units, levels))


def _barriers(units: Sequence[Unit], levels: Sequence[int]) -> NDArray[np.int64]:
    """From the end backwards, remembering for each level where the next heading of that level or higher stands.

    Headings with no text of their own do not stand alone: they reach as far as the section after them.
    """
    following = np.full(NO_HEADING + 1, len(units), dtype=np.int64)
    barriers = np.append(np.empty(len(units), dtype=np.int64), len(units))
    body = len(units)
    for index in range(len(units) - 1, -1, -1):
        barrier = following[levels[index]]
        if units[index].kind is Kind.HEADING:
            following[units[index].level :] = index
        else:
            body = index
        barriers[index] = barriers[barrier] if barrier < body else barrier
    return barriers[:-1]
