"""Searching the web: what may be used of it, what it costs, and that no failure of a provider is one of a turn."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from typing import Any

import psycopg
import pytest

from concierge.billing.budgets import Budget, Budgets
from concierge.entrypoints.wiring import DatabaseAddress
from concierge.kit.ids import new_id
from concierge.tools.providers import Provider
from concierge.tools.providers.asking import VENDORS
from concierge.tools.providers.vendor import ProviderName
from concierge.tools.service import WebSearch
from concierge.tools.service.searching import wanted_of
from tests.factories.tenants import Tenant
from tests.tools.vendors import BAD_KEY, KEY, WRITTEN, Local, row, vendor_server

pytestmark = pytest.mark.anyio

NAMES: list[ProviderName] = ["serpapi", "brave", "tavily", "searxng"]


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 27, 10, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def local() -> AsyncIterator[Local]:
    async with vendor_server() as local:
        local.answers(WRITTEN["searxng"](row("https://example.com/a")))
        yield local


@pytest.fixture
def time() -> Time:
    return Time()


def searching(
    tenant: Tenant, provider: Provider | None, time: Time, *, calls: int = 10, seconds: float = 2.0
) -> WebSearch:
    db = tenant.platform.db
    budgets = Budgets(db, time)
    return WebSearch(db, budgets, provider, calls_per_hour=calls, seconds=seconds, clock=time)


async def spent(tenant: Tenant, time: Time, agent_id: Any = None) -> int:
    budget = Budget(f"web_search:{agent_id or tenant.agent_id}", "hour", 10)
    return (await Budgets(tenant.platform.db, time).spent(tenant.scope, [budget]))[budget]


@pytest.mark.parametrize("name", NAMES)
async def test_what_is_found_is_plain_text_with_its_place_and_day(
    name: ProviderName, tenant: Tenant, local: Local, time: Time
) -> None:
    local.answers(
        WRITTEN[name](
            row(
                "https://example.com/a#top",
                "Rattan &amp; <strong>prices</strong>",
                "They <strong>rose</strong>\n by 4&nbsp;%.\u202e",
                "2026-11-20",
            ),
            row("https://example.org/b"),
        )
    )
    found = await searching(tenant, local.provider(name), time).search(
        tenant.scope, tenant.agent_id, "rattan"
    )

    assert (found.status, found.provider, found.cached, found.because) == ("found", name, False, "")
    first = found.results[0]
    assert (first.title, first.url, first.snippet) == (
        "Rattan & prices",
        "https://example.com/a",
        "They rose by 4 %.",
    )
    assert (first.published, first.rank) == (date(2026, 11, 20), 1)
    assert [own.rank for own in found.results] == [1, 2]
    assert found.milliseconds > 0


HOSTILE = [
    "javascript:alert(1)",
    "file:///etc/passwd",
    "http://127.0.0.1/",
    "http://169.254.169.254/latest/",
    "http://[::1]/",
    "http://localhost:8000/",
    "https://user:secret@example.com/",
    "https://example.com/" + "a" * 5_000,
    "https://exa mple.com/",
    "",
]


@pytest.mark.parametrize("name", NAMES)
async def test_addresses_that_lead_elsewhere_than_to_public_pages_are_dropped(
    name: ProviderName, tenant: Tenant, local: Local, time: Time
) -> None:
    hostile = [row(url) for url in HOSTILE]
    local.answers(WRITTEN[name](*hostile, row("https://example.com/good"), row("https://example.com/good#x")))

    found = await searching(tenant, local.provider(name), time).search(
        tenant.scope, tenant.agent_id, "rattan"
    )

    assert [own.url for own in found.results] == ["https://example.com/good"]


@pytest.mark.parametrize("name", NAMES)
async def test_the_sites_hold_for_the_results_whatever_the_provider_found(
    name: ProviderName, tenant: Tenant, local: Local, time: Time
) -> None:
    local.answers(
        WRITTEN[name](
            row("https://example.com.evil.test/"),
            row("https://notexample.com/"),
            row("https://evil.test/example.com"),
            row("https://docs.example.org/other"),
            row("https://docs.example.org/guide/../other"),
            row("https://shop.example.com/chairs"),
            row("https://docs.example.org/guide/start"),
        )
    )
    search = searching(tenant, local.provider(name), time)

    found = await search.search(
        tenant.scope, tenant.agent_id, "rattan", sites=["example.com", "docs.example.org/guide"]
    )

    assert [own.url for own in found.results] == [
        "https://shop.example.com/chairs",
        "https://docs.example.org/guide/start",
    ]


async def test_nothing_of_the_sites_is_nothing(tenant: Tenant, local: Local, time: Time) -> None:
    search = searching(tenant, local.provider("searxng"), time)

    found = await search.search(tenant.scope, tenant.agent_id, "rattan", sites=["example.org"])

    assert (found.status, found.results) == ("nothing", ())


async def test_sites_that_are_none_are_not_the_whole_web(tenant: Tenant, local: Local, time: Time) -> None:
    search = searching(tenant, local.provider("searxng"), time)

    found = await search.search(tenant.scope, tenant.agent_id, "rattan", sites=["localhost", ""])

    assert found.status == "refused"
    assert local.asked == []


async def test_without_a_provider_the_web_is_unavailable(tenant: Tenant, time: Time) -> None:
    found = await searching(tenant, None, time).search(tenant.scope, tenant.agent_id, "rattan")

    assert (found.status, found.provider, found.results) == ("unavailable", None, ())
    assert found.because


async def test_nothing_to_look_for_asks_nobody(tenant: Tenant, local: Local, time: Time) -> None:
    search = searching(tenant, local.provider("searxng"), time)

    found = await search.search(tenant.scope, tenant.agent_id, " \n anna@example.com ")

    assert found.status == "nothing"
    assert local.asked == []


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Is it late?\n I am anna.b@example.com", "Is it late? I am"),
        ("call +49 170 123 45 67 today", "call today"),
        ("call 0170/1234567 or (030) 123-4567 today", "call or today"),
        ("my card 4111-1111-1111-1111 expired", "my card expired"),
        ("IBAN DE89 3704 0044 0532 0130 00 bank", "IBAN bank"),
        ("parcel 00340434161094021501 where", "parcel where"),
        ("iso 9001 2015, laws of 2026 2027", "iso 9001 2015, laws of 2026 2027"),
        ("price of 10,000,000.00 bolts", "price of 10,000,000.00 bolts"),
        ("<b>rattan</b> &amp; bamboo\u202e", "rattan & bamboo"),
    ],
)
def test_a_query_names_nobody(said: str, asked: str) -> None:
    assert wanted_of(said, ()).query == asked


def test_a_query_is_as_short_as_every_provider_takes_it() -> None:
    assert len(wanted_of("word " * 200, ()).query.split()) == 50
    assert len(wanted_of("x" * 200 + " " + "y" * 300, ()).query) == 200
    assert wanted_of("z" * 1_000, ()).query == ""


async def test_the_same_search_costs_nothing_for_an_hour(tenant: Tenant, local: Local, time: Time) -> None:
    search = searching(tenant, local.provider("searxng"), time)
    first = await search.search(
        tenant.scope, tenant.agent_id, "Rattan  prices", sites=["example.com", "b.test"]
    )
    time.now += timedelta(minutes=59)
    again = await search.search(tenant.scope, new_id(), "rattan prices", sites=["b.test", "example.com"])

    assert (first.cached, again.cached) == (False, True)
    assert again.results == first.results
    assert len(local.asked) == 1

    time.now += timedelta(minutes=2)
    late = await search.search(
        tenant.scope, tenant.agent_id, "rattan prices", sites=["example.com", "b.test"]
    )
    assert not late.cached
    assert len(local.asked) == 2


async def test_other_words_sites_and_providers_are_other_searches(
    tenant: Tenant, local: Local, time: Time
) -> None:
    search = searching(tenant, local.provider("searxng"), time)
    for query, sites in (("rattan", []), ("rattan price", []), ("rattan", ["example.com"])):
        await search.search(tenant.scope, tenant.agent_id, query, sites=sites)
    local.answers(WRITTEN["brave"](row("https://example.org/")))
    other = await searching(tenant, local.provider("brave"), time).search(
        tenant.scope, tenant.agent_id, "rattan"
    )

    assert [own.url for own in other.results] == ["https://example.org/"]
    assert len(local.asked) == 4


async def test_nothing_found_is_kept_too_but_a_failure_is_not(
    tenant: Tenant, local: Local, time: Time
) -> None:
    search = searching(tenant, local.provider("searxng"), time)
    local.answers(b"{}", "500 Internal Server Error")
    assert (await search.search(tenant.scope, tenant.agent_id, "rattan")).status == "unavailable"
    local.answers(WRITTEN["searxng"]())
    assert (await search.search(tenant.scope, tenant.agent_id, "rattan")).status == "nothing"

    kept = await search.search(tenant.scope, tenant.agent_id, "rattan")

    assert (kept.status, kept.cached) == ("nothing", True)
    assert len(local.asked) == 2


async def test_one_organization_never_sees_what_another_searched_for(
    tenant: Tenant, stranger: Tenant, local: Local, time: Time
) -> None:
    search = searching(tenant, local.provider("searxng"), time)
    await search.search(tenant.scope, tenant.agent_id, "rattan")

    theirs = await search.search(stranger.scope, stranger.agent_id, "rattan")

    assert not theirs.cached
    assert len(local.asked) == 2
    assert await spent(tenant, time) == 1
    assert await spent(stranger, time) == 1


async def test_what_was_asked_is_not_kept_and_what_was_found_only_for_its_hour(
    tenant: Tenant, local: Local, time: Time, database: DatabaseAddress
) -> None:
    search = searching(tenant, local.provider("searxng"), time)
    for number in range(3):
        await search.search(tenant.scope, tenant.agent_id, f"a secret wish {number}")
        time.now += timedelta(minutes=40)

    with psycopg.connect(
        database.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    ) as connection:
        kept = connection.execute(
            "SELECT expires_at, t::text FROM web_search_results t WHERE org_id = %s ORDER BY 1",
            [tenant.org_id],
        ).fetchall()
    assert len(kept) == 2
    assert all("wish" not in text for _, text in kept)


async def test_thirty_searches_at_once_ask_ten_times(tenant: Tenant, local: Local, time: Time) -> None:
    local.delay_s = 0.05
    search = searching(tenant, local.provider("searxng"), time)

    found = await asyncio.gather(
        *(search.search(tenant.scope, tenant.agent_id, f"rattan {number}") for number in range(30))
    )

    assert len(local.asked) == 10
    assert sorted(own.status for own in found) == ["found"] * 10 + ["spent"] * 20
    assert {own.because for own in found if own.status == "spent"} == {
        "The agent's searches of this hour are spent; there are more at 11:00 UTC."
    }
    assert await spent(tenant, time) == 10


async def test_the_budget_is_the_agents_own_and_begins_anew_each_hour(
    tenant: Tenant, local: Local, time: Time
) -> None:
    search = searching(tenant, local.provider("searxng"), time, calls=1)
    assert (await search.search(tenant.scope, tenant.agent_id, "rattan")).status == "found"
    assert (await search.search(tenant.scope, tenant.agent_id, "bamboo")).status == "spent"
    assert (await search.search(tenant.scope, new_id(), "bamboo")).status == "found"

    time.now += timedelta(hours=1)

    assert (await search.search(tenant.scope, tenant.agent_id, "willow")).status == "found"


async def test_another_process_has_no_budget_of_its_own(tenant: Tenant, local: Local, time: Time) -> None:
    first, second = (searching(tenant, local.provider("searxng"), time, calls=1) for _ in range(2))
    await first.search(tenant.scope, tenant.agent_id, "rattan")

    assert (await second.search(tenant.scope, tenant.agent_id, "bamboo")).status == "spent"
    assert (await second.search(tenant.scope, tenant.agent_id, "rattan")).cached


async def test_no_calls_allowed_means_none(tenant: Tenant, local: Local, time: Time) -> None:
    search = searching(tenant, local.provider("searxng"), time, calls=0)

    assert (await search.search(tenant.scope, tenant.agent_id, "rattan")).status == "spent"
    assert local.asked == []


@pytest.mark.parametrize("name", NAMES)
async def test_what_the_provider_answered_counts_also_where_it_refused(
    name: ProviderName, tenant: Tenant, local: Local, time: Time
) -> None:
    status, answer = BAD_KEY[name]
    search = searching(tenant, local.provider(name), time)
    for said, body in ((status, answer), ("500 Internal Server Error", {}), ("429 Too Many Requests", {})):
        local.answers(body, said)
        found = await search.search(tenant.scope, tenant.agent_id, "rattan")
        assert found.results == ()
        assert KEY not in found.because

    assert await spent(tenant, time) == 3


async def test_a_provider_that_was_never_reached_costs_nothing(tenant: Tenant, time: Time) -> None:
    search = searching(tenant, Provider(VENDORS["searxng"], "http://127.0.0.1:9/search", None), time, calls=1)

    for _ in range(3):
        assert (await search.search(tenant.scope, tenant.agent_id, "rattan")).status == "unavailable"

    assert await spent(tenant, time) == 0


async def test_a_slow_provider_is_left_after_the_deadline(tenant: Tenant, local: Local, time: Time) -> None:
    local.delay_s = 5
    begun = perf_counter()

    found = await searching(tenant, local.provider("searxng"), time, seconds=0.3).search(
        tenant.scope, tenant.agent_id, "rattan"
    )

    assert found.status == "late"
    assert perf_counter() - begun < 2
    assert await spent(tenant, time) == 1


async def test_a_provider_that_trickles_is_left_after_the_deadline(
    tenant: Tenant, local: Local, time: Time
) -> None:
    local.endless, local.pause_s = b" ", 0.02
    begun = perf_counter()

    found = await searching(tenant, local.provider("searxng"), time, seconds=0.4).search(
        tenant.scope, tenant.agent_id, "rattan"
    )

    assert found.status == "late"
    assert perf_counter() - begun < 2


async def test_a_visitor_who_leaves_has_still_had_the_search_made(
    tenant: Tenant, local: Local, time: Time
) -> None:
    local.delay_s = 5
    search = searching(tenant, local.provider("searxng"), time, seconds=4)
    running = asyncio.create_task(search.search(tenant.scope, tenant.agent_id, "rattan"))
    while not local.asked:
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert await spent(tenant, time) == 1
