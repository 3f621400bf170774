import re
from collections.abc import Sequence
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.agents.entitled import Allow, of_every_plan
from concierge.agents.errors import AgentNotFoundError
from concierge.agents.models import Agent
from concierge.agents.repository import AgentRepository
from concierge.agents.schemas import AgentConfiguration, AgentIn, AgentPatch
from concierge.billing.plans import Feature
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id

AgentWithPacks = tuple[Agent, list[UUID]]


class AgentService:
    def __init__(self, unit: Unit, allow: Allow = of_every_plan, clock: Clock = utc_now) -> None:
        """`allow` raises where the organization's plan lacks a feature."""
        self._allow = allow
        self._org_id = unit.scope.org_id
        self._repository = AgentRepository(unit.session, unit.scope)
        self._clock = clock

    async def create(self, wanted: AgentIn) -> AgentWithPacks:
        """Errors: SlugTakenError, PackOfAgentNotFoundError, EntitlementRequiredError."""
        agent_id, now = new_id(), self._clock()
        agent = Agent(
            **wanted.model_dump(exclude={"pack_ids", "slug"}),
            org_id=self._org_id,
            id=agent_id,
            slug=wanted.slug or _slug(wanted.name, agent_id),
            version=1,
            created_at=now,
            updated_at=now,
        )
        await self._repository.add(agent)
        packs = list(dict.fromkeys(wanted.pack_ids))
        self._check_packs(packs)
        await self._repository.set_packs(agent.id, packs)
        return agent, packs

    async def list(self) -> Sequence[AgentWithPacks]:
        return await self._repository.list()

    async def by_slug(self, slug: str) -> AgentWithPacks | None:
        return next(iter(await self._repository.list(slug=slug)), None)

    async def get(self, agent_id: UUID) -> AgentWithPacks:
        """Errors: AgentNotFoundError, also for another organization's agent."""
        found = await self._repository.get(agent_id)
        if found is None:
            raise AgentNotFoundError
        return found

    async def change(self, agent_id: UUID, patch: AgentPatch) -> AgentWithPacks:
        agent, packs = await self.get(agent_id)
        return await self.changed(agent, packs, patch)

    async def changed(self, agent: Agent, packs: Sequence[UUID], patch: AgentPatch) -> AgentWithPacks:
        """Change an agent that was read; its version rises. Errors: PackOfAgentNotFoundError."""
        changes = patch.model_dump(exclude_none=True)
        wanted_packs = changes.pop("pack_ids", None)
        for name, value in changes.items():
            setattr(agent, name, value)
        agent.version += 1
        agent.updated_at = self._clock()
        if wanted_packs is not None:
            more = len(set(wanted_packs)) > len(packs)
            packs = tuple(dict.fromkeys(wanted_packs))
            if more:
                self._check_packs(packs)
            await self._repository.set_packs(agent.id, packs)
        return agent, [*packs]

    def _check_packs(self, packs: Sequence[UUID]) -> None:
        if len(packs) > 1:
            self._allow(Feature.KNOWLEDGE_PACKS, len(packs))

    async def remove(self, agent_id: UUID) -> None:
        agent, _packs = await self.get(agent_id)
        await self._repository.remove(agent)

    async def configuration(self, agent_id: UUID) -> AgentConfiguration:
        """Return what a turn needs to know. Errors: AgentNotFoundError."""
        found = await self._repository.configuration(agent_id)
        if found is None:
            raise AgentNotFoundError
        return found


def _slug(name: str, agent_id: UUID) -> str:
    """Make a short name from the name; the end of the id keeps two agents of one name apart."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-")
    return f"{words or 'agent'}-{agent_id.hex[-4:]}"
