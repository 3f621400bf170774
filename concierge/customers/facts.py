"""How what a customer says over time fits together: nothing is overwritten, and of one slot one thing holds at a time. Pure.

A slot is what a statement is about so closely that another statement about it contradicts the first: the budget for the
sofa, where somebody lives. What may hold beside each other, such as two pets, has two slots.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

from concierge.customers.schemas.context import FactKind
from concierge.kit.ids import new_id

# How long a fact of a kind is of use after it was last said, in days.
LIFETIMES: Final[Mapping[FactKind, int]] = {
    "preference": 365,
    "goal": 180,
    "problem": 90,
    "plan": 365,
    "constraint": 730,
    "event": 730,
}
# Said again, a fact loses this share of the doubt that is left.
CONFIRMATION: Final = 0.5
SUREST: Final = 0.98
ANY_TOPIC: Final = "*."
EVERY_SLOT_BELOW: Final = ".*"


@dataclass(frozen=True, slots=True)
class NewFact:
    """A statement as it was just made. `value` is fit to be said back; `lasts` is how long it holds where the kind's
    lifetime is too long. With `ends` it says that something no longer holds: `value`, or whatever stands in the slot if
    that is empty. A slot that begins with `*.` is about whatever the customer has such a slot of; one that ends with `.*`
    (with `ends` only) is every slot below it.
    """

    kind: FactKind
    subject: str
    slot: str
    value: str
    confidence: float
    lasts: timedelta | None = None
    ends: bool = False
    embedding: Sequence[float] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact as it is stored. It holds from `valid_from` until before `valid_until`, or still, where that is None."""

    id: UUID
    kind: FactKind
    subject: str
    slot: str
    value: str
    confidence: float
    valid_from: datetime
    confirmed_at: datetime
    expires_at: datetime | None = None
    valid_until: datetime | None = None
    superseded_by: UUID | None = None
    conversation_id: UUID | None = None
    turn_id: UUID | None = None
    embedding: Sequence[float] | None = field(default=None, compare=False)

    @property
    def is_open(self) -> bool:
        return self.valid_until is None


@dataclass(frozen=True, slots=True)
class Said:
    """When and where something was said; by nobody in a turn, where an operator says it."""

    at: datetime
    conversation_id: UUID | None = None
    turn_id: UUID | None = None


def placed(known: Iterable[Fact], new: NewFact, said: Said, lifetimes: Mapping[FactKind, int]) -> list[Fact]:
    """Return the facts that are new or changed once a statement has its place among those `known` of the customer.

    It may come late: what was said after it stays, and it then holds until that.
    """
    known = list(known)
    new = _about(known, new)
    if new.ends:
        return [_closed(fact, said.at) for fact in known if _is_ended(fact, new, said)]
    line = sorted(
        (fact for fact in known if (fact.kind, fact.slot) == (new.kind, new.slot)),
        key=lambda fact: fact.valid_from,
    )
    before = [fact for fact in line if fact.valid_from <= said.at]
    current = before[-1] if before and _holds(before[-1], said.at) else None
    if current is not None and folded(current.value) == folded(new.value):
        return [] if _came_from(current, said) else [_confirmed(current, new, said, lifetimes)]
    if current is not None and current.valid_from == said.at:
        # Two statements of one message: the later one is what was meant.
        return [_reworded(current, new, said, lifetimes)]
    after = next((fact for fact in line if fact.valid_from > said.at), None)
    if after is not None and folded(after.value) == folded(new.value):
        return []
    fact = _opened(new, said, lifetimes)
    if current is not None and current.valid_until is not None:
        fact = replace(fact, valid_until=current.valid_until, superseded_by=current.superseded_by)
    elif after is not None:
        fact = replace(fact, valid_until=after.valid_from, superseded_by=after.id)
    closing = [] if current is None else [replace(_closed(current, said.at), superseded_by=fact.id)]
    return [*closing, fact]


def all_placed(
    known: Iterable[Fact], new: Iterable[NewFact], said: Said, lifetimes: Mapping[FactKind, int]
) -> list[Fact]:
    """Return the facts that are new or changed after several statements of one message, in their order."""
    every = {fact.id: fact for fact in known}
    changed: dict[UUID, Fact] = {}
    for statement in new:
        for fact in placed(every.values(), statement, said, lifetimes):
            every[fact.id] = changed[fact.id] = fact
    return list(changed.values())


def merged(staying: Iterable[Fact], moving: Iterable[Fact]) -> list[Fact]:
    """Return the facts of two customers who are one, so that in each slot one thing holds at a time: what was said later."""
    lines: dict[tuple[str, str], list[Fact]] = {}
    for fact in [*staying, *moving]:
        lines.setdefault((fact.kind, fact.slot), []).append(fact)
    return [fact for line in lines.values() for fact in _one_after_another(line)]


def slot_of(subject: str) -> str:
    """The slot of what somebody writes down by hand."""
    return " ".join(folded(subject).split())[:120]


def folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def expiry(
    kind: FactKind, at: datetime, lifetimes: Mapping[FactKind, int], lasts: timedelta | None = None
) -> datetime:
    """`lifetimes` are in days; a kind that it leaves out lives as long as by default."""
    whole = timedelta(days=lifetimes.get(kind, LIFETIMES[kind]))
    return at + (whole if lasts is None else min(whole, lasts))


def _one_after_another(line: list[Fact]) -> list[Fact]:
    line = sorted(line, key=lambda fact: (fact.valid_from, fact.id))
    for place, (fact, later) in enumerate(pairwise(line)):
        if fact.valid_until is None or fact.valid_until > later.valid_from:
            line[place] = replace(fact, valid_until=later.valid_from, superseded_by=later.id)
    return line


def _about(known: Sequence[Fact], new: NewFact) -> NewFact:
    """A budget for nothing in particular is that of the one thing the customer has a budget for."""
    if not new.slot.startswith(ANY_TOPIC):
        return new
    aspect = new.slot.removeprefix(ANY_TOPIC)
    open_ones = {fact.slot: fact for fact in known if fact.is_open and fact.slot.split(".")[-1] == aspect}
    if len(open_ones) != 1:
        return replace(new, slot=aspect)
    (only,) = open_ones.values()
    return replace(new, slot=only.slot, subject=only.subject, kind=only.kind)


def _is_ended(fact: Fact, new: NewFact, said: Said) -> bool:
    if not fact.is_open or fact.valid_from >= said.at or fact.kind != new.kind:
        return False
    if new.slot.endswith(EVERY_SLOT_BELOW):
        return _is_below(fact.slot, new.slot)
    return fact.slot == new.slot and (not new.value or folded(fact.value) == folded(new.value))


def _is_below(slot: str, above: str) -> bool:
    """Whether a slot is about the same thing, or the same kind of thing: “table” is “lagoon table”, too."""
    own, wanted = slot.split("."), above.removesuffix(EVERY_SLOT_BELOW).split(".")
    pairs = list(zip(own, wanted, strict=False))
    return len(own) > len(wanted) and all(
        one == other or one.endswith(f" {other}") or other.endswith(f" {one}") for one, other in pairs
    )


def _holds(fact: Fact, at: datetime) -> bool:
    return fact.valid_from <= at and (fact.valid_until is None or at < fact.valid_until)


def _came_from(fact: Fact, said: Said) -> bool:
    return said.turn_id is not None and fact.turn_id == said.turn_id


def _confirmed(fact: Fact, new: NewFact, said: Said, lifetimes: Mapping[FactKind, int]) -> Fact:
    if said.at <= fact.confirmed_at:
        return fact
    surer = fact.confidence + (1 - fact.confidence) * CONFIRMATION * new.confidence
    expires = expiry(fact.kind, said.at, lifetimes, new.lasts)
    return replace(
        fact, confidence=min(SUREST, surer), confirmed_at=said.at, expires_at=_later(fact.expires_at, expires)
    )


def _reworded(fact: Fact, new: NewFact, said: Said, lifetimes: Mapping[FactKind, int]) -> Fact:
    return replace(
        fact,
        subject=new.subject,
        value=new.value,
        confidence=new.confidence,
        expires_at=expiry(new.kind, said.at, lifetimes, new.lasts),
        embedding=new.embedding,
    )


def _opened(new: NewFact, said: Said, lifetimes: Mapping[FactKind, int]) -> Fact:
    return Fact(
        id=new_id(),
        kind=new.kind,
        subject=new.subject,
        slot=new.slot,
        value=new.value,
        confidence=new.confidence,
        valid_from=said.at,
        confirmed_at=said.at,
        expires_at=expiry(new.kind, said.at, lifetimes, new.lasts),
        conversation_id=said.conversation_id,
        turn_id=said.turn_id,
        embedding=new.embedding,
    )


def _closed(fact: Fact, at: datetime) -> Fact:
    return replace(fact, valid_until=at)


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)
