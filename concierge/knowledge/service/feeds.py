"""Feeds as they are added: what one would become, before anything is kept, and the source it becomes."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from concierge.accounts.scope import TenantScope, Unit
from concierge.kit.clock import Clock
from concierge.kit.db import Database
from concierge.kit.fetch import Fetcher
from concierge.knowledge.errors import PackNotFoundError
from concierge.knowledge.parsing.feeds import Records, read_records
from concierge.knowledge.repository import PackRepository
from concierge.knowledge.schemas import NewItem, NewSource, SourceOut
from concierge.knowledge.schemas.feeds import OPTIONS, FeedOptions, FeedPreview, FeedProblem, FeedRow
from concierge.knowledge.service.sources import SourceService
from concierge.knowledge.sources.feeds import FeedContent, read_feed

SHOWN_ROWS: Final = 10
SHOWN_PROBLEMS: Final = 50


@dataclass(frozen=True, slots=True)
class NewFeed:
    """A feed as it was given: a file with its bytes, or an address (`data` is None)."""

    uri: str
    data: bytes | None
    options: FeedOptions
    name: str | None = None
    authoritative: bool = False

    def source(self) -> NewSource:
        return NewSource(
            kind="feed",
            name=self.name or _name_of(self.uri),
            uri=self.uri,
            items=[NewItem(self.uri, self.data)],
            authoritative=self.authoritative,
            options={OPTIONS: self.options.model_dump()},
        )


class FeedService:
    def __init__(self, db: Database, fetcher: Fetcher, clock: Clock) -> None:
        self._db = db
        self._fetcher = fetcher
        self._clock = clock

    async def preview(self, scope: TenantScope, pack_id: UUID, feed: NewFeed) -> FeedPreview:
        """Read a feed and keep nothing. Errors: PackNotFoundError, FetchError, DocumentRejectedError."""
        async with self._db.transaction(scope.org_id) as session:
            if await PackRepository(session, scope).get(pack_id) is None:
                raise PackNotFoundError
        return await previewed(self._fetcher, feed)

    async def add(self, scope: TenantScope, pack_id: UUID, feed: NewFeed) -> SourceOut:
        """Add a feed, or read one again that has the same address or file name. Errors as `SourceService.add`."""
        async with self._db.transaction(scope.org_id) as session:
            return await SourceService(Unit(session, scope), self._clock).add(pack_id, feed.source())


async def previewed(fetcher: Fetcher, feed: NewFeed) -> FeedPreview:
    """Errors: FetchError, DocumentRejectedError."""
    data, charset, base = feed.data, None, None
    if data is None:
        fetched = await fetcher.fetch(feed.uri)
        data, charset, base = fetched.body, fetched.charset, fetched.final_url
    records = await asyncio.to_thread(read_records, data, charset=charset, items=feed.options.items)
    content = await asyncio.to_thread(read_feed, records, feed.options, base)
    return _preview(records, content)


def _preview(records: Records, content: FeedContent) -> FeedPreview:
    columns: Mapping[str, str] = {str(name): column for name, column in content.columns.columns.items()}
    return FeedPreview(
        kind=content.columns.kind,
        format=records.format,
        columns=list(records.columns),
        map=dict(columns),
        attributes=list(content.columns.attributes),
        rows=[
            FeedRow(
                row=document.row,
                id=document.key,
                title=document.title,
                text=document.text,
                url=document.url,
                language=document.language,
                updated=document.updated,
            )
            for document in content.documents[:SHOWN_ROWS]
        ],
        problems=[
            FeedProblem(row=problem.row, id=problem.key, reason=problem.reason)
            for problem in content.problems[:SHOWN_PROBLEMS]
        ],
        total=len(records.rows),
        readable=len(content.documents),
        joined=content.joined,
        failed=len(content.problems),
    )


def _name_of(uri: str) -> str:
    """The file's name, or the host of an address with what it ends with."""
    parts = urlsplit(uri)
    if not parts.scheme:
        return uri
    last = PurePosixPath(parts.path).name
    return f"{parts.hostname}/{last}" if last else parts.hostname or uri
