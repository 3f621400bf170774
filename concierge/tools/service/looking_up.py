"""Search the web and read what was found, within one time."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from concierge.accounts.scope import TenantScope
from concierge.tools.pages.reading import WebPages
from concierge.tools.schemas import WebEvidence
from concierge.tools.service.searching import WebSearch
from concierge.tools.sites import sites_of

# So much of the time is left for what comes after the pages.
MARGIN_S: Final = 0.2


class WebLookup:
    def __init__(self, search: WebSearch, pages: WebPages) -> None:
        self._search = search
        self._pages = pages

    async def look_up(
        self, scope: TenantScope, agent_id: UUID, query: str, *, sites: Sequence[str] = ()
    ) -> WebEvidence:
        """Return what was found and what its pages say, within the seconds of a search. Errors: as `WebSearch.search`."""
        findings = await self._search.search(scope, agent_id, query, sites=sites)
        remaining = self._search.seconds - findings.milliseconds / 1000 - MARGIN_S
        passages = await self._pages.passages(findings.results, sites_of(sites), remaining)
        return WebEvidence(findings, tuple(passages))
