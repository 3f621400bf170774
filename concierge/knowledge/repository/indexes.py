"""SQL of a pack's indexes: which one is current, what a build still lacks, the switch, and the removal of old ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, select, text, update
from sqlalchemy.exc import IntegrityError

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.kit.ids import new_id
from concierge.knowledge.errors import IndexBuildingError
from concierge.knowledge.models import Document, IndexedDocument, KnowledgePack, PackIndex
from concierge.knowledge.schemas.indexes import IndexPlan
from concierge.llm.embeddings import VectorSpace

MISSING = """
SELECT d.id FROM documents d
WHERE d.org_id = :org_id AND d.pack_id = :pack_id
  AND (CAST(:after AS uuid) IS NULL OR d.id > CAST(:after AS uuid)) AND NOT EXISTS (
    SELECT FROM indexed_documents i
    WHERE i.org_id = d.org_id AND i.document_id = d.id AND i.index_id = :index_id)
ORDER BY d.id LIMIT :limit
"""

SIZES = """
SELECT index_id, count(*), coalesce(sum(chunk_count), 0), count(*) FILTER (WHERE indexed_at > :since)
FROM indexed_documents WHERE org_id = :org_id AND index_id = ANY (:indexes) GROUP BY index_id
"""

COUNT_CHUNKS = """
UPDATE documents d SET chunk_count = i.chunk_count FROM indexed_documents i
WHERE d.org_id = :org_id AND d.pack_id = :pack_id AND i.org_id = d.org_id AND i.document_id = d.id
  AND i.index_id = :index_id AND d.chunk_count <> i.chunk_count
"""

# The revision rises even where nothing else of the pack does: what is kept of it in memory is of the old index.
COUNT_PACK = """
UPDATE knowledge_packs SET revision = revision + 1, chunk_count = (
    SELECT coalesce(sum(chunk_count), 0) FROM indexed_documents WHERE org_id = :org_id AND index_id = :index_id)
WHERE org_id = :org_id AND id = :pack_id
"""

# Each removes one portion and says how large it was.
REMOVALS = (
    """
DELETE FROM chunks WHERE org_id = :org_id AND id = ANY (ARRAY(
    SELECT id FROM chunks WHERE org_id = :org_id AND index_id = :index_id LIMIT :limit))
""",
    """
DELETE FROM term_stats WHERE org_id = :org_id AND index_id = :index_id AND term = ANY (ARRAY(
    SELECT term FROM term_stats WHERE org_id = :org_id AND index_id = :index_id LIMIT :limit))
""",
    """
DELETE FROM restricted_term_stats WHERE org_id = :org_id AND index_id = :index_id AND term = ANY (ARRAY(
    SELECT term FROM restricted_term_stats WHERE org_id = :org_id AND index_id = :index_id LIMIT :limit))
""",
    """
DELETE FROM indexed_documents WHERE org_id = :org_id AND index_id = :index_id AND document_id = ANY (ARRAY(
    SELECT document_id FROM indexed_documents WHERE org_id = :org_id AND index_id = :index_id LIMIT :limit))
""",
)


@dataclass(frozen=True, slots=True)
class IndexSize:
    """How many documents an index holds, with how many chunks, and how many documents came lately."""

    documents: int = 0
    chunks: int = 0
    recent: int = 0


@dataclass(frozen=True, slots=True)
class StoredText:
    """A document's text. `instruction_spans` are starts and ends of sentences in it that give orders, `questions` the
    ways in which a question–answer pair is asked.
    """

    text: str
    flags: Sequence[str]
    instruction_spans: Sequence[int]
    questions: Sequence[str]


def plan_of(index: PackIndex) -> IndexPlan:
    space = VectorSpace(index.embedding_model, index.dimensions)
    return IndexPlan(space, "recursive" if index.chunker == "recursive" else "late_semantic")


class IndexRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def current(self, pack_id: UUID) -> PackIndex | None:
        return await self._session.scalar(self._indexes(pack_id).where(PackIndex.state == "current"))

    async def building(self, pack_id: UUID) -> PackIndex | None:
        return await self._session.scalar(self._indexes(pack_id).where(PackIndex.state == "building"))

    async def current_or_first(self, pack_id: UUID, plan: IndexPlan, now: datetime) -> PackIndex:
        """Return the pack's current index; where there is none yet, its first as it would be made, which is not stored."""
        index = await self.current(pack_id)
        if index is not None:
            return index
        return PackIndex(
            **self._made(pack_id, plan),
            id=pack_id,
            number=1,
            state="current",
            created_at=now,
            switched_at=now,
        )

    async def confirm(self, index: PackIndex) -> bool:
        """Whether a pack is still searched in this index; its first one begins now. The caller holds the pack's lock."""
        current = await self.current(index.pack_id)
        if current is not None:
            return current.id == index.id and plan_of(current) == plan_of(index)
        if index.id != index.pack_id:
            return False
        self._session.add(index)
        await self._session.flush()
        return True

    async def add(self, pack_id: UUID, plan: IndexPlan, now: datetime) -> PackIndex:
        """Begin an index beside the current one. Errors: IndexBuildingError."""
        last = await self._session.scalar(
            select(func.max(PackIndex.number)).where(
                PackIndex.org_id == self._scope.org_id, PackIndex.pack_id == pack_id
            )
        )
        # A pack without an index still owes its own id to the first one.
        index = PackIndex(
            **self._made(pack_id, plan),
            id=new_id(),
            number=(last or 1) + 1,
            state="building",
            created_at=now,
        )
        self._session.add(index)
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise IndexBuildingError from error
        return index

    async def get(self, index_id: UUID, *, lock: bool = False) -> PackIndex | None:
        query = select(PackIndex).where(PackIndex.org_id == self._scope.org_id, PackIndex.id == index_id)
        return await self._session.scalar(query.with_for_update() if lock else query)

    async def sizes(self, index_ids: Sequence[UUID], since: datetime) -> dict[UUID, IndexSize]:
        rows = await self._session.execute(
            text(SIZES), {"org_id": self._scope.org_id, "indexes": list(index_ids), "since": since}
        )
        return {row[0]: IndexSize(*row[1:]) for row in rows}

    async def missing(self, index: PackIndex, limit: int, after: UUID | None = None) -> list[UUID]:
        """Return documents of the pack that an index has yet to take in, in the order of their ids."""
        parameters = {**self._of(index), "limit": limit, "after": after}
        rows = await self._session.execute(text(MISSING), parameters)
        return list(rows.scalars())

    async def to_take_in(self, index_id: UUID, document_id: UUID) -> StoredText | None:
        """Return a document as it is stored; None when it is gone, or taken in already."""
        row = (
            await self._session.execute(
                self._lacking(index_id, document_id).with_only_columns(
                    Document.text, Document.flags, Document.instruction_spans, Document.questions
                )
            )
        ).first()
        return StoredText(*row) if row else None

    async def lacks(self, index_id: UUID, document_id: UUID) -> bool:
        """Whether there is such a document that the index has yet to take in."""
        return await self._session.scalar(self._lacking(index_id, document_id)) is not None

    async def flag(self, document_id: UUID, flags: Sequence[str], spans: Sequence[int]) -> None:
        """Note sentences of a document that give orders."""
        await self._session.execute(
            update(Document)
            .where(Document.org_id == self._scope.org_id, Document.id == document_id)
            .values(flags=list(flags), instruction_spans=list(spans))
        )

    async def switch(self, old: PackIndex | None, new: PackIndex, now: datetime) -> None:
        """Let a pack be searched in its new index from this transaction's commit on. The caller holds the pack's lock."""
        if old is not None:
            old.state, old.ended_at = "retired", now
            await self._session.flush()
        new.state, new.switched_at, new.error, new.error_code = "current", now, None, None
        await self._session.flush()
        await self._session.execute(text(COUNT_CHUNKS), self._of(new))
        await self._session.execute(text(COUNT_PACK), self._of(new))

    async def remove_portion(self, index: PackIndex, limit: int) -> bool:
        """Remove some of what an index holds. Returns whether there may be more."""
        parameters = {"org_id": self._scope.org_id, "index_id": index.id, "limit": limit}
        for statement in REMOVALS:
            done: Any = await self._session.execute(text(statement), parameters)
            if done.rowcount:
                return True
        return False

    async def forget(self, index: PackIndex) -> None:
        await self._session.delete(index)
        await self._session.flush()

    async def document_count(self, pack_id: UUID) -> int | None:
        """Return how many documents a pack has; None when there is no such pack."""
        return await self._session.scalar(
            select(KnowledgePack.document_count).where(
                KnowledgePack.org_id == self._scope.org_id, KnowledgePack.id == pack_id
            )
        )

    async def list(self, pack_id: UUID) -> Sequence[PackIndex]:
        """Return a pack's indexes, the latest first."""
        return (await self._session.scalars(self._indexes(pack_id).order_by(PackIndex.number.desc()))).all()

    def _indexes(self, pack_id: UUID) -> Select[PackIndex]:
        return select(PackIndex).where(PackIndex.org_id == self._scope.org_id, PackIndex.pack_id == pack_id)

    def _lacking(self, index_id: UUID, document_id: UUID) -> Select[Any]:
        taken_in = exists().where(
            IndexedDocument.org_id == Document.org_id,
            IndexedDocument.document_id == Document.id,
            IndexedDocument.index_id == index_id,
        )
        return select(Document.id).where(
            Document.org_id == self._scope.org_id, Document.id == document_id, ~taken_in
        )

    def _of(self, index: PackIndex) -> dict[str, Any]:
        return {"org_id": self._scope.org_id, "pack_id": index.pack_id, "index_id": index.id}

    def _made(self, pack_id: UUID, plan: IndexPlan) -> dict[str, Any]:
        return {
            "org_id": self._scope.org_id,
            "pack_id": pack_id,
            "embedding_model": plan.space.model,
            "dimensions": plan.space.dimensions,
            "chunker": plan.chunker,
        }
