"""SQL of an export: documents whole, and before that how much they will take."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.knowledge.models import Document


class ExportRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def sizes(self, document_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return how many characters each document has."""
        rows = await self._session.execute(
            select(Document.id, func.length(Document.text)).where(
                Document.org_id == self._scope.org_id, Document.id.in_(document_ids)
            )
        )
        return {row[0]: row[1] for row in rows}

    async def whole(self, document_ids: Sequence[UUID]) -> Sequence[Document]:
        """Return documents with their texts, in the order of their ids."""
        rows = await self._session.scalars(
            select(Document)
            .where(Document.org_id == self._scope.org_id, Document.id.in_(document_ids))
            .order_by(Document.id)
            .options(undefer(Document.text))
        )
        return rows.all()
