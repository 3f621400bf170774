"""What was learned of visitors like this one, and what this turn adds to it."""

import structlog

from concierge.accounts.scope import Unit
from concierge.chat.steps.decide import Decided
from concierge.chat.steps.recall import Recalled
from concierge.chat.steps.receive import Received
from concierge.intelligence.schemas import ConversationAnalysis
from concierge.kit.clock import Clock
from concierge.kit.errors import ConciergeError
from concierge.learning.schemas.strategies import StrategyUse
from concierge.learning.segments import segment_of
from concierge.learning.service import Draws, Learning, UseService

logger = structlog.get_logger(__name__)


async def draws(learning: Learning, received: Received, segment: str) -> Draws | None:
    """What to choose by, or nothing: a turn that cannot learn goes by the rules."""
    try:
        return await learning.draws(received.scope, segment, received.turn.id)
    except ConciergeError as error:
        logger.warning("what was learned could not be had", code=error.code)
        return None


def segment(received: Received, analysis: ConversationAnalysis, recalled: Recalled) -> str:
    return segment_of(
        recalled.customer.profile_type,
        returning=recalled.customer.returning,
        intent=analysis.intent_category,
        device=received.request.session_context.get("device"),
    )


async def note(unit: Unit, received: Received, decided: Decided, clock: Clock) -> None:
    """Keep which strategy was followed, within the transaction that stores the turn."""
    strategy = decided.strategy
    await UseService(unit).note(
        StrategyUse(
            turn_id=received.turn.id,
            conversation_id=received.turn.conversation_id,
            agent_id=received.agent.id,
            visitor_id=received.request.visitor_id,
            segment=decided.segment,
            rule=strategy.ruled,
            strategy=strategy.fallback,
            explored=strategy.learned is not None and strategy.learned.explored,
            at=clock(),
        )
    )
