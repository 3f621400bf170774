"""SQL of question–answer pairs: the pairs of a pack, the ways in which they are asked, and those nearest to a question."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import undefer

from concierge.accounts.scope import Audiences, TenantScope
from concierge.kit.db import Session, fetch
from concierge.knowledge.models import Document, SourceItem
from concierge.knowledge.repository.search import HIDDEN

# A pair has one passage.
NEAREST: LiteralString = """
SELECT q.document_id, c.id, d.questions[q.ordinal + 1], q.cosine
FROM (
    SELECT org_id, index_id, document_id, ordinal, -(embedding <#> %(vector)b) AS cosine FROM faq_questions
    WHERE org_id = %(org_id)b AND index_id = ANY (%(indexes)b) AND document_id NOT IN ({hidden})
    ORDER BY embedding <#> %(vector)b, document_id, ordinal LIMIT %(wanted)b
) q
JOIN documents d ON d.org_id = q.org_id AND d.id = q.document_id
JOIN chunks c ON c.org_id = q.org_id AND c.document_id = q.document_id
    AND c.index_id = q.index_id
ORDER BY q.cosine DESC, q.document_id, q.ordinal
""".replace("{hidden}", HIDDEN)


@dataclass(frozen=True, slots=True)
class NearQuestion:
    """A pair as it is asked, and the cosine of that to the visitor's question; `chunk_id` is its passage."""

    document_id: UUID
    chunk_id: UUID
    question: str
    cosine: float


class FaqRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def nearest(
        self, indexes: Sequence[UUID], vector: NDArray[np.float32], wanted: int, audiences: Audiences
    ) -> list[NearQuestion]:
        """Return the questions of these indexes' pairs that are nearest to a question, best first."""
        rows = await fetch(
            self._session,
            NEAREST,
            {
                "org_id": self._scope.org_id,
                "indexes": list(indexes),
                "everything": audiences.everything,
                "labels": sorted(audiences.labels),
                "vector": HalfVector(vector),
                "wanted": wanted,
            },
        )
        return [NearQuestion(*row) for row in rows]

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
