"""What an organization used, by calendar month in UTC."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.billing.repository import UsageRepository
from concierge.billing.schemas import Meter, UsageOut
from concierge.kit.clock import Clock, utc_now


class Usage:
    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    async def count(self, unit: Unit, meter: Meter, amount: int = 1) -> None:
        """Count something that was used, exactly when the unit of work is done. Raises ValueError below zero."""
        await self.count_all(unit, {meter: amount})

    async def count_all(self, unit: Unit, amounts: Mapping[Meter, int], agent_id: UUID | None = None) -> None:
        """Count several things, for an agent as well as for its organization, in one statement or none where all are zero."""
        if any(amount < 0 for amount in amounts.values()):
            raise ValueError("what was used cannot be given back")
        used = {str(meter): amount for meter, amount in amounts.items() if amount}
        if used:
            await UsageRepository(unit.session, unit.scope).add(self._month(), used, agent_id)

    async def of_month(self, unit: Unit, agent_id: UUID | None = None) -> UsageOut:
        """Every meter of this month, one agent's or the whole organization's; those that nothing counted are zero."""
        month = self._month()
        found = await UsageRepository(unit.session, unit.scope).of_period(month, agent_id)
        return UsageOut(since=month, amounts={meter: found.get(meter, 0) for meter in Meter})

    def _month(self) -> date:
        return self._clock().date().replace(day=1)
