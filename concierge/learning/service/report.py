"""What was learned, for those who answer for it: to see, to set, and to begin anew."""

from collections.abc import Sequence
from itertools import groupby

from concierge.accounts.scope import Unit
from concierge.accounts.service.audit import record
from concierge.kit.clock import Clock, utc_now
from concierge.learning.repository import LearnedRow, LearningRepository, UsedRow
from concierge.learning.sampling import NOTHING, Cell, Counts, leader_of, posterior_of, worse_than_rule
from concierge.learning.schemas.report import LearningOut, LearningSettings, SegmentOut, StrategyOut
from concierge.learning.schemas.strategies import STRATEGIES
from concierge.learning.service.draws import active_counts, counts_of, outcomes_of


class ReportService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._unit = unit
        self._repository = LearningRepository(unit.session, unit.scope)
        self._clock = clock

    async def report(self) -> LearningOut:
        row = await self._repository.learned(self._clock().date())
        used = sorted(await self._repository.used(row.reset_at), key=_by_cell)
        outcomes = outcomes_of(row)
        return LearningOut(
            enabled=row.settings.enabled,
            active=active_counts(row) is not None,
            outcomes=outcomes,
            outcomes_missing=max(row.settings.min_outcomes - outcomes, 0),
            reset_at=row.reset_at,
            segments=[
                _segment(name, list(rows), row) for name, rows in groupby(used, key=lambda own: own.segment)
            ],
        )

    async def reset(self) -> None:
        """Forget what was learned. How conversations ended stays stored, and counts no more."""
        setting = await self._repository.lock()
        setting.reset_at = self._clock()
        await self._repository.clear_counts()
        await record(self._unit, "learning.reset")

    async def count_anew(self) -> None:
        """Make the counts again from what happened since the last reset, should they ever be in doubt."""
        setting = await self._repository.lock()
        await self._repository.count_anew(setting.reset_at)

    async def settings(self) -> LearningSettings:
        stored = await self._repository.settings()
        if stored is None:
            return LearningSettings()
        return LearningSettings.model_validate(stored, from_attributes=True)

    async def change_settings(self, wanted: LearningSettings) -> None:
        await self._repository.save_settings(wanted)
        await record(self._unit, "learning.settings_changed", details=wanted.model_dump())


def _by_cell(used: UsedRow) -> tuple[str, int, int]:
    return used.segment, STRATEGIES.index(used.rule), STRATEGIES.index(used.strategy)


def _segment(name: str, used: Sequence[UsedRow], row: LearnedRow) -> SegmentOut:
    counts = counts_of(row)
    return SegmentOut(
        segment=name,
        uses=sum(own.uses for own in used),
        strategies=[_strategy(own, counts, row.settings) for own in used],
    )


def _strategy(used: UsedRow, counts: Counts, settings: LearningSettings) -> StrategyOut:
    cell = Cell(used.segment, used.rule, used.strategy)
    tally, believed = counts.cells.get(cell, NOTHING), posterior_of(counts, cell)
    low, high = believed.interval
    return StrategyOut(
        rule=used.rule,
        strategy=used.strategy,
        uses=used.uses,
        explored=used.explored,
        explored_share=round(used.explored / used.uses, 4),
        successes=round(tally.successes, 2),
        failures=round(tally.failures, 2),
        mean=round(believed.mean, 4),
        low=round(low, 4),
        high=round(high, 4),
        leads=leader_of(counts, used.segment, used.rule, STRATEGIES) == used.strategy,
        ruled_out=used.strategy != used.rule and worse_than_rule(counts, cell) >= settings.floor,
        since=used.since,
    )
