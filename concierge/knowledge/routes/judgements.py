"""What operators say of sources and documents: whom to believe, and who may read them."""

from uuid import UUID

from fastapi import APIRouter

from concierge.knowledge.routes import Writer
from concierge.knowledge.schemas import SourceOut
from concierge.knowledge.schemas.judgements import DocumentPatch, SourcePatch
from concierge.knowledge.schemas.packs import DocumentOut
from concierge.knowledge.service import JudgementService, SourceService

router = APIRouter(prefix="/api/v1/knowledge", tags=["knowledge"])


@router.patch("/sources/{source_id}")
async def change_source(source_id: UUID, body: SourcePatch, unit: Writer) -> SourceOut:
    """Say who may read a source and how far to believe it. It holds from the next question on, for all its documents."""
    await JudgementService(unit).source(source_id, body)
    return await SourceService(unit).get(source_id)


@router.patch("/documents/{document_id}")
async def change_document(document_id: UUID, body: DocumentPatch, unit: Writer) -> DocumentOut:
    """Say of one document what holds for it instead of what holds for its source; `null` is as the source again."""
    return DocumentOut.model_validate(await JudgementService(unit).document(document_id, body))
