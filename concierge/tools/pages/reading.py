"""The pages of the best results, fetched side by side within a time, as passages an answer may rest on."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from typing import Final

import httpx2

from concierge.kit.clock import Clock, utc_now
from concierge.kit.fetch import Fetched, Fetcher, FetchError, FetchLimits
from concierge.tools.pages.extraction import Extracted, Extraction, extracting
from concierge.tools.pages.passages import passages_of
from concierge.tools.schemas import WebPassage, WebResult
from concierge.tools.sites import Site

MOST_PAGES: Final = 3
# For the fetcher of pages: a page that is not there by then is answered for by its snippet.
PAGE_LIMITS: Final = FetchLimits(
    total_s=4.0, connect_s=2.0, read_s=3.0, max_bytes=2 * 1024 * 1024, max_redirects=3
)
_PLAIN: Final = frozenset({"text/plain", "text/markdown"})
_MARKUP: Final = frozenset({"text/html", "application/xhtml+xml", None})


class WebPages:
    """`fetcher` refuses private addresses; its limits are those of one page."""

    def __init__(self, fetcher: Fetcher, clock: Clock = utc_now) -> None:
        self._fetcher = fetcher
        self._clock = clock

    async def passages(
        self, results: Sequence[WebResult], sites: Sequence[Site], seconds: float
    ) -> Sequence[WebPassage]:
        """What the results say, best first: of the first three their pages, of the others, and of pages that could not
        be had within `seconds`, the snippet. A page that leads out of the sites is none.
        """
        best = results[:MOST_PAGES]
        read: dict[int, Sequence[WebPassage]] = {}
        if best and seconds > 0:
            async with extracting() as extraction:
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                        for result in best:
                            group.create_task(self._page(result, sites, extraction, read))
        return [passage for result in results for passage in read.get(result.rank) or tuple(_snippet(result))]

    async def _page(
        self,
        result: WebResult,
        sites: Sequence[Site],
        extraction: Extraction,
        read: dict[int, Sequence[WebPassage]],
    ) -> None:
        try:
            fetched = await self._fetcher.fetch(result.url)
        except FetchError:
            return
        final = httpx2.URL(fetched.final_url)
        if sites and not any(site.has(final) for site in sites):
            return
        extracted = await _extracted(fetched, extraction)
        read[result.rank] = [
            WebPassage(
                url=fetched.final_url,
                title=result.title or extracted.title,
                text=text,
                published=_day(extracted.date) or result.published,
                fetched_at=self._clock(),
            )
            for text in passages_of(extracted.text)
        ]


async def _extracted(fetched: Fetched, extraction: Extraction) -> Extracted:
    if fetched.media_type in _PLAIN:
        return Extracted(text=fetched.body.decode("utf-8", errors="replace"))
    if fetched.media_type in _MARKUP:
        return await extraction.of(fetched.body, fetched.charset)
    return Extracted()


def _snippet(result: WebResult) -> Iterator[WebPassage]:
    if result.snippet:
        yield WebPassage(result.url, result.title, result.snippet, result.published, fetched_at=None)


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
