"""Where to cut: dynamic programming over units, weighing meaning, structure and size. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from concierge.knowledge.chunking.spans import Kind, Unit

FloatArray = NDArray[np.float32]
Costs = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Characters of a chunk. `largest` is a bound, `target` a wish; a section up to `tiny` may join the next one."""

    target: int = 500
    largest: int = 1000
    tiny: int = 120


@dataclass(frozen=True, slots=True)
class Weights:
    """What speaks for and against a cut, in units of missing the target size by its whole length."""

    cohesion: float = 0.1  # per standard deviation of similarity across the cut
    inside_paragraph: float = 0.1
    inside_group: float = 0.4  # between list items, table rows, lines of code
    heading: float = 0.5  # in favour, before a heading
    orphan: float = 5.0  # a heading cut off from its text


def cut(
    units: Sequence[Unit], sums: FloatArray, barriers: NDArray[np.int64], sizes: Sizes, weights: Weights
) -> list[int]:
    """The index of the first unit of each chunk of one or more units. `sums` holds each unit's summed token states, (units, dimension)."""
    starts = np.array([unit.start for unit in units])
    ends = np.array([unit.end for unit in units])
    before = cut_costs(units, sums, weights)
    total = np.full(len(units) + 1, np.inf)
    total[0] = 0.0
    previous = np.zeros(len(units) + 1, dtype=np.int64)
    lowest = np.searchsorted(starts, ends - sizes.largest)  # the first start within the bound, per last unit
    for end in range(1, len(units) + 1):
        first = min(int(lowest[end - 1]), end - 1)
        lengths = ends[end - 1] - starts[first:end]
        costs = total[first:end] + ((lengths - sizes.target) / sizes.target) ** 2
        costs[(barriers[first:end] < end) & (lengths > sizes.tiny)] += 1e6
        best = int(np.argmin(costs))
        total[end] = costs[best] + before[end]
        previous[end] = first + best
    return _walk_back(previous)


def cut_costs(units: Sequence[Unit], sums: FloatArray, weights: Weights) -> Costs:
    """The cost of cutting before each unit, shape (units + 1,); nothing at both ends."""
    costs = np.zeros(len(units) + 1)
    costs[1:-1] = weights.cohesion * cohesion(sums)
    for index in range(1, len(units)):
        costs[index] += _structure(units[index - 1], units[index], weights)
    return costs


def cohesion(sums: FloatArray, reach: int = 2) -> Costs:
    """How alike the two sides of each inner boundary are, in standard deviations of this document; (units - 1,).

    Each side is the sum of up to `reach` units, seen from the document's mean: what all of it shares tells nothing.
    """
    count = len(sums)
    if count < 3:
        return np.zeros(max(0, count - 1))
    centred = sums - sums.mean(axis=0)
    running = np.concatenate([np.zeros((1, sums.shape[1])), np.cumsum(centred, axis=0, dtype=np.float64)])
    inner = np.arange(1, count)
    left = running[inner] - running[np.maximum(inner - reach, 0)]
    right = running[np.minimum(inner + reach, count)] - running[inner]
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosines = np.einsum("ij,ij->i", left, right) / np.where(norms > 0, norms, 1)
    spread = cosines.std()
    return (cosines - cosines.mean()) / spread if spread > 1e-9 else np.zeros(count - 1)


def _structure(last: Unit, following: Unit, weights: Weights) -> float:
    if last.kind is Kind.HEADING:
        return weights.orphan
    if following.kind is Kind.HEADING:
        return -weights.heading
    if last.block == following.block:
        return weights.inside_paragraph if last.kind is Kind.SENTENCE else weights.inside_group
    if following.kind is Kind.ITEM:
        return weights.inside_group
    return weights.inside_paragraph if following.kind in {Kind.ROW, Kind.CODE} else 0.0


def _walk_back(previous: NDArray[np.int64]) -> list[int]:
    begins: list[int] = []
    position = len(previous) - 1
    while position > 0:
        position = int(previous[position])
        begins.append(position)
    return begins[::-1]
