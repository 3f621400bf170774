"""What of an agent's configuration its organization's plan holds. The rest is paused, not lost. Pure."""

from dataclasses import dataclass, replace
from typing import Final, Protocol
from uuid import UUID

from concierge.agents.schemas import AgentConfiguration
from concierge.agents.schemas.stages import Persona, ToolPolicy
from concierge.billing.plans import Entitlements, Feature, paused


class Allow(Protocol):
    """Errors: EntitlementRequiredError where so much of a feature is not part of the organization's plan."""

    def __call__(self, feature: Feature, wanted: int = 1) -> None: ...


def of_every_plan(feature: Feature, wanted: int = 1) -> None:
    """For what no plan lacks: reading, and the operator's own commands."""


@dataclass(frozen=True, slots=True)
class Paused:
    """What an agent is set up with and cannot use: the features that are missing, and the packs beyond the limit."""

    features: tuple[Feature, ...] = ()
    pack_ids: tuple[UUID, ...] = ()


NOTHING: Final = Paused()


def within(agent: AgentConfiguration, entitlements: Entitlements) -> tuple[AgentConfiguration, Paused]:
    """Return the agent as its plan lets it be, and what is paused."""
    packs = paused(agent.pack_ids, entitlements.limit(Feature.KNOWLEDGE_PACKS))
    missing = tuple(feature for feature in needed(agent) if not entitlements.allows(feature))
    if not packs and not missing:
        return agent, NOTHING
    kept = agent.pack_ids[: len(agent.pack_ids) - len(packs)]
    persona = None if feature_of(agent.persona) in missing else agent.persona
    tools = _tools(agent.tools, missing)
    return replace(agent, pack_ids=kept, persona=persona, tools=tools), Paused(missing, packs)


def needed(agent: AgentConfiguration) -> tuple[Feature, ...]:
    """The features that an agent's persona and tools need."""
    wanted = (feature_of(agent.persona), *features_of(agent.tools))
    return tuple(feature for feature in wanted if feature is not None)


def features_of(tools: ToolPolicy) -> tuple[Feature, ...]:
    sites = (Feature.SITE_SEARCH,) if tools.site_search else ()
    return (*((Feature.WEB_SEARCH,) if tools.web_search else ()), *sites)


def feature_of(persona: Persona | None) -> Feature | None:
    """Which feature a persona needs: what comes from a template and was not rewritten is had by more plans."""
    if persona is None:
        return None
    return Feature.PERSONA_TEMPLATES if persona.is_built_in else Feature.CUSTOM_PERSONAS


def _tools(tools: ToolPolicy, missing: tuple[Feature, ...]) -> ToolPolicy:
    return replace(
        tools,
        web_search=tools.web_search and Feature.WEB_SEARCH not in missing,
        site_search=() if Feature.SITE_SEARCH in missing else tools.site_search,
    )
