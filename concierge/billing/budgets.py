"""What may be spent, held to by all processes: set aside before a call, then spent or given back.

What is set aside expires, so that a process which dies in the middle of a call does not keep it for ever.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from concierge.accounts.scope import TenantScope
from concierge.billing.errors import BudgetSpentError
from concierge.billing.repository import BudgetRepository
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.kit.ids import new_id

Period = Literal["hour", "day", "month"]

SET_ASIDE_FOR: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `limit` of what `name` counts (calls, tokens, micro-dollars) in one period of UTC."""

    name: str
    period: Period
    limit: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is set aside, in periods that stay those it was asked for in."""

    id: UUID
    amounts: Mapping[Budget, int]
    at: datetime


class Budgets:
    """Each call is a short transaction of its own: nothing is held while a vendor answers."""

    def __init__(self, db: Database, clock: Clock = utc_now) -> None:
        self._db = db
        self._clock = clock

    async def reserve(self, scope: TenantScope, amounts: Mapping[Budget, int]) -> Reservation:
        """Set amounts aside, of all budgets or of none. Errors: BudgetSpentError."""
        now = self._clock()
        reservation = Reservation(new_id(), dict(amounts), now)
        if not amounts:
            return reservation
        keys = _keys(amounts, now)
        async with self._db.transaction(scope.org_id) as session:
            repository = BudgetRepository(session, scope)
            spent = await repository.lock(list(keys.values()))
            reserved = await repository.reserved(list(keys.values()), now)
            for budget, amount in amounts.items():
                own = budget.name, budget.period
                if spent.get(own, 0) + reserved.get(own, 0) + amount > budget.limit:
                    raise BudgetSpentError(budget.name, budget.period, _end(budget.period, now))
            wanted = {key: amounts[budget] for budget, key in keys.items()}
            await repository.reserve(reservation.id, wanted, now + SET_ASIDE_FOR)
        return reservation

    async def commit(
        self, scope: TenantScope, reservation: Reservation, amounts: Mapping[Budget, int] | None = None
    ) -> None:
        """Spend what a call did cost, by default all that was set aside, and give back the rest.

        What was spent is spent, also above what was set aside.
        """
        if not reservation.amounts:
            return
        keys = _keys(reservation.amounts, reservation.at)
        used = reservation.amounts if amounts is None else amounts
        async with self._db.transaction(scope.org_id) as session:
            repository = BudgetRepository(session, scope)
            await repository.lock(list(keys.values()))
            await repository.release(reservation.id, self._clock())
            await repository.spend({key: used.get(budget, 0) for budget, key in keys.items()})

    async def release(self, scope: TenantScope, reservation: Reservation) -> None:
        """Give back what was set aside: the call was not made, or cost nothing."""
        await self.commit(scope, reservation, {})

    async def spent(self, scope: TenantScope, budgets: Iterable[Budget]) -> Mapping[Budget, int]:
        """Return what was spent of each in the period that runs now."""
        keys = _keys(budgets, self._clock())
        if not keys:
            return {}
        async with self._db.transaction(scope.org_id) as session:
            spent = await BudgetRepository(session, scope).spent(list(keys.values()))
        return {budget: spent.get((budget.name, budget.period), 0) for budget in keys}


def _keys(budgets: Iterable[Budget], at: datetime) -> dict[Budget, tuple[str, str, datetime]]:
    return {budget: (budget.name, budget.period, _start(budget.period, at)) for budget in budgets}


def _start(period: Period, at: datetime) -> datetime:
    hour = at.replace(minute=0, second=0, microsecond=0)
    if period == "hour":
        return hour
    return hour.replace(hour=0) if period == "day" else hour.replace(day=1, hour=0)


def _end(period: Period, at: datetime) -> datetime:
    start = _start(period, at)
    if period == "month":
        return _start("month", start + timedelta(days=32))
    return start + (timedelta(hours=1) if period == "hour" else timedelta(days=1))
