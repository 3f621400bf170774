"""A pack as one archive: to keep, to hand on, to bring to another organization."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, File, Query, Request, UploadFile, status
from fastapi.responses import StreamingResponse

from concierge.kit.errors import TooLargeError
from concierge.knowledge.routes import Seeker, Writer
from concierge.knowledge.schemas import PackOut
from concierge.knowledge.service import PackExport, PackImport

router = APIRouter(prefix="/api/v1/knowledge", tags=["knowledge"])

MEDIA_TYPE = "application/zip"
ARCHIVE: Mapping[int | str, dict[str, Any]] = {
    200: {
        "description": "A zip of the pack's documents and a manifest.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ZipResponse(StreamingResponse):
    media_type = MEDIA_TYPE


def _export(request: Request) -> PackExport:
    service: PackExport = request.app.state.exporting
    return service


Exporting = Annotated[PackExport, Depends(_export)]


@router.get("/packs/{pack_id}/export", response_class=ZipResponse, responses=dict(ARCHIVE))
async def export_pack(pack_id: UUID, scope: Seeker, exporting: Exporting) -> StreamingResponse:
    """Download a pack: its sources with their options, and every document with its text. Nothing in it is secret."""
    pack = await exporting.named(scope, pack_id)
    stream: AsyncIterator[bytes] = exporting.stream(scope, pack)
    headers = {"Content-Disposition": f'attachment; filename="{file_name(pack.name)}"'}
    return ZipResponse(stream, headers=headers)


@router.post("/packs/import", status_code=status.HTTP_202_ACCEPTED)
async def import_pack(
    request: Request,
    unit: Writer,
    file: Annotated[UploadFile, File(description="An exported pack.")],
    name: Annotated[str | None, Query(description="What to call it, instead of what it was called.")] = None,
) -> PackOut:
    """Make a new pack of an exported one. Its documents are read in the background; watch its sources' progress."""
    limit: int = request.app.state.limits.upload_bytes
    if (file.size or 0) > limit:
        raise TooLargeError(f"The file is larger than {limit // 1024**2} MB.", code="upload_too_large")
    imported = await PackImport(unit).run(file.file, name=name)
    return PackOut.model_validate(imported.pack)


def file_name(name: str) -> str:
    """`Coconut Furniture` → `coconut-furniture.pack.zip`."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"{words[:80] or 'knowledge'}.pack.zip"
