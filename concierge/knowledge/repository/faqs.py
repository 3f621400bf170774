"""SQL of question–answer pairs."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import undefer

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.knowledge.models import Document, SourceItem


class FaqRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def list(self, pack_id: UUID, after: UUID | None, limit: int) -> Sequence[Document]:
        query = self._pairs(pack_id)
        if after is not None:
            query = query.where(Document.id > after)
        return (await self._session.scalars(query.order_by(Document.id).limit(limit))).all()

    async def get(self, pack_id: UUID, document_id: UUID) -> Document | None:
        return await self._session.scalar(self._pairs(pack_id).where(Document.id == document_id))

    async def by_key(self, source_id: UUID, key: str) -> UUID | None:
        """Return the pair of a source that stands under this name there."""
        return await self._session.scalar(
            select(Document.id).where(
                Document.org_id == self._scope.org_id, Document.source_id == source_id, Document.uri == key
            )
        )

    async def note_stored(self, source_id: UUID, key: str, document_id: UUID, now: datetime) -> None:
        """Note with the item of this name, which exists, that its pair is stored."""
        await self._session.execute(
            update(SourceItem)
            .where(
                SourceItem.org_id == self._scope.org_id,
                SourceItem.source_id == source_id,
                SourceItem.uri == key,
            )
            .values(
                status="stored",
                document_id=document_id,
                chunk_count=1,
                finished_at=now,
                error_code=None,
                error=None,
            )
        )

    async def forget_items(self, document_id: UUID) -> None:
        await self._session.execute(
            delete(SourceItem).where(
                SourceItem.org_id == self._scope.org_id, SourceItem.document_id == document_id
            )
        )

    def _pairs(self, pack_id: UUID) -> Select[Document]:
        return (
            select(Document)
            .where(Document.org_id == self._scope.org_id, Document.pack_id == pack_id, Document.kind == "faq")
            .options(undefer(Document.text))
        )
