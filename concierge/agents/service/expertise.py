from typing import Any, Final
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.agents.entitled import Allow, of_every_plan
from concierge.agents.errors import PersonaNotFoundError
from concierge.agents.repository import PersonaRepository
from concierge.agents.schemas import AgentPatch
from concierge.agents.schemas.personas import ExpertisePatch
from concierge.agents.service.agents import AgentService, AgentWithPacks
from concierge.agents.service.personas import is_built_in
from concierge.billing.plans import Feature
from concierge.kit.clock import Clock, utc_now

# What of the tool policy a plan may lack; calculations are had by all.
TOOL_FEATURES: Final = {"web_search": Feature.WEB_SEARCH, "site_search": Feature.SITE_SEARCH}


class ExpertiseService:
    """Whether an agent answers as an expert: as whom, from which packs, and with what besides."""

    def __init__(self, unit: Unit, allow: Allow = of_every_plan, clock: Clock = utc_now) -> None:
        """`allow` raises where the organization's plan lacks a feature."""
        self._agents = AgentService(unit, allow, clock)
        self._allow = allow
        self._personas = PersonaRepository(unit.session, unit.scope)

    async def change(self, agent_id: UUID, patch: ExpertisePatch) -> AgentWithPacks:
        """Errors: AgentNotFoundError, PersonaNotFoundError, PackOfAgentNotFoundError, EntitlementRequiredError."""
        agent, packs = await self._agents.get(agent_id)
        if patch.persona_id is not None:
            await self._hold(patch.persona_id)
        if "persona_id" in patch.model_fields_set:
            agent.persona_id = patch.persona_id
        if patch.tool_policy is not None:
            said = _said(patch)
            for name, feature in TOOL_FEATURES.items():
                if said.get(name):
                    self._allow(feature)
            agent.tool_policy = {**agent.tool_policy, **said}
        if patch.domain_expertise_enabled is not None:
            agent.domain_expertise_enabled = patch.domain_expertise_enabled
        own = AgentPatch(grounding_mode=patch.grounding_mode, pack_ids=patch.pack_ids)
        return await self._agents.changed(agent, packs, own)

    async def _hold(self, persona_id: UUID) -> None:
        """Keep a persona from being deleted while it is given to an agent, whose plan has to hold it."""
        persona = await self._personas.get(persona_id, for_change=True)
        if persona is None:
            raise PersonaNotFoundError
        self._allow(Feature.PERSONA_TEMPLATES if is_built_in(persona) else Feature.CUSTOM_PERSONAS)


def _said(patch: ExpertisePatch) -> dict[str, Any]:
    assert patch.tool_policy is not None, "asked only where something is said of tools"
    said = patch.tool_policy.model_dump(exclude_none=True)
    if "site_search" in said:
        said["site_search"] = list(dict.fromkeys(said["site_search"]))
    return said
