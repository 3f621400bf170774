"""The indexes of a pack: building one by another model or chunker beside the one that answers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, status

from concierge.knowledge.chunkers import Chunkers
from concierge.knowledge.routes import Reader, Writer
from concierge.knowledge.schemas.indexes import IndexOut, ReindexIn
from concierge.knowledge.service import IndexService

router = APIRouter(prefix="/api/v1/knowledge", tags=["knowledge"])


def _chunkers(request: Request) -> Chunkers:
    chunkers: Chunkers = request.app.state.chunkers
    return chunkers


Indexing = Annotated[Chunkers, Depends(_chunkers)]


@router.post("/packs/{pack_id}/reindex", status_code=status.HTTP_202_ACCEPTED)
async def reindex_pack(pack_id: UUID, body: ReindexIn, unit: Writer, chunkers: Indexing) -> IndexOut:
    """Build a new index of a pack beside the old one, which answers until the new one has all documents."""
    return await IndexService(unit, chunkers).reindex(pack_id, body)


@router.get("/packs/{pack_id}/indexes")
async def list_indexes(pack_id: UUID, unit: Reader, chunkers: Indexing) -> list[IndexOut]:
    """List the indexes of a pack, the latest first: which one answers, and how far one is that is being built."""
    return list(await IndexService(unit, chunkers).list(pack_id))


@router.delete("/packs/{pack_id}/indexes/{index_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_index(pack_id: UUID, index_id: UUID, unit: Writer, chunkers: Indexing) -> None:
    """Cancel the building of an index, or remove one that is not used any more. What it held goes in the background."""
    await IndexService(unit, chunkers).remove(pack_id, index_id)
