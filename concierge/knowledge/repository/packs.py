from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.knowledge.errors import PackNameTakenError
from concierge.knowledge.models import KnowledgePack


class PackRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def add(self, pack: KnowledgePack) -> None:
        self._session.add(pack)
        await self.save(pack)

    async def save(self, pack: KnowledgePack) -> None:
        """Write what has changed. Errors: PackNameTakenError."""
        name = pack.name
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise PackNameTakenError(name) from error

    async def list(self) -> Sequence[KnowledgePack]:
        rows = await self._session.scalars(
            select(KnowledgePack)
            .where(KnowledgePack.org_id == self._scope.org_id)
            .order_by(KnowledgePack.created_at)
        )
        return rows.all()

    async def get(self, pack_id: UUID) -> KnowledgePack | None:
        return await self._session.scalar(
            select(KnowledgePack).where(
                KnowledgePack.org_id == self._scope.org_id, KnowledgePack.id == pack_id
            )
        )

    async def by_name(self, name: str) -> KnowledgePack | None:
        return await self._session.scalar(
            select(KnowledgePack).where(
                KnowledgePack.org_id == self._scope.org_id, KnowledgePack.name == name
            )
        )

    async def remove(self, pack: KnowledgePack) -> None:
        await self._session.delete(pack)
        await self._session.flush()
