"""Read the pages of a website: what it lists, where its pages lead, and what of a page is its own."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Final
from uuid import UUID

from concierge.kit.db import Database
from concierge.kit.fetch import Fetched, Fetcher, FetchError
from concierge.knowledge.errors import ItemPassedOverError
from concierge.knowledge.ingestion.claim import Claim
from concierge.knowledge.ingestion.store import Storing
from concierge.knowledge.parsing import ParsedDocument
from concierge.knowledge.repository import PendingItem, SourceRepository
from concierge.knowledge.schemas.websites import WebsiteOptions, WebsiteSeen
from concierge.knowledge.sources.addresses import normalized
from concierge.knowledge.sources.links import Signs, signs_of
from concierge.knowledge.sources.website import Website

MAX_PAGE_BYTES_FOR_LINKS: Final = 5 * 1024 * 1024
_HTML: Final = ("text/html", "application/xhtml+xml")
_SIGN_IN: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
OPTIONS, SEEN = "website", "seen"


class SiteReader:
    """Keeps a `Website` for each source that is being read."""

    def __init__(self, db: Database, fetcher: Fetcher, storing: Storing) -> None:
        self._db = db
        self._fetcher = fetcher
        self._storing = storing
        self._sites: dict[UUID, Website] = {}

    def site(self, claim: Claim) -> Website:
        site = self._sites.get(claim.source_id)
        if site is None:
            options = WebsiteOptions.model_validate(claim.source.options.get(OPTIONS, {}))
            kept = WebsiteSeen.model_validate(claim.source.options.get(SEEN, {}))
            seen = WebsiteSeen(boilerplate=kept.boilerplate, by_sitemap=kept.by_sitemap)
            site = Website(self._fetcher, claim.source.uri or "", options, seen)
            self._sites[claim.source_id] = site
        return site

    async def fetch(self, claim: Claim, item: PendingItem) -> Fetched:
        """Fetch a page politely, list what it leads to, and see that it wants to be read.

        Errors: FetchError; ItemPassedOverError for a page that is not to be taken in, with the reason.
        """
        site = self.site(claim)
        if item.uri == site.start:
            await self._storing.discover(claim, site, site.worth_reading(await site.listed()), depth=0)
            if site.starts_with_sitemap:
                raise ItemPassedOverError("This is the site's list of its pages, not a page.")
        if not (await site.robots()).allows(item.uri):
            raise ItemPassedOverError("The site asks robots not to read this page (robots.txt).")
        fetched = await self._asked(claim, site, item)
        if site.is_off_site(fetched.final_url):
            raise ItemPassedOverError(f"The page leads away from the site, to {fetched.final_url[:200]}.")
        if not fetched.unchanged:
            await self._heed(claim, site, item, fetched)
        return fetched

    def own_text(self, claim: Claim, item: PendingItem, document: ParsedDocument) -> ParsedDocument:
        """Leave out what repeats on many pages of the site."""
        return replace(document, text=self.site(claim).boilerplate.cleaned(item.uri, document.text))

    async def read_again(self, claim: Claim) -> bool:
        """Have the pages read again whose repeated blocks were not known when they were read. Returns whether any are."""
        site = self._sites.get(claim.source_id)
        pages = site.boilerplate.holders() if site else set[str]()
        if not pages:
            return False
        async with self._db.transaction(claim.scope.org_id) as session:
            return await SourceRepository(session, claim.scope).pend_again(claim.source_id, sorted(pages))

    async def leave(self, claim: Claim) -> None:
        """Keep what this run has found out about the site."""
        site = self._sites.pop(claim.source_id, None)
        if site is None:
            return
        async with self._db.transaction(claim.scope.org_id) as session:
            await SourceRepository(session, claim.scope).keep_option(
                claim.source_id, SEEN, site.remember().model_dump()
            )

    async def _asked(self, claim: Claim, site: Website, item: PendingItem) -> Fetched:
        known = item.document_id is not None and not claim.anew and item.uri not in site.boilerplate.reread
        try:
            if known:
                return await site.fetch(item.uri, etag=item.etag, last_modified=item.last_modified)
            return await site.fetch(item.uri)
        except FetchError as error:
            if error.extra.get("upstream_status") in _SIGN_IN:
                raise ItemPassedOverError("The page is only for people who have signed in.") from error
            raise

    async def _heed(self, claim: Claim, site: Website, item: PendingItem, fetched: Fetched) -> None:
        if fetched.media_type not in _HTML:
            return
        page = fetched.body[:MAX_PAGE_BYTES_FOR_LINKS]
        signs = await asyncio.to_thread(signs_of, page, fetched.final_url)
        await self._follow(claim, site, item, signs)
        if signs.asks_to_sign_in:
            raise ItemPassedOverError("The page is only for people who have signed in.")
        if not signs.indexed:
            raise ItemPassedOverError("The page asks not to be found (noindex).")
        own = {normalized(item.uri), normalized(fetched.final_url)}
        if signs.canonical is not None and signs.canonical not in own:
            await self._found(claim, site, [signs.canonical], item.depth)
            raise ItemPassedOverError(
                f"The page is the same as {signs.canonical[:200]}, which is read instead."
            )

    async def _follow(self, claim: Claim, site: Website, item: PendingItem, signs: Signs) -> None:
        if site.follows_links and signs.followed and item.depth < site.options.max_depth:
            await self._found(claim, site, signs.links, item.depth + 1)

    async def _found(self, claim: Claim, site: Website, addresses: Sequence[str], depth: int) -> None:
        await self._storing.discover(claim, site, site.worth_reading(addresses), depth=depth)
