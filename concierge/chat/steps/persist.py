"""Store the reply, what was streamed, and the trace, in one transaction."""

from collections.abc import Mapping
from typing import Any

from concierge.accounts.scope import Unit
from concierge.chat.schemas import ChatOut, ClaimOut, CustomerContextOut, SourceOut
from concierge.chat.steps.receive import Received
from concierge.chat.steps.verify import Verified
from concierge.chat.stream import TurnLog
from concierge.conversations.service import ConversationService
from concierge.customers.service import RecallService
from concierge.kit.clock import Clock
from concierge.kit.db import Database
from concierge.kit.errors import ConciergeError


def reply_of(received: Received, verified: Verified, *, escalation_suggested: bool) -> dict[str, Any]:
    """Make the reply as it crosses HTTP, in the shape of `ChatOut`."""
    answer = verified.answer
    reply = ChatOut(
        response=answer.text,
        conversation_id=received.turn.conversation_id,
        turn_id=received.turn.id,
        confidence_score=round(answer.confidence, 3),
        sources=[SourceOut.of(citation) for citation in answer.citations],
        claims=[
            ClaimOut(text=checked.claim.text, status=checked.status, source=checked.claim.number)
            for checked in verified.claims
            if answer.claims
        ],
        grounding_mode=received.agent.grounding_mode,
        escalation_suggested=answer.offers_handover or escalation_suggested,
        customer_context=CustomerContextOut(visitor_id=received.request.visitor_id),
    )
    return reply.model_dump(mode="json")


async def persist(
    db: Database,
    received: Received,
    log: TurnLog,
    reply: Mapping[str, Any],
    trace: Mapping[str, Any],
    clock: Clock,
) -> None:
    """Store the turn, then tell its listeners: whoever hears that it is complete can read it."""
    events = [event.as_dict() for event in log.events]
    events.append({"id": len(events) + 1, "type": "message.completed", "data": dict(reply)})
    async with db.transaction(received.scope.org_id) as session:
        unit = Unit(session, received.scope)
        await ConversationService(unit, clock).finish_turn(
            received.turn.id, status="completed", reply=reply, events=events, trace=trace
        )
        if (visitor_id := received.request.visitor_id) is not None:
            await RecallService(unit, clock).remember_later(visitor_id, received.turn.id)
    await log.say("message.completed", reply)


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
