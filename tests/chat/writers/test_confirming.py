"""What two pages state is shown with both."""

import pytest

from concierge.chat.steps.verify import verify
from concierge.chat.writers.brief import WrittenAnswer
from concierge.chat.writers.house import compose
from tests.chat.writers.library import Library

DELIVERY = "# Delivery\n\nWe deliver to Norway within seven working days. Delivery to Norway costs $49.\n"
ALIKE = "# Prices\n\nWhat we charge for delivery.\n\n| Country | Price |\n|---|---|\n| Delivery to Norway | 49 dollars |\n"
OTHERWISE = "# Prices\n\nWhat we charge for delivery.\n\n| Country | Price |\n|---|---|\n| Delivery to Norway | $59 |\n"
ELSEWHERE = "# Prices\n\nWhat we charge for delivery.\n\n| Country | Price |\n|---|---|\n| Delivery to Sweden | $49 |\n"
QUESTION = "How much does delivery to Norway cost?"


def answer(library: Library, prices: str, question: str = QUESTION) -> WrittenAnswer:
    brief = Library(library.model, {"Delivery": DELIVERY, "Prices": prices}).brief(question)
    written = compose(brief)
    assert verify(written, brief.passages, "blended").answer == written
    return written


def test_an_amount_that_two_pages_state_is_shown_with_both_however_they_write_it(library: Library) -> None:
    written = answer(library, ALIKE)

    assert "costs $49 [1][2]." in written.text
    assert [citation.title for citation in written.citations] == ["Delivery", "Prices"]
    assert "49 dollars" in written.citations[1].quote
    assert written.text.count("49") == 1


@pytest.mark.parametrize("prices", [OTHERWISE, ELSEWHERE], ids=["another amount", "another country"])
def test_another_amount_or_the_same_of_another_thing_confirms_nothing(library: Library, prices: str) -> None:
    assert "[1][2]" not in answer(library, prices).text


def test_where_no_amount_is_asked_for_nothing_is_confirmed(library: Library) -> None:
    assert "[1][2]" not in answer(library, ALIKE, "Do you deliver to Norway?").text


def test_two_pages_that_state_it_are_what_strict_mode_asks_for(library: Library) -> None:
    brief = Library(library.model, {"Delivery": DELIVERY, "Prices": ALIKE}).brief(QUESTION)

    assert verify(compose(brief), brief.passages, "strict").abstained_because is None
