"""What was learned, at hand for every turn."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final
from uuid import UUID

from concierge.accounts.scope import TenantScope, Unit
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.kit.lately import KEPT, Lately
from concierge.learning.repository import LearnedRow, LearningRepository
from concierge.learning.sampling import Cell, Counts, Limits, Tally, draw
from concierge.learning.schemas.strategies import Choice, FallbackStrategy
from concierge.learning.service.judgement import Judgement

# So long after one look at silent conversations the next one is asked for, while turns come in.
JUDGED_EVERY_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Draws:
    """What may be followed in one turn. Choosing twice gives the same."""

    counts: Counts
    segment: str
    seed: UUID
    limits: Limits

    def choose(self, rule: FallbackStrategy, eligible: Collection[FallbackStrategy]) -> Choice:
        """Choose among the strategies that fit, where the fixed rules chose `rule`; ask `may_explore` before."""
        return draw(
            self.counts,
            self.segment,
            rule=rule,
            eligible=eligible,
            seed=self.seed,
            limits=self.limits,
        )


@dataclass(frozen=True, slots=True)
class Learned:
    """`counts` is None while the fixed rules alone decide."""

    counts: Counts | None
    limits: Limits


class Learning:
    """Remembers what every organization has learned for a moment; a change made through `changing` holds at once."""

    def __init__(
        self,
        db: Database,
        judgement: Judgement,
        clock: Clock = utc_now,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._db = db
        self._judgement = judgement
        self._clock = clock
        self._now = now
        self._lately: Lately[Learned] = Lately(now)
        self._judged: OrderedDict[UUID, float] = OrderedDict()

    async def draws(self, scope: TenantScope, segment: str, seed: UUID) -> Draws | None:
        """What to choose by in a turn; `seed` is its id. None where learning is off, or too little is known yet.

        Costs one statement, in a transaction of its own, or none; and once in a while a few more, to have silent
        conversations looked at. Errors: UnavailableError.
        """
        learned = await self._lately.get(scope.org_id, lambda: self._loaded(scope))
        if learned.counts is None:
            return None
        return Draws(learned.counts, segment, seed, learned.limits)

    @asynccontextmanager
    async def changing(self, scope: TenantScope) -> AsyncGenerator[Unit]:
        """A unit of work that may change how an organization learns; what is remembered of it goes once that is done."""
        try:
            async with self._db.transaction(scope.org_id) as session:
                yield Unit(session, scope)
        finally:
            self._lately.forget(scope.org_id)

    async def _loaded(self, scope: TenantScope) -> Learned:
        if self._is_judging_due(scope):
            await self._judgement.ask_for(scope)
        async with self._db.transaction(scope.org_id) as session:
            row = await LearningRepository(session, scope).learned(self._clock().date())
        return Learned(active_counts(row), limits_of(row))

    def _is_judging_due(self, scope: TenantScope) -> bool:
        """Whether it is time to look at the conversations that fell silent; True once in a while."""
        now, last = self._now(), self._judged.get(scope.org_id)
        if last is not None and now - last < JUDGED_EVERY_S:
            return False
        self._judged[scope.org_id] = now
        self._judged.move_to_end(scope.org_id)
        if len(self._judged) > KEPT:
            self._judged.popitem(last=False)
        return True


def counts_of(row: LearnedRow) -> Counts:
    return Counts(
        {
            Cell(own.segment, own.rule, own.strategy): Tally(max(own.successes, 0.0), max(own.failures, 0.0))
            for own in row.counts
        }
    )


def outcomes_of(row: LearnedRow) -> int:
    """How many conversations with an outcome were counted since the last reset: their parts add up to whole ones."""
    return round(sum(own.outcomes for own in row.counts))


def active_counts(row: LearnedRow) -> Counts | None:
    """The counts, once learning is to decide by them."""
    if not row.settings.enabled or outcomes_of(row) < row.settings.min_outcomes:
        return None
    return counts_of(row)


def limits_of(row: LearnedRow) -> Limits:
    return Limits(row.settings.floor, row.settings.explore_share)
