"""HTTP of the learning room: what visitors and businesses say of conversations, and what was learned from it."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, status

from concierge.accounts.access import scope_with, unit_with
from concierge.accounts.scope import Permission, TenantScope, Unit
from concierge.learning.schemas.outcomes import EventIn, FeedbackIn, OutcomeOut, RatingIn
from concierge.learning.schemas.report import LearningOut, LearningSettings
from concierge.learning.service import Learning, OutcomeService, ReportService

router = APIRouter(prefix="/api/v1", tags=["learning"])


def _learning(request: Request) -> Learning:
    service: Learning = request.app.state.learning
    return service


async def _changing(
    learning: Annotated[Learning, Depends(_learning)],
    scope: Annotated[TenantScope, scope_with(Permission.LEARNING_WRITE)],
) -> AsyncIterator[Unit]:
    async with learning.changing(scope) as unit:
        yield unit


Chatter = Annotated[Unit, unit_with(Permission.CHAT)]
Reader = Annotated[Unit, unit_with(Permission.LEARNING_READ)]
Teller = Annotated[Unit, unit_with(Permission.LEARNING_WRITE)]
Writer = Annotated[Unit, Depends(_changing, scope="function")]


@router.post("/chat/{agent_id}/turns/{turn_id}/feedback")
async def give_feedback(agent_id: UUID, turn_id: UUID, body: FeedbackIn, unit: Chatter) -> OutcomeOut:
    """Say whether a reply helped. Whoever changes their mind says it again."""
    return OutcomeOut.model_validate(await OutcomeService(unit).feedback(agent_id, turn_id, body))


@router.post("/chat/{agent_id}/conversations/{conversation_id}/rating")
async def rate_conversation(
    agent_id: UUID, conversation_id: UUID, body: RatingIn, unit: Chatter
) -> OutcomeOut:
    """Rate a conversation from 1 to 5. Whoever changes their mind rates it again."""
    return OutcomeOut.model_validate(await OutcomeService(unit).rate(agent_id, conversation_id, body))


@router.post("/learning/events", status_code=status.HTTP_201_CREATED)
async def tell_event(body: EventIn, unit: Teller) -> OutcomeOut:
    """Tell what became of a visitor: bought, booked, signed up. An event told twice counts once."""
    return OutcomeOut.model_validate(await OutcomeService(unit).event(body))


@router.get("/learning")
async def read_learning(unit: Reader) -> LearningOut:
    """Show which strategy works for whom: how often each was followed, how it went, and how sure that is."""
    return await ReportService(unit).report()


@router.post("/learning/reset", status_code=status.HTTP_204_NO_CONTENT)
async def reset_learning(unit: Writer) -> None:
    """Forget what was learned and begin anew. The fixed rules alone decide until enough outcomes are known again."""
    await ReportService(unit).reset()


@router.get("/learning/settings")
async def get_learning_settings(unit: Reader) -> LearningSettings:
    return await ReportService(unit).settings()


@router.put("/learning/settings")
async def change_learning_settings(body: LearningSettings, unit: Writer) -> LearningSettings:
    """Say whether and how carefully to learn. What is left out is as at first."""
    await ReportService(unit).change_settings(body)
    return body
