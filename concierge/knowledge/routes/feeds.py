"""Feeds of products and lists of questions: looked at before they are added, then read row by row."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile, status
from pydantic import HttpUrl, TypeAdapter, ValidationError

from concierge.accounts.access import scope_with
from concierge.accounts.scope import Permission, TenantScope
from concierge.kit.errors import InvalidInputError, TooLargeError
from concierge.knowledge.routes import file_name
from concierge.knowledge.schemas import SourceOut
from concierge.knowledge.schemas.feeds import FeedOptions, FeedPreview
from concierge.knowledge.service.feeds import FeedService, NewFeed

router = APIRouter(prefix="/api/v1/knowledge", tags=["knowledge"])

Editor = Annotated[TenantScope, scope_with(Permission.KNOWLEDGE_WRITE)]
HOW = 'How to read it, as JSON: {"items": "data.products", "map": {"title": "name", "currency": "=EUR"}}'
_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)


def _feeds(request: Request) -> FeedService:
    service: FeedService = request.app.state.feeds
    return service


Feeds = Annotated[FeedService, Depends(_feeds)]


async def _given(
    request: Request,
    scope: Editor,  # noqa: ARG001  # Nothing is read for somebody who may not.
    file: Annotated[UploadFile | None, File(description="A JSON, JSON Lines, CSV or TSV file.")] = None,
    url: Annotated[
        str | None, Form(description="Or its address; then it is read again when it is due.")
    ] = None,
    options: Annotated[str, Form(description=HOW)] = "{}",
    name: Annotated[str | None, Form(max_length=120)] = None,
    authoritative: Annotated[bool, Form()] = False,  # noqa: FBT002  # A form field, given by name.
) -> NewFeed:
    """Errors: InvalidInputError, TooLargeError."""
    if (file is None) == (url is None):
        raise InvalidInputError("Give either a `file` or a `url`.", code="feed_not_given")
    how = _options(options)
    if file is None:
        return NewFeed(_address(url or ""), None, how, name, authoritative)
    limit: int = request.app.state.limits.upload_bytes
    data = await file.read(limit + 1)
    if len(data) > limit:
        raise TooLargeError(f"The file is larger than {limit // 1024**2} MB.", code="upload_too_large")
    return NewFeed(file_name(file.filename), data, how, name, authoritative)


Given = Annotated[NewFeed, Depends(_given)]


@router.post("/packs/{pack_id}/feeds", status_code=status.HTTP_202_ACCEPTED)
async def add_feed(pack_id: UUID, scope: Editor, feed: Given, feeds: Feeds) -> SourceOut:
    """Add a feed, each row of which becomes a document. Reading it is a background job; watch the source's progress.

    Its syncs tell which rows were added, changed and removed; its items which rows could not be read, and why.
    """
    return await feeds.add(scope, pack_id, feed)


@router.post("/packs/{pack_id}/feeds/preview")
async def preview_feed(pack_id: UUID, scope: Editor, feed: Given, feeds: Feeds) -> FeedPreview:
    """Show what a feed would become, and which of its columns would be what. Nothing is kept."""
    return await feeds.preview(scope, pack_id, feed)


def _options(text: str) -> FeedOptions:
    try:
        return FeedOptions.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise InvalidInputError(
            f"The options are not valid: {f'{where}: ' if where else ''}{problem['msg']}.",
            code="feed_options_invalid",
        ) from None


def _address(url: str) -> str:
    try:
        return str(_URL.validate_python(url))
    except ValidationError:
        raise InvalidInputError(
            "This is not a complete web address. It looks like https://example.com/products.csv.",
            code="url_invalid",
        ) from None
