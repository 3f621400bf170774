"""How a conversation ended, and which of its turns that speaks for."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from concierge.conversations.schemas import LastTurn
from concierge.learning.judging import judged
from concierge.learning.rewards import NO_CREDIT, REWARDS, Credit, Ending, Followed, credits_of, deciding
from concierge.learning.schemas.outcomes import OutcomeKind
from concierge.learning.segments import segment_of

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
FIRST, SECOND, THIRD = (Followed(UUID(int=number), NOON + timedelta(minutes=number)) for number in (1, 2, 3))
TURNS = [FIRST, SECOND, THIRD]


def ending(kind: OutcomeKind, minute: int = 10, value: float = 0, turn: Followed | None = None) -> Ending:
    return Ending(kind, value, NOON + timedelta(minutes=minute), turn and turn.turn_id)


def credited(*endings: Ending) -> list[tuple[float, float]]:
    given = credits_of(TURNS, endings)
    return [(round(given[own.turn_id].success, 3), round(given[own.turn_id].failure, 3)) for own in TURNS]


def test_without_an_outcome_nothing_is_credited() -> None:
    assert set(credits_of(TURNS, []).values()) == {NO_CREDIT}


def test_each_turn_counts_half_as_much_as_the_next() -> None:
    assert credited(ending("converted")) == [(0.143, 0), (0.286, 0), (0.571, 0)]


def test_an_outcome_is_partly_a_success() -> None:
    given = credits_of(TURNS, [ending("resolved")]).values()

    assert sum(own.success for own in given) == pytest.approx(0.8)
    assert sum(own.failure for own in given) == pytest.approx(0.2)


@pytest.mark.parametrize(("rating", "success"), [(1, 0), (2, 0.25), (3, 0.5), (4, 0.75), (5, 1)])
def test_a_rating_is_a_success_in_steps(rating: int, success: float) -> None:
    given = credits_of([FIRST], [ending("csat", value=rating)])

    assert given[FIRST.turn_id] == Credit(success, 1 - success)


def test_feedback_on_a_turn_is_for_that_turn_and_those_before() -> None:
    assert credited(ending("thumbs_up", turn=SECOND)) == [(0.3, 0.033), (0.6, 0.067), (0, 0)]


def test_turns_after_the_outcome_have_no_part_in_it() -> None:
    assert credited(ending("converted", minute=2)) == [(0.333, 0), (0.667, 0), (0, 0)]


def test_what_happened_beats_what_was_said_and_that_beats_what_was_concluded() -> None:
    told = [ending("converted", 1), ending("csat", 2, 1), ending("thumbs_down", 3), ending("abandoned", 4)]

    assert [deciding(told[place:]) for place in range(4)] == told


def test_of_equally_strong_ends_the_latest_decides() -> None:
    told = [ending("thumbs_up", 5), ending("thumbs_down", 7), ending("thumbs_up", 6)]

    assert deciding(told) == told[1]


@given(
    some.lists(
        some.builds(ending, some.sampled_from(list(REWARDS)), some.integers(1, 9), some.integers(1, 5))
    )
)
def test_a_conversation_counts_once_whatever_was_said_of_it(endings: list[Ending]) -> None:
    given = credits_of(TURNS, endings).values()

    assert sum(own.success + own.failure for own in given) == pytest.approx(1 if endings else 0)
    assert all(own.success >= 0 and own.failure >= 0 for own in given)


@pytest.mark.parametrize(
    ("status", "answer", "analysis", "kind"),
    [
        ("completed", "answered", {"emotional_state": "neutral"}, None),
        ("completed", "answered", {"emotional_state": "satisfied"}, "resolved"),
        ("completed", "small_talk", {"next_best_actions": ["close_warmly"]}, "resolved"),
        ("completed", "unsupported", {"next_best_actions": ["close_warmly"]}, "resolved"),
        ("failed", None, {"next_best_actions": ["close_warmly"]}, "abandoned"),
        ("completed", "answered", {"emotional_state": "angry"}, "abandoned"),
        ("completed", "unsupported", {"emotional_state": "happy"}, "abandoned"),
        ("completed", "partial", {}, "abandoned"),
        ("failed", None, {}, "abandoned"),
        ("completed", None, {}, None),
    ],
)
def test_a_silent_conversation_is_judged_by_its_last_turn(
    status: str, answer: str | None, analysis: dict[str, object], kind: str | None
) -> None:
    said = {} if answer is None else {"outcome": answer}
    last = LastTurn(UUID(int=1), UUID(int=2), status, analysis, said)  # pyright: ignore[reportArgumentType]  # Words of the table above.

    assert judged(last) == kind


def test_segments_are_few_and_have_names() -> None:
    assert segment_of("anonymous", returning=True, intent="purchase_intent", device="mobile") == (
        "returning · buying · mobile"
    )
    assert (
        segment_of("registered", returning=True, intent="complaint", device=None)
        == "known · in need · desktop"
    )
    assert (
        segment_of("unknown", returning=False, intent="exploration", device="tablet")
        == "new · looking · desktop"
    )
