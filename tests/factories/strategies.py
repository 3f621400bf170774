"""Turns that followed a strategy."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from concierge.accounts.scope import Unit
from concierge.learning.models import StrategyUseRow
from concierge.learning.schemas.strategies import FallbackStrategy, StrategyUse
from concierge.learning.service import UseService
from tests.factories.tenants import Tenant

SEGMENT = "returning · buying · mobile"


async def follow_strategy(
    tenant: Tenant,
    turn: dict[str, Any],
    strategy: FallbackStrategy = "showcase",
    *,
    rule: FallbackStrategy = "discovery",
    segment: str = SEGMENT,
    visitor_id: UUID | None = None,
    explored: bool = False,
    at: datetime | None = None,
    again: bool = False,
) -> None:
    """Note that a turn, by its reply, followed a strategy, in the place of what it did follow, or with `again` beside it."""
    use = StrategyUse(
        turn_id=UUID(turn["turn_id"]),
        conversation_id=UUID(turn["conversation_id"]),
        agent_id=tenant.agent_id,
        visitor_id=visitor_id,
        segment=segment,
        rule=rule,
        strategy=strategy,
        explored=explored,
        at=at or datetime.now(UTC),
    )
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        if not again:
            await session.execute(delete(StrategyUseRow).where(StrategyUseRow.turn_id == use.turn_id))
        await UseService(Unit(session, tenant.scope)).note(use)
