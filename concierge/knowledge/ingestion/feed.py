"""Read a feed: list its rows, each to become a document of its own, and note those that cannot."""

import asyncio
import hashlib
from typing import Final

from concierge.kit.fetch import Fetcher
from concierge.knowledge.ingestion.claim import Claim
from concierge.knowledge.ingestion.store import Storing
from concierge.knowledge.models import Source
from concierge.knowledge.parsing.feeds import read_records
from concierge.knowledge.repository import PendingItem
from concierge.knowledge.repository.feeds import ListedRow
from concierge.knowledge.schemas.archives import DOCUMENT_TYPE, ArchivedDocument, digest_of_text
from concierge.knowledge.schemas.feeds import OPTIONS, FeedOptions
from concierge.knowledge.sources.feeds import FeedContent, RowDocument, RowProblem, read_feed

KIND: Final = "feed"
MEDIA_TYPE: Final = "text/markdown"


class FeedReader:
    def __init__(self, fetcher: Fetcher, storing: Storing) -> None:
        self._fetcher = fetcher
        self._storing = storing

    async def expand(self, claim: Claim, item: PendingItem, data: bytes | None) -> None:
        """Replace a feed by its rows; those that are as they were are not read again.

        Errors: FetchError, and DocumentRejectedError when the feed as a whole cannot be read.
        """
        charset, base = None, None
        if data is None:
            fetched = await self._fetcher.fetch(item.uri)
            data, charset, base = fetched.body, fetched.charset, fetched.final_url
        options = FeedOptions.model_validate(claim.source.options.get(OPTIONS, {}))
        content = await asyncio.to_thread(feed_content, data, options, charset=charset, base=base)
        rows = await asyncio.to_thread(_listed, item.uri, content, claim.source)
        await self._storing.list_rows(claim, item, rows)


def feed_content(
    data: bytes, options: FeedOptions, *, charset: str | None = None, base: str | None = None
) -> FeedContent:
    """Blocks. Errors: DocumentRejectedError."""
    return read_feed(read_records(data, charset=charset, items=options.items), options, base)


def _listed(feed: str, content: FeedContent, source: Source) -> list[ListedRow]:
    rows = [_row(feed, document, source) for document in content.documents]
    taken = {row.uri for row in rows}
    return [*rows, *(_failed(feed, problem, taken) for problem in content.problems)]


def _row(feed: str, document: RowDocument, source: Source) -> ListedRow:
    data = (
        ArchivedDocument(
            source=0,
            uri=document.key,
            title=document.title,
            url=document.url,
            media_type=MEDIA_TYPE,
            language=document.language,
            modified_at=document.updated,
            kind="faq" if document.questions else "pack",
            questions=list(document.questions),
            sha256=digest_of_text(document.text),
            text=document.text,
        )
        .model_dump_json()
        .encode()
    )
    # What the operator thinks of the source is kept with each document too.
    judged = f"{source.authoritative} {source.credibility} {source.audience}".encode()
    mark = hashlib.sha256(data + judged).hexdigest()
    return ListedRow(f"{feed}/{document.key}", data, DOCUMENT_TYPE, mark)


def _failed(feed: str, problem: RowProblem, taken: set[str]) -> ListedRow:
    """A row that failed keeps what it said before, where it can be told which one it is."""
    uri = f"{feed}/{problem.key}" if problem.key else f"{feed}/row {problem.row}"
    if uri in taken:
        uri = f"{feed}/row {problem.row}"
    taken.add(uri)
    return ListedRow(uri, None, DOCUMENT_TYPE, None, f"Row {problem.row}: {problem.reason}")
