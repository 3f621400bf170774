from uuid import UUID

from sqlalchemy import update

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.knowledge.models import Document, SourceItem


class TextRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def rename(self, source_id: UUID, before: str, now: str) -> None:
        """Give an item of a source, and what was read from it, another name."""
        for model in (SourceItem, Document):
            await self._session.execute(
                update(model)
                .where(model.org_id == self._scope.org_id, model.source_id == source_id, model.uri == before)
                .values(uri=now)
            )
