"""Which addresses are public pages, and which of them belong to a site."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.tools.sites import belongs, public_url, site_of, sites_of

SITES = sites_of(["example.com", "https://docs.example.org/guide/", "bücher.example"])


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://example.com/a?b=c#d",
        "https://EXAMPLE.com/",
        "https://example.com./a",
        "https://example.com:443/",
        "https://shop.example.com/chairs",
        "https://a.b.example.com/",
        "https://docs.example.org/guide",
        "https://docs.example.org/guide/",
        "https://docs.example.org/guide/start?x=/other",
        "https://old.docs.example.org/guide/a",
        "https://xn--bcher-kva.example/",
        "https://bücher.example/a",
    ],
)
def test_a_page_belongs_to_its_site_and_to_the_sites_above(url: str) -> None:
    assert belongs(url, SITES)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com.evil.test/",
        "https://notexample.com/",
        "https://example.com-evil.test/",
        "https://example.community/",
        "https://evil.test/example.com",
        "https://evil.test/?u=https://example.com/",
        "https://evil.test/#example.com",
        "https://example.com@evil.test/",
        "https://evil.test\\@example.com/",
        "https://user:secret@example.com/",
        "https://com/",
        "https://xample.com/",
        "https://docs.example.org/",
        "https://docs.example.org/guides",
        "https://docs.example.org/other/guide",
        "https://docs.example.org/guide/../admin",
        "https://docs.example.org/guide/%2e%2e/admin",
        "https://docs.example.org/guide/..%2fadmin",
        "https://docs.example.org/guide%5c..%5cadmin",
        "https://www.example.org/guide",
        "https://exаmple.com/",  # The third letter is Cyrillic.
        "https://example。com.evil.test/",
    ],
)
def test_what_only_looks_like_a_site_does_not_belong(url: str) -> None:
    assert not belongs(url, SITES)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "/path",
        "//example.com/",
        "javascript:alert(1)",
        "data:text/html,<script>",
        "file:///etc/passwd",
        "ftp://example.com/",
        "mailto:a@example.com",
        "http://",
        "https:///a",
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://10.0.0.8/",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "http://intranet/",
        "http://printer.local/",
        "http://db.internal/",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://example.com:8443/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://example.com/\r\nHost: x",
        "https://example.com/\x00",
        "https://example.com/\ud800",
        "https://-example.com/",
        "https://example..com/",
        "https://example.com/" + "a" * 5_000,
        "http://[",
    ],
)
def test_what_is_no_public_page_is_no_address(url: str) -> None:
    assert public_url(url) is None


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://example.com/a#b", "https://example.com/a"),
        ("https://1.1.1.1/", "https://1.1.1.1/"),
        ("https://example.com/straße?q=ä", "https://example.com/stra%C3%9Fe?q=%C3%A4"),
    ],
)
def test_a_public_address_is_kept_without_its_fragment(url: str, kept: str) -> None:
    assert str(public_url(url)) == kept


@pytest.mark.parametrize(
    ("written", "site"),
    [
        ("example.com", "example.com"),
        (" https://Example.com/ ", "example.com"),
        ("example.com/docs/", "example.com/docs"),
        ("https://example.com/a/../b?c#d", "example.com/b"),
        ("localhost", None),
        ("", None),
        ("*", None),
        ("*.com", None),
        ("javascript:alert(1)", None),
        ("com", None),
    ],
)
def test_a_site_is_read_as_operators_write_it(written: str, site: str | None) -> None:
    found = site_of(written)

    assert (None if found is None else str(found)) == site


@given(st.text(max_size=60), st.text(max_size=30))
def test_no_host_but_the_site_and_those_below_it_is_let_in(before: str, behind: str) -> None:
    sites = sites_of(["example.com"])
    for written in (f"https://{before}example.com{behind}", f"https://example.com{behind}/{before}"):
        url = public_url(written)
        if belongs(written, sites):
            assert url is not None
            host = url.raw_host.decode().lower().removesuffix(".")
            assert host == "example.com" or host.endswith(".example.com")
