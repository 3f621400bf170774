from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from concierge.accounts.access import unit_with
from concierge.accounts.scope import Permission, Unit
from concierge.conversations.schemas import ConversationOut, TraceOut, TurnOut
from concierge.conversations.service import ConversationService
from concierge.kit.pagination import Page

router = APIRouter(prefix="/api/v1", tags=["conversations"])

Reader = Annotated[Unit, unit_with(Permission.CONVERSATIONS_READ)]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/conversations")
async def list_conversations(
    unit: Reader, agent_id: UUID | None = None, cursor: UUID | None = None, limit: Limit = 50
) -> Page[ConversationOut]:
    """List the newest conversations first."""
    found = await ConversationService(unit).list(agent_id=agent_id, before=cursor, limit=limit + 1)
    return Page.of([ConversationOut.model_validate(row) for row in found], limit)


@router.get("/conversations/{conversation_id}")
async def get_conversation(conversation_id: UUID, unit: Reader) -> ConversationOut:
    return ConversationOut.model_validate(await ConversationService(unit).get(conversation_id))


@router.get("/conversations/{conversation_id}/turns")
async def list_turns(
    conversation_id: UUID, unit: Reader, cursor: UUID | None = None, limit: Limit = 50
) -> Page[TurnOut]:
    """List a conversation's turns, newest first."""
    found = await ConversationService(unit).turns(conversation_id, before=cursor, limit=limit + 1)
    return Page.of([TurnOut.model_validate(row) for row in found], limit)


@router.get("/turns/{turn_id}/trace")
async def get_trace(turn_id: UUID, unit: Reader) -> TraceOut:
    """Say why an answer came out as it did."""
    return TraceOut.model_validate(await ConversationService(unit).trace(turn_id))
