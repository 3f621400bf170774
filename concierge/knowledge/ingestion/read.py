"""Read one item of a source: fetch it if need be, parse it, have it chunked and embedded, and hand it on to be stored."""

import asyncio
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

import structlog

from concierge.kit.clock import Clock
from concierge.kit.db import Database
from concierge.kit.errors import ConciergeError, InvalidInputError
from concierge.kit.fetch import Fetched, Fetcher, FetchError
from concierge.knowledge.chunkers import Chunkers
from concierge.knowledge.chunking import Earlier
from concierge.knowledge.errors import DocumentRejectedError, ItemPassedOverError
from concierge.knowledge.ingestion import feed
from concierge.knowledge.ingestion.claim import Claim
from concierge.knowledge.ingestion.feed import FeedReader
from concierge.knowledge.ingestion.prepare import new_document, prepared
from concierge.knowledge.ingestion.site import SiteReader
from concierge.knowledge.ingestion.store import Storing
from concierge.knowledge.parsing import ParsedDocument, parse, stored
from concierge.knowledge.parsing.archives import documents_in_archive
from concierge.knowledge.parsing.found import Found, SkippedFile, is_archive_name
from concierge.knowledge.parsing.mail import attachments, is_mail_name
from concierge.knowledge.repository import (
    DocumentRepository,
    IndexRepository,
    NewDocument,
    PendingItem,
    SourceRepository,
    Validators,
    plan_of,
)
from concierge.knowledge.schemas import NewItem
from concierge.knowledge.schemas.archives import DOCUMENT_TYPE
from concierge.knowledge.service.freshness import FETCHED_KINDS

logger = structlog.get_logger(__name__)

OUR_FAULT: Final = ("internal_error", "This could not be read because of a fault on our side.")
# The website says that the page is no longer there. Whatever else goes wrong may be over tomorrow.
GONE: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


@dataclass(frozen=True, slots=True)
class Content:
    """A document as it was read, with what tells its version where it was fetched."""

    document: ParsedDocument
    validators: Validators | None = None


class Reader:
    def __init__(
        self, db: Database, chunkers: Chunkers, fetcher: Fetcher, storing: Storing, clock: Clock
    ) -> None:
        self._db = db
        self._chunkers = chunkers
        self._clock = clock
        self._fetcher = fetcher
        self._storing = storing
        self.sites = SiteReader(db, fetcher, storing)
        self._feeds = FeedReader(fetcher, storing)

    async def read(self, claim: Claim, item: PendingItem) -> bool:
        """Read one item. Returns whether to go on with the source."""
        async with self._db.transaction(claim.scope.org_id) as session:
            sources = SourceRepository(session, claim.scope)
            if not await sources.set_current(claim.source_id, item.uri):
                return False
            data = await sources.item_data(item.id)
        try:
            await self._take_in(claim, item, data)
        except ItemPassedOverError as reason:
            await self._storing.pass_over(claim, item, reason.code, reason.detail)
        except InvalidInputError as error:
            await self._refuse(claim, item, error)
        except ConciergeError:
            raise
        except Exception:
            logger.exception("item could not be read", source_id=str(claim.source_id), item=item.uri)
            await self._storing.fail(claim, item, *OUR_FAULT)
        return True

    async def _refuse(self, claim: Claim, item: PendingItem, error: InvalidInputError) -> None:
        if is_gone(error) and item.document_id is not None:
            status = error.extra["upstream_status"]
            detail = f"The page is no longer there ({status}), so its content has left the answers."
            await self._storing.gone(claim, item, "url_gone", detail)
        else:
            await self._storing.fail(claim, item, error.code, error.detail)

    async def _take_in(self, claim: Claim, item: PendingItem, data: bytes | None) -> None:
        if claim.source.kind == feed.KIND and item.media_type != DOCUMENT_TYPE:
            await self._feeds.expand(claim, item, data)
            return
        if data is not None and item.media_type != DOCUMENT_TYPE and is_archive_name(item.uri):
            found = await asyncio.to_thread(lambda: list(documents_in_archive(data)))
            await self._storing.expand(claim, item, [_member(item.uri, entry) for entry in found])
            return
        if data is not None and is_mail_name(item.uri):
            attached = await asyncio.to_thread(attachments, data, item.uri)
            await self._storing.attach(claim, item, [_member(item.uri, entry) for entry in attached])
        content = await self._content(claim, item, data)
        if content is None:
            return
        new = new_document(claim.source, item.uri, content.document)
        if await self._storing.known(claim, item, new, content.validators):
            return
        # The pack may be switched to another index before the document is stored.
        while not await self._indexed(claim, item, new, content):
            continue

    async def _indexed(self, claim: Claim, item: PendingItem, new: NewDocument, content: Content) -> bool:
        """Have a document cut and embedded for the pack's current index. Returns whether it still was that then."""
        async with self._db.transaction(claim.scope.org_id) as session:
            indexes = IndexRepository(session, claim.scope)
            index = await indexes.current_or_first(claim.pack_id, self._chunkers.default_plan, self._clock())
            earlier = None
            # What still holds of what the item's document was until now.
            if not claim.anew and item.document_id is not None:
                documents = DocumentRepository(session, claim.scope)
                earlier = await documents.earlier(claim.source_id, item.uri, index.id)
        plan = plan_of(index)
        chunker, embedder = await self._chunkers.of(plan), await self._chunkers.embedder(plan)
        chunks = await chunker.chunks(new.text, Earlier(*earlier) if earlier else None)
        if new.questions and any(chunk.left_out for chunk in chunks):
            # A pair that gives orders is a document like any other: without them, and it wins nothing.
            new = replace(new, kind="pack", questions=())
        rows = await prepared(embedder, index.id, chunks, new.text, new.questions)
        return await self._storing.store(claim, item, index, new.flagged(chunks), rows, content.validators)

    async def _content(self, claim: Claim, item: PendingItem, data: bytes | None) -> Content | None:
        """Read an item's document; None when it was found unchanged and that is noted."""
        if data is not None:
            return Content(await asyncio.to_thread(_read_given, data, item))
        if claim.source.kind not in FETCHED_KINDS or item.media_type == DOCUMENT_TYPE:
            raise DocumentRejectedError("The content of this item is no longer there. Add it again.")
        fetched = await self._fetched(claim, item)
        if fetched is None:
            return None
        content = await _parsed(fetched)
        if claim.source.kind == "website":
            return replace(content, document=self.sites.own_text(claim, item, content.document))
        return content

    async def _fetched(self, claim: Claim, item: PendingItem) -> Fetched | None:
        """Fetch an item; None when the website says that it is unchanged, and that is noted."""
        if claim.source.kind == "website":
            fetched = await self.sites.fetch(claim, item)
        elif item.document_id is None or claim.anew:
            fetched = await self._fetcher.fetch(item.uri)
        else:
            fetched = await self._fetcher.fetch(item.uri, etag=item.etag, last_modified=item.last_modified)
        if not fetched.unchanged or item.document_id is None:
            return fetched
        if await self._storing.unmodified(claim, item, item.document_id):
            return None
        return await self._fetcher.fetch(item.uri)


async def _parsed(fetched: Fetched) -> Content:
    parsed = await asyncio.to_thread(
        parse, fetched.body, filename=fetched.final_url, media_type=_content_type(fetched)
    )
    return Content(
        replace(parsed, url=parsed.url or fetched.final_url),
        Validators(fetched.etag, fetched.last_modified),
    )


def _read_given(data: bytes, item: PendingItem) -> ParsedDocument:
    """What a pack's archive brought was read before. Only what we put there ourselves is believed to be that."""
    if item.media_type == DOCUMENT_TYPE:
        return stored.read(data)
    return parse(data, filename=item.uri, media_type=item.media_type)


def is_gone(error: ConciergeError) -> bool:
    return isinstance(error, FetchError) and error.extra.get("upstream_status") in GONE


def _content_type(fetched: Fetched) -> str | None:
    if fetched.media_type is None or fetched.charset is None:
        return fetched.media_type
    return f"{fetched.media_type}; charset={fetched.charset}"


def _member(archive: str, entry: Found) -> NewItem:
    if isinstance(entry, SkippedFile):
        return NewItem(f"{archive}/{entry.name}", None, skipped_because=entry.reason)
    return NewItem(f"{archive}/{entry.name}", entry.data)
