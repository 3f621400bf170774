"""Which statements disagree, and which of two that do is the better one. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from concierge.knowledge.contradictions.statements import Sentence, Statement, statements_of
from concierge.knowledge.contradictions.values import Kind
from concierge.knowledge.schemas import Passage

# So many words besides the values must two statements have in common, or fewer and no others; and so large a share.
SHARED_TERMS = 3
LEAST_TERMS = 2
ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two statements that cannot both hold. `settled` says that `valid` is known to be the better one."""

    valid: Statement
    other: Statement
    settled: bool


def contradictions(statements: Iterable[Statement]) -> list[Contradiction]:
    """Find the pairs that disagree. Only statements that share a word with each other are compared."""
    groups: dict[tuple[Kind, str], list[Statement]] = defaultdict(list)
    for statement in statements:
        if len(statement.about) >= LEAST_TERMS:
            groups[statement.value.kind, statement.value.unit].append(statement)
    return [
        settled(one, other)
        for group in groups.values()
        for one, other in _sharing(group)
        if disagree(one, other)
    ]


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
    shared = one.about & other.about
    if len(shared) < (LEAST_TERMS if one.about == other.about else SHARED_TERMS):
        return False
    if len(shared) < ALIKE * len(one.about | other.about):
        return False
    return _same_thing(one, other)


def _same_thing(one: Statement, other: Statement) -> bool:
    """Titles name things: each must be named on the other side too. Headings may differ on one side, not on both."""
    if not one.title <= other.subject or not other.title <= one.subject:
        return False
    return one.headings <= other.subject or other.headings <= one.subject


def settled(one: Statement, other: Statement) -> Contradiction:
    """Let the authoritative or more credible source stand, then the newer one."""
    if one.credibility != other.credibility:
        one, other = sorted((one, other), key=lambda entry: -entry.credibility)
        return Contradiction(one, other, settled=True)
    if one.dated and other.dated and one.dated != other.dated:
        one, other = (one, other) if one.dated > other.dated else (other, one)
        return Contradiction(one, other, settled=True)
    return Contradiction(one, other, settled=False)


def _sharing(group: Sequence[Statement]) -> Iterator[tuple[Statement, Statement]]:
    """Yield each pair once whose rarest words meet: two that share most words share one of them."""
    frequency: dict[str, int] = defaultdict(int)
    for statement in group:
        for term in statement.about:
            frequency[term] += 1
    blocks: dict[str, list[int]] = defaultdict(list)
    for number, statement in enumerate(group):
        # Alike by 0.6 means that of the rarest two fifths, and one more, at least one is shared.
        rarest = sorted(statement.about, key=lambda term: (frequency[term], term))
        for term in rarest[: int(len(rarest) * (1 - ALIKE)) + 1]:
            blocks[term].append(number)
    pairs = {pair for block in blocks.values() for pair in combinations(block, 2)}
    for one, other in sorted(pairs):
        yield group[one], group[other]
