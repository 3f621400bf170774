"""Statements that disagree are found, and only those; the better source or the newer date decides."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.knowledge.contradictions import (
    Sentence,
    Statement,
    contradictions,
    disagree,
    statements_of,
    values_of,
)

OLD, NEW = datetime(2024, 3, 1, tzinfo=UTC), datetime(2026, 5, 3, tzinfo=UTC)


def sentence(text: str, title: str = "Returns", *headings: str, document: UUID | None = None) -> Sentence:
    return Sentence(document or uuid4(), 0, len(text), text, title, headings)


def stated(*sentences: Sentence) -> list[Statement]:
    return [statement for each in sentences for statement in statements_of(each)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It costs $1,299.50.", [("price", "usd", "1299.5")]),
        ("It costs 49 euros.", [("price", "eur", "49")]),
        ("You have thirty-one days.", [("duration", "days", "31")]),
        ("You have two weeks.", [("duration", "days", "14")]),
        ("It takes 5 business days.", [("duration", "working days", "5")]),
        ("The contract runs for 2 years.", [("duration", "months", "24")]),
        ("You save 12.5 % today.", [("share", "%", "12.5")]),
        ("It ends on 3 May 2026.", [("date", "date", "2026-05-03")]),
        ("It ends on May 3rd, 2026.", [("date", "date", "2026-05-03")]),
        ("It ended in May 2025.", [("date", "month", "2025-05")]),
        ("It ends on 2026-05-03.", [("date", "date", "2026-05-03")]),
        ("It holds 330 kg.", [("amount", "kg", "330")]),
        ("Up to 5 users may join.", [("amount", "user", "5")]),
        ("Nothing is counted here.", []),
    ],
)
def test_values_are_read_with_their_units(text: str, found: list[tuple[str, str, str]]) -> None:
    assert [(value.kind, value.unit, value.amount) for value, _, _ in values_of(text)] == found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("You have 30 days to return a product.", "You have 14 days to return a product."),
        ("Express delivery within Germany costs $29.", "Express delivery within Germany costs $39."),
        ("The discount for members is 10 %.", "The discount for members is 15 percent."),
        ("The summer sale ends on 3 May 2026.", "The summer sale ends on 10 May 2026."),
        ("The free plan includes 5 users.", "The free plan includes ten users."),
    ],
)
def test_another_value_of_the_same_thing_is_a_contradiction(one: str, other: str) -> None:
    (found,) = contradictions(stated(sentence(one), sentence(other)))

    assert {found.valid.text, found.other.text} == {one, other}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("You have 30 days to return a product.", "You have 30 days to return a product."),
        ("You have 14 days to return a product.", "You have two weeks to return a product."),
        ("You have 30 days to return a product.", "You have 30 days to pay the invoice."),
        ("You have 30 days to return a product.", "You have 14 days to cancel a delivery."),
        ("Delivery of a chair costs $29.", "Delivery of a chair costs from $19."),
        ("We deliver a sofa in 5 days.", "We don't deliver a sofa in 3 days."),
        ("Delivery of a chair takes 5 days.", "Delivery of a chair takes 5 working days."),
        ("It costs $29.", "It costs $39."),
        ("See https://shop.example/list/30 about returning a product.", "See https://shop.example/list/14 about returning a product."),
    ],
)  # fmt: skip
def test_what_differs_in_more_than_its_value_is_none(one: str, other: str) -> None:
    assert contradictions(stated(sentence(one), sentence(other))) == []


def test_two_products_may_differ() -> None:
    text = "The price including delivery and assembly is {} dollars."
    palma = sentence(text.format(899), "Palma sofa")
    lagoon = sentence(text.format(649), "Lagoon table")
    newer = sentence(text.format(999), "Palma sofa 2026")

    assert contradictions(stated(palma, lagoon)) == []
    assert len(contradictions(stated(palma, lagoon, newer))) == 1


def test_a_document_does_not_contradict_itself() -> None:
    one, document = "You have 30 days to return a product.", uuid4()

    same = [sentence(one, document=document), sentence(one.replace("30", "14"), document=document)]

    assert contradictions(stated(*same)) == []


def test_two_versions_of_a_list_are_compared_item_by_item() -> None:
    def version(pro: int) -> list[Sentence]:
        document = uuid4()
        lines = [
            "The hobby plan includes usage for $5 a month.",
            f"The pro plan includes usage for ${pro} a month.",
        ]
        return [sentence(line, "Bill", document=document) for line in lines]

    (found,) = contradictions(stated(*version(20), *version(27)))

    assert {found.valid.value.amount, found.other.value.amount} == {"20", "27"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Example 1: the key has 2048 bits of entropy.", "Example 2: the key has 4096 bits of entropy."),
        (
            "Patch 12.2.0.1 is the release update of Jan 2020.",
            "Patch 18.0 is the release update of Oct 2019.",
        ),
    ],
)
def test_what_has_another_number_is_another_thing(one: str, other: str) -> None:
    assert contradictions(stated(sentence(one), sentence(other))) == []


@pytest.mark.parametrize("swapped", [False, True])
def test_the_better_source_then_the_newer_one_holds(*, swapped: bool) -> None:
    base = sentence("You have 30 days to return a product.")
    other = sentence("You have 14 days to return a product.")

    def valid(one: Sentence, two: Sentence) -> tuple[str, bool]:
        (found,) = contradictions(stated(*((two, one) if swapped else (one, two))))
        return found.valid.value.amount, found.settled

    assert valid(replace(base, dated=OLD), replace(other, dated=NEW)) == ("14", True)
    assert valid(replace(base, dated=OLD, authoritative=True), replace(other, dated=NEW)) == ("30", True)
    assert valid(replace(base, credibility=0.9), replace(other, dated=NEW)) == ("30", True)
    assert valid(base, replace(other, dated=NEW))[1] is False


WORDS = st.lists(
    st.sampled_from(
        ["delivery", "chair", "table", "sofa", "return", "price", "costs", "germany", "norway", "within"]
    ),
    min_size=3,
    max_size=8,
)


@given(st.lists(st.tuples(WORDS, st.integers(1, 3)), max_size=12))
def test_blocks_miss_no_pair(drawn: list[tuple[list[str], int]]) -> None:
    statements = stated(*(sentence(f"{' '.join(words)} {days} days.", "FAQ") for words, days in drawn))

    found = {frozenset((id(pair.valid), id(pair.other))) for pair in contradictions(statements)}

    assert found == {
        frozenset((id(one), id(other))) for one in statements for other in statements if disagree(one, other)
    }
