"""Which strategy to follow, by how often each went well (Thompson sampling with a safe floor). Pure.

Strategies are compared within a segment *and* within what the fixed rules would have chosen: a strategy that does well
where the rules choose it need not do well elsewhere.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple
from uuid import UUID

from concierge.learning.beta import probability_below, quantile
from concierge.learning.schemas.strategies import STRATEGIES, Choice, FallbackStrategy

# How many conversations a guess is worth that comes from elsewhere: before anything is known of a segment, and before
# anything is known of a strategy at all.
LEAN: Final = 10.0
CAUTION: Final = 10.0
LEAD: Final = 0.7  # Another strategy leads once it is better than the rule's choice with this probability.
EVEN: Final = 1.0  # Of success and of failure each, where not even the rule was tried.
MOST_SURE: Final = 0.98  # A guess from elsewhere never rules anything out.
CENTRAL: Final = 0.95  # Of the interval that is shown.

NEVER_WHEN_FEELING: Final = frozenset({"angry"})
NEVER_WHEN_URGENT: Final = frozenset({"critical"})
NEVER_WHEN_BOTH: Final = frozenset({("frustrated", "high")})
NEVER_FOR: Final = frozenset({"support_request", "complaint"})
NEVER_INSTEAD_OF: Final[frozenset[FallbackStrategy]] = frozenset({"helpful"})


class Cell(NamedTuple):
    """Where a strategy was followed: for which segment, and what the fixed rules would have done."""

    segment: str
    rule: FallbackStrategy
    strategy: FallbackStrategy


@dataclass(frozen=True, slots=True)
class Tally:
    """Conversations that went well and that did not, in parts, faded with age."""

    successes: float = 0.0
    failures: float = 0.0

    @property
    def total(self) -> float:
        return self.successes + self.failures

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.successes + other.successes, self.failures + other.failures)

    def without(self, other: "Tally") -> "Tally":
        """Never below nothing, which sums of parts may miss by a hair."""
        return Tally(max(self.successes - other.successes, 0.0), max(self.failures - other.failures, 0.0))


NOTHING: Final = Tally()


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted in an organization: by cell, and of all its segments together."""

    cells: Mapping[Cell, Tally]
    everywhere: Mapping[tuple[FallbackStrategy, FallbackStrategy], Tally] = field(init=False)

    def __post_init__(self) -> None:
        sums: dict[tuple[FallbackStrategy, FallbackStrategy], Tally] = {}
        for cell, tally in self.cells.items():
            sums[cell.rule, cell.strategy] = sums.get((cell.rule, cell.strategy), NOTHING) + tally
        object.__setattr__(self, "everywhere", sums)

    def here(self, cell: Cell) -> Tally:
        return self.cells.get(cell, NOTHING)

    def elsewhere(self, cell: Cell) -> Tally:
        return self.everywhere.get((cell.rule, cell.strategy), NOTHING).without(self.here(cell))


@dataclass(frozen=True, slots=True)
class Posterior:
    """How probable each success rate is, as a beta distribution."""

    alpha: float
    beta: float

    @property
    def mean(self) -> float:
        return self.alpha / (self.alpha + self.beta)

    @property
    def interval(self) -> tuple[float, float]:
        outside = (1 - CENTRAL) / 2
        return quantile(outside, self.alpha, self.beta), quantile(1 - outside, self.alpha, self.beta)

    def probability_below(self, rate: float) -> float:
        return probability_below(rate, self.alpha, self.beta)


@dataclass(frozen=True, slots=True)
class Limits:
    """`floor`: a strategy that is worse than the rule's choice with this probability is not tried. `explore_share`: the
    most of a segment's turns, on average, that may try a strategy although another one leads.
    """

    floor: float = 0.95
    explore_share: float = 0.1


def weight_of_age(days: float, half_life_days: float) -> float:
    """How much a conversation of so many days ago still counts."""
    return 0.5 ** (max(days, 0.0) / half_life_days)


def may_explore(*, emotional_state: str, urgency: str, intent: str, rule: FallbackStrategy) -> bool:
    """Whether a strategy may be tried on this visitor at all: never on somebody angry or in trouble."""
    return not (
        emotional_state in NEVER_WHEN_FEELING
        or urgency in NEVER_WHEN_URGENT
        or (emotional_state, urgency) in NEVER_WHEN_BOTH
        or intent in NEVER_FOR
        or rule in NEVER_INSTEAD_OF
    )


def posterior_of(counts: Counts, cell: Cell) -> Posterior:
    """What is believed of a strategy in a cell.

    A strategy is first believed to do as well here as the rule's choice does, better or worse by what it was elsewhere.
    """
    standard = _of_rule(counts, cell)
    if cell.strategy == cell.rule:
        return standard
    guess = standard.mean + _gain_elsewhere(counts, cell)
    return _after(min(max(guess, 1 - MOST_SURE), MOST_SURE), LEAN, counts.here(cell))


def worse_than_rule(counts: Counts, cell: Cell) -> float:
    """How probable it is that the strategy does worse in its cell than what the rule's choice is believed to do."""
    standard = _of_rule(counts, cell).mean
    return posterior_of(counts, cell).probability_below(standard)


def leader_of(
    counts: Counts, segment: str, rule: FallbackStrategy, eligible: Collection[FallbackStrategy]
) -> FallbackStrategy:
    """The rule's choice, until another strategy is better with some certainty; then the best of those."""
    cells = _rivals(segment, rule, eligible)
    better = [own for own in cells if worse_than_rule(counts, own) <= 1 - LEAD]
    means: dict[FallbackStrategy, float] = {
        own.strategy: posterior_of(counts, own).mean for own in (*better, Cell(segment, rule, rule))
    }
    return _best(means, rule)


def draw(
    counts: Counts,
    segment: str,
    *,
    rule: FallbackStrategy,
    eligible: Collection[FallbackStrategy],
    seed: UUID,
    limits: Limits,
) -> Choice:
    """Choose a strategy. The same counts and seed choose the same.

    Most turns follow the leader. A share of them draws instead, from what is believed of the rule's choice and of each
    strategy that is not held to be worse.
    """
    leader = leader_of(counts, segment, rule, eligible)
    random = Random(seed.int)  # noqa: S311  # A turn replayed must draw the same; nothing here is secret.
    if random.random() >= limits.explore_share:
        mean = posterior_of(counts, Cell(segment, rule, leader)).mean
        return Choice(leader, explored=False, values={leader: mean})
    rivals = _rivals(segment, rule, eligible)
    allowed = [own for own in rivals if worse_than_rule(counts, own) < limits.floor]
    values: dict[FallbackStrategy, float] = {}
    for own in (Cell(segment, rule, rule), *allowed):
        believed = posterior_of(counts, own)
        values[own.strategy] = random.betavariate(believed.alpha, believed.beta)
    chosen = _best(values, rule)
    return Choice(chosen, explored=chosen != leader, values=values)


def _rivals(segment: str, rule: FallbackStrategy, eligible: Collection[FallbackStrategy]) -> list[Cell]:
    """What may be followed instead of the rule's choice, in an order that no caller decides."""
    if rule in NEVER_INSTEAD_OF:
        return []
    return [
        Cell(segment, rule, own)
        for own in STRATEGIES
        if own in eligible and own != rule and own not in NEVER_INSTEAD_OF
    ]


def _best(values: Mapping[FallbackStrategy, float], otherwise: FallbackStrategy) -> FallbackStrategy:
    """The one of the largest value; the rule's choice, where it is as large as any."""
    return max(values, key=lambda own: (values[own], own == otherwise))


def _of_rule(counts: Counts, cell: Cell) -> Posterior:
    own = Cell(cell.segment, cell.rule, cell.rule)
    return _after(_rate(counts.elsewhere(own)), LEAN, counts.here(own))


def _gain_elsewhere(counts: Counts, cell: Cell) -> float:
    """By how much the strategy did better than the rule's choice in other segments; nothing, until it was tried."""
    standard = _rate(counts.elsewhere(Cell(cell.segment, cell.rule, cell.rule)))
    return _after(standard, CAUTION, counts.elsewhere(cell)).mean - standard


def _rate(tally: Tally) -> float:
    return (tally.successes + EVEN) / (tally.total + 2 * EVEN)


def _after(guess: float, weight: float, tally: Tally) -> Posterior:
    return Posterior(guess * weight + tally.successes, (1 - guess) * weight + tally.failures)
