"""The same document once more, for those who have its text from another place."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, literal, select

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.kit.ids import new_id
from concierge.knowledge.models import ChunkRow, Document, IndexedDocument
from concierge.knowledge.repository.chunks import ChunkRepository
from concierge.knowledge.repository.documents import DocumentRepository


async def copied(
    session: Session,
    scope: TenantScope,
    document_id: UUID,
    *,
    source_id: UUID,
    uri: str,
    audience: str | None,
) -> UUID:
    """Store a copy of a document with its chunks, in every index that holds it. The caller holds the pack's lock. Returns the copy."""
    copy_id = new_id()
    place = {
        "id": literal(copy_id),
        "source_id": literal(source_id),
        "uri": literal(uri),
        "audience": literal(audience, Document.audience.type),
    }
    of_copy = {"id": func.gen_random_uuid(), "document_id": literal(copy_id)}
    await _copy_rows(
        session, Document, (Document.org_id == scope.org_id) & (Document.id == document_id), place
    )
    indexed = (IndexedDocument.org_id == scope.org_id) & (IndexedDocument.document_id == document_id)
    await _copy_rows(session, IndexedDocument, indexed, {"document_id": literal(copy_id)})
    chunks = (ChunkRow.org_id == scope.org_id) & (ChunkRow.document_id == document_id)
    await _copy_rows(session, ChunkRow, chunks, of_copy)
    await ChunkRepository(session, scope).count(copy_id)
    found = await session.execute(
        select(Document.pack_id, Document.chunk_count).where(
            Document.org_id == scope.org_id, Document.id == copy_id
        )
    )
    pack_id, size = found.one()
    await DocumentRepository(session, scope).count(pack_id, size)
    return copy_id


async def _copy_rows(
    session: Session,
    table: type[Document | IndexedDocument | ChunkRow],
    chosen: ColumnElement[bool],
    others: Mapping[str, ColumnElement[Any]],
) -> None:
    """Insert the chosen rows again, with `others` in these columns."""
    columns = list(table.__table__.columns)
    rows = select(*(others.get(column.name, column) for column in columns)).where(chosen)
    await session.execute(insert(table).from_select([column.name for column in columns], rows))
