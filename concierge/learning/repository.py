from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import LiteralString, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Date, func, literal, select, update
from sqlalchemy import cast as as_type
from sqlalchemy import delete as remove
from sqlalchemy.dialects.postgresql import insert

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session, fetch
from concierge.learning.models import LearningSetting, Outcome, StrategyCount, StrategyUseRow
from concierge.learning.rewards import Credit
from concierge.learning.schemas.report import LearningSettings
from concierge.learning.schemas.strategies import FallbackStrategy, StrategyUse

# A turn that is answered anew after a crash is the same use.
ADD_USE: LiteralString = """
INSERT INTO strategy_uses (org_id, turn_id, conversation_id, agent_id, visitor_id, segment, rule, strategy, explored, at)
VALUES (%(org_id)b, %(turn_id)b, %(conversation_id)b, %(agent_id)b, %(visitor_id)b, %(segment)b, %(rule)b,
        %(strategy)b, %(explored)b, %(at)b)
ON CONFLICT (org_id, turn_id) DO NOTHING
"""

# An organization without settings has those of `LearningSettings`; one without counts has one row without a segment.
LEARNED: LiteralString = """
SELECT s.enabled, s.min_outcomes, s.floor, s.explore_share, s.half_life_days, s.reset_at,
       c.segment, c.rule, c.strategy, c.successes, c.failures, c.outcomes
FROM (VALUES (1)) one
LEFT JOIN learning_settings s ON s.org_id = %(org_id)b
LEFT JOIN LATERAL (
    SELECT n.segment, n.rule, n.strategy, sum(n.successes * n.weight) AS successes,
           sum(n.failures * n.weight) AS failures, sum(n.successes + n.failures) AS outcomes
    FROM (
        SELECT d.*, power(0.5::double precision, greatest(%(today)b - d.day, 0)
                                                 / coalesce(s.half_life_days, %(half_life_days)b)) AS weight
        FROM strategy_counts d WHERE d.org_id = %(org_id)b
    ) n GROUP BY 1, 2, 3
) c ON true
"""


class CountKey(NamedTuple):
    segment: str
    rule: str
    strategy: str
    day: date


@dataclass(frozen=True, slots=True)
class CountRow:
    """A cell's conversations, faded with age, and how many `outcomes` they are without fading."""

    segment: str
    rule: FallbackStrategy
    strategy: FallbackStrategy
    successes: float
    failures: float
    outcomes: float


@dataclass(frozen=True, slots=True)
class LearnedRow:
    """Everything that choosing a strategy needs to know of an organization."""

    settings: LearningSettings
    reset_at: datetime | None
    counts: Sequence[CountRow]


@dataclass(frozen=True, slots=True)
class UsedRow:
    segment: str
    rule: FallbackStrategy
    strategy: FallbackStrategy
    uses: int
    explored: int
    since: datetime


class LearningRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def add_use(self, use: StrategyUse) -> None:
        values = {own.name: getattr(use, own.name) for own in fields(use)}
        await fetch(self._session, ADD_USE, {"org_id": self._scope.org_id, **values})

    async def learned(self, today: date) -> LearnedRow:
        """Return settings and counts as they are on a day, in one statement."""
        half_life = LearningSettings().half_life_days
        rows = await fetch(
            self._session,
            LEARNED,
            {"org_id": self._scope.org_id, "today": today, "half_life_days": half_life},
        )
        names = tuple(LearningSettings.model_fields)
        said = dict(zip(names, rows[0], strict=False))
        settings = (
            LearningSettings.model_construct(**said) if said["enabled"] is not None else LearningSettings()
        )
        counts = [CountRow(*row[len(names) + 1 :]) for row in rows if row[len(names) + 1] is not None]
        return LearnedRow(settings, rows[0][len(names)], counts)

    async def lock(self) -> LearningSetting:
        """Let nobody else change what this organization has counted until the transaction ends."""
        await self._session.execute(
            insert(LearningSetting)
            .values(org_id=self._scope.org_id, **LearningSettings().model_dump())
            .on_conflict_do_update(index_elements=["org_id"], set_={"org_id": self._scope.org_id})
        )
        found = await self._session.get(LearningSetting, self._scope.org_id, populate_existing=True)
        assert found is not None
        return found

    async def settings(self) -> LearningSetting | None:
        return await self._session.get(LearningSetting, self._scope.org_id)

    async def uses_of(self, conversation_id: UUID) -> Sequence[StrategyUseRow]:
        """Return a conversation's uses in the order of its turns."""
        found = await self._session.scalars(
            select(StrategyUseRow)
            .where(
                StrategyUseRow.org_id == self._scope.org_id, StrategyUseRow.conversation_id == conversation_id
            )
            .order_by(StrategyUseRow.at, StrategyUseRow.turn_id)
        )
        return found.all()

    async def outcomes_of(self, conversation_id: UUID) -> Sequence[Outcome]:
        query = select(Outcome).where(
            Outcome.org_id == self._scope.org_id, Outcome.conversation_id == conversation_id
        )
        return (await self._session.scalars(query.order_by(Outcome.id))).all()

    async def outcome(self, once: str) -> Outcome | None:
        return await self._session.scalar(
            select(Outcome).where(Outcome.org_id == self._scope.org_id, Outcome.once == once)
        )

    async def put(self, outcome: Outcome) -> None:
        """Store an outcome. The caller has locked the organization and given it the id of one it takes the place of."""
        await self._session.merge(outcome)
        await self._session.flush()

    async def latest_conversation(self, visitor_id: UUID, since: datetime) -> UUID | None:
        return await self._session.scalar(
            select(StrategyUseRow.conversation_id)
            .where(
                StrategyUseRow.org_id == self._scope.org_id,
                StrategyUseRow.visitor_id == visitor_id,
                StrategyUseRow.at >= since,
            )
            .order_by(StrategyUseRow.at.desc())
            .limit(1)
        )

    async def add_counts(self, changes: Mapping[CountKey, Credit]) -> None:
        """Add what changed, which may be less than nothing, to the counts of its days."""
        if not changes:
            return
        rows = [
            {
                "org_id": self._scope.org_id,
                **key._asdict(),
                "successes": change.success,
                "failures": change.failure,
            }
            for key, change in sorted(changes.items())
        ]
        added = insert(StrategyCount).values(rows)
        await self._session.execute(
            added.on_conflict_do_update(
                index_elements=["org_id", *CountKey._fields],
                set_={
                    "successes": StrategyCount.successes + added.excluded.successes,
                    "failures": StrategyCount.failures + added.excluded.failures,
                },
            )
        )

    async def clear_counts(self) -> None:
        await self._session.execute(remove(StrategyCount).where(StrategyCount.org_id == self._scope.org_id))

    async def count_anew(self, since: datetime | None) -> None:
        """Make the counts again from the uses since a time, in the place of those there are."""
        await self.clear_counts()
        day = as_type(func.timezone("UTC", StrategyUseRow.at), Date)
        cell = (StrategyUseRow.segment, StrategyUseRow.rule, StrategyUseRow.strategy, day)
        sums = (
            select(
                literal(self._scope.org_id),
                *cell,
                func.sum(StrategyUseRow.success),
                func.sum(StrategyUseRow.failure),
            )
            .where(
                StrategyUseRow.org_id == self._scope.org_id,
                StrategyUseRow.success + StrategyUseRow.failure > 0,
            )
            .group_by(*cell)
        )
        if since is not None:
            sums = sums.where(StrategyUseRow.at >= since)
        columns = ["org_id", *CountKey._fields, "successes", "failures"]
        await self._session.execute(insert(StrategyCount).from_select(columns, sums))

    async def save_settings(self, settings: LearningSettings) -> None:
        values = settings.model_dump()
        await self._session.execute(
            insert(LearningSetting)
            .values(org_id=self._scope.org_id, **values)
            .on_conflict_do_update(index_elements=["org_id"], set_=values)
        )

    async def used(self, since: datetime | None) -> Sequence[UsedRow]:
        """Return how often each strategy was followed, by cell, since a time."""
        cell = (StrategyUseRow.segment, StrategyUseRow.rule, StrategyUseRow.strategy)
        query = (
            select(
                *cell,
                func.count(),
                func.count().filter(StrategyUseRow.explored),
                func.min(StrategyUseRow.at),
            )
            .where(StrategyUseRow.org_id == self._scope.org_id)
            .group_by(*cell)
        )
        if since is not None:
            query = query.where(StrategyUseRow.at >= since)
        rows = await self._session.execute(query)
        return [
            UsedRow(row[0], cast("FallbackStrategy", row[1]), cast("FallbackStrategy", row[2]), *row[3:])
            for row in rows
        ]

    async def silent(self, after: datetime, until: datetime) -> Sequence[UUID]:
        """Return the conversations whose last use of a strategy was after a time and not after another."""
        last = func.max(StrategyUseRow.at)
        found = await self._session.scalars(
            select(StrategyUseRow.conversation_id)
            .where(StrategyUseRow.org_id == self._scope.org_id, StrategyUseRow.at > after)
            .group_by(StrategyUseRow.conversation_id)
            .having(last <= until)
            .order_by(last)
        )
        return found.all()

    async def mark_judged(self, until: datetime) -> None:
        await self._session.execute(
            update(LearningSetting)
            .where(LearningSetting.org_id == self._scope.org_id)
            .values(judged_until=until)
        )
