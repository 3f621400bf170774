"""A message that goes on is read as somebody would put it who had not heard what was said before."""

import pytest

from concierge.chat.following import is_asked, meant_by, meant_on, thing_in
from concierge.conversations.schemas import Exchange


def after(*history: tuple[str, str | None]) -> list[Exchange]:
    return [Exchange(message, "…", about=about) for message, about in history]


CHAIRS = ("What chairs do you have?", "Kelapa chair")
WIRES = ("What does an outgoing wire cost on Lime Green?", "Lime Green Account: Wire Transfer Pricing")
PALMA = ("How wide is the Palma?", "Palma sofa")


@pytest.mark.parametrize(
    ("history", "message", "meant"),
    [
        # What is pointed to is the thing that the last reply was about, or that was named.
        ([CHAIRS], "How much can it carry?", "How much can it carry? (Kelapa chair)"),
        ([PALMA], "Will it fit through a 72 cm door?", "Will it fit through a 72 cm door? (Palma)"),
        (
            [CHAIRS, ("Does it have armrests?", "Kelapa chair")],
            "and how heavy is it?",
            "and how heavy is it? (Kelapa chair)",
        ),
        # A short question that names nothing is asked of what was named.
        ([PALMA], "What is the seat height?", "What is the seat height? (Palma)"),
        # What only names something else asks the same of it.
        ([CHAIRS], "and tables?", "What chairs do you have? and tables?"),
        ([WIRES], "And on Navy Blue?", "What does an outgoing wire cost on ? And on Navy Blue?"),
        ([CHAIRS], "the cheapest one please", "What chairs do you have? the cheapest one please"),
        # What stands by itself stays as it is.
        ([], "How much can it carry?", "How much can it carry?"),
        ([PALMA], "Do you deliver to Norway?", "Do you deliver to Norway?"),
        ([PALMA], "thanks, bye!", "thanks, bye!"),
        ([("Do you ship to Iceland?", None)], "Is it expensive?", "Is it expensive?"),
        ([CHAIRS], "My table is broken, can I send it back?", "My table is broken, can I send it back?"),
        ([PALMA], "x" * 201, "x" * 201),
    ],
)
def test_a_message_is_read_with_what_was_said_before(
    history: list[tuple[str, str | None]], message: str, meant: str
) -> None:
    assert meant_by(message, after(*history)) == meant


def test_a_thing_is_found_in_the_title_of_its_page() -> None:
    assert thing_in("Palma sofa") == "Palma sofa"
    assert thing_in("FAQ: Purple Account") == "Purple Account"
    assert thing_in("Everything that one should know before the first delivery arrives") is None


def test_a_question_begins_like_one() -> None:
    assert is_asked("How do I request a refund")
    assert not is_asked("my table wobbles")


@pytest.mark.parametrize(
    ("page", "message", "meant"),
    [
        ("https://shop.example/products/lagoon-table", "delivery time?", "delivery time? (lagoon table)"),
        ("https://shop.example/products/lagoon-table?c=1", "Is it oiled?", "Is it oiled? (lagoon table)"),
        ("https://shop.example/products/lagoon-table", "Does the table wobble?", "Does the table wobble?"),
        (
            "https://shop.example/products/lagoon-table",
            "Do you deliver to Norway?",
            "Do you deliver to Norway?",
        ),
        ("https://shop.example/products/lagoon-table", "Hello", "Hello"),
        ("https://shop.example/products/", "delivery time?", "delivery time?"),
        ("https://shop.example/help", "Is it oiled?", "Is it oiled?"),
        ("", "Is it oiled?", "Is it oiled?"),
    ],
)
def test_a_first_message_is_about_the_product_on_whose_page_it_was_written(
    page: str, message: str, meant: str
) -> None:
    assert meant_on(page, message) == meant
