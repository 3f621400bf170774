"""How passages are ordered: words and meaning make the shortlist, then everything that speaks for one counts."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.knowledge.lexical import terms
from concierge.knowledge.ranking import (
    Question,
    Ranked,
    Wording,
    bm25_scale,
    by_evidence,
    by_first_sight,
    same_as_better,
)
from concierge.knowledge.repository.search import Candidate, Contender, StoredPassage

NOW = datetime(2026, 11, 23, tzinfo=UTC)
MOST = 20.0
ASKED = "How long is the return period for garden furniture?"


def candidate(document: int, ordinal: int = 1, *, cosine: float = 0.0, bm25: float = 0.0) -> Candidate:
    return Candidate(UUID(int=document * 1000 + ordinal), UUID(int=document), ordinal, bm25, cosine)


def question(text: str = ASKED) -> Question:
    return Question(text, np.zeros(384, dtype=np.float32), dict.fromkeys(terms(text), 2.0), NOW)


def read(
    entry: Candidate,
    text: str = "",
    *,
    beside: float | None = None,
    document: float = 0.0,
    credibility: float = 0.5,
    authoritative: bool = False,
    days_old: int | None = None,
) -> Contender:
    """The passage of a candidate, read whole."""
    passage = StoredPassage(
        chunk_id=entry.chunk_id,
        document_id=entry.document_id,
        pack_id=UUID(int=0),
        title="Returns",
        url=None,
        headings=(),
        text=text,
        start=0,
        spans=(0, len(text)),
        sentence_vectors=b"",
        updated_at=None if days_old is None else NOW - timedelta(days=days_old),
        credibility=credibility,
        authoritative=authoritative,
    )
    return Contender(passage, document, beside)


def final(passages: Sequence[tuple[Candidate, Contender, float]], floor: float = 0.0) -> list[Ranked]:
    """Order passages given with the cosines of their best sentences."""
    first = by_first_sight([entry for entry, _, _ in passages], 1.0)
    return by_evidence(
        first,
        [entry for _, entry, _ in passages],
        [cosine for _, _, cosine in passages],
        question(),
        1.0,
        floor,
    )


candidates = st.lists(
    st.builds(
        candidate,
        st.integers(1, 5),
        st.integers(0, 6),
        cosine=st.floats(-1, 1),
        bm25=st.floats(0, MOST),
    ),
    max_size=30,
    unique_by=lambda entry: entry.chunk_id,
)


@given(candidates, st.randoms(use_true_random=False))
def test_every_candidate_is_ranked_once_by_falling_score_in_whatever_order_it_came(
    found: list[Candidate], random: Random
) -> None:
    ranking = by_first_sight(found, bm25_scale(found, MOST))

    assert {entry.candidate for entry in ranking} == set(found)
    assert [entry.score for entry in ranking] == sorted((entry.score for entry in ranking), reverse=True)
    assert by_first_sight(random.sample(found, len(found)), bm25_scale(found, MOST)) == ranking


def test_meaning_decides_where_words_are_equal_and_words_where_meaning_is() -> None:
    words, meaning, neither = candidate(1, bm25=8), candidate(2, cosine=0.9), candidate(3)

    assert by_first_sight([neither, words, meaning], 8.0)[-1].candidate == neither


def test_a_poor_match_is_not_made_much_of_when_there_is_no_better() -> None:
    assert bm25_scale([candidate(1, bm25=1.0)], 16.0) == pytest.approx(4.0)
    assert bm25_scale([candidate(1, bm25=16.0)], 16.0) == pytest.approx(16.0)
    assert bm25_scale([], 16.0) == 1.0


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (read(candidate(1), "You have a return period of 30 days."), read(candidate(2), "Period furniture.")),
        (read(candidate(1), beside=0.8), read(candidate(2), beside=0.1)),
        (read(candidate(1), beside=0.8), read(candidate(2))),
        (read(candidate(1), document=0.7), read(candidate(2), document=0.2)),
        (read(candidate(1), credibility=0.9), read(candidate(2), credibility=0.4)),
        (read(candidate(1), authoritative=True), read(candidate(2), credibility=0.9)),
        (read(candidate(1), days_old=30), read(candidate(2), days_old=700)),
        (read(candidate(1), days_old=700), read(candidate(2))),
        (read(candidate(1), days_old=-5), read(candidate(2), days_old=90)),
    ],
    ids=[
        "words side by side",
        "a better neighbour",
        "a neighbour at all",
        "a document about it",
        "a more credible source",
        "an authoritative source",
        "a newer page",
        "a page with a date",
        "a date in the future",
    ],
)
def test_of_two_equal_candidates_more_speaks_for_one(better: Contender, worse: Contender) -> None:
    ranking = final(
        [(candidate(2, cosine=0.5), worse, 0.5), (candidate(1, cosine=0.5), better, 0.5)], floor=0.3
    )

    assert ranking[0].candidate.document_id == better.passage.document_id


def test_a_passage_with_one_sentence_that_answers_goes_before_one_that_is_near_throughout() -> None:
    near, answers = candidate(1, cosine=0.6), candidate(2, cosine=0.5)

    ranking = final([(near, read(near), 0.6), (answers, read(answers), 0.8)])

    assert ranking[0].candidate == answers


def test_the_opening_of_a_document_goes_first_where_all_else_is_equal() -> None:
    opening, later = candidate(1, 0), candidate(1, 3)

    assert final([(later, read(later), 0.5), (opening, read(opening), 0.5)])[0].candidate == opening


def test_a_neighbour_below_the_last_candidate_takes_nothing_away() -> None:
    weak, alone = candidate(1), candidate(2)

    one, other = final([(weak, read(weak, beside=-0.9), 0.5), (alone, read(alone), 0.5)], floor=0.2)

    assert one.score == other.score


def test_a_passage_that_went_away_meanwhile_is_left_out() -> None:
    here, gone = candidate(1), candidate(2)

    ranking = by_evidence(by_first_sight([here, gone], 1.0), [read(here)], [0.5], question(), 1.0, 0.0)

    assert [entry.candidate for entry in ranking] == [here]


def test_copies_of_one_page_are_one_source() -> None:
    page, copy, other = (candidate(number, cosine=1 - number / 10) for number in (1, 2, 3))
    own_second = candidate(1, 2, cosine=0.1)
    along, across = np.eye(2, dtype=np.float32)
    vectors = dict.fromkeys((page.chunk_id, copy.chunk_id, own_second.chunk_id), along)

    ranking = by_first_sight([page, copy, other, own_second], 1.0)

    assert same_as_better(ranking, {**vectors, other.chunk_id: across}) == {copy.chunk_id: page.chunk_id}
    assert same_as_better([], {}) == {}


def test_nothing_found_is_an_empty_ranking() -> None:
    assert final([]) == []


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("The return period is generous: garden furniture has a season.", 2 / 5),
        ("Returns: periods for the garden and furniture", 3 / 5),
        ("Furniture for the garden, a period of returning", 0.0),
        ("", 0.0),
    ],
)
def test_pairs_are_words_that_stand_together_in_both(text: str, share: float) -> None:
    """Of the five words of the question each pair counts as one; word forms and short words between do not matter."""
    assert Wording(question()).met_in(read(candidate(1), text).passage).pairs == pytest.approx(share)


def test_a_pair_in_the_title_or_a_heading_counts_half_of_one_in_the_text() -> None:
    asking, passage = Wording(question()), read(candidate(1), "Ask us.").passage

    in_text = asking.met_in(replace(passage, text="Garden furniture")).pairs
    in_title = asking.met_in(replace(passage, title="Garden furniture")).pairs
    in_heading = asking.met_in(replace(passage, headings=("All furniture", "Garden furniture"))).pairs
    in_both = asking.met_in(replace(passage, text="Garden furniture", title="Garden furniture")).pairs

    assert in_text == in_both == 1 / 5
    assert in_title == in_heading == pytest.approx(in_text / 2)


def test_what_is_named_by_a_code_counts_more_than_its_parts_side_by_side() -> None:
    asking = Wording(question("What is the largest disk of db.t2.small?"))
    named = asking.met_in(read(candidate(1), "| db.t2.small | 16 |").passage).pairs
    apart = asking.met_in(read(candidate(1), "The largest disk is small.").passage).pairs

    assert named > 2 * apart > 0


SPOKEN = st.lists(
    st.sampled_from(("return", "returns", "re", "turn", "period", "of", "the", "_period", "straße", "a")),
    max_size=12,
).flatmap(lambda words: st.sampled_from((" ", ", ", "-", "")).map(lambda glue: glue.join(words)))


@given(SPOKEN, SPOKEN)
def test_words_are_found_as_patterns_would_find_them(asked: str, text: str) -> None:
    """A pattern says what is meant: where a word begins the longest root counts; between a pair may stand two short words."""
    asking, words = question(asked), terms(asked)
    roots = sorted({word.removesuffix("i") for word in words}, key=len, reverse=True)
    begun = {root for root in roots if re.search(_begun(root, roots), text)}
    together = {
        (one, other)
        for one, other in pairwise(word.removesuffix("i") for word in words)
        if {one, other} <= begun
        and re.search(rf"{_start(one)}\w*\W+(?:\w{{1,4}}\W+){{0,2}}{re.escape(other)}", text)
    }

    met = Wording(asking).met_in(replace(read(candidate(1), text).passage, title=""))

    assert met.coverage == pytest.approx(2 * len(begun) / asking.total)
    assert met.pairs == pytest.approx(min(1.0, 2 * len(together) / asking.total))


def _begun(root: str, roots: Sequence[str]) -> str:
    longer = [other for other in roots if other != root and other.startswith(root)]
    return _start(root) + "".join(rf"(?!{re.escape(other[len(root) :])})" for other in longer)


def _start(root: str) -> str:
    return (r"\b" if root.isascii() else "") + re.escape(root)


@pytest.mark.parametrize(
    ("text", "headings", "share"),
    [
        ("Returning a chair takes a week.", (), 1 / 5),
        ("A week.", ("Garden furniture",), 3 / 5),
        ("A week.", (), 1 / 5),
        ("Misperiodical", (), 1 / 5),
    ],
)
def test_coverage_counts_words_of_the_text_its_headings_and_its_title(
    text: str, headings: tuple[str, ...], share: float
) -> None:
    """Each of the question's five words counts a fifth; the title, "Returns", holds one. Words match from their start."""
    passage = replace(read(candidate(1), text).passage, headings=headings)

    assert Wording(question()).met_in(passage).coverage == pytest.approx(share)


def test_a_question_of_a_word_or_two_asks_for_the_passage_that_opens_a_document() -> None:
    opening, later = candidate(1, 0), candidate(2, 5)
    asked = question("Kubernetes clusters")

    def scores(text: str) -> float:
        ranking = by_evidence(
            by_first_sight([opening, later], 1.0),
            [read(opening), read(later)],
            [0.5, 0.5],
            question(text),
            1.0,
            0.0,
        )
        return ranking[0].score - ranking[1].score

    assert Wording(asked).is_short
    assert scores("Kubernetes clusters") > scores(ASKED) > 0


def test_a_bare_heading_does_not_stand_for_an_answer() -> None:
    assert Wording(question()).met_in(read(candidate(1), "Return period").passage).substance < 0.1
