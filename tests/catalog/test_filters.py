"""What is read from a message about price, category, properties, stock and order."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.catalog.filters import Facet, Filters, Vocabulary, read, read_after

VOCABULARY = Vocabulary.of(
    [
        Facet("category", "Sofas"),
        Facet("category", "Chairs"),
        Facet("category", "Beds"),
        Facet("category", "Lighting"),
        Facet("category", "Care products"),
        Facet("Colour", "Palm Green"),
        Facet("Colour", "Sand"),
        Facet("Colour", "Charcoal"),
        Facet("Colour", "Natural"),
        Facet("Finish", "Natural"),
        Facet("Size", "M"),
    ],
    {"davenport": "Sofas"},
)


def said(message: str) -> list[str]:
    return list(read(message, VOCABULARY).said("USD"))


@pytest.mark.parametrize(
    ("message", "filters"),
    [
        ("sofas under 900", ["Sofas", "up to $900"]),
        ("a couch between 200 and 400 euros", ["Sofas", "from €200 to €400"]),
        ("cheaper than $1,200", ["up to $1,200"]),
        ("around 500", ["from $400 to $600"]),
        ("at least 300 dollars", ["from $300"]),
        ("chairs over $100 and under $200", ["Chairs", "from $100 to $200"]),
        ("sofa for 2k or less", ["Sofas", "up to $2,000"]),
        ("my budget is 1.500 €", ["up to €1,500"]),
        ("something 200-400 €", ["from €200 to €400"]),
        ("cheapest chair in stock", ["Chairs", "in stock", "cheapest first"]),
        ("your most expensive bed", ["Beds", "dearest first"]),
        ("newest lamps", ["Lighting", "newest first"]),
        ("What's on sale?", ["reduced just now"]),
        ("a sand or charcoal sofa under 1000", ["Sofas", "Sand or Charcoal", "up to $1,000"]),
        ("palm green chairs under 200 dollars", ["Chairs", "Palm Green", "up to $200"]),
        ("natural chairs under 200 dollars", ["Chairs", "Natural", "up to $200"]),
        ("a davenport below 1000", ["Sofas", "up to $1,000"]),
    ],
)
def test_a_condition_is_read_as_a_shopkeeper_would(message: str, filters: list[str]) -> None:
    assert said(message) == filters


@pytest.mark.parametrize(
    "message",
    [
        "a table for at least 6 people",
        "a sofa under 200 cm wide",
        "I have been waiting for over 14 days",
        "is it out of stock?",
        "around 6",
        "less than 30 kg please",
        "who takes care of delivery?",
        "natural latex",
        "I am in Sandy Bay",
        "",
    ],
)
def test_what_is_no_condition_is_not_made_one(message: str) -> None:
    assert said(message) == []


def test_a_category_alone_says_what_it_is_about_and_is_no_condition() -> None:
    filters = read("Do you have sofas?", VOCABULARY)

    assert filters.categories == (Facet("category", "Sofas"),)
    assert not filters.narrow


def test_a_word_is_looked_for_under_its_other_names_too() -> None:
    assert read("a comfy couch", VOCABULARY).others["couch"] == ("sofa", "sette")


def test_prices_in_other_money_are_told_apart() -> None:
    filters = read("sofa under 900 euros", VOCABULARY)

    assert filters.is_foreign("USD")
    assert not filters.is_foreign("EUR")


@given(st.integers(10, 999_999), st.sampled_from(["under", "below", "up to", "at most", "less than"]))
def test_an_upper_bound_is_the_number_that_was_written(amount: int, words: str) -> None:
    for written in (f"{amount}", f"{amount:,}"):
        filters = read(f"a sofa {words} ${written}", VOCABULARY)
        assert (filters.low, filters.high, filters.currency) == (None, Decimal(amount), "USD")


@given(st.integers(10, 99_999), st.integers(10, 99_999))
def test_the_lower_bound_is_never_above_the_upper_one(one: int, other: int) -> None:
    filters = read(f"between {one} and {other}", VOCABULARY)

    assert (filters.low, filters.high) == (min(one, other), max(one, other))


@given(st.text(max_size=300))
def test_any_text_can_be_read(message: str) -> None:
    filters = read(message, VOCABULARY)

    assert isinstance(filters, Filters)
    assert filters.low is None or filters.high is None or filters.low <= filters.high


@pytest.mark.parametrize(
    ("message", "filters"),
    [
        ("the cheapest one please", ["Chairs", "cheapest first"]),
        ("Actually my budget is $1,500 now", ["Chairs", "up to $1,500"]),
        ("the cheapest sofa", ["Sofas", "cheapest first"]),
        ("is the Palma below $900?", ["up to $900"]),
        ("anything below $50?", ["up to $50"]),
    ],
)
def test_a_condition_is_meant_of_the_kind_that_was_last_spoken_of(message: str, filters: list[str]) -> None:
    earlier = ["does it have armrests?", "What chairs do you have?", "Do you sell beds?"]

    assert list(read_after(message, earlier, VOCABULARY).said("USD")) == filters


def test_something_bigger_is_of_the_same_kind() -> None:
    assert read_after("And something bigger?", ["a sofa under $900"], VOCABULARY).categories == (
        Facet("category", "Sofas"),
    )
    assert read_after("And something for the garden?", ["a sofa under $900"], VOCABULARY).categories == ()
