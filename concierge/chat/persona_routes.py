"""Trying a persona out, under the addresses of the domain-expertise API."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from concierge.accounts.access import Services, scope_with
from concierge.accounts.scope import Permission, TenantScope, Unit
from concierge.agents.service import PersonaService
from concierge.chat.persona_preview import PreviewIn, PreviewOut, preview
from concierge.intelligence.analyst import Analyst, Message

router = APIRouter(prefix="/api/v1/domain-expertise", tags=["domain expertise"])


def _analyst(request: Request) -> Analyst:
    analyst: Analyst = request.app.state.analyst
    return analyst


@router.post("/personas/{persona_id}/preview")
async def preview_persona(
    persona_id: UUID,
    body: PreviewIn,
    scope: Annotated[TenantScope, scope_with(Permission.AGENTS_READ)],
    services: Services,
    analyst: Annotated[Analyst, Depends(_analyst)],
) -> PreviewOut:
    """What an agent would be told if a visitor wrote this and it answered as this persona. Nothing is stored."""
    async with services.db.transaction(scope.org_id) as session:
        persona = await PersonaService(Unit(session, scope)).spoken(persona_id)
    # Reading a message may ask a language model, which no transaction waits for.
    understood = await analyst.read(scope, Message(body.message, (), {}))
    return preview(persona, body, understood.analysis)
