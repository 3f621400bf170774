from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.exc import IntegrityError

from concierge.accounts.scope import TenantScope
from concierge.agents.errors import PackOfAgentNotFoundError, SlugTakenError
from concierge.agents.models import Agent, AgentPack, StrategyDefaults
from concierge.agents.schemas import AgentConfiguration
from concierge.agents.schemas.policy import StrategyPolicy
from concierge.agents.schemas.stages import ToolPolicy
from concierge.agents.templates import spoken
from concierge.kit.db import Session, fetch

CONFIGURATION = """
SELECT a.id, a.name, a.greeting, a.grounding_mode, a.allowed_origins, a.shows_intelligence_to_visitors, a.version,
       ARRAY(SELECT k.pack_id FROM agent_packs k
             WHERE k.org_id = a.org_id AND k.agent_id = a.id ORDER BY k.position),
       coalesce((SELECT d.strategy FROM strategy_defaults d WHERE d.org_id = a.org_id), '{}') || a.strategy,
       a.domain_expertise_enabled, a.tool_policy, p.id, p.name, p.system_prompt, p.tactics, p.communication_style,
       p.response_patterns, p.template_name, p.version
FROM agents a LEFT JOIN personas p ON p.org_id = a.org_id AND p.id = a.persona_id
WHERE a.org_id = %(org_id)b AND a.id = %(agent_id)b
"""


class AgentRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def add(self, agent: Agent) -> None:
        self._session.add(agent)
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise SlugTakenError(agent.slug) from error

    async def get(self, agent_id: UUID) -> tuple[Agent, list[UUID]] | None:
        """Return an agent and its packs, in one statement."""
        rows = await self.list(agent_id=agent_id)
        return rows[0] if rows else None

    async def configuration(self, agent_id: UUID) -> AgentConfiguration | None:
        """Return what a turn needs to know of an agent, for every turn anew."""
        rows = await fetch(self._session, CONFIGURATION, {"org_id": self._scope.org_id, "agent_id": agent_id})
        return _configuration(rows[0]) if rows else None

    async def list(
        self, *, agent_id: UUID | None = None, slug: str | None = None
    ) -> Sequence[tuple[Agent, list[UUID]]]:
        packs = (
            select(func.array_agg(aggregate_order_by(AgentPack.pack_id, AgentPack.position)))
            .where(AgentPack.org_id == Agent.org_id, AgentPack.agent_id == Agent.id)
            .scalar_subquery()
        )
        query = select(Agent, packs).where(Agent.org_id == self._scope.org_id).order_by(Agent.created_at)
        if agent_id is not None:
            query = query.where(Agent.id == agent_id)
        if slug is not None:
            query = query.where(Agent.slug == slug)
        return [(row[0], list(row[1] or ())) for row in await self._session.execute(query)]

    async def set_packs(self, agent_id: UUID, pack_ids: Sequence[UUID]) -> None:
        await self._session.execute(
            delete(AgentPack).where(AgentPack.org_id == self._scope.org_id, AgentPack.agent_id == agent_id)
        )
        self._session.add_all(
            AgentPack(org_id=self._scope.org_id, agent_id=agent_id, pack_id=pack_id, position=position)
            for position, pack_id in enumerate(pack_ids)
        )
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise PackOfAgentNotFoundError from error

    async def strategy_defaults(self) -> StrategyDefaults | None:
        return await self._session.get(StrategyDefaults, self._scope.org_id)

    async def save_strategy_defaults(self, strategy: Mapping[str, Any], now: datetime) -> None:
        values = {"strategy": dict(strategy), "updated_at": now}
        await self._session.execute(
            insert(StrategyDefaults)
            .values(org_id=self._scope.org_id, **values)
            .on_conflict_do_update(index_elements=["org_id"], set_=values)
        )

    async def remove(self, agent: Agent) -> None:
        await self._session.delete(agent)
        await self._session.flush()


def _configuration(row: Sequence[Any]) -> AgentConfiguration:
    agent_id, name, greeting, mode, origins, shows_intelligence, version, packs, strategy, *expert = row
    expertise, tools, *persona = expert
    return AgentConfiguration(
        id=agent_id,
        name=name,
        greeting=greeting,
        grounding_mode=mode,
        allowed_origins=tuple(origins),
        shows_intelligence_to_visitors=shows_intelligence,
        version=version,
        pack_ids=tuple(packs),
        policy=StrategyPolicy.of(strategy),
        persona=None if persona[0] is None else spoken(*persona),
        tools=_TOOLS.validate_python(tools),
        expertise=expertise,
    )


_TOOLS: Final = TypeAdapter(ToolPolicy)
