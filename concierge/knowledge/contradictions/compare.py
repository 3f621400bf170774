"""Which statements disagree, and which of two that do is the better one. Pure."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Literal, Protocol, TypeVar
from uuid import UUID

from concierge.knowledge.contradictions.statements import Sentence, Statement, statements_of
from concierge.knowledge.contradictions.values import Kind
from concierge.knowledge.schemas import Passage

# So many words besides the values must two statements have in common, or fewer and no others; and so large a share.
SHARED_TERMS = 3
LEAST_TERMS = 2
ALIKE = 0.6
# Pairs grow with the square of what is compared: so many statements with one word in common are compared each with each.
LARGEST_BLOCK = 150

Reason = Literal["authoritative", "more_credible", "newer", "undecided"]


class Standing(Protocol):
    """What decides which of two statements holds: 1 and above is the credibility of an authoritative source."""

    @property
    def credibility(self) -> float: ...
    @property
    def dated(self) -> datetime | None: ...


StandingT = TypeVar("StandingT", bound=Standing)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two statements that cannot both hold. `settled` says that `valid` is known to be the better one."""

    valid: Statement
    other: Statement
    settled: bool


def contradictions(
    statements: Iterable[Statement], *, of: Container[UUID] | None = None
) -> list[Contradiction]:
    """Find the pairs that disagree, only those with a statement of the documents `of` where these are given.

    Only statements that share a word with each other are compared.
    """
    groups: dict[tuple[Kind, str], list[Statement]] = defaultdict(list)
    for statement in statements:
        if len(statement.about) >= LEAST_TERMS:
            groups[statement.value.kind, statement.value.unit].append(statement)
    return [settled(one, other) for group in groups.values() for one, other in _disagreeing(group, of)]


def _disagreeing(
    group: Sequence[Statement], of: Container[UUID] | None
) -> Iterator[tuple[Statement, Statement]]:
    siblings: dict[UUID, list[Statement]] = defaultdict(list)
    for statement in group:
        siblings[statement.document_id].append(statement)
    for one, other in _sharing(group, of):
        if disagree(one, other) and not (
            _has_closer(one, other, siblings[one.document_id])
            or _has_closer(other, one, siblings[other.document_id])
        ):
            yield one, other


def _has_closer(own: Statement, other: Statement, siblings: Sequence[Statement]) -> bool:
    """Whether the document of `own` says something that is closer to `other`, as of the next plan of a list of plans."""
    likeness = alike(own, other)
    return any(
        rival is not own
        and (alike(rival, other), rival.value.amount == other.value.amount) > (likeness, False)
        for rival in siblings
    )


def alike(one: Statement, other: Statement) -> float:
    """The share of the words of two statements that both have."""
    return len(one.about & other.about) / (len(one.about | other.about) or 1)


def among(passages: Sequence[Passage]) -> tuple[Contradiction, ...]:
    """Find what disagrees within the passages of one answer."""
    return tuple(contradictions(statement for passage in passages for statement in _stated(passage)))


def _stated(passage: Passage) -> Iterator[Statement]:
    for start, end in passage.sentences:
        text = passage.text[start - passage.start : end - passage.start]
        yield from statements_of(
            Sentence(
                document_id=passage.document_id,
                start=start,
                end=end,
                text=text,
                title=passage.title,
                headings=passage.headings,
                dated=passage.updated_at,
                authoritative=passage.authoritative,
                credibility=passage.credibility,
            )
        )


def disagree(one: Statement, other: Statement) -> bool:
    """Whether two statements say the same of the same thing, but for the value."""
    if one.document_id == other.document_id or one.value.amount == other.value.amount:
        return False
    if one.value.bound != other.value.bound or one.negated != other.negated:
        return False
    if one.numbers != other.numbers:
        return False
    shared = one.about & other.about
    if len(shared) < (LEAST_TERMS if one.about == other.about else SHARED_TERMS):
        return False
    if alike(one, other) < ALIKE:
        return False
    return _same_thing(one, other)


def _same_thing(one: Statement, other: Statement) -> bool:
    """Titles name things: each must be named on the other side too. Headings may differ on one side, not on both."""
    if not one.title <= other.subject or not other.title <= one.subject:
        return False
    return one.headings <= other.subject or other.headings <= one.subject


def settled(one: Statement, other: Statement) -> Contradiction:
    """Let the authoritative or more credible source stand, then the newer one."""
    valid, reason = standing(one, other)
    return Contradiction(valid, other if valid is one else one, settled=reason != "undecided")


def standing(one: StandingT, other: StandingT) -> tuple[StandingT, Reason]:
    """Return which of two statements that disagree stands, and why."""
    if one.credibility != other.credibility:
        better = max(one, other, key=lambda entry: entry.credibility)
        return better, "authoritative" if better.credibility >= 1 else "more_credible"
    if one.dated and other.dated and one.dated != other.dated:
        return (one if one.dated > other.dated else other), "newer"
    return one, "undecided"


def _sharing(group: Sequence[Statement], of: Container[UUID] | None) -> Iterator[tuple[Statement, Statement]]:
    """Yield each pair once whose rarest words meet: two that share most words share one of them."""
    frequency: dict[str, int] = defaultdict(int)
    for statement in group:
        for term in statement.about:
            frequency[term] += 1
    blocks: dict[str, list[int]] = defaultdict(list)
    for number, statement in enumerate(group):
        rarest = sorted(statement.about, key=lambda term: (frequency[term], term))
        for term in rarest[: enough_to_meet(len(rarest))]:
            blocks[term].append(number)
    pairs = {
        pair
        for block in blocks.values()
        for small in _small(group, block)
        for pair in combinations(small, 2)
        if of is None or group[pair[0]].document_id in of or group[pair[1]].document_id in of
    }
    for one, other in sorted(pairs):
        yield group[one], group[other]


def enough_to_meet(words: int) -> int:
    """Of how many of its words, whichever, a statement shares at least one with any that is alike."""
    return int(words * (1 - ALIKE)) + 1


def _small(group: Sequence[Statement], block: Sequence[int]) -> Iterator[Sequence[int]]:
    """Part a block that is too large by what the pages are about; what is left too large is one sentence on every page."""
    if len(block) <= LARGEST_BLOCK:
        yield block
        return
    parts: dict[frozenset[str], list[int]] = defaultdict(list)
    for number in block:
        parts[group[number].title].append(number)
    yield from (part[:LARGEST_BLOCK] for part in parts.values())
