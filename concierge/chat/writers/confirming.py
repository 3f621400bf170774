"""Asked for a number, a price or a time, a statement is better proven by two pages than by one: finds the second. Pure."""

from collections.abc import Mapping, Sequence

from concierge.chat.writers.choice import Part
from concierge.chat.writers.selection import Candidate, Reading, asks_for_amount, expectation_of, how_it_asks
from concierge.chat.writers.structure import Unit
from concierge.knowledge.contradictions import values_of
from concierge.knowledge.lexical import terms

Stated = frozenset[tuple[str, str, str]]


def confirmed(reading: Reading, parts: Sequence[Part]) -> Mapping[Unit, Unit]:
    """For each unit that is said and holds what was asked for, the best one of another document that says the same."""
    if not asks_for_amount(reading.brief.asked):
        return {}
    said = {unit for part in parts for unit in part.units}
    alone = {part.units[0] for part in parts if part.is_prose}
    holding = [candidate for candidate in reading.ranked if candidate.expected]
    unsaid = [other for other in holding if other.unit not in said]
    found = {
        own.unit: next((other.unit for other in unsaid if _confirms(reading, other, own)), None)
        for own in holding
        if own.unit in alone
    }
    return {unit: other for unit, other in found.items() if other is not None}


def _confirms(reading: Reading, other: Candidate, own: Candidate) -> bool:
    """Whether another document states the same value of what the question names, as far as this one does."""
    passages = reading.brief.passages
    if passages[other.unit.passage].document_id == passages[own.unit.passage].document_id:
        return False
    asking = set(terms(how_it_asks(reading.brief.asked)))
    named = reading.brief.idf.keys() & (own.terms | own.context) - asking
    if not named or not named <= (other.terms | other.context):
        return False
    return bool(_asked_for(reading, own.unit.text) & _asked_for(reading, other.unit.text))


def _asked_for(reading: Reading, text: str) -> Stated:
    """The values of a statement that are of the kind asked for, as they compare."""
    wanted = expectation_of(reading.brief.asked)
    return frozenset(
        (value.kind, value.unit, value.amount)
        for value, start, end in values_of(text)
        if wanted and wanted.search(text[start:end])
    )
