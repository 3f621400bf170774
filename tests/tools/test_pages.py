"""Pages of search results: fetched and taken apart within a time, and the snippet where a page cannot be had."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.billing.budgets import Budgets
from concierge.kit.fetch import Fetcher
from concierge.tools.pages.extraction import CHILD, Extracted, Extraction, extracting
from concierge.tools.pages.passages import LONGEST_PASSAGE, MOST_PASSAGES, passages_of
from concierge.tools.pages.reading import PAGE_LIMITS, WebPages
from concierge.tools.schemas import WebPassage, WebResult
from concierge.tools.service import WebLookup, WebSearch
from concierge.tools.sites import Site
from tests.factories.tenants import Tenant
from tests.kit.site import LOCAL, page, redirect
from tests.kit.site import Site as LocalSite
from tests.tools.vendors import WRITTEN, row, vendor_server

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
NEWS = b"""<!doctype html><html lang="en"><head><title>Rattan prices rise | The News</title>
<meta property="article:published_time" content="2026-11-20T10:00:00Z"></head>
<body><nav><a href="/">Home</a><a href="/login">Log in</a></nav><article><h1>Rattan prices rise</h1>
<p>Prices for rattan rose by 4 percent in November, the trade association said on Friday.</p>
<p>It expects another rise in spring, because the harvest was small.</p></article>
<script>document.write('tracked')</script><footer>All rights reserved</footer></body></html>"""


@pytest.fixture
def site() -> Iterator[LocalSite]:
    running = LocalSite()
    yield running
    running.close()


def pages_of() -> WebPages:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return [LOCAL]

    hosts = frozenset({LOCAL, "news.test", "evil.test"})
    fetcher = Fetcher(limits=PAGE_LIMITS, resolve=resolve, allowed_private_hosts=hosts)
    return WebPages(fetcher, lambda: NOW)


def result(url: str, rank: int = 1, snippet: str = "The snippet.") -> WebResult:
    return WebResult("A title", url, snippet, date(2026, 1, 1), rank)


async def read(*results: WebResult, sites: Sequence[Site] = (), seconds: float = 6.0) -> list[WebPassage]:
    return list(await pages_of().passages(results, sites, seconds))


async def test_a_page_gives_its_main_text_with_its_day(site: LocalSite) -> None:
    site.pages["/news"] = page(NEWS, Content_Type="text/html; charset=utf-8")
    url = site.url("/news", "news.test")

    (passage,) = await read(result(url))

    assert passage.text.startswith("Rattan prices rise\nPrices for rattan rose by 4 percent in November")
    assert "harvest was small" in passage.text
    assert "Log in" not in passage.text
    assert "tracked" not in passage.text
    assert (passage.url, passage.title, passage.published, passage.fetched_at) == (
        url,
        "A title",
        date(2026, 11, 20),
        NOW,
    )


async def test_the_first_three_are_read_and_the_others_stand_by_their_snippet(site: LocalSite) -> None:
    site.pages["/news"] = page(NEWS, Content_Type="text/html")
    results = [
        result(site.url(f"/news?{rank}", "news.test"), rank, f"Snippet {rank}.") for rank in range(1, 6)
    ]

    passages = await read(*results)

    assert [passage.fetched_at is None for passage in passages] == [False, False, False, True, True]
    assert [passage.text for passage in passages[3:]] == ["Snippet 4.", "Snippet 5."]
    assert len(site.seen) == 3


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (404, {"Content_Type": "text/html"}, NEWS),
        (500, {"Content_Type": "text/html"}, NEWS),
        (200, {"Content_Type": "application/pdf"}, b"%PDF-1.7"),
        (200, {"Content_Type": "image/png"}, b"\x89PNG"),
        (200, {"Content_Type": "text/html"}, b""),
        (200, {"Content_Type": "text/html"}, b"<html><script>only()</script></html>"),
        (200, {"Content_Type": "text/html"}, b"\x00\xff\xfe" * 1_000),
        (200, {"Content_Type": "text/html", "Content_Length": str(10**9)}, b"x"),
        (302, {"Location": "http://10.0.0.8/secret"}, b""),
        (302, {"Location": "file:///etc/passwd"}, b""),
    ],
)
async def test_the_snippet_stands_in_for_a_page_that_says_nothing(
    status: int, headers: dict[str, str], body: bytes, site: LocalSite
) -> None:
    site.pages["/"] = page(body, status, **headers)
    url = site.url("/", "news.test")

    assert await read(result(url)) == [WebPassage(url, "A title", "The snippet.", date(2026, 1, 1), None)]


async def test_neither_page_nor_snippet_is_no_passage(site: LocalSite) -> None:
    site.pages["/"] = page(b"", 404)

    assert await read(result(site.url("/", "news.test"), snippet="")) == []


async def test_an_address_of_a_private_network_is_never_fetched(site: LocalSite) -> None:
    site.pages["/"] = page(NEWS, Content_Type="text/html")
    pages = WebPages(Fetcher(limits=PAGE_LIMITS), lambda: NOW)

    (passage,) = await pages.passages([result(f"http://localhost:{site.port}/")], (), 4)

    assert passage.fetched_at is None
    assert site.seen == []


async def test_a_page_that_leads_out_of_the_sites_is_none(site: LocalSite) -> None:
    site.pages["/inside"] = page(NEWS, Content_Type="text/html")
    site.pages["/moved"] = redirect(site.url("/inside", "news.test"))
    site.pages["/away"] = redirect(site.url("/inside", "evil.test"))
    own = [Site("news.test", "/")]

    moved, away = await read(
        result(site.url("/moved", "news.test")), result(site.url("/away", "news.test"), 2), sites=own
    )

    assert (moved.url, moved.fetched_at) == (site.url("/inside", "news.test"), NOW)
    assert (away.text, away.fetched_at) == ("The snippet.", None)


async def test_pages_that_come_too_late_are_left_and_the_others_kept(site: LocalSite) -> None:
    over = Event()

    def stall(_handler: BaseHTTPRequestHandler) -> None:
        over.wait(10)

    site.pages["/stall"] = stall
    site.pages["/news"] = page(NEWS, Content_Type="text/html")
    begun = perf_counter()

    passages = await read(
        result(site.url("/stall", "news.test")), result(site.url("/news", "news.test"), 2), seconds=1.5
    )
    took = perf_counter() - begun
    over.set()

    assert [passage.fetched_at for passage in passages] == [None, NOW]
    assert took < 2.5


async def test_without_time_nothing_is_fetched(site: LocalSite) -> None:
    (passage,) = await read(result(site.url("/", "news.test")), seconds=-1)

    assert passage.text == "The snippet."
    assert site.seen == []


async def test_plain_text_is_taken_as_it_is(site: LocalSite) -> None:
    site.pages["/a.txt"] = page(b"Prices rose.\n\nBy 4 %.", Content_Type="text/plain")

    (passage,) = await read(result(site.url("/a.txt", "news.test")))

    assert passage.text == "Prices rose.\nBy 4 %."


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16", "no-such-charset", None])
async def test_a_page_is_read_in_whatever_encoding(charset: str | None) -> None:
    text = "<html><body><article><p>Der Stuhl für 49 Euro gefällt.</p></article></body></html>"
    known = charset if charset and charset != "no-such-charset" else "utf-8"
    body = text.encode(known)
    async with extracting() as extraction:
        extracted = await extraction.of(body, charset)

    assert extracted.text.strip() == "Der Stuhl für 49 Euro gefällt."


async def test_a_page_that_takes_the_process_with_it_costs_only_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hostile = b"<div>" * 300_000 + b"deep"
    async with extracting() as extraction:
        deep = await extraction.of(hostile, "utf-8")
        after = await extraction.of(NEWS, "utf-8")

    assert len(deep.text) < 1_000
    assert "harvest was small" in after.text
    monkeypatch.setattr("concierge.tools.pages.extraction.CHILD", "concierge.no_such_module")
    async with extracting() as broken:
        assert await broken.of(NEWS, "utf-8") == Extracted()


async def test_a_page_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("concierge.tools.pages.extraction.SECONDS", 0.001)
    extraction = Extraction()

    assert await extraction.of(NEWS, "utf-8") == Extracted()
    monkeypatch.setattr("concierge.tools.pages.extraction.SECONDS", 5.0)
    assert "harvest" in (await extraction.of(NEWS, "utf-8")).text
    await extraction.end()


async def test_no_process_is_left_and_none_knows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCIERGE_WEB_SEARCH__KEY", "a-secret-key")
    async with extracting() as extraction:
        await extraction.of(NEWS, "utf-8")
        children = [
            child
            for child in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
            if "concierge.tools.pages.child" in Path(f"/proc/{child}/cmdline").read_text()
        ]
        environment = Path(f"/proc/{children[0]}/environ").read_text()

    assert len(children) == 1
    assert "a-secret-key" not in environment
    assert not Path(f"/proc/{children[0]}").exists()


@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.2, 0.5])
async def test_a_caller_that_goes_away_leaves_no_process(after_s: float, site: LocalSite) -> None:
    over = Event()

    def stall(_handler: BaseHTTPRequestHandler) -> None:
        over.wait(10)

    site.pages["/stall"] = stall
    site.pages["/news"] = page(NEWS, Content_Type="text/html")
    results = [result(site.url(path, "news.test"), rank) for rank, path in enumerate(("/news", "/stall"), 1)]
    reading = asyncio.create_task(read(*results))
    await asyncio.sleep(after_s)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    over.set()
    await asyncio.sleep(0.05)

    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    commands = [Path(f"/proc/{child}/cmdline") for child in children]
    assert not any(CHILD in command.read_text() for command in commands if command.exists())


async def test_a_look_up_is_a_search_and_what_its_pages_say(tenant: Tenant) -> None:
    async with vendor_server() as local:
        local.answers(
            WRITTEN["searxng"](row("https://news.test/a", "Rattan", "It rose by 4 %.", "2026-11-20"))
        )
        db = tenant.platform.db
        search = WebSearch(db, Budgets(db), local.provider("searxng"), seconds=2)

        # Nothing listens on this machine's usual ports, so the page cannot be had.
        found = await WebLookup(search, pages_of()).look_up(tenant.scope, tenant.agent_id, "rattan")
        nothing = await WebLookup(search, pages_of()).look_up(
            tenant.scope, tenant.agent_id, "rattan", sites=["example.com"]
        )

    assert found.findings.status == "found"
    assert list(found.passages) == [
        WebPassage("https://news.test/a", "Rattan", "It rose by 4 %.", date(2026, 11, 20), None)
    ]
    assert (nothing.findings.status, nothing.passages) == ("nothing", ())


def test_passages_end_where_paragraphs_do() -> None:
    paragraphs = [f"Paragraph {number}. " + "Some words of it. " * 20 for number in range(8)]

    passages = passages_of("\n\n".join(paragraphs))

    assert [passage.count("Paragraph") for passage in passages] == [3, 3, 2]
    assert all(passage.startswith("Paragraph") for passage in passages)


def test_a_long_paragraph_is_cut_between_sentences_and_a_long_word_anywhere() -> None:
    sentences = "This sentence is one of many. " * 100
    passages = passages_of(sentences)

    assert all(passage.endswith("many.") for passage in passages)
    assert [len(passage) for passage in passages_of("x" * 3_000)] == [1_200, 1_200, 600]


@given(st.lists(st.text(max_size=3_000), max_size=6))
def test_passages_are_short_few_and_in_order(paragraphs: list[str]) -> None:
    passages = passages_of("\n".join(paragraphs))

    assert len(passages) <= MOST_PASSAGES
    assert all(0 < len(passage) <= LONGEST_PASSAGE for passage in passages)


@given(st.text(alphabet="ab .\n", max_size=4_000))
def test_passages_lose_nothing_but_space(text: str) -> None:
    kept = "".join("".join(passages_of(text)).split())

    assert "".join(text.split()).startswith(kept)
    assert kept == "".join(text.split()) or len(passages_of(text)) == MOST_PASSAGES
