"""Facts in time: in a slot one thing holds at a time, and nothing is overwritten."""

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.customers.facts import LIFETIMES, Fact, NewFact, Said, all_placed, merged, placed
from concierge.kit.ids import new_id
from tests.customers.remembering import DAY, NOON


def new(value: str, slot: str = "home.place", *, ends: bool = False, confidence: float = 0.8) -> NewFact:
    return NewFact("constraint", "home", slot, value, confidence, ends=ends)


def told(*said: tuple[int, NewFact]) -> list[Fact]:
    """What is known after statements, each with the day on which it was made, in the order in which they were read."""
    known: dict[object, Fact] = {}
    for day, statement in said:
        at = Said(NOON + day * DAY, turn_id=new_id())
        known |= {fact.id: fact for fact in placed(known.values(), statement, at, LIFETIMES)}
    return sorted(known.values(), key=lambda fact: fact.valid_from)


def open_ones(facts: list[Fact]) -> list[str]:
    return [fact.value for fact in facts if fact.is_open]


def test_a_contradiction_closes_what_was_and_opens_what_is() -> None:
    berlin, hamburg = told((0, new("Berlin")), (5, new("Hamburg")))

    assert (berlin.valid_until, berlin.superseded_by) == (NOON + 5 * DAY, hamburg.id)
    assert hamburg.is_open


def test_the_same_again_is_surer_and_lives_longer() -> None:
    (once,) = told((0, new("Berlin")))
    (again,) = told((0, new("Berlin")), (5, new("berlin ")))

    assert again.value == "Berlin"
    assert again.confidence > once.confidence
    assert once.expires_at is not None
    assert again.expires_at == once.expires_at + 5 * DAY


def test_what_comes_late_finds_its_place() -> None:
    facts = told((0, new("Berlin")), (9, new("Hamburg")), (4, new("Bremen")))

    assert [fact.value for fact in facts] == ["Berlin", "Bremen", "Hamburg"]
    assert [fact.valid_until for fact in facts] == [NOON + 4 * DAY, NOON + 9 * DAY, None]


def test_what_no_longer_holds_is_closed_and_nothing_takes_its_place() -> None:
    (cat,) = told((0, new("has a cat", "pet.cat")), (3, new("", "pet.cat", ends=True)))

    assert cat.valid_until == NOON + 3 * DAY
    assert cat.superseded_by is None


def test_only_what_is_denied_is_closed() -> None:
    facts = told((0, new("is vegetarian", "diet")), (3, new("is vegan", "diet", ends=True)))

    assert open_ones(facts) == ["is vegetarian"]


@pytest.mark.parametrize(("thing", "left"), [("table", []), ("chair", ["wobbles"])])
def test_a_mended_thing_has_no_trouble_any_more(thing: str, left: list[str]) -> None:
    facts = told(
        (0, new("wobbles", "trouble.lagoon table.wobbles")), (3, new("", f"trouble.{thing}.*", ends=True))
    )

    assert open_ones(facts) == left


def test_a_budget_for_nothing_in_particular_is_that_of_the_only_thing_there_is_one_for() -> None:
    one = told((0, new("$900", "sofa.budget")), (1, new("$1,200", "*.budget")))
    several = told(
        (0, new("$900", "sofa.budget")), (0, new("$50", "lamp.budget")), (1, new("$1,200", "*.budget"))
    )

    assert open_ones(one) == ["$1,200"]
    assert set(open_ones(several)) == {"$900", "$50", "$1,200"}


def test_of_two_statements_in_one_message_the_later_is_meant() -> None:
    facts = all_placed([], [new("Berlin"), new("Hamburg")], Said(NOON, turn_id=new_id()), LIFETIMES)

    assert open_ones(facts) == ["Hamburg"]
    assert len(facts) == 1


VALUES = st.sampled_from(["a", "b", "c"])
SLOTS = st.sampled_from(
    ["home.place", "diet", "sofa.budget", "*.budget", "trouble.table.wobbles", "trouble.table.*"]
)
STATEMENTS = st.lists(st.tuples(st.integers(0, 20), VALUES, SLOTS, st.booleans()), max_size=25)


def in_slots(facts: list[Fact]) -> list[list[Fact]]:
    lines: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        lines[fact.kind, fact.slot].append(fact)
    return list(lines.values())


def assert_one_at_a_time(facts: list[Fact]) -> None:
    for line in in_slots(facts):
        ordered = sorted(line, key=lambda fact: (fact.valid_from, fact.valid_until or NOON + 9_999 * DAY))
        assert sum(fact.is_open for fact in line) <= 1
        for earlier, later in pairwise(ordered):
            assert earlier.valid_until is not None
            assert earlier.valid_until <= later.valid_from


def said(statements: list[tuple[int, str, str, bool]]) -> list[Fact]:
    return told(
        *((day, new(value, slot, ends=ends or slot.endswith(".*"))) for day, value, slot, ends in statements)
    )


@given(STATEMENTS)
def test_in_a_slot_one_thing_holds_at_a_time_whatever_is_said_and_whenever_it_is_read(
    statements: list[tuple[int, str, str, bool]],
) -> None:
    facts = said(statements)

    assert_one_at_a_time(facts)
    assert all(fact.valid_until is None or fact.valid_from <= fact.valid_until for fact in facts)
    assert all(0 <= fact.confidence <= 1 for fact in facts)


@given(STATEMENTS, STATEMENTS)
def test_two_memories_become_one_in_which_one_thing_holds_at_a_time(
    one: list[tuple[int, str, str, bool]], other: list[tuple[int, str, str, bool]]
) -> None:
    first, second = said(one), said(other)

    both = merged(first, second)

    assert_one_at_a_time(both)
    assert {fact.id for fact in both} == {fact.id for fact in first + second}


@given(STATEMENTS)
def test_nothing_said_is_ever_lost(statements: list[tuple[int, str, str, bool]]) -> None:
    known: dict[object, Fact] = {}
    for day, value, slot, ends in statements:
        at = Said(NOON + day * DAY, turn_id=new_id())
        statement = new(value, slot, ends=ends or slot.endswith(".*"))
        before = set(known)
        known |= {fact.id: fact for fact in placed(known.values(), statement, at, LIFETIMES)}
        assert before <= set(known)


def test_a_fact_may_hold_for_less_than_its_kind_and_never_for_more() -> None:
    short = NewFact("constraint", "x", "x", "by Friday", 0.8, lasts=timedelta(days=60))
    long = NewFact("problem", "x", "x", "wobbles", 0.8, lasts=timedelta(days=999))

    (one,) = placed([], short, Said(NOON), LIFETIMES)
    (other,) = placed([], long, Said(NOON), {"problem": 30})

    assert one.expires_at == NOON + 60 * DAY
    assert other.expires_at == NOON + 30 * DAY
