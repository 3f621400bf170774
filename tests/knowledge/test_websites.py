"""Whole websites, read from a real server on this machine: what is found, what is passed over and why, and what goes wrong."""

import asyncio
import gzip
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import UUID

import pytest

from concierge.knowledge.schemas.websites import WebsiteOptions
from concierge.knowledge.sources.website import website_source
from tests.factories.tenants import Tenant
from tests.kit.site import Answer, Site, page, redirect
from tests.knowledge.reading import add, assert_counters_are_true, source_of, texts_in, until_stored
from tests.knowledge.surfing import sync

pytestmark = pytest.mark.anyio

THINGS = ["chairs", "tables", "lamps", "beds", "shelves", "benches", "rugs", "stools"]


def prose(thing: str) -> str:
    """Some sentences that no other page has."""
    return " ".join(
        f"Our {thing} of series {number} come from {thing} workshop {number * 7} and weigh {number * 3} kilograms {thing}."
        for number in range(1, 9)
    )


def html(title: str, *links: str, body: str | None = None, head: str = "") -> Answer:
    anchors = "".join(f'<a href="{link}">{link}</a> ' for link in links)
    text = (
        f"<html lang=en><head><title>{title}</title>{head}</head><body><nav>{anchors}</nav>"
        f"<main><h1>{title}</h1><p>{body or prose(title)}</p></main></body></html>"
    )
    return page(text.encode(), Content_Type="text/html; charset=utf-8")


class Pages(dict[str, Answer]):
    """Whatever is not there is not found, as on any website."""

    def __missing__(self, path: str) -> Answer:
        return page(b"not here", 404)


@pytest.fixture
def shop(site: Site) -> Site:
    site.pages = Pages()
    return site


async def crawl(tenant: Tenant, site: Site, path: str = "/", **options: Any) -> UUID:
    wanted = WebsiteOptions(delay_seconds=0, **options)
    return await tenant.read(website_source(site.url(path), wanted))


async def items(tenant: Tenant, site: Site, source_id: UUID) -> dict[str, tuple[str, str | None]]:
    """What became of each page, by path, and why."""
    found = await tenant.client.get(
        f"/api/v1/knowledge/sources/{source_id}/items?limit=200", headers=tenant.owner
    )
    return {
        item["uri"].removeprefix(site.url("")): (item["status"], item["error"])
        for item in found.json()["items"]
    }


async def stored(tenant: Tenant, site: Site, source_id: UUID) -> set[str]:
    return {
        path for path, (status, _) in (await items(tenant, site, source_id)).items() if status == "stored"
    }


async def notes(tenant: Tenant, source_id: UUID) -> str:
    return " ".join((await source_of(tenant, source_id)).notes)


async def test_a_site_is_followed_from_its_start_page(surfer: Tenant, shop: Site) -> None:
    shop.pages["/"] = html(
        "Home", "/chairs", "/tables#top", "https://elsewhere.example/x", "mailto:a@b.example", "/logo.png"
    )
    shop.pages["/chairs"] = html("chairs", "/", "/lamps?utm_source=mail&ref=x")
    shop.pages["/tables"] = html("tables", "/gone")
    shop.pages["/lamps"] = html("lamps")

    source_id = await crawl(surfer, shop)

    assert await stored(surfer, shop, source_id) == {"/", "/chairs", "/tables", "/lamps"}
    assert (await items(surfer, shop, source_id))["/gone"][0] == "failed"
    answer = await surfer.ask("How much do the lamps of series 4 weigh?")
    assert "12 kilograms" in answer["response"]
    assert answer["sources"][0]["url"] == shop.url("/lamps")


async def test_a_sitemap_is_the_list_of_pages_also_packed_and_in_parts(surfer: Tenant, shop: Site) -> None:
    index = f"<sitemapindex><sitemap><loc>{shop.url('/a.xml.gz')}</loc></sitemap><sitemap><loc>{shop.url('/b.xml')}</loc></sitemap></sitemapindex>"
    part = "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>{}</loc><lastmod>2026-03-01</lastmod></url></urlset>"
    shop.pages["/robots.txt"] = page(f"Sitemap: {shop.url('/index.xml')}".encode())
    shop.pages["/index.xml"] = page(index.encode())
    shop.pages["/a.xml.gz"] = page(gzip.compress(part.format(shop.url("/chairs")).encode()))
    shop.pages["/b.xml"] = page(part.format(shop.url("/tables")).encode())
    shop.pages["/"] = html("Home", "/lamps")
    shop.pages["/chairs"], shop.pages["/tables"], shop.pages["/lamps"] = map(html, THINGS[:3])

    source_id = await crawl(surfer, shop)

    assert await stored(surfer, shop, source_id) == {"/", "/chairs", "/tables"}


async def test_a_source_may_be_added_by_its_sitemap(surfer: Tenant, shop: Site) -> None:
    shop.pages["/sitemap.xml"] = page(
        f"<urlset><url><loc>{shop.url('/chairs')}</loc></url></urlset>".encode()
    )
    shop.pages["/chairs"] = html("chairs")

    source_id = await crawl(surfer, shop, "/sitemap.xml")

    found = await items(surfer, shop, source_id)
    assert found["/chairs"][0] == "stored"
    assert found["/sitemap.xml"] == ("skipped", "This is the site's list of its pages, not a page.")


async def test_a_malformed_sitemap_is_passed_over_and_links_are_followed(surfer: Tenant, shop: Site) -> None:
    shop.pages["/sitemap.xml"] = page(b"<html>Not <b>found</html>")
    shop.pages["/"] = html("Home", "/chairs")
    shop.pages["/chairs"] = html("chairs")

    assert await stored(surfer, shop, await crawl(surfer, shop)) == {"/", "/chairs"}


async def test_what_robots_may_not_read_is_not_read(surfer: Tenant, shop: Site) -> None:
    shop.pages["/robots.txt"] = page(b"User-agent: *\nDisallow: /private\nAllow: /private/open\n")
    shop.pages["/"] = html("Home", "/private/secret", "/private/open")
    shop.pages["/private/secret"], shop.pages["/private/open"] = html("chairs"), html("tables")

    found = await items(surfer, shop, await crawl(surfer, shop))

    assert found["/private/open"][0] == "stored"
    assert found["/private/secret"] == ("skipped", "The site asks robots not to read this page (robots.txt).")
    assert not any(seen.get("path") == "/private/secret" for seen in shop.seen)


async def test_rules_that_cannot_be_read_keep_us_out_and_say_so(surfer: Tenant, shop: Site) -> None:
    shop.pages["/robots.txt"] = page(b"", 503)
    shop.pages["/"] = html("Home")

    source = await source_of(surfer, await crawl(surfer, shop))

    assert source.status == "failed"
    assert source.error_code == "robots_unavailable"
    assert "robots.txt" in (source.error or "")


async def test_pages_that_do_not_want_to_be_found_or_want_a_password_are_passed_over(
    surfer: Tenant, shop: Site
) -> None:
    shop.pages["/"] = html("Home", "/hidden", "/login", "/members", "/print", "/away")
    shop.pages["/hidden"] = html("chairs", "/lamps", head='<meta name="ROBOTS" content="noindex">')
    shop.pages["/lamps"] = html("lamps")
    shop.pages["/login"] = page(
        b"<html><body><form><input type=password></form></body></html>", Content_Type="text/html"
    )
    shop.pages["/members"] = page(b"", 401)
    shop.pages["/print"] = html("tables", head='<link rel="canonical" href="/tables">')
    shop.pages["/tables"] = html("tables")
    shop.pages["/away"] = redirect("http://localhost:1/elsewhere")

    found = await items(surfer, shop, await crawl(surfer, shop))

    assert {path for path, (status, _) in found.items() if status == "stored"} == {"/", "/lamps", "/tables"}
    assert "noindex" in str(found["/hidden"][1])
    assert found["/login"][1] == found["/members"][1] == "The page is only for people who have signed in."
    assert shop.url("/tables") in str(found["/print"][1])


async def test_patterns_and_depth_say_what_is_wanted(surfer: Tenant, shop: Site) -> None:
    shop.pages["/docs/"] = html("Home", "/docs/chairs", "/blog/tables", "/docs/old/lamps")
    shop.pages["/docs/chairs"] = html("chairs", "/docs/beds")
    shop.pages["/docs/beds"] = html("beds", "/docs/rugs")
    shop.pages["/docs/rugs"] = html("rugs")

    source_id = await crawl(surfer, shop, "/docs/", include=["/docs/"], exclude=["/docs/old/*"], max_depth=2)

    assert await stored(surfer, shop, source_id) == {"/docs/", "/docs/chairs", "/docs/beds"}
    assert set(await items(surfer, shop, source_id)) == {"/docs/", "/docs/chairs", "/docs/beds"}


async def test_a_site_of_ten_thousand_pages_stops_at_its_limit_and_says_so(
    surfer: Tenant, shop: Site
) -> None:
    listed = "".join(f"<url><loc>{shop.url(f'/p{number}')}</loc></url>" for number in range(10_000))
    shop.pages["/sitemap.xml"] = page(f"<urlset>{listed}</urlset>".encode())
    shop.pages["/"] = html("Home")
    for number in range(40):
        shop.pages[f"/p{number}"] = html(f"article{number}")

    source_id = await crawl(surfer, shop, max_pages=20)

    assert (await source_of(surfer, source_id)).progress.items == 20
    assert "The limit of 20 pages was reached; 9,981 more addresses were seen." in await notes(
        surfer, source_id
    )


async def test_a_calendar_without_end_is_left_after_a_few_pages(surfer: Tenant, shop: Site) -> None:
    def calendar(handler: BaseHTTPRequestHandler) -> None:
        month = int(handler.path.partition("month=")[2] or 1)
        html(f"month{month}", f"/calendar?month={month + 1}", f"/calendar?month={month + 2}")(handler)

    shop.pages["/"] = html("Home", "/calendar?month=1", "/a/b/a/b/a/b")
    shop.pages["/calendar"] = calendar

    source_id = await crawl(surfer, shop, max_depth=50)

    assert len(await items(surfer, shop, source_id)) <= 7
    assert "lead on without end" in await notes(surfer, source_id)


async def test_pages_that_say_nearly_the_same_are_one(surfer: Tenant, shop: Site) -> None:
    long = "</p><p>".join(f"{prose(thing)} {prose(thing[::-1])}" for thing in THINGS)
    shop.pages["/"] = html("Home", "/chairs", "/chairs-print", "/chairs-cheap")
    shop.pages["/chairs"] = html("chairs", body=long)
    shop.pages["/chairs-print"] = html("chairs", body=f"{long} Printed.")
    shop.pages["/chairs-cheap"] = html("chairs", body=f"{long} 99.")

    source_id = await crawl(surfer, shop)

    found = await items(surfer, shop, source_id)
    assert sorted(found[path][0] for path in ("/chairs", "/chairs-print")) == ["near_duplicate", "stored"]
    assert found["/chairs-cheap"][0] == "stored"
    assert (await source_of(surfer, source_id)).progress.near_duplicate == 1


async def test_pages_are_one_although_the_first_of_their_kind_differs_in_a_number(
    surfer: Tenant, shop: Site
) -> None:
    long = "</p><p>".join(f"{prose(thing)} {prose(thing[::-1])}" for thing in THINGS)
    shop.pages["/"] = html("Home", "/chairs-cheap")
    shop.pages["/chairs-cheap"] = html("chairs", "/chairs", body=f"{long} 99.")
    shop.pages["/chairs"] = html("chairs", "/chairs-print", body=long)
    shop.pages["/chairs-print"] = html("chairs", body=f"{long} Printed.")

    found = await items(surfer, shop, await crawl(surfer, shop))

    assert [found[path][0] for path in ("/chairs-cheap", "/chairs")] == ["stored", "stored"]
    assert found["/chairs-print"][0] == "near_duplicate"


async def test_what_repeats_on_every_page_is_no_part_of_any(surfer: Tenant, shop: Site) -> None:
    notice = "We use cookies to remember your basket, and for nothing else at all; read our notice on them."
    shop.pages["/"] = html("Home", *(f"/{thing}" for thing in THINGS))
    for thing in THINGS:
        shop.pages[f"/{thing}"] = html(thing, body=f"{prose(thing)}</p><p>{notice}")

    source_id = await crawl(surfer, shop)

    assert {status for status, _ in (await items(surfer, shop, source_id)).values()} == {"stored"}
    answer = await surfer.ask("What do you use cookies for?")
    assert "basket" not in answer["response"]
    assert "repeat on many pages" in await notes(surfer, source_id)


async def test_a_site_that_asks_to_wait_is_asked_again(surfer: Tenant, shop: Site) -> None:
    asked: list[str] = []

    def busy(then: Answer) -> Callable[[BaseHTTPRequestHandler], None]:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            asked.append(handler.path)
            (then if len(asked) > 1 else page(b"", 429, Retry_After="0"))(handler)

        return answer

    shop.pages["/"] = busy(html("Home"))

    assert await stored(surfer, shop, await crawl(surfer, shop)) == {"/"}
    assert asked == ["/", "/"]


async def test_huge_and_broken_pages_are_refused_one_by_one(surfer: Tenant, shop: Site) -> None:
    shop.pages["/"] = html("Home", "/huge", "/deep", "/latin")
    shop.pages["/huge"] = page(b"x" * 1_500_000, Content_Type="text/html")
    shop.pages["/deep"] = page(b"<div>" * 100_000 + b"text", Content_Type="text/html")
    shop.pages["/latin"] = page(
        f"<html><body><main><p>{prose('Möbel')}</p></main></body></html>".encode("latin-1"),
        Content_Type="text/html; charset=utf-8",
    )

    source_id = await crawl(surfer, shop)
    found = await items(surfer, shop, source_id)

    assert found["/huge"][0] == "failed"
    assert "MB" in str(found["/huge"][1])
    assert found["/"][0] == found["/latin"][0] == "stored"
    assert (await source_of(surfer, source_id)).status == "succeeded"


async def test_a_reader_that_dies_in_a_site_leaves_the_rest_to_the_next_and_nothing_twice(
    surfer: Tenant, shop: Site
) -> None:
    """Wherever in the site it happens: what was read is not fetched again, and what was found is not forgotten."""
    asked: Counter[str] = Counter()

    def counted(answer: Answer) -> Answer:
        def counting(handler: BaseHTTPRequestHandler) -> None:
            asked[handler.path] += 1
            answer(handler)

        return counting

    names = [f"{thing}{number}" for thing in THINGS for number in range(4)]
    shop.pages["/"] = counted(html("Home", *(f"/{name}" for name in names)))
    for name in names:
        shop.pages[f"/{name}"] = counted(html(name, "/", *(f"/{other}" for other in names[:3])))
    source_id = await add(surfer, website_source(shop.url("/"), WebsiteOptions(delay_seconds=0)))

    for least in (1, 6, 15, 26):
        reader = asyncio.create_task(surfer.platform.ingestion.run(surfer.scope, source_id))
        await until_stored(surfer, source_id, least)
        reader.cancel()
        await asyncio.wait([reader])
    await surfer.platform.ingestion.run(surfer.scope, source_id)

    source = await source_of(surfer, source_id)
    assert (source.status, source.progress.failed, source.progress.duplicate) == ("succeeded", 0, 0)
    assert await stored(surfer, shop, source_id) == {"/", *(f"/{name}" for name in names)}
    assert len(await texts_in(surfer)) == len(names) + 1
    # Three are read at a time, and four times a reader died.
    assert asked.total() <= len(names) + 1 + 4 * 3
    await assert_counters_are_true(surfer)


async def test_a_second_reading_drops_what_is_gone_and_finds_what_is_new(surfer: Tenant, shop: Site) -> None:
    shop.pages["/"] = html("Home", "/chairs", "/tables")
    shop.pages["/chairs"], shop.pages["/tables"] = html("chairs"), html("tables")
    source_id = await crawl(surfer, shop)

    shop.pages["/"] = html("Home", "/chairs", "/lamps")
    del shop.pages["/tables"]
    shop.pages["/lamps"] = html("lamps")
    await sync(surfer, source_id)

    titles = await surfer.client.get(
        f"/api/v1/knowledge/packs/{surfer.pack_id}/documents", headers=surfer.owner
    )
    assert {document["title"] for document in titles.json()["items"]} == {"Home", "chairs", "lamps"}


async def test_a_website_is_added_over_http_and_bad_options_are_explained(surfer: Tenant) -> None:
    path = f"/api/v1/knowledge/packs/{surfer.pack_id}/sources"

    async def add(**body: Any) -> Any:
        return await surfer.client.post(path, headers=surfer.owner, json=body)

    added = await add(kind="website", url="https://shop.example/docs", website={"max_pages": 50})
    assert added.status_code == 202
    assert (added.json()["kind"], added.json()["name"]) == ("website", "shop.example")
    assert (
        await add(kind="website", url="https://shop.example", website={"max_pages": 0})
    ).status_code == 422
    assert (await add(kind="website")).status_code == 422
    assert (await add(kind="url", url="https://shop.example", website={})).status_code == 422
    again = await add(kind="website", url="https://shop.example/docs")
    assert (again.status_code, again.json()["code"]) == (409, "source_busy")
