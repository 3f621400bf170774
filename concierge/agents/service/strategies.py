from collections.abc import Mapping
from typing import Any
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.agents.errors import AgentNotFoundError
from concierge.agents.models import Agent
from concierge.agents.repository import AgentRepository
from concierge.agents.schemas.policy import StrategyOut, StrategyPatch, StrategyPolicy
from concierge.kit.clock import Clock, utc_now


class StrategyService:
    """What strategies may be: said once for an organization, and differently for an agent where need be."""

    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._repository = AgentRepository(unit.session, unit.scope)
        self._clock = clock

    async def defaults(self) -> StrategyOut:
        return _out(await self._defaults(), {})

    async def set_defaults(self, wanted: StrategyPatch) -> StrategyOut:
        """Replace all that was said for the organization; it holds from the next turn on."""
        said = _said(wanted)
        await self._repository.save_strategy_defaults(said, self._clock())
        return _out(said, {})

    async def of_agent(self, agent_id: UUID) -> StrategyOut:
        """Errors: AgentNotFoundError."""
        agent = await self._agent(agent_id)
        return _out(agent.strategy, await self._defaults())

    async def set_for_agent(self, agent_id: UUID, wanted: StrategyPatch) -> StrategyOut:
        """Replace all that was said for an agent. Errors: AgentNotFoundError."""
        agent = await self._agent(agent_id)
        agent.strategy = _said(wanted)
        agent.version += 1
        agent.updated_at = self._clock()
        return _out(agent.strategy, await self._defaults())

    async def _agent(self, agent_id: UUID) -> Agent:
        found = await self._repository.get(agent_id)
        if found is None:
            raise AgentNotFoundError
        return found[0]

    async def _defaults(self) -> Mapping[str, Any]:
        stored = await self._repository.strategy_defaults()
        return stored.strategy if stored else {}


def _said(wanted: StrategyPatch) -> dict[str, Any]:
    return wanted.model_dump(mode="json", exclude_none=True)


def _out(own: Mapping[str, Any], under: Mapping[str, Any]) -> StrategyOut:
    return StrategyOut(own=StrategyPatch.model_validate(own), effective=StrategyPolicy.of({**under, **own}))
