"""The figures are what their definitions say, against plain reference computations."""

import math
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.knowledge.metrics import (
    abstention,
    abstention_curve,
    average_abstention_precision,
    distinct,
    hit,
    holds_gold,
    ndcg,
    percentile,
    support_roc_area,
    word_recall,
)


@dataclass(frozen=True, slots=True)
class Row:
    answerable: bool
    support: float


rows = st.lists(st.builds(Row, st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 0.5, 0.9, 1.0])), max_size=20)


@pytest.mark.parametrize(
    ("ranking", "relevant", "expected"),
    [
        (["a", "b"], {"a"}, 1.0),
        (["b", "a"], {"a"}, 1 / math.log2(3)),
        (["b", "a", "c"], {"a", "c"}, (1 / math.log2(3) + 1 / math.log2(4)) / (1 + 1 / math.log2(3))),
        (["b"], {"a"}, 0.0),
        ([], {"a"}, 0.0),
        (["x"] * 10 + ["a"], {"a"}, 0.0),
        (["a"], set(), 0.0),
    ],
)
def test_ndcg_discounts_by_the_place_of_what_is_relevant(
    ranking: list[str], relevant: set[str], expected: float
) -> None:
    assert ndcg(ranking, relevant) == pytest.approx(expected)


@given(st.permutations(range(8)), st.sets(st.integers(0, 7), min_size=1))
def test_no_order_has_a_better_ndcg_than_the_relevant_first(ranking: list[int], relevant: set[int]) -> None:
    best = sorted(ranking, key=lambda found: found not in relevant)
    assert 0 <= ndcg(ranking, relevant, 5) <= ndcg(best, relevant, 5) == pytest.approx(1)


def test_a_hit_counts_within_the_first_k_only() -> None:
    assert hit(["b", "a"], {"a"}, 2)
    assert not hit(["b", "a"], {"a"}, 1)


def test_a_document_ranks_where_its_best_chunk_does() -> None:
    assert distinct(["b", "a", "b", "c", "a"]) == ["b", "a", "c"]


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 2), (0.51, 3), (0.95, 4), (1.0, 4)])
def test_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    assert percentile([4, 1, 3, 2], share) == expected


def test_nothing_has_no_percentile() -> None:
    assert math.isnan(percentile([], 0.5))


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("You have **30 days** to decide [1].", ["30 days"]),
        ("The Old  Man of Hoy,\nin Orkney", ["old man of hoy in orkney"]),
        ("It costs $20 [2] per month.", ["$20 per month"]),
        ("You have 30 days.", ["14 days", "30 days"]),
    ],
)
def test_an_answer_holds_a_gold_text_whatever_its_markup(answer: str, gold: list[str]) -> None:
    assert holds_gold(answer, gold)


@pytest.mark.parametrize("gold", [["14 days"], []])
def test_an_answer_does_not_hold_what_it_does_not_say(gold: list[str]) -> None:
    assert not holds_gold("You have 30 days.", gold)


def test_every_gold_text_may_be_asked_for() -> None:
    assert holds_gold("30 days, free of charge", ["30 days", "free"], every=True)
    assert not holds_gold("30 days", ["30 days", "free"], every=True)


def test_word_recall_is_the_share_of_distinct_gold_words() -> None:
    assert word_recall("the chair is oak", "oak chair, oak table") == pytest.approx(2 / 3)


def test_abstention_is_precise_when_it_passes_over_only_what_has_no_answer() -> None:
    figures = abstention([True, True, False, False], [False, True, False, True])

    assert (figures.precision, figures.recall, figures.answered) == (0.5, 0.5, 0.5)


def test_passing_over_nothing_is_precise_and_recalls_nothing() -> None:
    figures = abstention([False, False], [False, True])

    assert (figures.precision, figures.recall, figures.answered) == (1.0, 0.0, 1.0)


@given(rows)
def test_a_higher_threshold_recalls_more_and_answers_less(found: list[Row]) -> None:
    curve = [point.abstention for point in abstention_curve(found, [0.1, 0.4, 0.7, 1.1])]

    assert [point.recall for point in curve] == sorted(point.recall for point in curve)
    assert [point.answered for point in curve] == sorted((point.answered for point in curve), reverse=True)


@given(rows)
def test_the_roc_area_is_the_share_of_pairs_in_the_right_order(found: list[Row]) -> None:
    pairs = [
        (yes.support > no.support) + (yes.support == no.support) / 2
        for yes, no in product(found, found)
        if yes.answerable and not no.answerable
    ]
    area = support_roc_area(found)

    assert area == pytest.approx(sum(pairs) / len(pairs)) if pairs else math.isnan(area)


def test_average_precision_is_one_when_the_unanswerable_have_least_support() -> None:
    assert average_abstention_precision([Row(True, 0.9), Row(False, 0.1), Row(False, 0.2)]) == 1
    assert average_abstention_precision([Row(True, 0.1), Row(False, 0.9)]) == 0.5
