from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import select

from concierge.accounts.scope import TenantScope
from concierge.billing.models import UsageMeter
from concierge.kit.db import Session, fetch

# Rows are taken in the order of their names, so that two who count the same things never wait for each other in a circle.
ADD = """
INSERT INTO usage_meters (org_id, agent, meter, period_start, amount)
SELECT %(org_id)b, agent, meter, %(period)b, amount
FROM unnest(%(agents)b::text[]) AS agent,
     unnest(%(meters)b::text[], %(amounts)b::bigint[]) AS used (meter, amount) ORDER BY agent, meter
ON CONFLICT (org_id, agent, meter, period_start) DO UPDATE SET amount = usage_meters.amount + excluded.amount
"""


class UsageRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._org_id = scope.org_id

    async def add(self, period: date, amounts: Mapping[str, int], agent_id: UUID | None) -> None:
        """Add to meters of a period, the organization's and an agent's own, all in one statement; whoever adds at the same
        time is not lost.
        """
        await fetch(
            self._session,
            ADD,
            {
                "org_id": self._org_id,
                "period": period,
                "agents": ["", *([str(agent_id)] if agent_id else [])],
                "meters": list(amounts),
                "amounts": list(amounts.values()),
            },
        )

    async def of_period(self, period: date, agent_id: UUID | None) -> dict[str, int]:
        """Return what was used, by one agent or by all."""
        rows = await self._session.execute(
            select(UsageMeter.meter, UsageMeter.amount).where(
                UsageMeter.org_id == self._org_id,
                UsageMeter.agent == str(agent_id or ""),
                UsageMeter.period_start == period,
            )
        )
        return {row[0]: row[1] for row in rows}
