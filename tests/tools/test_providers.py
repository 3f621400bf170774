"""Providers of web search, over a local server that answers as each of them documents it."""

import json
from collections.abc import AsyncIterator
from datetime import date
from time import perf_counter
from typing import Any

import pytest
from pydantic import SecretStr

from concierge.kit.settings import WebSearching
from concierge.tools.providers import Provider, ProviderFailedError, Wanted, create_provider, published
from concierge.tools.providers.asking import VENDORS
from concierge.tools.providers.vendor import Found, ProviderName
from concierge.tools.sites import sites_of
from tests.tools.vendors import BAD_KEY, KEY, WRITTEN, Local, row, vendor_server

pytestmark = pytest.mark.anyio

NAMES: list[ProviderName] = ["serpapi", "brave", "tavily", "searxng"]
RATTAN = Wanted("rattan prices", (), 15)
TODAY = date(2026, 11, 27)


@pytest.fixture
async def local() -> AsyncIterator[Local]:
    async with vendor_server() as local:
        yield local


async def failure(provider: Provider, seconds: float = 2.0) -> ProviderFailedError:
    with pytest.raises(ProviderFailedError) as caught:
        await provider.ask(RATTAN, seconds)
    return caught.value


@pytest.mark.parametrize("name", NAMES)
async def test_results_are_read_in_the_providers_own_order(name: ProviderName, local: Local) -> None:
    local.answers(
        WRITTEN[name](
            row("https://example.com/a", "Rattan prices", "Prices rose by 4 percent.", "2026-11-20T10:00:00"),
            row("https://example.org/b", "Rattan", "All about it."),
        )
    )

    assert await local.provider(name).ask(RATTAN, 2) == [
        Found("Rattan prices", "https://example.com/a", "Prices rose by 4 percent.", "2026-11-20T10:00:00"),
        Found("Rattan", "https://example.org/b", "All about it.", ""),
    ]


@pytest.mark.parametrize("name", NAMES)
async def test_nothing_found_is_no_failure(name: ProviderName, local: Local) -> None:
    local.answers(WRITTEN[name]())

    assert await local.provider(name).ask(RATTAN, 2) == []


EVERYWHERE: list[tuple[ProviderName, str, dict[str, str], Any]] = [
    ("serpapi", "GET", {"engine": "google", "q": "rattan prices", "num": "15", "api_key": KEY}, None),
    ("brave", "GET", {"q": "rattan prices", "count": "15"}, None),
    ("tavily", "POST", {}, {"query": "rattan prices", "max_results": 15, "search_depth": "basic"}),
    ("searxng", "GET", {"q": "rattan prices", "format": "json"}, None),
]


@pytest.mark.parametrize(("name", "method", "parameters", "body"), EVERYWHERE)
async def test_each_is_asked_as_it_documents(
    name: ProviderName, method: str, parameters: dict[str, str], body: Any, local: Local
) -> None:
    local.answers(WRITTEN[name]())
    await local.provider(name).ask(RATTAN, 2)

    asked = local.asked[0]
    assert (asked.method, asked.body) == (method, body)
    assert parameters.items() <= asked.parameters.items()
    keys = {"brave": ("x-subscription-token", KEY), "tavily": ("authorization", f"Bearer {KEY}")}
    if name in keys:
        header, value = keys[name]
        assert asked.headers[header] == value
    else:
        assert "authorization" not in asked.headers


@pytest.mark.parametrize("name", NAMES)
async def test_sites_are_asked_for_too(name: ProviderName, local: Local) -> None:
    local.answers(WRITTEN[name]())
    sites = sites_of(["example.org", "https://example.com/docs/"])

    await local.provider(name).ask(Wanted("rattan", sites, 15), 2)

    asked = local.asked[0]
    if name == "tavily":
        assert asked.body["include_domains"] == ["example.com", "example.org"]
    else:
        assert asked.parameters["q"] == "rattan (site:example.com/docs OR site:example.org)"


@pytest.mark.parametrize("name", NAMES)
async def test_a_key_it_does_not_know_is_a_refusal(name: ProviderName, local: Local) -> None:
    status, answer = BAD_KEY[name]
    local.answers(answer, status)

    failed = await failure(local.provider(name))

    assert (failed.status, failed.asked) == ("refused", True)
    assert status[:3] in failed.because
    assert KEY not in failed.because


STATUSES = [
    ("401 Unauthorized", "refused"),
    ("403 Forbidden", "refused"),
    ("400 Bad Request", "unavailable"),
    ("404 Not Found", "unavailable"),
    ("302 Found", "unavailable"),
    ("204 No Content", "unavailable"),
    ("500 Internal Server Error", "unavailable"),
    ("503 Service Unavailable", "unavailable"),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("status", "expected"), STATUSES)
async def test_every_status_but_success_is_a_failure_that_counts(
    name: ProviderName, status: str, expected: str, local: Local
) -> None:
    local.answers(WRITTEN[name](row("https://example.com/")), status, Location="https://example.com/")

    failed = await failure(local.provider(name))

    assert (failed.status, failed.asked) == (expected, True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("pause", "said"),
    [
        ("30", "a pause of 30 s"),
        ("Fri, 27 Nov 2026 10:00:00 GMT", "too many requests."),
        ("9" * 400, "requests."),
    ],
)
async def test_too_many_requests_say_how_long_to_wait(
    name: ProviderName, pause: str, said: str, local: Local
) -> None:
    local.answers(b'{"detail": "slow down"}', "429 Too Many Requests", Retry_After=pause)

    failed = await failure(local.provider(name))

    assert failed.status == "limited"
    assert said in failed.because


async def test_a_plan_that_is_used_up_is_a_refusal(local: Local) -> None:
    local.answers(
        {"detail": {"error": "This request exceeds your plan's set usage limit."}}, "432 Plan limit"
    )

    assert (await failure(local.provider("tavily"))).status == "refused"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"results"',
        b"{not json",
        b"<!doctype html><html><body>Please sign in</body></html>",
        b"\xff\xfe\x00",
        b'{"results": "none", "organic_results": "none", "web": "none", "type": "search"}',
        b'{"results": {"a": 1}, "organic_results": {"a": 1}, "web": {"results": {"a": 1}}, "type": "search"}',
        b"[" * 100_000,
    ],
)
async def test_an_answer_that_cannot_be_read_is_a_failure(
    name: ProviderName, answer: bytes, local: Local
) -> None:
    local.answers(answer)

    failed = await failure(local.provider(name))

    assert (failed.status, failed.asked) == ("unavailable", True)
    assert "cannot be read" in failed.because


@pytest.mark.parametrize("name", NAMES)
async def test_missing_and_odd_fields_cost_only_themselves(name: ProviderName, local: Local) -> None:
    answer = WRITTEN[name](row("https://example.com/a"), row("https://example.com/b"))
    rows = answer.get("results") or answer.get("organic_results") or answer["web"]["results"]
    for field in ("title", "snippet", "content", "description", "date", "page_age"):
        rows[0].pop(field, None)
    rows[1] |= {"title": 7, "snippet": None, "content": ["a"], "description": {}, "publishedDate": 2026}
    rows += [None, "a text", {}, {"url": None, "link": 5}]
    local.answers(answer)

    found = await local.provider(name).ask(RATTAN, 2)

    assert [own.url for own in found] == ["https://example.com/a", "https://example.com/b", "", ""]
    assert {own.title for own in found} == {""}


@pytest.mark.parametrize("name", NAMES)
async def test_a_stall_is_not_waited_for(name: ProviderName, local: Local) -> None:
    local.delay_s = 5
    begun = perf_counter()

    failed = await failure(local.provider(name), 0.2)

    assert (failed.status, failed.asked) == ("late", True)
    assert perf_counter() - begun < 2


async def test_a_huge_answer_is_dropped_while_it_arrives(local: Local) -> None:
    local.endless = b" " * 65_536

    failed = await failure(local.provider("searxng"), 5)

    assert (failed.status, failed.asked) == ("unavailable", True)
    assert "beyond all measure" in failed.because


async def test_a_provider_that_hangs_up_may_have_counted_it(local: Local) -> None:
    local.hangs_up = True

    failed = await failure(local.provider("brave"))

    assert (failed.status, failed.asked) == ("unavailable", True)


async def test_a_provider_that_cannot_be_reached_has_not_been_asked() -> None:
    provider = Provider(VENDORS["searxng"], "http://127.0.0.1:9/search", None)

    failed = await failure(provider)

    assert (failed.status, failed.asked) == ("unavailable", False)


async def test_failures_are_logged_without_key_or_query(
    local: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in NAMES:
        local.answers({"error": f"bad key {KEY}", "echo": "rattan prices"}, "401 Unauthorized")
        await failure(local.provider(name))
        local.answers(json.dumps({"error": KEY}).encode())
        await failure(local.provider(name))

    said = "".join(capsys.readouterr())
    assert "web search gave no results" in said
    assert KEY not in said
    assert "rattan" not in said


def test_the_settings_choose_the_provider() -> None:
    url: Any = "http://localhost:8080/search"
    brave = create_provider(WebSearching(provider="brave", key=SecretStr("k")))
    moved = create_provider(WebSearching(provider="tavily", key=SecretStr("k"), url=url))
    own = create_provider(WebSearching(provider="searxng", url=url))

    assert brave is not None
    assert (brave.name, brave.url) == ("brave", "https://api.search.brave.com/res/v1/web/search")
    assert moved is not None
    assert moved.url == url
    assert own is not None
    assert (own.name, own.key) == ("searxng", None)


@pytest.mark.parametrize(
    "settings",
    [
        WebSearching(),
        WebSearching(provider="brave"),
        WebSearching(provider="serpapi"),
        WebSearching(provider="tavily"),
        WebSearching(provider="searxng", key=SecretStr("k")),
    ],
)
def test_without_what_it_needs_there_is_no_provider(settings: WebSearching) -> None:
    assert create_provider(settings) is None


@pytest.mark.parametrize(
    ("dated", "day"),
    [
        ("2026-11-20", date(2026, 11, 20)),
        ("2026-11-20T23:59:00", date(2026, 11, 20)),
        ("2026-11-20T23:59:00+02:00", date(2026, 11, 20)),
        ("Nov 20, 2026", date(2026, 11, 20)),
        ("November 20, 2026", date(2026, 11, 20)),
        ("20 Nov 2026", date(2026, 11, 20)),
        ("Fri, 20 Nov 2026 10:00:00 GMT", date(2026, 11, 20)),
        ("3 days ago", date(2026, 11, 24)),
        ("1 week ago", date(2026, 11, 20)),
        ("an hour ago", date(2026, 11, 27)),
        ("5 hours ago", date(2026, 11, 27)),
        ("2 months ago", date(2026, 9, 28)),
        ("", None),
        ("yesterday-ish", None),
        ("2026-13-45", None),
        ("2026-11-20999", None),
        ("1970-01-01", None),
        ("2030-01-01", None),
        ("999 years ago", None),
        ("9" * 5_000, None),
        ("Mon, 99 Foo 99999 99:99:99", None),
    ],
)
def test_dates_are_read_in_every_way_they_are_written(dated: str, day: date | None) -> None:
    assert published(dated, TODAY) == day
