"""Packs under the addresses of the domain-expertise API, which do what the knowledge routes do."""

from uuid import UUID

from fastapi import APIRouter, status

from concierge.knowledge.routes import Reader, Writer, add_source, create_pack, list_packs
from concierge.knowledge.schemas import PackIn, PackOut, SourceIn, SourceOut

router = APIRouter(prefix="/api/v1/domain-expertise", tags=["domain expertise"])


@router.get("/knowledge-packs")
async def list_knowledge_packs(unit: Reader) -> list[PackOut]:
    return await list_packs(unit)


@router.post("/knowledge-packs", status_code=status.HTTP_201_CREATED)
async def create_knowledge_pack(body: PackIn, unit: Writer) -> PackOut:
    return await create_pack(body, unit)


@router.post("/knowledge-packs/{pack_id}/sources", status_code=status.HTTP_202_ACCEPTED)
async def add_knowledge_source(pack_id: UUID, body: SourceIn, unit: Writer) -> SourceOut:
    """Add a source to a pack. Reading it is a background job; watch the source's progress."""
    return await add_source(pack_id, body, unit)
