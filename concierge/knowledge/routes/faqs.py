"""Question–answer pairs of a pack: what is said, word for word, to whoever asks them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, status

from concierge.accounts.access import scope_with
from concierge.accounts.scope import Permission, TenantScope
from concierge.kit.pagination import Page
from concierge.knowledge.ingestion.faqs import FaqService
from concierge.knowledge.routes import Limit, Seeker
from concierge.knowledge.schemas.faqs import FaqIn, FaqOut, FaqPatch

router = APIRouter(prefix="/api/v1/knowledge", tags=["knowledge"])

Editor = Annotated[TenantScope, scope_with(Permission.KNOWLEDGE_WRITE)]


def _faqs(request: Request) -> FaqService:
    service: FaqService = request.app.state.faqs
    return service


Faqs = Annotated[FaqService, Depends(_faqs)]


@router.get("/packs/{pack_id}/faqs")
async def list_faqs(
    pack_id: UUID, scope: Seeker, faqs: Faqs, cursor: UUID | None = None, limit: Limit = 50
) -> Page[FaqOut]:
    """List a pack's question–answer pairs, also those that come from a feed."""
    return Page.of(await faqs.list(scope, pack_id, after=cursor, limit=limit + 1), limit)


@router.post("/packs/{pack_id}/faqs", status_code=status.HTTP_201_CREATED)
async def create_faq(pack_id: UUID, body: FaqIn, scope: Editor, faqs: Faqs) -> FaqOut:
    """Add a pair. From now on whoever asks its question is given its answer, whatever documents say."""
    return await faqs.create(scope, pack_id, body)


@router.get("/packs/{pack_id}/faqs/{faq_id}")
async def get_faq(pack_id: UUID, faq_id: UUID, scope: Seeker, faqs: Faqs) -> FaqOut:
    return await faqs.get(scope, pack_id, faq_id)


@router.patch("/packs/{pack_id}/faqs/{faq_id}")
async def change_faq(pack_id: UUID, faq_id: UUID, body: FaqPatch, scope: Editor, faqs: Faqs) -> FaqOut:
    """Change what is given. The next question is answered by it."""
    return await faqs.change(scope, pack_id, faq_id, body)


@router.delete("/packs/{pack_id}/faqs/{faq_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_faq(pack_id: UUID, faq_id: UUID, scope: Editor, faqs: Faqs) -> None:
    await faqs.remove(scope, pack_id, faq_id)
