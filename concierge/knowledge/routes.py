from pathlib import PurePosixPath
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile, status

from concierge.accounts.access import scope_with, unit_with
from concierge.accounts.scope import Permission, TenantScope, Unit
from concierge.kit.errors import TooLargeError
from concierge.kit.pagination import Page
from concierge.knowledge.parsing.found import is_archive_name
from concierge.knowledge.schemas import ItemOut, NewItem, NewSource, PackIn, PackOut, SourceIn, SourceOut
from concierge.knowledge.schemas.packs import DocumentOut, DocumentTextOut
from concierge.knowledge.schemas.search import SearchIn, SearchOut
from concierge.knowledge.schemas.sources import ItemStatus
from concierge.knowledge.service import PackService, SearchService, SourceService

router = APIRouter(prefix="/api/v1/knowledge", tags=["knowledge"])

Reader = Annotated[Unit, unit_with(Permission.KNOWLEDGE_READ)]
Writer = Annotated[Unit, unit_with(Permission.KNOWLEDGE_WRITE)]
Seeker = Annotated[TenantScope, scope_with(Permission.KNOWLEDGE_READ)]
Limit = Annotated[int, Query(ge=1, le=200)]
MAX_NAME_CHARS = 200


def _finding(request: Request) -> SearchService:
    service: SearchService = request.app.state.finding
    return service


Finding = Annotated[SearchService, Depends(_finding)]


@router.get("/packs")
async def list_packs(unit: Reader) -> list[PackOut]:
    return [PackOut.model_validate(pack) for pack in await PackService(unit).list()]


@router.post("/packs", status_code=status.HTTP_201_CREATED)
async def create_pack(body: PackIn, unit: Writer) -> PackOut:
    return PackOut.model_validate(await PackService(unit).create(body))


@router.get("/packs/{pack_id}")
async def get_pack(pack_id: UUID, unit: Reader) -> PackOut:
    return PackOut.model_validate(await PackService(unit).get(pack_id))


@router.delete("/packs/{pack_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_pack(pack_id: UUID, unit: Writer) -> None:
    await PackService(unit).remove(pack_id)


@router.get("/packs/{pack_id}/documents")
async def list_documents(
    pack_id: UUID, unit: Reader, cursor: UUID | None = None, limit: Limit = 50
) -> Page[DocumentOut]:
    found = await PackService(unit).documents(pack_id, after=cursor, limit=limit + 1)
    return Page.of([DocumentOut.model_validate(document) for document in found], limit)


@router.get("/documents/{document_id}")
async def get_document(document_id: UUID, unit: Reader) -> DocumentTextOut:
    """Read a document with its text, which is what citations quote and count their offsets in."""
    return DocumentTextOut.model_validate(await PackService(unit).document(document_id))


@router.post("/search")
async def search_knowledge(body: SearchIn, scope: Seeker, finding: Finding) -> SearchOut:
    """Show what a question finds, with `"explain": true` every candidate, its scores and why it was left out."""
    return await finding.find(scope, body)


@router.get("/packs/{pack_id}/sources")
async def list_sources(
    pack_id: UUID, unit: Reader, cursor: UUID | None = None, limit: Limit = 50
) -> Page[SourceOut]:
    return Page.of(await SourceService(unit).list(pack_id, before=cursor, limit=limit + 1), limit)


@router.post("/packs/{pack_id}/sources", status_code=status.HTTP_202_ACCEPTED)
async def add_source(pack_id: UUID, body: SourceIn, unit: Writer) -> SourceOut:
    """Add a text or the page at a URL. Reading it is a background job; watch the source's progress."""
    return await SourceService(unit).add(pack_id, _new_source(body))


@router.post("/packs/{pack_id}/files", status_code=status.HTTP_202_ACCEPTED)
async def upload_file(
    pack_id: UUID,
    request: Request,
    unit: Writer,
    file: Annotated[UploadFile, File(description="A document, or a .zip or .tar.gz of documents.")],
    authoritative: Annotated[bool, Form()] = False,  # noqa: FBT002  # A form field, given by name.
) -> SourceOut:
    """Upload a file. Reading it is a background job; watch the source's progress."""
    limit: int = request.app.state.limits.upload_bytes
    data = await file.read(limit + 1)
    if len(data) > limit:
        raise TooLargeError(f"The file is larger than {limit // 1024**2} MB.", code="upload_too_large")
    name = _file_name(file.filename)
    new = NewSource(
        kind="archive" if is_archive_name(name) else "file",
        name=name,
        uri=name,
        items=[NewItem(name, data, file.content_type)],
        authoritative=authoritative,
    )
    return await SourceService(unit).add(pack_id, new)


@router.get("/sources/{source_id}")
async def get_source(source_id: UUID, unit: Reader) -> SourceOut:
    return await SourceService(unit).get(source_id)


@router.get("/sources/{source_id}/items")
async def list_items(
    source_id: UUID,
    unit: Reader,
    item_status: Annotated[ItemStatus | None, Query(alias="status")] = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[ItemOut]:
    """List what a source consists of, each item with what became of it and why it failed if it did."""
    found = await SourceService(unit).items(source_id, status=item_status, after=cursor, limit=limit + 1)
    return Page.of([ItemOut.model_validate(item) for item in found], limit)


@router.post("/sources/{source_id}/cancel")
async def cancel_source(source_id: UUID, unit: Writer) -> SourceOut:
    return await SourceService(unit).cancel(source_id)


@router.post("/sources/{source_id}/retry", status_code=status.HTTP_202_ACCEPTED)
async def retry_source(source_id: UUID, unit: Writer) -> SourceOut:
    return await SourceService(unit).retry(source_id)


@router.delete("/sources/{source_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_source(source_id: UUID, unit: Writer) -> None:
    await SourceService(unit).remove(source_id)


def _new_source(body: SourceIn) -> NewSource:
    if body.kind == "url":
        url = str(body.url)
        return NewSource(
            "url", body.title or url, url, [NewItem(url, None)], body.authoritative, body.credibility
        )
    title, content = body.title or "", f"# {body.title}\n\n{body.text}"
    item = NewItem(f"{title}.md", content.encode(), "text/markdown")
    return NewSource("text", title, title, [item], body.authoritative, body.credibility)


def _file_name(name: str | None) -> str:
    """Keep the last part of what the browser calls the file, without what no name should hold."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(character for character in last if character.isprintable()).strip()
    # The extension says what kind of file it is, so a long name is cut before it.
    extension = PurePosixPath(printable).suffix[:MAX_NAME_CHARS]
    return printable[: MAX_NAME_CHARS - len(extension)].removesuffix(extension) + extension or "upload"
