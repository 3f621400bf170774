"""The parts of reading a website, each by itself: addresses, robots.txt, sitemaps, signs of a page, repetition."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.knowledge.sources.addresses import is_calendar, normalized, shape, site_of, trap, wanted
from concierge.knowledge.sources.links import signs_of
from concierge.knowledge.sources.repetition import (
    NEAR,
    Boilerplate,
    differing_bits,
    fingerprint,
    same_numbers,
)
from concierge.knowledge.sources.robots import MAX_DELAY_S, robots_of
from concierge.knowledge.sources.sitemaps import MAX_ENTRIES, sitemap_of

BASE = "https://shop.example/docs/start"


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("../about", "https://shop.example/about"),
        ("https://SHOP.example:443//a//b?b=2&a=1#top", "https://shop.example/a/b?a=1&b=2"),
        ("/x?utm_source=mail&gclid=1&id=7", "https://shop.example/x?id=7"),
        ("/x;jsessionid=AB12?PHPSESSID=9", "https://shop.example/x"),
        ("/ä b", "https://shop.example/%C3%A4%20b"),
        ("mailto:a@shop.example", None),
        ("javascript:void(0)", None),
        ("/logo.PNG", None),
        ("/feed.xml", None),
        ("http://[broken", None),
        ("https://shop.example:99999/", None),
    ],
)
def test_an_address_has_one_form(address: str, page: str | None) -> None:
    assert normalized(address, BASE) == page


@given(st.text(max_size=200))
def test_the_one_form_is_its_own(address: str) -> None:
    page = normalized(address, BASE)
    assert page is None or normalized(page) == page


def test_www_is_the_same_site_and_a_subdomain_is_not() -> None:
    assert site_of("https://www.shop.example/a") == site_of("http://shop.example/b")
    assert site_of("https://blog.shop.example/") != site_of("https://shop.example/")


def test_patterns_match_beginnings_or_with_stars_the_whole() -> None:
    page = "https://shop.example/docs/new/chairs"
    assert wanted(page, [], [])
    assert wanted(page, ["/docs/"], [])
    assert wanted(page, ["/docs/*/chairs"], [])
    assert not wanted(page, ["/blog/"], [])
    assert not wanted(page, ["/docs/"], ["*/new/*"])


def test_addresses_that_lead_on_without_end_are_known() -> None:
    assert trap("https://shop.example/a/b/a/b/a/b") is not None
    assert trap("https://shop.example/" + "x/" * 13) is not None
    assert trap("https://shop.example/s?a=1&b=2&c=3&d=4&e=5") is not None
    assert trap("https://shop.example/docs/chairs?page=2") is None
    assert is_calendar("https://shop.example/events/2026/11/")
    assert is_calendar("https://shop.example/c?month=3")
    assert not is_calendar("https://shop.example/guides/2026-review-of-chairs")
    assert shape("https://shop.example/c?month=3") == shape("https://shop.example/c?month=12")


def test_the_longest_rule_decides_and_our_own_group_replaces_the_general_one() -> None:
    rules = robots_of(
        b"User-agent: *\nDisallow: /\n\nUser-agent: Concierge\nUser-agent: other\n"
        b"Disallow: /*.pdf$\nDisallow: /private # not this\nAllow: /private/open\nCrawl-delay: 2\nSitemap: https://x.example/s.xml"
    )
    assert rules.allows("https://shop.example/")
    assert rules.allows("https://shop.example/private/open/a")
    assert not rules.allows("https://shop.example/private/a")
    assert not rules.allows("https://shop.example/a/b.pdf")
    assert rules.allows("https://shop.example/a/b.pdf?x=1")
    assert (rules.delay_s, rules.sitemaps) == (2.0, ("https://x.example/s.xml",))


@pytest.mark.parametrize(
    ("delay", "kept"), [("99999", MAX_DELAY_S), ("-1", None), ("soon", None), ("0.5", 0.5)]
)
def test_a_crawl_delay_is_kept_within_reason(delay: str, kept: float | None) -> None:
    assert robots_of(f"User-agent: *\nCrawl-delay: {delay}".encode()).delay_s == kept


@given(st.binary(max_size=400))
def test_any_bytes_are_rules_or_none(data: bytes) -> None:
    assert robots_of(data).allows("https://shop.example/") in {True, False}


def test_a_sitemap_is_read_as_far_as_it_can_be() -> None:
    broken = (
        b"<urlset><url><loc> https://a.example/1 </loc></url><url><loc>https://a.example/2</loc><oops></url>"
    )
    assert [entry.address for entry in sitemap_of(broken).pages][:1] == ["https://a.example/1"]
    packed = gzip.compress(
        b"<urlset><url><loc>https://a.example/1</loc><lastmod>2026-02-03</lastmod></url></urlset>"
    )
    (entry,) = sitemap_of(packed).pages
    assert entry.modified is not None
    assert entry.modified.day == 3
    assert not sitemap_of(b"<html><body>no</body></html>").is_sitemap
    assert len(sitemap_of(b"https://a.example/1\nhttps://a.example/2\n").pages) == 2


def test_a_sitemap_beyond_the_limits_is_cut() -> None:
    many = b"<urlset>" + b"<url><loc>https://a.example/1</loc></url>" * (MAX_ENTRIES + 10) + b"</urlset>"
    found = sitemap_of(many)
    assert len(found.pages) == MAX_ENTRIES
    assert found.cut


def test_a_billion_laughs_in_a_sitemap_stay_silent() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
    assert all("aaaaaaaaaa" not in entry.address for entry in sitemap_of(bomb).pages)


def test_the_signs_of_a_page() -> None:
    signs = signs_of(
        b"<html><head><base href='/shop/'><link rel=Canonical href='/chairs?utm_source=x'>"
        b"<meta name=Robots content='NoFollow, noindex'></head><body><a href=a>A</a><a href=a#b>A</a>"
        b"<a rel=nofollow href=c>C</a><a href='tel:1'>T</a></body></html>",
        "https://shop.example/x",
    )
    assert signs.links == ("https://shop.example/shop/a",)
    assert signs.canonical == "https://shop.example/chairs"
    assert not signs.indexed
    assert not signs.followed


@given(st.binary(max_size=300))
def test_any_bytes_have_signs(data: bytes) -> None:
    assert signs_of(data, "https://shop.example/").links is not None


TEXT = " ".join(f"The chair number {number} is made of oak from forest {number * 3}." for number in range(40))


def test_texts_that_differ_in_a_word_are_near_and_others_are_not() -> None:
    one, near, other = (
        fingerprint(TEXT),
        fingerprint(TEXT + " Printed today."),
        fingerprint(TEXT.replace("chair", "lamp")),
    )
    assert one is not None
    assert near is not None
    assert other is not None
    assert differing_bits(one, near) <= NEAR < differing_bits(one, other)
    assert fingerprint("Too short to tell.") is None
    assert not same_numbers("It costs 99 dollars.", "It costs 89 dollars.")


def test_blocks_on_many_pages_are_left_out_and_those_read_before_are_told() -> None:
    notice = "We use cookies to remember your basket and for nothing else."
    site = Boilerplate()
    texts = [
        site.cleaned(
            f"/{number}", f"# Page {number}\n\nOwn words of page {number}, many of them.\n\n{notice}"
        )
        for number in range(6)
    ]

    assert notice in texts[0]
    assert notice not in texts[5]
    assert "Own words of page 5" in texts[5]
    assert site.holders() >= {"/0", "/1", "/2"}
    assert site.holders() == set()
    assert notice not in Boilerplate(site.known()).cleaned(
        "/9", f"Own words of nine, many of them.\n\n{notice}"
    )


def test_a_page_of_nothing_else_keeps_what_it_says() -> None:
    site = Boilerplate()
    line = "The only sentence that any page of this site has to say."
    assert [site.cleaned(f"/{number}", line) for number in range(8)] == [line] * 8
