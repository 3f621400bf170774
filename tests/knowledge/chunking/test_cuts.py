"""Cuts against every possible way of cutting, and the structure they respect."""

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from concierge.knowledge.chunking.cuts import Sizes, Weights, cohesion, cut, cut_costs
from concierge.knowledge.chunking.outline import outline_of
from concierge.knowledge.chunking.spans import Kind, Unit, units_of

SIZES = Sizes(target=60, largest=120, tiny=20)
WEIGHTS = Weights()


def line_of(lengths: list[int]) -> list[Unit]:
    """Sentences of these lengths, a space between."""
    units: list[Unit] = []
    position = 0
    for number, length in enumerate(lengths):
        units.append(Unit(position, position + length, Kind.SENTENCE, number // 2))
        position += length + 1
    return units


def cost(units: list[Unit], begins: list[int], sums: NDArray[np.float32]) -> float:
    before = cut_costs(units, sums, WEIGHTS)
    lengths = [
        units[last - 1].end - units[first].start
        for first, last in zip(begins, [*begins[1:], len(units)], strict=True)
    ]
    if any(length > SIZES.largest for length in lengths):
        return np.inf
    return sum(((length - SIZES.target) / SIZES.target) ** 2 for length in lengths) + before[begins].sum()


@given(st.lists(st.integers(1, SIZES.largest), min_size=1, max_size=6), st.integers(0, 1000))
@settings(deadline=None)
def test_no_other_way_of_cutting_costs_less(lengths: list[int], seed: int) -> None:
    units = line_of(lengths)
    sums = np.random.default_rng(seed).normal(size=(len(units), 5)).astype(np.float32)
    begins = cut(units, sums, np.full(len(units), len(units)), SIZES, WEIGHTS)
    every = [
        [0, *inner] for count in range(len(units)) for inner in combinations(range(1, len(units)), count)
    ]
    assert cost(units, begins, sums) <= min(cost(units, other, sums) for other in every) + 1e-9


@given(st.integers(3, 30), st.integers(1, 8))
@settings(deadline=None)
def test_text_that_says_the_same_throughout_has_no_better_place_to_cut(count: int, dimension: int) -> None:
    np.testing.assert_array_equal(
        cohesion(np.ones((count, dimension), dtype=np.float32)), np.zeros(count - 1)
    )


def test_cohesion_is_lowest_where_the_subject_changes() -> None:
    sums = np.repeat(np.eye(2, dtype=np.float32), 4, axis=0)
    assert int(np.argmin(cohesion(sums))) == 3


def chunks_of(text: str, sizes: Sizes) -> list[str]:
    units = units_of(text)
    sums = np.ones((len(units), 4), dtype=np.float32)
    begins = cut(units, sums, outline_of(text, units).barriers, sizes, WEIGHTS)
    ends = [*begins[1:], len(units)]
    return [text[units[first].start : units[last - 1].end] for first, last in zip(begins, ends, strict=True)]


def test_a_heading_stays_with_its_text() -> None:
    text = "Oak lasts. " * 5 + "\n\n## Care\n\n" + "Oil it. " * 6
    assert [chunk.split("\n")[0][:7] for chunk in chunks_of(text, SIZES)] == ["Oak las", "## Care"]


def test_an_empty_section_joins_the_next() -> None:
    assert chunks_of("# A\n\n# B\n\nOak lasts a long time when it is oiled.", SIZES)[0].startswith(
        "# A\n\n# B\n\nOak"
    )


def test_a_list_stays_whole_with_its_introduction_where_the_bound_allows() -> None:
    text = (
        "Oak lasts for many years. It is heavy.\n\nYou need:\n\n- a cloth\n- some oil\n- an hour\n\n"
        + "Then wait. " * 5
    )
    assert any("You need:\n\n- a cloth\n- some oil\n- an hour" in chunk for chunk in chunks_of(text, SIZES))
