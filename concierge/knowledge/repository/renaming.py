"""A document of a source under another name."""

from uuid import UUID

from sqlalchemy import delete, update

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.knowledge.models import Document, DocumentJudgement, SourceItem


async def renamed(session: Session, scope: TenantScope, source_id: UUID, before: str, now: str) -> None:
    """Give an item of a source, what was read from it, and what an operator said of that another name."""
    if before == now:
        return
    await session.execute(
        delete(DocumentJudgement).where(
            DocumentJudgement.org_id == scope.org_id,
            DocumentJudgement.source_id == source_id,
            DocumentJudgement.uri == now,
        )
    )
    for model in (SourceItem, Document, DocumentJudgement):
        await session.execute(
            update(model)
            .where(model.org_id == scope.org_id, model.source_id == source_id, model.uri == before)
            .values(uri=now)
        )
