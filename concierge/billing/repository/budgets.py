from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, or_, select, tuple_

from concierge.accounts.scope import TenantScope
from concierge.billing.models import BudgetPeriod, BudgetReservation
from concierge.kit.db import Session, fetch

# Rows are locked in the order of their keys, so that two callers with several budgets in common wait for each other.
LOCKED = """
INSERT INTO budget_periods (org_id, name, period, starts_at)
SELECT %(org_id)b, * FROM unnest(%(names)b::text[], %(periods)b::text[], %(starts)b::timestamptz[])
    AS wanted (name, period, starts_at) ORDER BY name, period, starts_at
ON CONFLICT (org_id, name, period, starts_at) DO UPDATE SET spent = budget_periods.spent
RETURNING name, period, spent
"""
RESERVED = """
SELECT r.name, r.period, sum(r.amount)::bigint FROM budget_reservations r
JOIN unnest(%(names)b::text[], %(periods)b::text[], %(starts)b::timestamptz[])
    AS wanted (name, period, starts_at) USING (name, period, starts_at)
WHERE r.org_id = %(org_id)b AND r.expires_at > %(now)b GROUP BY r.name, r.period
"""
RESERVE = """
INSERT INTO budget_reservations (org_id, id, name, period, starts_at, amount, expires_at)
SELECT %(org_id)b, %(id)b, wanted.*, %(expires_at)b
FROM unnest(%(names)b::text[], %(periods)b::text[], %(starts)b::timestamptz[], %(amounts)b::bigint[])
    AS wanted (name, period, starts_at, amount)
"""
COMMIT = """
UPDATE budget_periods b SET spent = b.spent + wanted.amount
FROM unnest(%(names)b::text[], %(periods)b::text[], %(starts)b::timestamptz[], %(amounts)b::bigint[])
    AS wanted (name, period, starts_at, amount)
WHERE b.org_id = %(org_id)b
  AND (b.name, b.period, b.starts_at) = (wanted.name, wanted.period, wanted.starts_at)
"""
PeriodKey = tuple[str, str, datetime]  # Name, period, and when it starts.
Sums = dict[tuple[str, str], int]  # By name and period.


class BudgetRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._org_id = scope.org_id

    async def lock(self, keys: Sequence[PeriodKey]) -> Sums:
        """Keep others from setting aside or spending of these until the transaction ends. Returns what was spent."""
        return _sums(await fetch(self._session, LOCKED, self._of(keys)))

    async def reserved(self, keys: Sequence[PeriodKey], now: datetime) -> Sums:
        return _sums(await fetch(self._session, RESERVED, self._of(keys) | {"now": now}))

    async def reserve(self, own_id: UUID, amounts: Mapping[PeriodKey, int], expires_at: datetime) -> None:
        values = {"id": own_id, "amounts": list(amounts.values()), "expires_at": expires_at}
        await fetch(self._session, RESERVE, self._of(amounts) | values)

    async def release(self, own_id: UUID, now: datetime) -> None:
        """Give back what is set aside; what calls of a process that died had set aside is forgotten as well."""
        await self._session.execute(
            delete(BudgetReservation).where(
                BudgetReservation.org_id == self._org_id,
                or_(BudgetReservation.id == own_id, BudgetReservation.expires_at < now),
            )
        )

    async def spend(self, amounts: Mapping[PeriodKey, int]) -> None:
        await fetch(self._session, COMMIT, self._of(amounts) | {"amounts": list(amounts.values())})

    async def spent(self, keys: Sequence[PeriodKey]) -> Sums:
        own = tuple_(BudgetPeriod.name, BudgetPeriod.period, BudgetPeriod.starts_at)
        query = select(BudgetPeriod.name, BudgetPeriod.period, BudgetPeriod.spent)
        rows = await self._session.execute(
            query.where(BudgetPeriod.org_id == self._org_id, own.in_(list(keys)))
        )
        return {(name, period): spent for name, period, spent in rows}

    def _of(self, keys: Iterable[PeriodKey]) -> dict[str, object]:
        names, periods, starts = zip(*keys, strict=True)
        return {
            "org_id": self._org_id,
            "names": list(names),
            "periods": list(periods),
            "starts": list(starts),
        }


def _sums(rows: Iterable[Sequence[object]]) -> Sums:
    return {(str(name), str(period)): int(str(amount)) for name, period, amount in rows}
