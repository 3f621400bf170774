from collections.abc import Mapping
from datetime import date

from sqlalchemy import select

from concierge.accounts.scope import TenantScope
from concierge.billing.models import UsageMeter
from concierge.kit.db import Session, fetch

# Rows are taken in the order of their names, so that two who count the same things never wait for each other in a circle.
ADD = """
INSERT INTO usage_meters (org_id, meter, period_start, amount)
SELECT %(org_id)b, meter, %(period)b, amount
FROM unnest(%(meters)b::text[], %(amounts)b::bigint[]) AS used (meter, amount) ORDER BY meter
ON CONFLICT (org_id, meter, period_start) DO UPDATE SET amount = usage_meters.amount + excluded.amount
"""


class UsageRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._org_id = scope.org_id

    async def add(self, period: date, amounts: Mapping[str, int]) -> None:
        """Add to meters of a period, all in one statement; whoever adds at the same time is not lost."""
        await fetch(
            self._session,
            ADD,
            {
                "org_id": self._org_id,
                "period": period,
                "meters": list(amounts),
                "amounts": list(amounts.values()),
            },
        )

    async def of_period(self, period: date) -> dict[str, int]:
        rows = await self._session.execute(
            select(UsageMeter.meter, UsageMeter.amount).where(
                UsageMeter.org_id == self._org_id, UsageMeter.period_start == period
            )
        )
        return {row[0]: row[1] for row in rows}
