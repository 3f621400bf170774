from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, status

from concierge.accounts.access import CurrentScope, unit_with
from concierge.accounts.scope import Permission, Unit
from concierge.agents.entitled import Allow
from concierge.agents.schemas import AgentIn, AgentOut, AgentPatch
from concierge.agents.schemas.policy import StrategyOut, StrategyPatch
from concierge.agents.service import AgentService, AgentWithPacks, StrategyService
from concierge.billing.service import Plans

router = APIRouter(prefix="/api/v1/agents", tags=["agents"])
strategies = APIRouter(prefix="/api/v1/strategies", tags=["strategies"])


async def allowed(request: Request, scope: CurrentScope) -> Allow:
    """What the caller's plan holds, asked before a transaction is opened."""
    plans: Plans = request.app.state.billing.plans
    return partial(plans.require, await plans.of(scope))


Allowed = Annotated[Allow, Depends(allowed)]
Reader = Annotated[Unit, unit_with(Permission.AGENTS_READ)]
Writer = Annotated[Unit, unit_with(Permission.AGENTS_WRITE)]


@router.get("")
async def list_agents(unit: Reader) -> list[AgentOut]:
    return [agent_out(found) for found in await AgentService(unit).list()]


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_agent(body: AgentIn, allow: Allowed, unit: Writer) -> AgentOut:
    return agent_out(await AgentService(unit, allow).create(body))


@router.get("/{agent_id}")
async def get_agent(agent_id: UUID, unit: Reader) -> AgentOut:
    return agent_out(await AgentService(unit).get(agent_id))


@router.patch("/{agent_id}")
async def change_agent(agent_id: UUID, body: AgentPatch, allow: Allowed, unit: Writer) -> AgentOut:
    return agent_out(await AgentService(unit, allow).change(agent_id, body))


@router.delete("/{agent_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_agent(agent_id: UUID, unit: Writer) -> None:
    await AgentService(unit).remove(agent_id)


@router.get("/{agent_id}/strategy")
async def get_agent_strategy(agent_id: UUID, unit: Reader) -> StrategyOut:
    """What this agent's strategies may be: its own word, and what holds together with the organization's."""
    return await StrategyService(unit).of_agent(agent_id)


@router.put("/{agent_id}/strategy")
async def set_agent_strategy(agent_id: UUID, body: StrategyPatch, unit: Writer) -> StrategyOut:
    """Say what is different for this agent; everything that was said before is replaced."""
    return await StrategyService(unit).set_for_agent(agent_id, body)


@strategies.get("")
async def get_strategy_defaults(unit: Reader) -> StrategyOut:
    """What holds for all agents of the organization that say nothing else."""
    return await StrategyService(unit).defaults()


@strategies.put("")
async def set_strategy_defaults(body: StrategyPatch, unit: Writer) -> StrategyOut:
    """Say what holds for all agents; everything that was said before is replaced."""
    return await StrategyService(unit).set_defaults(body)


def agent_out(found: AgentWithPacks) -> AgentOut:
    agent, packs = found
    values = {name: getattr(agent, name) for name in AgentOut.model_fields if name != "pack_ids"}
    return AgentOut(**values, pack_ids=packs)
