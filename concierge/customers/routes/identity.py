"""Who a visitor is: proved by the business's server, and ended by the visitor."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header

from concierge.accounts.access import Services, unit_with
from concierge.accounts.scope import Permission, Unit
from concierge.customers.errors import NotAVisitorError
from concierge.customers.routes.customers import Secrets
from concierge.customers.schemas.customers import IdentifiedOut, IdentifyIn
from concierge.customers.service import IdentityService

router = APIRouter(prefix="/api/v1/visitors", tags=["visitors"])

Chatter = Annotated[Unit, unit_with(Permission.CHAT)]
Origin = Annotated[str | None, Header()]


@router.post("/identify")
async def identify_visitor(
    body: IdentifyIn, unit: Chatter, services: Services, secrets: Secrets, origin: Origin = None
) -> IdentifiedOut:
    """Say who this visitor is, with your server's signature. What they did before becomes part of their profile.

    Go on with the token that comes back: where this browser had served somebody else, it is a fresh visitor's.
    """
    visitor_id, agent_id = _visitor(unit)
    visitor_id = await IdentityService(unit, secrets).identify(visitor_id, agent_id, body)
    return _token(unit, services, visitor_id, agent_id, origin)


@router.post("/reset")
async def reset_visitor(
    unit: Chatter, services: Services, secrets: Secrets, origin: Origin = None
) -> IdentifiedOut:
    """Forget on this device who was here, as when somebody signs out; what they did stays theirs."""
    visitor_id, agent_id = _visitor(unit)
    visitor_id = await IdentityService(unit, secrets).reset(visitor_id)
    return _token(unit, services, visitor_id, agent_id, origin)


def _visitor(unit: Unit) -> tuple[UUID, UUID]:
    actor = unit.scope.actor
    if actor.kind != "visitor" or actor.id is None or actor.agent_id is None:
        raise NotAVisitorError
    return actor.id, actor.agent_id


def _token(
    unit: Unit, services: Services, visitor_id: UUID, agent_id: UUID, origin: str | None
) -> IdentifiedOut:
    """A visitor who changes keeps no label of an audience: these are for the business's server to give."""
    actor = unit.scope.actor
    audiences = actor.audiences if visitor_id == actor.id else ()
    token, expires_at = services.authentication.visitor_token(
        unit.scope.org_id, agent_id, visitor_id, actor.origin or origin, audiences
    )
    return IdentifiedOut(token=token, visitor_id=visitor_id, expires_at=expires_at)
