"""Sources that are pages of the web, served here by a local site that only these tests' platform may reach."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from concierge.entrypoints.wiring import Platform, build
from concierge.kit.fetch import Fetcher, FetchLimits
from tests.conftest import SETTINGS
from tests.factories.tenants import Tenant
from tests.kit.site import LOCAL, Site, page, redirect
from tests.knowledge.parsing.files import pdf
from tests.knowledge.reading import assert_counters_are_true, single, source_of, texts_in

pytestmark = pytest.mark.anyio

HTML = b"""<html><head><title>Delivery</title></head><body><main><h1>Delivery</h1>
<p>We deliver to Norway within five working days, and to the islands within nine working days.</p>
<p>Delivery is free for orders above 500 dollars. Smaller orders cost 29 dollars to deliver.</p></main></body></html>"""


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
async def reaching(platform: Platform) -> AsyncIterator[Platform]:
    """A platform whose fetcher may reach the local site, and nothing else that is private."""
    limits = FetchLimits(total_s=3, connect_s=1, read_s=1, max_bytes=100_000)
    reaching = build(
        SETTINGS,
        platform.address,
        embedder=platform.embedder,
        fetcher=Fetcher(limits=limits, allowed_private_hosts=frozenset({LOCAL})),
    )
    yield reaching
    await reaching.db.close()


@pytest.fixture
def surfer(tenant: Tenant, reaching: Platform) -> Tenant:
    return replace(tenant, platform=reaching)


async def test_a_page_is_read_and_cited_by_its_address(surfer: Tenant, site: Site) -> None:
    site.pages["/delivery"] = page(HTML, Content_Type="text/html; charset=utf-8")

    source = await source_of(surfer, await surfer.read(single(site.url("/delivery"), None, "url")))

    assert (source.status, source.progress.stored) == ("succeeded", 1)
    reply = await surfer.ask("How long does delivery to Norway take?")
    assert "five working days" in reply["response"]
    assert reply["sources"][0]["url"] == site.url("/delivery")
    await assert_counters_are_true(surfer)


async def test_a_page_that_changed_replaces_what_it_said(surfer: Tenant, site: Site) -> None:
    site.pages["/delivery"] = page(HTML, Content_Type="text/html")
    await surfer.read(single(site.url("/delivery"), None, "url"))
    again = await source_of(surfer, await surfer.read(single(site.url("/delivery"), None, "url")))
    assert again.progress.unchanged == 1
    site.pages["/delivery"] = page(HTML.replace(b"five", b"three"), Content_Type="text/html")

    await surfer.read(single(site.url("/delivery"), None, "url"))

    texts = await texts_in(surfer)
    assert len(texts) == 1
    assert "three working days" in texts[0]
    await assert_counters_are_true(surfer)


async def test_a_page_that_is_away_keeps_what_it_said(surfer: Tenant, site: Site) -> None:
    site.pages["/delivery"] = page(HTML, Content_Type="text/html")
    await surfer.read(single(site.url("/delivery"), None, "url"))
    site.pages["/delivery"] = page(b"", status=500)

    source = await source_of(surfer, await surfer.read(single(site.url("/delivery"), None, "url")))

    assert (source.status, source.error_code) == ("failed", "url_status")
    assert len(await texts_in(surfer)) == 1


async def test_a_pdf_behind_an_address_is_read_as_one(surfer: Tenant, site: Site) -> None:
    site.pages["/terms"] = page(pdf(), Content_Type="application/pdf")

    await surfer.read(single(site.url("/terms"), None, "url"))

    assert "five-year warranty" in (await texts_in(surfer))[0]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/missing", "url_status"),
        ("/private", "url_private_address"),
        ("/metadata", "url_private_address"),
        ("/circle", "url_too_many_redirects"),
        ("/huge", "url_too_large"),
        ("/picture", "document_binary"),
        ("/empty", "document_empty"),
        ("/hangs-up", "url_unreachable"),
    ],
)
async def test_a_page_that_cannot_be_had_says_why(surfer: Tenant, site: Site, path: str, code: str) -> None:
    site.pages["/missing"] = page(b"gone", status=404)
    site.pages["/private"] = redirect("http://10.0.0.1/")
    site.pages["/metadata"] = redirect("http://169.254.169.254/latest/meta-data/")
    site.pages["/circle"] = redirect("/circle")
    site.pages["/huge"] = page(b"x" * 100_001, Content_Type="text/plain")
    site.pages["/picture"] = page(b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, Content_Type="image/png")
    site.pages["/empty"] = page(b"", Content_Type="text/html")
    site.pages["/hangs-up"] = lambda handler: handler.connection.close()

    source = await source_of(surfer, await surfer.read(single(site.url(path), None, "url")))

    assert (source.status, source.error_code) == ("failed", code)
    assert source.error
    assert source.error.endswith(".")
    assert await texts_in(surfer) == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1/", "url_private_address"),
        ("http://[::1]/", "url_private_address"),
        ("http://192.168.1.1/", "url_private_address"),
        ("http://2130706433/", "url_private_address"),
        ("http://localhost:22/", "url_invalid"),
        ("http://user:secret@example.com/", "url_invalid"),
    ],
)
async def test_the_product_itself_reaches_nothing_private(tenant: Tenant, url: str, code: str) -> None:
    source = await source_of(tenant, await tenant.read(single(url, None, "url")))

    assert (source.status, source.error_code) == ("failed", code)
