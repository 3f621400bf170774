from typing import Any
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.agents.errors import PersonaNotFoundError
from concierge.agents.repository import PersonaRepository
from concierge.agents.schemas import AgentPatch
from concierge.agents.schemas.personas import ExpertisePatch
from concierge.agents.service.agents import AgentService, AgentWithPacks
from concierge.kit.clock import Clock, utc_now


class ExpertiseService:
    """Whether an agent answers as an expert: as whom, from which packs, and with what besides."""

    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._agents = AgentService(unit, clock)
        self._personas = PersonaRepository(unit.session, unit.scope)

    async def change(self, agent_id: UUID, patch: ExpertisePatch) -> AgentWithPacks:
        """Errors: AgentNotFoundError, PersonaNotFoundError, PackOfAgentNotFoundError."""
        agent, packs = await self._agents.get(agent_id)
        if patch.persona_id is not None and await self._personas.get(patch.persona_id) is None:
            raise PersonaNotFoundError
        if "persona_id" in patch.model_fields_set:
            agent.persona_id = patch.persona_id
        if patch.tool_policy is not None:
            agent.tool_policy = {**agent.tool_policy, **_said(patch)}
        if patch.domain_expertise_enabled is not None:
            agent.domain_expertise_enabled = patch.domain_expertise_enabled
        own = AgentPatch(grounding_mode=patch.grounding_mode, pack_ids=patch.pack_ids)
        return await self._agents.changed(agent, packs, own)


def _said(patch: ExpertisePatch) -> dict[str, Any]:
    assert patch.tool_policy is not None, "asked only where something is said of tools"
    said = patch.tool_policy.model_dump(exclude_none=True)
    if "site_search" in said:
        said["site_search"] = list(dict.fromkeys(said["site_search"]))
    return said
