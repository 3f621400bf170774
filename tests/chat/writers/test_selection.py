"""Which words of the pages an answer is made from."""

from dataclasses import replace

import pytest

from concierge.chat.steps.verify import verify
from concierge.chat.writers.brief import WrittenAnswer
from concierge.chat.writers.house import HouseWriter
from concierge.chat.writers.selection import read
from tests.chat.writers.library import Library

PAGES = {
    "Functions": """# Functions

For more information about the maximum function timeout, see Function limits.

A function ends when its timeout is over.
""",
    "Function limits": """# Function limits

The maximum timeout of a function is 15 minutes.
""",
    "Forecast guide": """# Forecast guide

- Forecast problem types
- Forecast problem types of today
- Get started with Forecast problem types
""",
    "Forecast problem types": """# Forecast problem types

Forecast knows three problem types: regression, binary classification and multiclass classification.
""",
    "Storage": """# Storage

The maximum storage of most databases is limited by the engine, and 16 TB are usual.

## Largest disks

| Instance class | MariaDB | MySQL |
|---|---|---|
| db.t2.micro | 16 TiB | 12 TiB |
| db.t2.small | 32 TiB | 24 TiB |
| db.t2.medium | 64 TiB | 48 TiB |
""",
}


@pytest.fixture(scope="module")
def manual(library: Library) -> Library:
    return Library(library.model, PAGES)


def answer(manual: Library, question: str) -> WrittenAnswer:
    return HouseWriter().write(manual.brief(question))


def test_what_only_says_where_to_read_on_is_no_answer(manual: Library) -> None:
    reading = read(manual.brief("What is the maximum function timeout?"))

    said = [candidate.unit.text for candidate in reading.ranked]
    assert "The maximum timeout of a function is 15 minutes." in said
    assert not [text for text in said if "see Function limits" in text]


def test_entries_of_a_table_of_contents_repeat_the_question_and_do_not_answer_it(manual: Library) -> None:
    written = answer(manual, "What are the Forecast problem types?")

    assert written.text.startswith("Forecast knows three problem types")


def test_asked_about_a_thing_by_its_code_its_row_answers_with_the_column_as_it_is_spelled(
    manual: Library,
) -> None:
    written = answer(manual, "What is the maximum storage for MySQL on db.t2.small?")

    assert "db.t2.small" in written.text
    assert "MySQL 24 TiB" in written.text


def test_digits_of_a_name_are_no_amount(manual: Library) -> None:
    """`db.t2` holds a digit and says nothing of how much."""
    manual = Library(manual.model, {"Classes": "# Classes\n\nThe database class db.t2 has fast disks.\n"})

    assert answer(manual, "How many disks does the database class db.t2 have?").outcome == "partial"


def test_where_nothing_answers_the_page_that_speaks_of_it_is_named(manual: Library) -> None:
    brief = manual.brief("Is Forecast certified for hospitals?")
    written = HouseWriter().write(brief)

    assert written.outcome == "unsupported"
    assert "“Forecast guide”" in written.text
    assert [citation.title for citation in written.citations] == ["Forecast guide"]
    assert written.citations[0].quote in PAGES["Forecast guide"]
    assert verify(written, brief.passages, "strict").answer == written


def test_a_message_that_goes_on_is_not_answered_by_what_answers_the_one_before(manual: Library) -> None:
    pages = {
        "Norway": "# How much does delivery to Norway cost?\n\nDelivery to Norway is free until the end of the year.\n",
        "Delivery": "# Delivery\n\nDelivery to Austria costs 39 dollars.\n",
    }
    meant = "How much does delivery to cost? And to Austria?"
    brief = replace(Library(manual.model, pages).brief(meant), question="And to Austria?", meant=meant)

    ranked = {candidate.unit.text: candidate.score for candidate in read(brief).ranked}
    assert HouseWriter().write(brief).text.startswith("Delivery to Austria costs 39 dollars")
    assert ranked["Delivery to Norway is free until the end of the year."] < (
        ranked["Delivery to Austria costs 39 dollars."] - 0.2
    )


def test_a_page_that_does_not_speak_of_it_is_not_named(manual: Library) -> None:
    written = answer(manual, "Who won the football match in Lisbon?")

    assert written.outcome == "unsupported"
    assert not written.citations
