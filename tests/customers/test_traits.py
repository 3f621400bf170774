"""What somebody is like moves with evidence and fades with time."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.customers.traits import HALF_LIFE_DAYS, Shown, Traits
from tests.customers.remembering import DAY, NOON

HALF_LIFE = timedelta(days=HALF_LIFE_DAYS)
EXPERT = Shown("technical_level", "expert", 0.9)
BEGINNER = Shown("technical_level", "beginner", 0.9)


def after(*shown: Shown, traits: Traits | None = None, at: datetime = NOON) -> Traits:
    return (traits or Traits()).moved(shown, at)


def test_half_of_a_trait_is_left_after_thirty_days() -> None:
    faded = after(EXPERT).faded(NOON + HALF_LIFE)

    assert faded.weights["technical_level"]["expert"] == pytest.approx(0.45)


def test_evidence_makes_a_trait_surer_and_silence_less_sure() -> None:
    once, twice = after(EXPERT), after(EXPERT, EXPERT)

    sureness = [traits.leading("technical_level", NOON) for traits in (once, twice)]
    later = twice.leading("technical_level", NOON + 2 * HALF_LIFE)

    assert sureness[0] is not None
    assert sureness[1] is not None
    assert later is not None
    assert sureness[0][1] < sureness[1][1]
    assert later[1] < sureness[1][1]


def test_what_was_shown_lately_overcomes_what_was_shown_long_ago() -> None:
    traits = after(EXPERT, EXPERT)
    traits = after(BEGINNER, traits=traits, at=NOON + 3 * HALF_LIFE)

    leading = traits.leading("technical_level", NOON + 3 * HALF_LIFE)

    assert leading is not None
    assert leading[0] == "beginner"


def test_a_guess_and_what_is_neutral_move_nothing() -> None:
    traits = after(
        Shown("mood", "happy", 0.4), Shown("response_style", "neutral", 0.9), Shown("height", "tall", 1)
    )

    assert traits.weights == {}
    assert traits.leading("mood", NOON) is None


def test_traits_read_back_as_they_were_stored() -> None:
    traits = after(EXPERT, BEGINNER)

    assert Traits.of(traits.stored()) == traits


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"at": "never"},
        {"weights": 5, "at": "x"},
        {"at": "2026-01-01T00:00:00+00:00", "weights": {"mood": 1}},
    ],
)
def test_what_is_stored_wrong_is_no_trait(stored: dict[str, Any]) -> None:
    assert Traits.of(stored).weights == {}


@given(st.lists(st.floats(0.5, 1), max_size=10), st.integers(0, 400), st.integers(0, 400))
def test_fading_never_adds_and_does_not_mind_being_done_in_two_steps(
    confidences: list[float], first: int, second: int
) -> None:
    traits = after(*(Shown("mood", "happy", confidence) for confidence in confidences))

    at_once = traits.faded(NOON + (first + second) * DAY)
    in_steps = traits.faded(NOON + first * DAY).faded(NOON + (first + second) * DAY)

    before = sum(confidences)
    left = at_once.weights.get("mood", {}).get("happy", 0.0)
    assert left <= before
    assert in_steps.weights.get("mood", {}).get("happy", 0.0) == pytest.approx(left, abs=0.011)
