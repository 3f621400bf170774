"""Runs the product's own sampling through a world, visit by visit."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from concierge.learning.rewards import Ending, Followed, credits_of
from concierge.learning.sampling import Cell, Counts, Limits, Tally, draw, weight_of_age
from concierge.learning.schemas.outcomes import OutcomeKind
from concierge.learning.schemas.report import LearningSettings
from concierge.learning.schemas.strategies import FallbackStrategy
from evals.learning.worlds import ELIGIBLE, VISITS, Situation, World

VISITS_A_DAY: Final = 50
KNOWN_SHARE: Final = 0.7  # Of visits whose end anybody gets to know.
REFRESHED_AFTER: Final = 10  # Visits between two looks at the counts.
LAST: Final = 1_000
BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
# How a visit that went well, or did not, is told: a kind of outcome and its value.
TOLD_WELL: Final[tuple[tuple[OutcomeKind, float], ...]] = (
    *(("resolved", 0.0), ("thumbs_up", 0.0), ("converted", 0.0)),
    *(("csat", 5.0), ("csat", 4.0)),
)
TOLD_BADLY: Final[tuple[tuple[OutcomeKind, float], ...]] = (
    *(("abandoned", 0.0), ("thumbs_down", 0.0), ("handed_over", 0.0)),
    *(("csat", 1.0), ("csat", 2.0)),
)

DEFAULTS: Final = LearningSettings()

Policy = Callable[[Situation, int, UUID], FallbackStrategy]


@dataclass(frozen=True, slots=True)
class Run:
    """Expected successes of a policy, what it missed of the best, and how often it chose the bad strategy at the end."""

    successes: float
    regret: float
    bad_share: float
    explored_share: float = 0.0


@dataclass(slots=True)
class Memory:
    """What an organization has counted, faded day by day as its table of counts is."""

    sums: dict[Cell, Tally] = field(default_factory=dict[Cell, Tally])
    outcomes: int = 0
    day: int = 0

    def add(self, cell: Cell, tally: Tally) -> None:
        self.sums[cell] = self.sums.get(cell, Tally()) + tally
        self.outcomes += 1

    def fade_to(self, day: int) -> None:
        if day > self.day:
            weight = weight_of_age(day - self.day, DEFAULTS.half_life_days)
            self.sums = {
                cell: Tally(own.successes * weight, own.failures * weight) for cell, own in self.sums.items()
            }
            self.day = day


class Learner:
    """Learning as it is served: off until enough outcomes are known, by counts that are a moment old."""

    def __init__(self, world: World, seed: int) -> None:
        self._random = _chance(world, seed, "outcomes")
        self._memory = Memory()
        self._counts: Counts | None = None
        self._coming: deque[tuple[int, Cell, Tally]] = deque()
        self.explored = 0

    def choose(self, situation: Situation, visit: int, seed: UUID) -> FallbackStrategy:
        strategy = self._chosen(situation, visit, seed)
        if self._random.random() < KNOWN_SHARE:
            went_well = self._random.random() < situation.chance(strategy, visit)
            # An outcome is known within a day.
            known_at = visit + self._random.randrange(VISITS_A_DAY)
            cell = Cell(situation.segment, situation.rule, strategy)
            self._coming.append((known_at, cell, self._told(seed, went_well=went_well)))
        return strategy

    def _chosen(self, situation: Situation, visit: int, seed: UUID) -> FallbackStrategy:
        if visit % REFRESHED_AFTER == 0:
            self._refresh(visit)
        if self._counts is None:
            return situation.rule
        limits = Limits(DEFAULTS.floor, DEFAULTS.explore_share)
        choice = draw(
            *(self._counts, situation.segment),
            rule=situation.rule,
            eligible=ELIGIBLE,
            seed=seed,
            limits=limits,
        )
        self.explored += choice.explored
        return choice.strategy

    def _refresh(self, visit: int) -> None:
        self._memory.fade_to(visit // VISITS_A_DAY)
        for known_at, cell, tally in tuple(self._coming):
            if known_at <= visit:
                self._memory.add(cell, tally)
        self._coming = deque(entry for entry in self._coming if entry[0] > visit)
        if self._memory.outcomes >= DEFAULTS.min_outcomes:
            self._counts = Counts(dict(self._memory.sums))

    def _told(self, turn_id: UUID, *, went_well: bool) -> Tally:
        kind, value = self._random.choice(TOLD_WELL if went_well else TOLD_BADLY)
        ending = Ending(kind, value, BEGINNING + timedelta(hours=1), turn_id)
        credit = credits_of([Followed(turn_id, BEGINNING)], [ending])[turn_id]
        return Tally(credit.success, credit.failure)


def simulate(world: World, seed: int) -> Mapping[str, Run]:
    """What each policy makes of the same visits."""
    learner = Learner(world, seed)
    policies: Mapping[str, Policy] = {
        "fixed rules": lambda situation, _visit, _seed: situation.rule,
        "learning": learner.choose,
        "uniform": lambda _situation, _visit, seed: ELIGIBLE[seed.int % len(ELIGIBLE)],
        "oracle": lambda situation, visit, _seed: _best(situation, visit),
    }
    runs = {name: _run(world, seed, policy) for name, policy in policies.items()}
    learned = runs["learning"]
    return {
        **runs,
        "learning": Run(learned.successes, learned.regret, learned.bad_share, learner.explored / VISITS),
    }


def _run(world: World, seed: int, policy: Policy) -> Run:
    random = _chance(world, seed, "visits")
    shares = [situation.share for situation in world.situations]
    successes = regret = 0.0
    bad = 0
    for visit, situation in enumerate(random.choices(world.situations, shares, k=VISITS)):
        strategy = policy(situation, visit, UUID(int=random.getrandbits(128)))
        chance = situation.chance(strategy, visit)
        successes += chance
        regret += situation.chance(_best(situation, visit), visit) - chance
        bad += strategy == world.bad and visit >= VISITS - LAST
    return Run(successes, regret, bad / LAST)


def _best(situation: Situation, visit: int) -> FallbackStrategy:
    return max(ELIGIBLE, key=lambda own: situation.chance(own, visit))


def _chance(world: World, seed: int, of: str) -> Random:
    return Random(f"{world.name}/{seed}/{of}")  # noqa: S311  # Chance that can be had again, no secret.
