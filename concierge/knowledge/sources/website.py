"""One website during one run: its rules, its pace, its list of pages, and what repeats on them."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from time import monotonic
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import structlog

from concierge.kit.fetch import Fetched, Fetcher, FetchError
from concierge.knowledge.schemas import NewItem, NewSource
from concierge.knowledge.schemas.websites import WebsiteOptions, WebsiteSeen
from concierge.knowledge.sources.addresses import (
    ALIKE,
    is_calendar,
    normalized,
    shape,
    site_of,
    trap,
    wanted,
)
from concierge.knowledge.sources.repetition import Boilerplate
from concierge.knowledge.sources.robots import MAX_DELAY_S, Robots, robots_of
from concierge.knowledge.sources.sitemaps import MAX_ENTRIES, Sitemap, sitemap_of

logger = structlog.get_logger(__name__)

USUAL_DELAY_S: Final = 0.2
MAX_SITEMAPS: Final = 50
CALENDAR_PAGES: Final = 5
# A site that asks to wait is asked so often again, and is never waited for longer than this at a time.
TRIES: Final = 3
LONGEST_WAIT_S: Final = 10.0
_BUSY: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def website_source(
    url: str,
    options: WebsiteOptions,
    *,
    name: str | None = None,
    authoritative: bool = False,
    credibility: float = 0.5,
) -> NewSource:
    """A website as a source; its first item is the start page, or the sitemap, that `url` names."""
    start = normalized(url) or url
    return NewSource(
        "website",
        name or site_of(start),
        start,
        [NewItem(start, None)],
        authoritative,
        credibility,
        options={"website": options.model_dump()},
    )


class Website:
    def __init__(self, fetcher: Fetcher, start: str, options: WebsiteOptions, seen: WebsiteSeen) -> None:
        self.start = normalized(start) or start
        self.options = options
        self.seen = seen
        self.boilerplate = Boilerplate(bytes.fromhex(key) for key in seen.boilerplate)
        self._fetcher = fetcher
        self._robots: Robots | None = None
        self._turn = asyncio.Lock()
        self._next_at = 0.0
        self._shapes: Counter[str] = Counter()
        self._beyond: set[str] = set()

    @property
    def starts_with_sitemap(self) -> bool:
        """Whether the site was added by its sitemap instead of a page."""
        path = urlsplit(self.start).path.lower()
        return path.endswith((".xml", ".xml.gz")) or (path.endswith(".txt") and "sitemap" in path)

    @property
    def follows_links(self) -> bool:
        return self.options.mode == "crawl" or (self.options.mode == "auto" and not self.seen.by_sitemap)

    async def fetch(
        self, address: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> Fetched:
        """Fetch a page at the site's pace, and again when it asks to come back. Errors: FetchError."""
        for left in range(TRIES - 1, -1, -1):
            await self._pace()
            try:
                return await self._fetcher.fetch(address, etag=etag, last_modified=last_modified)
            except FetchError as error:
                if error.extra.get("upstream_status") not in _BUSY or left == 0:
                    raise
                await asyncio.sleep(_asked_to_wait(error))
        raise AssertionError("a loop of tries ends by returning or raising")

    async def robots(self) -> Robots:
        """Return the site's rules. Errors: FetchError when they exist and cannot be read just now."""
        if self._robots is None:
            self._robots = await self._read_robots() if self.options.respect_robots else Robots()
        return self._robots

    async def listed(self) -> list[str]:
        """Return the pages the site's sitemaps list, in their order; none where there is no sitemap or only rubbish."""
        if self.options.mode == "crawl":
            return []
        waiting = [*(await self.robots()).sitemaps, self._at("/sitemap.xml")]
        if self.starts_with_sitemap:
            waiting.insert(0, self.start)
        read: set[str] = set()
        pages: dict[str, None] = {}
        while waiting and len(read) < MAX_SITEMAPS and len(pages) < MAX_ENTRIES:
            address = waiting.pop(0)
            if address in read or not self._is_own(address):
                continue
            read.add(address)
            found = await self._sitemap(address)
            waiting += [entry.address for entry in found.sitemaps]
            pages.update((page, None) for entry in found.pages if (page := normalized(entry.address)))
        self.seen.by_sitemap = bool(pages)
        return list(pages)

    def worth_reading(self, addresses: Iterable[str]) -> list[str]:
        """Choose the addresses that belong to what was asked for and do not lead on without end."""
        chosen: list[str] = []
        for address in addresses:
            if not self._is_own(address) or not wanted(address, self.options.include, self.options.exclude):
                continue
            kind = shape(address)
            self._shapes[kind] += 1
            limit = CALENDAR_PAGES if is_calendar(address) else ALIKE if "?" in address else None
            if trap(address) or (limit is not None and self._shapes[kind] > limit):
                self.seen.trapped += 1
            else:
                chosen.append(address)
        return chosen

    def note_beyond(self, addresses: Sequence[str]) -> None:
        """Count, each once, the pages that the limit leaves no room for."""
        self._beyond.update(addresses)
        self.seen.beyond_limit = len(self._beyond)

    def is_off_site(self, address: str) -> bool:
        return self.options.same_site and site_of(address) != site_of(self.start)

    def remember(self) -> WebsiteSeen:
        """Return what is to be kept of this run."""
        self.seen.boilerplate = [key.hex() for key in self.boilerplate.known()]
        self.seen.dropped_blocks = self.boilerplate.dropped
        return self.seen

    def _is_own(self, address: str) -> bool:
        return not self.is_off_site(address)

    def _at(self, path: str) -> str:
        parts = urlsplit(self.start)
        return urlunsplit((parts.scheme, parts.netloc, path, "", ""))

    async def _read_robots(self) -> Robots:
        try:
            await self._pace()
            return robots_of((await self._fetcher.fetch(self._at("/robots.txt"))).body)
        except FetchError as error:
            status = error.extra.get("upstream_status")
            if isinstance(status, int) and status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return Robots()
            raise FetchError(
                "The site's rules for robots (robots.txt) could not be read, so no page was read either: "
                f"{error.detail}",
                code="robots_unavailable",
            ) from error

    async def _sitemap(self, address: str) -> Sitemap:
        try:
            await self._pace()
            fetched = await self._fetcher.fetch(address)
        except FetchError as error:
            logger.info("sitemap not read", address=address, code=error.code)
            return Sitemap()
        return await asyncio.to_thread(sitemap_of, fetched.body)

    async def _pace(self) -> None:
        """Wait until the site may be asked again; one request at a time begins."""
        async with self._turn:
            await asyncio.sleep(max(0.0, self._next_at - monotonic()))
            self._next_at = monotonic() + self._delay()

    def _delay(self) -> float:
        if self.options.delay_seconds is not None:
            return self.options.delay_seconds
        asked = self._robots.delay_s if self._robots else None
        return USUAL_DELAY_S if asked is None else min(asked, MAX_DELAY_S)


def _asked_to_wait(error: FetchError) -> float:
    asked = error.extra.get("retry_after_s")
    return min(float(asked), LONGEST_WAIT_S) if isinstance(asked, int | float) else 1.0
