"""Which messages only the web can answer: a table, and what holds for all messages."""

from datetime import date
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.tools.freshness import wants_fresh

TODAY = date(2026, 11, 27)
MESSAGES = [
    tuple(line.split(" | ", 1))
    for line in Path(__file__).with_name("fresh_messages.txt").read_text("utf-8").splitlines()
    if " | " in line and not line.startswith("#")
]


@pytest.mark.parametrize(("expected", "message"), MESSAGES)
def test_a_message_asks_for_todays_world_or_not(expected: str, message: str) -> None:
    assert wants_fresh(message, TODAY) is (expected == "yes")


def test_the_table_is_large_and_balanced() -> None:
    yes = sum(expected == "yes" for expected, _ in MESSAGES)

    assert len(MESSAGES) >= 80
    assert len({message for _, message in MESSAGES}) == len(MESSAGES)
    assert 0.4 < yes / len(MESSAGES) < 0.6


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("What happened in furniture in 2026?", True),
        ("What comes to furniture in 2027?", True),
        ("What happened in furniture in 2025?", False),
        ("What happened in furniture in 1926?", False),
        ("What is part 2026-118?", False),
        ("What is model X2026?", False),
        ("What is 12.2026?", False),
        ("What are 20265 and 12026?", False),
    ],
)
def test_a_year_counts_while_it_runs(message: str, expected: bool) -> None:  # noqa: FBT001  # A row of a table.
    assert wants_fresh(message, TODAY) is expected


@pytest.mark.parametrize(
    "message",
    ["", "?", " \n ", "🙂", "today", "Today!", "It arrived today.", "Launch is tomorrow and nothing works."],
)
def test_what_asks_nothing_wants_nothing(message: str) -> None:
    assert wants_fresh(message, TODAY) is False


@given(st.sampled_from([message for _, message in MESSAGES]))
def test_case_and_typographic_marks_make_no_difference(message: str) -> None:
    expected = wants_fresh(message, TODAY)

    assert wants_fresh(message.upper().replace("'", "’"), TODAY) is expected
    assert wants_fresh(f"  {message}\n", TODAY) is expected


@given(st.text(max_size=300))
def test_every_text_has_an_answer(message: str) -> None:
    assert wants_fresh(message, TODAY) in {True, False}


def test_a_long_message_takes_no_longer_than_it_is_long() -> None:
    begun = perf_counter()
    wants_fresh("this is not what anybody would write in the " * 450, TODAY)

    assert perf_counter() - begun < 0.5
