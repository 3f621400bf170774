"""How candidates are ordered: both scores count, and a neighbour or a second chunk lends support, never takes it."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from concierge.knowledge.repository.search import Candidate
from concierge.knowledge.search import (
    CONTENDERS,
    WEIGHTS,
    Ranked,
    RankingWeights,
    bm25_scale,
    missing_neighbours,
    ranked,
    standing_of,
)

CEILING = 20.0
PLAIN = replace(WEIGHTS, neighbour=0.0, document=0.0)


def candidate(document: int, ordinal: int, *, cosine: float = 0.0, bm25: float = 0.0) -> Candidate:
    return Candidate(UUID(int=document * 1000 + ordinal), UUID(int=document), ordinal, bm25, cosine)


def order(
    candidates: Sequence[Candidate],
    *,
    around: Sequence[Candidate] = (),
    weights: RankingWeights = WEIGHTS,
) -> list[Ranked]:
    scale = bm25_scale(candidates, CEILING)
    return ranked(standing_of(candidates, scale, weights), around, scale, weights)


def score_of(ranking: Sequence[Ranked], document: int) -> float:
    return next(entry.score for entry in ranking if entry.candidate.document_id == UUID(int=document))


places = st.lists(
    st.builds(
        candidate,
        st.integers(1, 5),
        st.integers(0, 6),
        cosine=st.floats(-1, 1),
        bm25=st.floats(0, CEILING),
    ),
    max_size=30,
    unique_by=lambda entry: entry.chunk_id,
)


@given(places)
def test_every_candidate_is_ranked_once_by_falling_score(candidates: list[Candidate]) -> None:
    ranking = order(candidates)

    assert sorted(entry.candidate.chunk_id for entry in ranking) == sorted(
        entry.chunk_id for entry in candidates
    )
    assert [entry.score for entry in ranking] == sorted((entry.score for entry in ranking), reverse=True)


@given(places)
def test_support_only_ever_adds(candidates: list[Candidate]) -> None:
    alone = {entry.candidate.chunk_id: entry.score for entry in order(candidates, weights=PLAIN)}

    assert all(entry.score >= alone[entry.candidate.chunk_id] for entry in order(candidates))


@given(places, st.randoms(use_true_random=False))
def test_the_order_in_which_candidates_come_does_not_matter(
    candidates: list[Candidate], random: Random
) -> None:
    shuffled = random.sample(candidates, len(candidates))

    assert order(shuffled) == order(candidates)


def test_meaning_decides_where_words_are_equal_and_words_where_meaning_is() -> None:
    words, meaning, neither = candidate(1, 0, bm25=8), candidate(2, 0, cosine=0.9), candidate(3, 0)

    ranking = order([neither, words, meaning], weights=PLAIN)

    assert ranking[-1].candidate == neither


def test_the_better_neighbour_lends_support_even_when_it_is_no_candidate() -> None:
    candidates = [candidate(1, 4, cosine=0.6), candidate(2, 4, cosine=0.6), candidate(3, 0, cosine=0.1)]
    around = [candidate(2, 3, cosine=0.5), candidate(2, 5, cosine=0.2), candidate(1, 3, cosine=-0.5)]

    ranking = order(candidates, around=around)

    assert ranking[0].candidate.document_id == UUID(int=2)
    assert score_of(ranking, 2) - score_of(ranking, 1) > 0
    assert len(ranking) == len(candidates)


def test_a_document_with_two_matching_chunks_goes_before_one_with_one() -> None:
    crowd = [candidate(10 + number, 0, cosine=0.3) for number in range(30)]
    one, two = candidate(1, 0, cosine=0.70), [candidate(2, 0, cosine=0.69), candidate(2, 9, cosine=0.65)]

    ranking = order([*crowd, one, *two])

    assert ranking[0].candidate == two[0]


def test_neighbours_are_asked_for_of_the_best_only_and_never_twice() -> None:
    best = [candidate(1, ordinal, cosine=0.9) for ordinal in (0, 1, 3)]
    rest = [candidate(100 + number, 5, cosine=0.1) for number in range(CONTENDERS)]
    candidates = [*best, *rest]

    asked = missing_neighbours(standing_of(candidates, bm25_scale(candidates, CEILING), WEIGHTS))

    assert len(asked) == len(set(asked)) == 2 + 2 * (CONTENDERS - len(best))
    assert {(document.int, ordinal) for document, ordinal in asked if document.int == 1} == {(1, 2), (1, 4)}


def test_nothing_found_is_an_empty_ranking() -> None:
    assert order([]) == []
