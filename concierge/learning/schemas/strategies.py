"""The strategies that are compared, and one use of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from concierge.agents.schemas.policy import FALLBACKS, FallbackStrategy

STRATEGIES: tuple[FallbackStrategy, ...] = FALLBACKS


@dataclass(frozen=True, slots=True)
class StrategyUse:
    """A turn that followed a strategy. `rule` is what the fixed rules chose for it; `explored` tells that the strategy
    was tried although another one leads.
    """

    turn_id: UUID
    conversation_id: UUID
    agent_id: UUID
    visitor_id: UUID | None
    segment: str
    rule: FallbackStrategy
    strategy: FallbackStrategy
    explored: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """What learning chose for a turn. `explored` tells that it was tried although another one leads; `values` are what the
    choice was made by: the largest won.
    """

    strategy: FallbackStrategy
    explored: bool
    values: Mapping[FallbackStrategy, float]
