from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from concierge.accounts.scope import TenantScope
from concierge.agents.errors import PersonaNameTakenError
from concierge.agents.models import Agent, Persona, PersonaVersion
from concierge.kit.db import Session


class PersonaRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def list(self) -> Sequence[Persona]:
        query = select(Persona).where(Persona.org_id == self._scope.org_id).order_by(Persona.id)
        return (await self._session.scalars(query)).all()

    async def count(self) -> int:
        query = select(func.count()).where(Persona.org_id == self._scope.org_id)
        return await self._session.scalar(query) or 0

    async def get(self, persona_id: UUID, *, for_change: bool = False) -> Persona | None:
        """Return a persona; one that is about to change waits for whoever is changing it."""
        query = select(Persona).where(Persona.org_id == self._scope.org_id, Persona.id == persona_id)
        return await self._session.scalar(query.with_for_update() if for_change else query)

    async def keep(self, persona: Persona) -> None:
        """Store a persona as it is now, and as the version it has. Errors: PersonaNameTakenError."""
        name = persona.name  # A failed flush takes the row's values with it.
        self._session.add(persona)
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise PersonaNameTakenError(name) from error
        self._session.add(
            PersonaVersion(
                org_id=persona.org_id,
                persona_id=persona.id,
                version=persona.version,
                name=persona.name,
                template_name=persona.template_name,
                system_prompt=persona.system_prompt,
                tactics=persona.tactics,
                communication_style=persona.communication_style,
                response_patterns=persona.response_patterns,
                created_at=persona.updated_at,
            )
        )
        await self._session.flush()

    async def versions(self, persona_id: UUID, *, version: int | None = None) -> Sequence[PersonaVersion]:
        """Return a persona's versions, the newest first, or just one of them."""
        query = select(PersonaVersion).where(
            PersonaVersion.org_id == self._scope.org_id, PersonaVersion.persona_id == persona_id
        )
        if version is not None:
            query = query.where(PersonaVersion.version == version)
        return (await self._session.scalars(query.order_by(PersonaVersion.version.desc()))).all()

    async def agents_of(self, persona_id: UUID) -> Sequence[str]:
        """Return the names of the agents that are this persona."""
        query = select(Agent.name).where(Agent.org_id == self._scope.org_id, Agent.persona_id == persona_id)
        return (await self._session.scalars(query.order_by(Agent.name))).all()

    async def remove(self, persona: Persona) -> None:
        await self._session.delete(persona)
        await self._session.flush()
