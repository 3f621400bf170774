from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from concierge.accounts.scope import TenantScope
from concierge.agents.errors import LanguageModelNameTakenError
from concierge.agents.models import AgentWriting, LanguageModelRow, WritingDefaults
from concierge.kit.db import Session


class WritingRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def models(self) -> Sequence[LanguageModelRow]:
        query = select(LanguageModelRow).where(LanguageModelRow.org_id == self._scope.org_id)
        return (await self._session.scalars(query.order_by(LanguageModelRow.id))).all()

    async def model(self, model_id: UUID) -> LanguageModelRow | None:
        return await self._session.get(LanguageModelRow, (self._scope.org_id, model_id))

    async def count(self) -> int:
        query = select(func.count()).where(LanguageModelRow.org_id == self._scope.org_id)
        return await self._session.scalar(query) or 0

    async def keep(self, row: LanguageModelRow) -> None:
        """Errors: LanguageModelNameTakenError."""
        name = row.name  # A failed flush takes the row's values with it.
        self._session.add(row)
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise LanguageModelNameTakenError(name) from error

    async def remove(self, row: LanguageModelRow) -> None:
        await self._session.delete(row)
        await self._session.flush()

    async def defaults(self) -> Mapping[str, Any]:
        row = await self._session.get(WritingDefaults, self._scope.org_id)
        return {} if row is None else row.writing

    async def save_defaults(self, writing: Mapping[str, Any], now: datetime) -> None:
        values = {"writing": dict(writing), "updated_at": now}
        await self._session.execute(
            insert(WritingDefaults)
            .values(org_id=self._scope.org_id, **values)
            .on_conflict_do_update(index_elements=["org_id"], set_=values)
        )

    async def of_agents(self) -> Mapping[UUID, Mapping[str, Any]]:
        query = select(AgentWriting.agent_id, AgentWriting.writing)
        rows = await self._session.execute(query.where(AgentWriting.org_id == self._scope.org_id))
        return {row.agent_id: row.writing for row in rows}

    async def save_for_agent(self, agent_id: UUID, writing: Mapping[str, Any], now: datetime) -> None:
        values = {"writing": dict(writing), "updated_at": now}
        await self._session.execute(
            insert(AgentWriting)
            .values(org_id=self._scope.org_id, agent_id=agent_id, **values)
            .on_conflict_do_update(index_elements=["org_id", "agent_id"], set_=values)
        )
