"""Trying an expert out, and what it can do, under the addresses of the domain-expertise API."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from concierge.accounts.access import scope_with
from concierge.accounts.scope import Permission, TenantScope
from concierge.chat.expertise import CapabilitiesOut, Expertise, TestQueryIn, TestQueryOut

router = APIRouter(prefix="/api/v1/domain-expertise", tags=["domain expertise"])


def _expertise(request: Request) -> Expertise:
    expertise: Expertise = request.app.state.expertise
    return expertise


Experts = Annotated[Expertise, Depends(_expertise)]


@router.post("/test-query")
async def test_query(
    body: TestQueryIn, scope: Annotated[TenantScope, scope_with(Permission.AGENTS_WRITE)], experts: Experts
) -> TestQueryOut:
    """Ask an agent as a visitor would, and see what the answer rests on and why it is so. No conversation is stored; what
    a language model or a web search costs is counted.
    """
    return await experts.attempt(scope, body)


@router.get("/agents/{agent_id}/capabilities")
async def get_capabilities(
    agent_id: UUID, scope: Annotated[TenantScope, scope_with(Permission.AGENTS_READ)], experts: Experts
) -> CapabilitiesOut:
    """What an agent can do now, and what its organization's plan lacks."""
    return await experts.capabilities(scope, agent_id)
