"""Store the reply, what was streamed, and the trace, in one transaction."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.billing.schemas import Meter
from concierge.billing.service import Usage
from concierge.chat.outside import Looked
from concierge.chat.schemas import ChatOut, ClaimOut, CustomerContextOut, SourceOut, UserIntelligenceOut
from concierge.chat.steps.decide import Decided
from concierge.chat.steps.receive import Received
from concierge.chat.steps.verify import Verified
from concierge.chat.strategy.stages import passed
from concierge.chat.stream import Event, TurnLog
from concierge.conversations.service import ConversationService
from concierge.customers.service import RecallService
from concierge.kit.clock import Clock
from concierge.kit.db import Database
from concierge.kit.errors import ConciergeError
from concierge.knowledge.schemas import Passage


@dataclass(frozen=True, slots=True)
class Ended:
    """What a turn came to, and what it could rest on. `looked` is what the web added, where it was looked at."""

    decided: Decided
    verified: Verified
    looked: Looked | None = None
    evidence: tuple[Passage, ...] = ()


def reply_of(received: Received, ended: Ended) -> dict[str, Any]:
    """Make the reply as it crosses HTTP, in the shape of `ChatOut`, fit for the visitor's own eyes."""
    verified, decided = ended.verified, ended.decided
    answer, strategy, customer = verified.answer, decided.strategy, decided.recalled.customer
    shown = insight_of(decided) if received.agent.shows_intelligence_to_visitors else {}
    reply = ChatOut(
        response=answer.text,
        conversation_id=received.turn.conversation_id,
        turn_id=received.turn.id,
        confidence_score=round(answer.confidence, 3),
        sources=[SourceOut.of(citation) for citation in answer.citations],
        claims=_claims(verified),
        grounding_mode=received.agent.grounding_mode,
        persona_applied=persona.name if (persona := received.agent.applied_persona) else None,
        escalation_suggested=answer.offers_handover or strategy.escalation is not None,
        web_search_used=ended.looked is not None and ended.looked.used,
        fallback_strategy=strategy.fallback,
        customer_context=CustomerContextOut(
            visitor_id=received.request.visitor_id,
            engagement_level=customer.engagement_level,
            returning_customer=customer.returning,
            personalization_applied=decided.is_personal,
            **shown,
        ),
    )
    return reply.model_dump(mode="json")


def _claims(verified: Verified) -> list[ClaimOut]:
    """What was claimed, with its source; and apart from it, what a model said of the world at large."""
    if not verified.answer.claims:
        return []
    claims = [
        ClaimOut(text=checked.claim.text, status=checked.status, source=checked.claim.number)
        for checked in verified.claims
    ]
    checked = verified.grounded.checked if verified.grounded and verified.answer.draft else ()
    return claims + [
        ClaimOut(text=entry.shown, status="no_claim", source=None)
        for entry in checked
        if entry.general and entry.shown
    ]


def insight_of(decided: Decided) -> dict[str, Any]:
    """What was read of the visitor, which only the business itself may see unless it says otherwise."""
    needed = decided.strategy.escalation is not None
    read = UserIntelligenceOut.of(decided.analysis, escalation_needed=needed)
    return {"user_intelligence": read.model_dump(mode="json")}


def stage_of(received: Received, ended: Ended) -> dict[str, Any]:
    """The stage this turn was in, for the next one to go on from; it is stored with the reply and told to nobody."""
    persona = received.agent.applied_persona
    stage = persona and passed(ended.decided.strategy, persona, ended.verified.answer.outcome)
    return {"stage": asdict(stage)} if stage else {}


async def store(
    unit: Unit, received: Received, log: TurnLog, ended: Ended, trace: Mapping[str, Any], clock: Clock
) -> Event:
    """Store the turn. Returns its last event, to be told once that is done: whoever hears it can read the turn."""
    reply = reply_of(received, ended)
    last = Event(len(log.events) + 1, "message.completed", reply, insight_of(ended.decided))
    events = [event.as_dict() for event in (*log.events, last)]
    await ConversationService(unit, clock).finish_turn(
        received.turn.id,
        status="completed",
        reply={**reply, **stage_of(received, ended)},
        events=events,
        trace=trace,
    )
    await meter(unit, received.agent.id, ended, clock)
    if received.customer is not None and received.request.visitor_id is not None:
        await RecallService(unit, clock).remember_later(received.request.visitor_id, received.turn.id)
    return last


async def meter(unit: Unit, agent_id: UUID, ended: Ended, clock: Clock) -> None:
    """Count what the turn used, whether or not anything limits it."""
    calls = ended.verified.answer.calls
    searched = ended.looked is not None and ended.looked.was_asked
    await Usage(clock).count_all(
        unit,
        {
            Meter.TURNS: 1,
            Meter.TOKENS_IN: sum(call.tokens.read for call in calls),
            Meter.TOKENS_OUT: sum(call.tokens.written for call in calls),
            Meter.MICRO_DOLLARS: sum(call.micro_dollars or 0 for call in calls),
            Meter.WEB_SEARCHES: int(searched),
        },
        agent_id,
    )


async def persist_failure(
    db: Database, received: Received, log: TurnLog, error: ConciergeError, clock: Clock
) -> None:
    async with db.transaction(received.scope.org_id) as session:
        await ConversationService(Unit(session, received.scope), clock).finish_turn(
            received.turn.id,
            status="failed",
            reply=None,
            events=[event.as_dict() for event in log.events],
            trace={"error": {"code": error.code, "detail": error.detail}},
        )
