"""What a visit says by itself: the rules, and what they would say."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, status

from concierge.accounts.access import scope_with, unit_with
from concierge.accounts.scope import Permission, TenantScope, Unit
from concierge.customers.schemas.session import (
    InferredOut,
    SessionPreview,
    SessionPreviewIn,
    SessionRuleIn,
    SessionRuleOut,
    SessionRulePatch,
)
from concierge.customers.service import SessionInferenceService, SessionRuleService

router = APIRouter(prefix="/api/v1/customers/session-rules", tags=["customers"])


def _sessions(request: Request) -> SessionInferenceService:
    service: SessionInferenceService = request.app.state.sessions
    return service


Sessions = Annotated[SessionInferenceService, Depends(_sessions)]


async def _changing(
    sessions: Sessions, scope: Annotated[TenantScope, scope_with(Permission.CUSTOMERS_WRITE)]
) -> AsyncIterator[Unit]:
    async with sessions.changing(scope) as unit:
        yield unit


Reader = Annotated[Unit, unit_with(Permission.CUSTOMERS_READ)]
Writer = Annotated[Unit, Depends(_changing, scope="function")]


@router.get("")
async def list_session_rules(unit: Reader) -> list[SessionRuleOut]:
    """List the rules in the order they are looked at: one's own, the oldest first, then the built-in ones."""
    return await SessionRuleService(unit).list()


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_session_rule(body: SessionRuleIn, unit: Writer) -> SessionRuleOut:
    """Say what a page, a referrer or a campaign of yours tells of who comes. It holds from the next message on."""
    return await SessionRuleService(unit).create(body)


@router.post("/preview")
async def preview_session(
    body: SessionPreviewIn,
    sessions: Sessions,
    scope: Annotated[TenantScope, scope_with(Permission.CUSTOMERS_READ)],
) -> SessionPreview:
    """See what a visit would say by itself, and by which rule."""
    found = await sessions.infer(scope, body.context())
    return SessionPreview(inferred=[InferredOut(**asdict(one)) for one in found])


@router.patch("/{session_rule_id}")
async def change_session_rule(session_rule_id: UUID, body: SessionRulePatch, unit: Writer) -> SessionRuleOut:
    """Change a rule. A built-in one can be switched off, and on again."""
    return await SessionRuleService(unit).change(session_rule_id, body)


@router.delete("/{session_rule_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_session_rule(session_rule_id: UUID, unit: Writer) -> None:
    await SessionRuleService(unit).remove(session_rule_id)
