"""Whether two questions ask the same: a table that a product manager can read and extend, and what it does not say."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from concierge.knowledge.sources.questions import key_of, same_question
from concierge.llm.embeddings import LocalEmbedder

TABLE = Path(__file__).parent / "same_questions.txt"
LEAST_RIGHT = 0.9


@dataclass(frozen=True, slots=True)
class Row:
    same: bool
    asked: str
    known: str


def rows() -> list[Row]:
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    assert {row[0] for row in cells} == {"same", "different"}
    return [Row(row[0] == "same", row[1], row[2]) for row in cells]


@pytest.fixture(scope="module")
def judged(embedder: LocalEmbedder) -> list[tuple[Row, bool]]:
    table = rows()
    asked = embedder.model.embed([row.asked for row in table])
    known = embedder.model.embed([row.known for row in table])
    cosines: list[float] = np.sum(asked * known, axis=1).tolist()
    return [
        (row, same_question(row.asked, row.known, cosine).same)
        for row, cosine in zip(table, cosines, strict=True)
    ]


def test_the_table_has_enough_of_both() -> None:
    same = [row for row in rows() if row.same]

    assert len(rows()) >= 150
    assert len(same) >= 60


def test_what_asks_the_same_is_mostly_seen(judged: list[tuple[Row, bool]]) -> None:
    missed = [(row.asked, row.known) for row, same in judged if row.same and not same]

    assert len(missed) <= (1 - LEAST_RIGHT) * sum(row.same for row, _ in judged), missed


def test_what_asks_something_else_is_never_taken_for_the_same(judged: list[tuple[Row, bool]]) -> None:
    assert [(row.asked, row.known) for row, same in judged if same and not row.same] == []


def test_the_order_of_the_two_does_not_matter() -> None:
    for row in rows():
        assert same_question(row.asked, row.known, 0.9).same == same_question(row.known, row.asked, 0.9).same


@pytest.mark.parametrize(
    ("asked", "known", "because"),
    [
        ("Do you ship?", "do you SHIP", "word for word"),
        ("Do you ship to Sweden?", "Do you ship to Norway?", "“norway”, “sweden”"),
        ("Can't I ship it?", "Can I ship it?", "denies"),
        ("Is it 5 m long?", "Is it 4 m long?", "numbers"),
        ("When do you ship?", "Where do you ship?", "kinds of question"),
        ("Do I have to ship it?", "Can I ship it?", "required"),
    ],
)
def test_the_verdict_says_why(asked: str, known: str, because: str) -> None:
    assert because in same_question(asked, known, 0.9).because


def test_what_goes_on_from_something_else_asks_the_same_only_word_for_word() -> None:
    for asked in ("And how much is shipping?", "How much is shipping there?", "How much is that shipping?"):
        assert not same_question(asked, "How much is shipping?", 0.95, in_conversation=True).same

    assert same_question("How much is it?", "How much is it?", 1.0, in_conversation=True).same
    assert same_question("Is there a showroom?", "Do you have a showroom?", 0.9, in_conversation=True).same


@pytest.mark.parametrize(
    "question", ["", "   ", "?", "🙂", "如何退货？", "a" * 100_000, "can " * 20_000, "\u202e" * 50]
)
def test_anything_may_be_asked(question: str) -> None:
    assert same_question(question, question, 1.0).same
    assert not same_question(question, "How do I return a sofa?", 0.1).same
    assert key_of(question) == key_of(key_of(question))
