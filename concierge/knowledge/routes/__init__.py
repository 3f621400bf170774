"""HTTP of the knowledge room: packs, their sources and documents, and what is found in them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Header, Query, Request, UploadFile, status
from fastapi.responses import StreamingResponse

from concierge.accounts.access import scope_with, unit_with
from concierge.accounts.scope import Permission, TenantScope, Unit
from concierge.kit.errors import TooLargeError
from concierge.kit.pagination import Page
from concierge.kit.sse import STREAM_HEADERS, Frame, frames
from concierge.knowledge.parsing.found import is_archive_name
from concierge.knowledge.schemas import (
    ItemOut,
    NewItem,
    NewSource,
    PackIn,
    PackOut,
    PackPatch,
    SourceIn,
    SourceOut,
)
from concierge.knowledge.schemas.packs import DocumentFlag, DocumentOut, DocumentTextOut
from concierge.knowledge.schemas.search import SearchIn, SearchOut
from concierge.knowledge.schemas.sources import Audience, ItemStatus, TextIn, TextOut
from concierge.knowledge.schemas.syncs import SyncOut
from concierge.knowledge.schemas.websites import WebsiteOptions
from concierge.knowledge.service import PackService, SearchService, SourceService, SourceWatch, TextService
from concierge.knowledge.service.texts import text_source
from concierge.knowledge.service.watch import Update
from concierge.knowledge.sources.website import website_source

router = APIRouter(prefix="/api/v1/knowledge", tags=["knowledge"])

Reader = Annotated[Unit, unit_with(Permission.KNOWLEDGE_READ)]
Writer = Annotated[Unit, unit_with(Permission.KNOWLEDGE_WRITE)]
Seeker = Annotated[TenantScope, scope_with(Permission.KNOWLEDGE_READ)]
Limit = Annotated[int, Query(ge=1, le=200)]
MAX_NAME_CHARS = 200


def _finding(request: Request) -> SearchService:
    service: SearchService = request.app.state.finding
    return service


def _watching(request: Request) -> SourceWatch:
    watch: SourceWatch = request.app.state.watching
    return watch


Finding = Annotated[SearchService, Depends(_finding)]
Watching = Annotated[SourceWatch, Depends(_watching)]


@router.get("/packs")
async def list_packs(unit: Reader) -> list[PackOut]:
    return [PackOut.model_validate(pack) for pack in await PackService(unit).list()]


@router.post("/packs", status_code=status.HTTP_201_CREATED)
async def create_pack(body: PackIn, unit: Writer) -> PackOut:
    return PackOut.model_validate(await PackService(unit).create(body))


@router.get("/packs/{pack_id}")
async def get_pack(pack_id: UUID, unit: Reader) -> PackOut:
    return PackOut.model_validate(await PackService(unit).get(pack_id))


@router.patch("/packs/{pack_id}")
async def change_pack(pack_id: UUID, body: PackPatch, unit: Writer) -> PackOut:
    """Change what is given. A new freshness policy holds at once for everything that is in the pack."""
    return PackOut.model_validate(await PackService(unit).change(pack_id, body))


@router.delete("/packs/{pack_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_pack(pack_id: UUID, unit: Writer) -> None:
    await PackService(unit).remove(pack_id)


@router.get("/packs/{pack_id}/documents")
async def list_documents(
    pack_id: UUID,
    unit: Reader,
    flag: DocumentFlag | None = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[DocumentOut]:
    """List a pack's documents, with `flag=instructions` those that give orders to their reader."""
    found = await PackService(unit).documents(pack_id, after=cursor, limit=limit + 1, flag=flag)
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
    return await SourceService(unit).add(pack_id, replace(_new_source(body), audience=body.audience))


@router.post("/packs/{pack_id}/files", status_code=status.HTTP_202_ACCEPTED)
async def upload_file(
    pack_id: UUID,
    request: Request,
    unit: Writer,
    file: Annotated[UploadFile, File(description="A document, or a .zip or .tar.gz of documents.")],
    authoritative: Annotated[bool, Form()] = False,  # noqa: FBT002  # A form field, given by name.
    credibility: Annotated[float, Form(ge=0, le=1)] = 0.5,
    audience: Annotated[Audience | None, Form(description="Who may read it; empty for everybody.")] = None,
) -> SourceOut:
    """Upload a file. Reading it is a background job; watch the source's progress."""
    limit: int = request.app.state.limits.upload_bytes
    data = await file.read(limit + 1)
    if len(data) > limit:
        raise TooLargeError(f"The file is larger than {limit // 1024**2} MB.", code="upload_too_large")
    name = file_name(file.filename)
    new = NewSource(
        kind="archive" if is_archive_name(name) else "file",
        name=name,
        uri=name,
        items=[NewItem(name, data, file.content_type)],
        authoritative=authoritative,
        credibility=credibility,
        audience=audience,
    )
    return await SourceService(unit).add(pack_id, new)


@router.get("/sources/{source_id}")
async def get_source(source_id: UUID, unit: Reader) -> SourceOut:
    return await SourceService(unit).get(source_id)


@router.get("/sources/{source_id}/text")
async def get_source_text(source_id: UUID, unit: Reader) -> TextOut:
    """Read a text that was typed, to change it."""
    return await TextService(unit).get(source_id)


@router.put("/sources/{source_id}/text", status_code=status.HTTP_202_ACCEPTED)
async def change_source_text(source_id: UUID, body: TextIn, unit: Writer) -> SourceOut:
    """Change a text that was typed. What is the same is not read again; a text that is as it was is left alone."""
    return await TextService(unit).change(source_id, body)


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
    flags = await PackService(unit).flags([item.document_id for item in found if item.document_id])
    items = [ItemOut.model_validate(item) for item in found]
    return Page.of([item.flagged(flags) for item in items], limit)


@router.get("/sources/{source_id}/syncs")
async def list_syncs(
    source_id: UUID, unit: Reader, cursor: UUID | None = None, limit: Limit = 50
) -> Page[SyncOut]:
    """List the readings of a source, the latest first, each with what it changed."""
    found = await SourceService(unit).syncs(source_id, before=cursor, limit=limit + 1)
    return Page.of([SyncOut.model_validate(sync) for sync in found], limit)


@router.get(
    "/sources/{source_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "The source's progress."}},
)
async def watch_source(
    source_id: UUID,
    scope: Seeker,
    watching: Watching,
    last_event_id: Annotated[int, Header(ge=0)] = 0,
) -> StreamingResponse:
    """Follow a source as server-sent events: `progress` whenever it has changed, `done` when nobody reads it any more."""
    await watching.check(scope, source_id)
    updates = watching.follow(scope, source_id)
    return StreamingResponse(
        frames(_numbered(updates, last_event_id)), media_type="text/event-stream", headers=STREAM_HEADERS
    )


@router.post("/sources/{source_id}/sync", status_code=status.HTTP_202_ACCEPTED)
async def sync_source(source_id: UUID, unit: Writer) -> SourceOut:
    """Read a source again now, whether or not it is due. Only what has changed is read anew."""
    return await SourceService(unit).sync(source_id)


@router.post("/sources/{source_id}/pause")
async def pause_source(source_id: UUID, unit: Writer) -> SourceOut:
    """Have a source wait after the documents that are being read, until it is resumed."""
    return await SourceService(unit).pause(source_id)


@router.post("/sources/{source_id}/resume", status_code=status.HTTP_202_ACCEPTED)
async def resume_source(source_id: UUID, unit: Writer) -> SourceOut:
    return await SourceService(unit).resume(source_id)


@router.post("/sources/{source_id}/cancel")
async def cancel_source(source_id: UUID, unit: Writer) -> SourceOut:
    return await SourceService(unit).cancel(source_id)


@router.post("/sources/{source_id}/retry", status_code=status.HTTP_202_ACCEPTED)
async def retry_source(source_id: UUID, unit: Writer) -> SourceOut:
    return await SourceService(unit).retry(source_id)


@router.post("/sources/{source_id}/items/{item_id}/retry", status_code=status.HTTP_202_ACCEPTED)
async def retry_item(source_id: UUID, item_id: UUID, unit: Writer) -> SourceOut:
    """Try one document again that could not be read, and go on with what was left."""
    return await SourceService(unit).retry_item(source_id, item_id)


@router.delete("/sources/{source_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_source(source_id: UUID, unit: Writer) -> None:
    await SourceService(unit).remove(source_id)


async def _numbered(updates: AsyncGenerator[Update], last: int) -> AsyncGenerator[Frame]:
    """Every update tells all there is to tell, so a stream that is taken up again only needs numbers that rise."""
    async with aclosing(updates):
        number = last
        async for update in updates:
            number += 1
            yield Frame(number, update.type, update.data)


def _new_source(body: SourceIn) -> NewSource:
    if body.kind == "website":
        return website_source(
            str(body.url),
            body.website or WebsiteOptions(),
            name=body.title,
            authoritative=body.authoritative,
            credibility=body.credibility,
        )
    if body.kind == "url":
        url = str(body.url)
        return NewSource(
            "url", body.title or url, url, [NewItem(url, None)], body.authoritative, body.credibility
        )
    return text_source(
        body.title or "",
        body.text or "",
        authoritative=body.authoritative,
        credibility=body.credibility,
    )


def file_name(name: str | None) -> str:
    """Keep the last part of what the browser calls the file, without what no name should hold."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(character for character in last if character.isprintable()).strip()
    # The extension says what kind of file it is, so a long name is cut before it.
    extension = PurePosixPath(printable).suffix[:MAX_NAME_CHARS]
    return printable[: MAX_NAME_CHARS - len(extension)].removesuffix(extension) + extension or "upload"
