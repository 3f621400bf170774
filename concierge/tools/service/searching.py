"""Search the web within an agent's budget, and keep what was found for an hour."""

import hashlib
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from time import perf_counter
from typing import Final
from uuid import UUID

import anyio

from concierge.accounts.scope import TenantScope
from concierge.billing.budgets import Budget, Budgets, Reservation
from concierge.billing.errors import BudgetSpentError
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.kit.html import line_of
from concierge.tools.providers import Found, Provider, ProviderFailedError, Wanted, published
from concierge.tools.repository import WebSearchRepository
from concierge.tools.schemas import WebFindings, WebResult, WebStatus
from concierge.tools.sites import Site, belongs, public_url, sites_of

KEPT_FOR: Final = timedelta(hours=1)
MOST_RESULTS: Final = 8
# More is asked for, because some of it may not be used.
ASKED_FOR: Final = 15
# What the strictest of the providers takes.
QUERY_CHARS: Final = 400
QUERY_WORDS: Final = 50
TITLE_CHARS: Final = 200
SNIPPET_CHARS: Final = 600
# What says who somebody is has no place with a search engine.
_PERSONAL: Final = re.compile(
    r"""\S+@\S+\.\w+                                        # a mail address
    | (?<!\w)(?:\+\d|\(?0\d)[\d ()./-]{5,}\d(?!\w)          # a telephone, which begins with + or 0
    | (?<!\w)[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){3,}[ ]?\w{0,4}  # an account
    | (?<!\w)\d{4}(?:[ -]?\d{4}){3}(?!\w)                  # a card
    | (?<![\w.,])\d{8,}(?!\w)                              # any other long number
    """,
    re.VERBOSE,
)


class WebSearch:
    """`seconds` is the longest a search takes, `calls_per_hour` what each agent may have the provider do."""

    def __init__(
        self,
        db: Database,
        budgets: Budgets,
        provider: Provider | None,
        *,
        calls_per_hour: int = 10,
        seconds: float = 8.0,
        clock: Clock = utc_now,
    ) -> None:
        self._db = db
        self._budgets = budgets
        self._provider = provider
        self._calls_per_hour = calls_per_hour
        self._clock = clock
        self.seconds = seconds

    async def search(
        self, scope: TenantScope, agent_id: UUID, query: str, *, sites: Sequence[str] = ()
    ) -> WebFindings:
        """Search for what `query` says, and only in `sites` where there are some, such as `example.com/docs`.

        What the provider does never raises. What was searched for lately is answered from what was found then, without
        asking anybody. Errors: UnavailableError of the database.
        """
        begun = perf_counter()
        findings = await self._found(scope, agent_id, query, sites)
        return replace(findings, milliseconds=(perf_counter() - begun) * 1000)

    async def _found(
        self, scope: TenantScope, agent_id: UUID, query: str, written: Sequence[str]
    ) -> WebFindings:
        provider = self._provider
        if provider is None:
            return _without("unavailable", None, "No provider of web search is configured.")
        wanted = wanted_of(query, sites_of(written))
        if written and not wanted.sites:
            return _without("refused", provider, "None of the agent's sites is a website.")
        if not wanted.query:
            return _without("nothing", provider, "There was nothing to look for.")
        kept = await self._kept(scope, provider, wanted)
        if kept is not None:
            return _with(provider, kept, cached=True)
        budget = Budget(f"web_search:{agent_id}", "hour", self._calls_per_hour)
        try:
            reservation = await self._budgets.reserve(scope, {budget: 1})
        except BudgetSpentError as spent:
            because = (
                f"The agent's searches of this hour are spent; there are more at {spent.renews_at:%H:%M} UTC."
            )
            return _without("spent", provider, because)
        return await self._asked(scope, provider, wanted, reservation)

    async def _asked(
        self, scope: TenantScope, provider: Provider, wanted: Wanted, reservation: Reservation
    ) -> WebFindings:
        try:
            with anyio.fail_after(self.seconds):
                found = await provider.ask(wanted, self.seconds)
        except ProviderFailedError as failure:
            await (self._budgets.commit if failure.asked else self._budgets.release)(scope, reservation)
            return _without(failure.status, provider, failure.because)
        except TimeoutError:
            await self._budgets.commit(scope, reservation)
            return _without(
                "late", provider, f"The provider {provider.name} took longer than {self.seconds:g} s."
            )
        except BaseException:
            # Whoever waited for it is gone; the provider may have been asked all the same, and that counts.
            with suppress(Exception), anyio.move_on_after(2, shield=True):
                await self._budgets.commit(scope, reservation)
            raise
        await self._budgets.commit(scope, reservation)
        results = results_of(found, wanted.sites, self._clock().date())
        await self._keep(scope, provider, wanted, results)
        return _with(provider, results)

    async def _kept(
        self, scope: TenantScope, provider: Provider, wanted: Wanted
    ) -> tuple[WebResult, ...] | None:
        async with self._db.transaction(scope.org_id) as session:
            repository = WebSearchRepository(session, scope)
            return await repository.kept(provider.name, _key(wanted), self._clock())

    async def _keep(
        self, scope: TenantScope, provider: Provider, wanted: Wanted, results: Sequence[WebResult]
    ) -> None:
        now = self._clock()
        async with self._db.transaction(scope.org_id) as session:
            repository = WebSearchRepository(session, scope)
            await repository.keep(provider.name, _key(wanted), results, now, now + KEPT_FOR)


def wanted_of(query: str, sites: Sequence[Site]) -> Wanted:
    """What a provider is asked for: words on one line, not more than it takes, and nothing that names a person."""
    words = _PERSONAL.sub(" ", line_of(query)).split()[:QUERY_WORDS]
    while len(" ".join(words)) > QUERY_CHARS:
        words.pop()
    return Wanted(" ".join(words), tuple(sites), ASKED_FOR)


def results_of(found: Sequence[Found], sites: Sequence[Site], today: date) -> tuple[WebResult, ...]:
    """Those results that lead to a public page, of the sites where there are some, each once, as plain text."""
    results: dict[str, WebResult] = {}
    for rank, own in enumerate(found, start=1):
        url = public_url(own.url)
        if url is None or str(url) in results or (sites and not belongs(own.url, sites)):
            continue
        results[str(url)] = WebResult(
            title=line_of(own.title[: 10 * TITLE_CHARS])[:TITLE_CHARS],
            url=str(url),
            snippet=line_of(own.snippet[: 10 * SNIPPET_CHARS])[:SNIPPET_CHARS],
            published=published(own.dated, today),
            rank=rank,
        )
    return tuple(results.values())[:MOST_RESULTS]


def _key(wanted: Wanted) -> bytes:
    """The same for queries that differ only in case, and for sites in whatever order."""
    said = [wanted.query.casefold(), [str(site) for site in wanted.sites], wanted.count]
    return hashlib.sha256(json.dumps(said).encode()).digest()


def _with(provider: Provider, results: tuple[WebResult, ...], *, cached: bool = False) -> WebFindings:
    if not results:
        return replace(_without("nothing", provider, "Nothing was found that may be used."), cached=cached)
    return WebFindings("found", provider.name, 0.0, results, cached)


def _without(status: WebStatus, provider: Provider | None, because: str) -> WebFindings:
    return WebFindings(status, provider.name if provider else None, 0.0, because=because)
