"""What a language model adds to what patterns found: only what it can quote from a statement of the writer's own."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated, Final

from pydantic import BaseModel, Field, StringConstraints

from concierge.customers.extraction.clauses import clauses
from concierge.customers.extraction.filling import LONGEST_VALUE
from concierge.customers.extraction.private import is_order, is_private
from concierge.customers.facts import NewFact, folded, slot_of
from concierge.customers.schemas.context import FactKind

CONFIDENCE: Final = 0.7
MOST_STATEMENTS: Final = 8
LONGEST_SHOWN: Final = 4_000
SHORTEST_QUOTE: Final = 6
# Shorter messages say little that patterns miss.
LEAST_CHARS: Final = 25
_FIRST_PERSON: Final = frozenset(
    (
        "i",
        "we",
        "my",
        "our",
        "me",
        "us",
        "ich",
        "wir",
        "mein",
        "meine",
        "meinen",
        "unser",
        "unsere",
        "je",
        "nous",
        "mon",
        "yo",
    )
)


class Statement(BaseModel):
    kind: FactKind
    subject: Annotated[str, StringConstraints(max_length=200)]
    value: Annotated[str, StringConstraints(max_length=400)]
    quote: Annotated[str, StringConstraints(max_length=1_000)]


class Statements(BaseModel):
    """The form a model fills in."""

    statements: Annotated[list[Statement], Field(max_length=50)] = []


def is_worth_asking(message: str) -> bool:
    if len(message) < LEAST_CHARS:
        return False
    return any(_FIRST_PERSON & set(folded(clause.text).split()) for clause in clauses(message))


@cache
def instructions() -> str:
    return (files("concierge.customers") / "prompts" / "remember.md").read_text("utf-8")


def shown(message: str) -> str:
    """The message as data, between lines it cannot imitate. What is private stays here."""
    kept = [line for line in message[:LONGEST_SHOWN].splitlines() if not is_private(line)]
    return "\n".join(["-----", "\n".join(kept).replace("-----", "- - -"), "-----"])


def facts_of(answer: Statements, message: str, found: Sequence[NewFact]) -> tuple[NewFact, ...]:
    """Return what an answer adds to what was `found`. What it cannot prove by the writer's own words is left out."""
    stated = folded(" ".join(clause.text for clause in clauses(message)))
    subjects = {(fact.kind, folded(fact.subject)) for fact in found}
    added: dict[tuple[str, str], NewFact] = {}
    for statement in answer.statements[:MOST_STATEMENTS]:
        subject, value = " ".join(statement.subject.split()), " ".join(statement.value.split())
        key = statement.kind, folded(subject)
        if key not in subjects and _is_sound(subject, value) and _is_quoted(statement.quote, stated):
            added[key] = NewFact(statement.kind, subject, slot_of(subject), value, CONFIDENCE)
    return tuple(added.values())


def _is_sound(subject: str, value: str) -> bool:
    said = f"{subject} {value}"
    fits = 0 < len(subject) <= 80 and 0 < len(value) <= LONGEST_VALUE
    return fits and not is_private(said) and not is_order(said)


def _is_quoted(quote: str, stated: str) -> bool:
    own = folded(quote).strip(" .,!?")
    return len(own) >= SHORTEST_QUOTE and own in stated
