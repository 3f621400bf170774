"""Fetching from real local servers; names are resolved by a table so that every trick of DNS can be played."""

import gzip
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from concierge.kit.fetch import Fetcher, FetchError, FetchLimits, Resolve
from tests.kit.site import LOCAL, Site, certificate_for, page, redirect

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()
    yield running
    running.close()


def table(**addresses: Sequence[str]) -> Resolve:
    """Each name resolves to its next list of addresses with every lookup, the last one for ever."""

    async def resolve(host: str, _port: int) -> Sequence[str]:
        return addresses[host.replace(".", "_")]

    return resolve


def local_fetcher(*, limits: FetchLimits | None = None, resolve: Resolve | None = None) -> Fetcher:
    allowed = frozenset({LOCAL, "shop.test"})
    resolve = resolve or table(**{"127_0_0_1": [LOCAL], "shop_test": [LOCAL]})
    return Fetcher(limits=limits, resolve=resolve, allowed_private_hosts=allowed)


async def refused(fetcher: Fetcher, url: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetcher.fetch(url)
    return caught.value


async def test_a_page_comes_with_all_that_is_said_about_it(site: Site) -> None:
    site.pages["/returns"] = page(
        b"<p>30 days</p>",
        Content_Type='Text/HTML; Charset="ISO-8859-1"',
        ETag='"v1"',
        Last_Modified="yesterday",
    )
    fetched = await local_fetcher().fetch(site.url("/returns?a=1#fees", "shop.test"))
    assert fetched.body == b"<p>30 days</p>"
    assert (fetched.status, fetched.media_type, fetched.charset) == (200, "text/html", "iso-8859-1")
    assert (fetched.etag, fetched.last_modified) == ('"v1"', "yesterday")
    assert fetched.final_url == site.url("/returns?a=1", "shop.test")
    assert site.seen[0]["host"] == f"shop.test:{site.port}"
    assert site.seen[0]["user-agent"].startswith("ConciergeBot/")


async def test_an_unchanged_page_costs_no_body(site: Site) -> None:
    site.pages["/"] = page(b"", 304, ETag='"v1"')
    fetched = await local_fetcher().fetch(
        site.url("/"), etag='"v1"', last_modified="Mon, 01 Jan 2024 00:00:00 GMT"
    )
    assert fetched.unchanged
    assert fetched.body == b""
    assert site.seen[0]["if-none-match"] == '"v1"'
    assert site.seen[0]["if-modified-since"] == "Mon, 01 Jan 2024 00:00:00 GMT"


async def test_stored_validators_cannot_smuggle_headers(site: Site) -> None:
    site.pages["/"] = page()
    await local_fetcher().fetch(site.url("/"), etag='"v1"\r\nX-Evil: 1')
    assert "if-none-match" not in site.seen[0]


async def test_the_environment_has_no_say(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.pages["/"] = page()
    assert (await local_fetcher().fetch(site.url("/"))).body == b"hello"


async def test_cookies_of_one_hop_are_not_sent_to_the_next(site: Site) -> None:
    site.pages["/a"] = page(b"", 302, Location="/b", Set_Cookie="session=1; Path=/")
    site.pages["/b"] = page()
    await local_fetcher().fetch(site.url("/a"))
    assert "cookie" not in site.seen[1]


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com/page", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "http://",
        "http:///path", "https://user:secret@example.com/", "https://user@example.com/", "http://exa mple.com/",
        "http://example.com\\@127.0.0.1/", "http://example.com/\r\nHost: x", "http://example.com:22/",
        "http://example.com:99999/", "http://example.com/\x00", "https://example.com/" + "a" * 2100, "http://[",
        "gopher://127.0.0.1:6379/_FLUSHALL", "http://0177.0.0.1/", "http://[fe80::1%25eth0]/",
    ],
)  # fmt: skip
async def test_what_is_no_public_web_address_is_refused_before_anything_happens(url: str) -> None:
    async def never(_host: str, _port: int) -> Sequence[str]:
        raise AssertionError

    assert (await refused(Fetcher(resolve=never), url)).code == "url_invalid"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",  # noqa: S104  # To be refused, not to be bound to.
    ],
)
async def test_every_spelling_of_this_machine_is_private(host: str) -> None:
    error = await refused(Fetcher(), f"http://{host}/")
    assert error.code == "url_private_address"


@pytest.mark.parametrize(
    "addresses", [["10.0.0.8"], ["1.1.1.1", "127.0.0.1"], ["::ffff:169.254.169.254"], ["fd00::1"]]
)
async def test_one_private_address_is_enough_to_refuse_a_name(addresses: list[str]) -> None:
    error = await refused(Fetcher(resolve=table(inside_test=addresses)), "http://inside.test/")
    assert error.code == "url_private_address"
    assert "inside.test" in error.detail


async def test_a_name_that_changes_after_the_check_gains_nothing(site: Site) -> None:
    site.pages["/secret"] = page(b"secret")
    answers = iter([["203.0.113.1", LOCAL], [LOCAL]])
    looked_up: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        looked_up.append(host)
        return next(answers)

    error = await refused(Fetcher(resolve=rebinding), "http://rebind.test/secret")
    assert error.code == "url_private_address"
    assert looked_up == ["rebind.test"]
    assert site.seen == []


async def test_the_connection_goes_to_the_address_that_was_checked(site: Site) -> None:
    site.pages["/"] = page()
    lookups = 0

    async def counted(_host: str, _port: int) -> Sequence[str]:
        nonlocal lookups
        lookups += 1
        return [LOCAL]

    # The system could not resolve this name; only the given address leads to the site.
    fetched = await local_fetcher(resolve=counted).fetch(site.url("/", "shop.test"))
    assert fetched.body == b"hello"
    assert lookups == 1


async def test_an_address_that_does_not_answer_gives_way_to_the_next(site: Site) -> None:
    site.pages["/"] = page()
    fetcher = local_fetcher(resolve=table(shop_test=["::1", LOCAL]))
    assert (await fetcher.fetch(site.url("/", "shop.test"))).body == b"hello"


async def test_redirects_are_followed_and_reported(site: Site) -> None:
    site.pages["/old"] = redirect("/new?x=1#part", 301)
    site.pages["/new"] = page(b"new")
    fetched = await local_fetcher().fetch(site.url("/old"))
    assert (fetched.body, fetched.url, fetched.final_url) == (b"new", site.url("/old"), site.url("/new?x=1"))


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("http://inside.test/", "url_private_address"),
        ("http://169.254.169.254/latest/meta-data/", "url_private_address"),
        ("//inside.test/", "url_private_address"),
        ("file:///etc/passwd", "url_invalid"),
        ("http://shop:secret@shop.test/", "url_invalid"),
        ("http://other.test:6379/", "url_invalid"),
        ("http://[/", "url_invalid"),
    ],
)
async def test_a_redirect_is_judged_like_a_new_address(site: Site, target: str, code: str) -> None:
    site.pages["/"] = redirect(target)
    resolve = table(
        **{"127_0_0_1": [LOCAL], "inside_test": ["10.0.0.1"], "169_254_169_254": ["169.254.169.254"]}
    )
    error = await refused(Fetcher(resolve=resolve, allowed_private_hosts=frozenset({LOCAL})), site.url("/"))
    assert error.code == code


async def test_redirects_end(site: Site) -> None:
    site.pages["/loop"] = redirect("/loop")
    error = await refused(local_fetcher(), site.url("/loop"))
    assert error.code == "url_too_many_redirects"
    assert len(site.seen) == 6


@pytest.mark.parametrize("announced", [True, False])
async def test_a_page_over_the_limit_is_dropped_while_it_arrives(site: Site, *, announced: bool) -> None:
    sent = 0

    def endless(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        handler.send_response(200)
        if announced:
            handler.send_header("Content-Length", str(10**12))
        handler.end_headers()
        for _ in range(2000):
            handler.wfile.write(b"x" * 65536)
            sent += 65536

    site.pages["/"] = endless
    error = await refused(local_fetcher(limits=FetchLimits(max_bytes=100_000)), site.url("/"))
    assert error.code == "url_too_large"
    assert sent < 50_000_000


async def test_the_limit_holds_for_what_a_compressed_page_unpacks_to(site: Site) -> None:
    site.pages["/"] = page(gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip")
    error = await refused(local_fetcher(limits=FetchLimits(max_bytes=1_000_000)), site.url("/"))
    assert error.code == "url_too_large"


async def test_a_compressed_page_is_unpacked(site: Site) -> None:
    site.pages["/"] = page(gzip.compress(b"one ") + gzip.compress(b"two"), Content_Encoding="gzip")
    fetcher = local_fetcher(limits=FetchLimits(max_bytes=1000))
    assert (await fetcher.fetch(site.url("/"))).body == b"one two"


@pytest.mark.parametrize(
    "body", [b"not gzip at all", gzip.compress(b"hello" * 100)[:-12]], ids=["no gzip", "cut off"]
)
async def test_a_damaged_compressed_page_is_said_to_be_damaged(site: Site, body: bytes) -> None:
    site.pages["/"] = page(body, Content_Encoding="gzip")
    assert (await refused(local_fetcher(), site.url("/"))).code == "url_unreachable"


async def test_encodings_that_cannot_be_bounded_are_refused(site: Site) -> None:
    site.pages["/"] = page(b"x", Content_Encoding="br")
    assert "encoding" in (await refused(local_fetcher(), site.url("/"))).detail


async def test_a_site_that_drips_is_left_after_the_total_time(site: Site) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    site.pages["/"] = drip
    started = time.monotonic()
    error = await refused(local_fetcher(limits=FetchLimits(total_s=0.4)), site.url("/"))
    assert error.code == "url_timeout"
    assert time.monotonic() - started < 2


async def test_a_site_that_never_answers_is_a_timeout(site: Site) -> None:
    def silent(_handler: BaseHTTPRequestHandler) -> None:
        time.sleep(1)

    site.pages["/"] = silent
    error = await refused(local_fetcher(limits=FetchLimits(read_s=0.2)), site.url("/"))
    assert error.code == "url_timeout"


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
async def test_an_error_page_is_no_page(site: Site, status: int) -> None:
    site.pages["/"] = page(b"sorry", status)
    error = await refused(local_fetcher(), site.url("/"))
    assert (error.code, error.extra["upstream_status"]) == ("url_status", status)
    assert str(status) in error.detail


async def test_a_closed_port_and_an_unknown_name_are_unreachable() -> None:
    closed = Site()
    closed.close()
    assert (await refused(local_fetcher(), closed.url("/"))).code == "url_unreachable"

    async def unknown(_host: str, _port: int) -> Sequence[str]:
        raise OSError

    assert (await refused(Fetcher(resolve=unknown), "https://no-such-shop.test/")).code == "url_unreachable"


async def test_a_connection_that_breaks_is_unreachable(site: Site) -> None:
    def garble(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"this is not HTTP\r\n\r\n")

    site.pages["/"] = garble
    assert (await refused(local_fetcher(), site.url("/"))).code == "url_unreachable"


@pytest.mark.parametrize(("certified", "trusted"), [("shop.test", True), ("other.test", False)])
async def test_the_certificate_must_belong_to_the_name(
    tmp_path: Path, certified: str, *, trusted: bool
) -> None:
    server, client = certificate_for(certified, tmp_path)
    names: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: names.append(name)
    site = Site(server)
    site.pages["/"] = page(b"secure")
    fetcher = Fetcher(
        resolve=table(shop_test=[LOCAL]), allowed_private_hosts=frozenset({"shop.test"}), tls=client
    )
    try:
        if trusted:
            assert (await fetcher.fetch(site.url("/", "shop.test", "https"))).body == b"secure"
        else:
            error = await refused(fetcher, site.url("/", "shop.test", "https"))
            assert "certificate" in error.detail
    finally:
        site.close()
    assert names == ["shop.test"]
