"""Fetch a page of the public internet for someone we do not trust.

The name is resolved once, every address it has must be public, and the connection goes to the address that was
checked, so a name that changes its mind between check and use gains nothing. Each redirect is judged anew.
"""

import re
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Final

import anyio
import certifi
import httpx2

from concierge import __version__
from concierge.kit.addresses import is_public_address
from concierge.kit.errors import InvalidInputError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

MAX_ADDRESSES_TRIED: Final = 4
USER_AGENT: Final = f"ConciergeBot/{__version__}"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_UNSAFE_CHARACTERS: Final = re.compile(r"[\x00-\x20\x7f-\x9f\\\ud800-\udfff]")
_HOST: Final = re.compile(rb"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_MAX_URL_LENGTH: Final = 2048


class FetchError(InvalidInputError):
    """A page that could not be had; `code` says why (`url_…`)."""

    code, title = "url_unreachable", "The page could not be fetched"


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Times in seconds, sizes in bytes. `total_s` covers name lookup, all redirects and the whole body."""

    total_s: float = 30.0
    connect_s: float = 5.0
    read_s: float = 15.0
    max_bytes: int = 20 * 1024 * 1024
    max_redirects: int = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """`status` is 200, or 304 with an empty body when the page has not changed since the validators sent."""

    url: str
    final_url: str
    status: int
    media_type: str | None
    charset: str | None
    body: bytes
    etag: str | None
    last_modified: str | None

    @property
    def unchanged(self) -> bool:
        return self.status == HTTPStatus.NOT_MODIFIED


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """All addresses of `host`, in the order the system prefers them."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


@cache
def default_tls() -> ssl.SSLContext:
    """The system's certificate authorities, which may include a company's own, and those of certifi."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class Fetcher:
    """Reusable and safe to share between tasks; holds no connection between calls.

    `allowed_private_hosts` names hosts, as written in the URL, that may be private and on any port: a business's
    own intranet by its operator's decision, or a test's local server.
    """

    def __init__(
        self,
        *,
        limits: FetchLimits | None = None,
        resolve: Resolve = resolve_host,
        allowed_private_hosts: frozenset[str] = frozenset(),
        tls: ssl.SSLContext | None = None,
        user_agent: str = USER_AGENT,
    ) -> None:
        self._limits = limits or FetchLimits()
        self._resolve = resolve
        self._allowed_private_hosts = allowed_private_hosts
        self._tls = tls or default_tls()
        self._user_agent = user_agent

    async def fetch(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched:
        """Raise FetchError unless the page was had whole (2xx) or is unchanged (304).

        `etag` and `last_modified` are what an earlier `Fetched` of the same URL carried.
        """
        conditions = _header_values({"If-None-Match": etag, "If-Modified-Since": last_modified})
        try:
            with anyio.fail_after(self._limits.total_s):
                return await self._follow(url, conditions)
        except TimeoutError:
            raise FetchError(
                f"The page did not arrive within {self._limits.total_s:g} seconds.", code="url_timeout"
            ) from None

    async def _follow(self, url: str, conditions: Mapping[str, str]) -> Fetched:
        current = self._checked_url(url)
        for _ in range(self._limits.max_redirects + 1):
            fetched = await self._one_hop(url, current, conditions)
            if isinstance(fetched, Fetched):
                return fetched
            current = self._checked_url(fetched)
        raise FetchError(
            f"The page redirects more than {self._limits.max_redirects} times. Give the address it ends at.",
            code="url_too_many_redirects",
        )

    def _checked_url(self, url: str) -> httpx2.URL:
        if len(url) > _MAX_URL_LENGTH:
            raise _invalid(f"The address is longer than {_MAX_URL_LENGTH} characters.")
        if _UNSAFE_CHARACTERS.search(url):
            raise _invalid("The address contains a space or a character that does not belong in one.")
        try:
            parsed = httpx2.URL(url).copy_with(fragment=None)
        except (httpx2.InvalidURL, ValueError):
            raise _invalid(
                "This is not a complete web address. It looks like https://example.com/page."
            ) from None
        if parsed.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(parsed.raw_host):
            raise _invalid("The address must start with https:// or http:// and name a website.")
        if parsed.userinfo:
            raise _invalid("The address contains a user name or password. Remove it and use a public page.")
        default = _DEFAULT_PORTS[parsed.scheme]
        if parsed.port not in {None, *_DEFAULT_PORTS.values()} and not self._may_be_private(parsed):
            raise _invalid(
                f"Only the usual web ports are allowed. Leave out “:{parsed.port}” or use {default}."
            )
        return parsed

    def _may_be_private(self, url: httpx2.URL) -> bool:
        return url.host in self._allowed_private_hosts

    async def _addresses(self, url: httpx2.URL) -> Sequence[str]:
        host = url.raw_host.decode("ascii").strip("[]")
        try:
            addresses = await self._resolve(host, url.port or _DEFAULT_PORTS[url.scheme])
        except (OSError, UnicodeError):
            addresses = ()
        if not addresses:
            raise FetchError(f"No website was found at “{url.host}”. Check the spelling.")
        if not self._may_be_private(url) and not all(is_public_address(address) for address in addresses):
            raise FetchError(
                f"“{url.host}” belongs to a private network. Only public web pages can be added.",
                code="url_private_address",
            )
        return addresses[:MAX_ADDRESSES_TRIED]

    async def _one_hop(self, asked: str, url: httpx2.URL, conditions: Mapping[str, str]) -> Fetched | str:
        """The page, or the address that it redirects to."""
        addresses = await self._addresses(url)
        for remaining, address in enumerate(addresses, start=1 - len(addresses)):
            try:
                return await self._ask(asked, url, address, conditions)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                # A site that has IPv6 in DNS and no working route to it is common; its other addresses work.
                if remaining == 0:
                    raise _connection_failure(error, url.host) from None
            except httpx2.TimeoutException:
                raise FetchError(f"“{url.host}” took too long to answer.", code="url_timeout") from None
            except httpx2.HTTPError:
                raise FetchError(f"The connection to “{url.host}” broke. Try again later.") from None
        raise FetchError(f"“{url.host}” could not be reached.")

    async def _ask(
        self, asked: str, url: httpx2.URL, address: str, conditions: Mapping[str, str]
    ) -> Fetched | str:
        # A new client per hop: nothing of one host (cookies, connections) ever reaches another.
        async with httpx2.AsyncClient(
            transport=httpx2.AsyncHTTPTransport(verify=self._tls, trust_env=False),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(self._limits.read_s, connect=self._limits.connect_s),
        ) as client:
            request = client.build_request(
                "GET",
                url.copy_with(host=address),
                headers={
                    "Host": url.netloc.decode("ascii"),
                    "User-Agent": self._user_agent,
                    "Accept": "text/html,text/markdown,text/plain,application/pdf;q=0.9,*/*;q=0.5",
                    "Accept-Encoding": "gzip, identity",
                    **conditions,
                },
                # The certificate must belong to the name the visitor gave, not to the address we connect to.
                extensions={"sni_hostname": url.raw_host.decode("ascii").strip("[]")},
            )
            response = await client.send(request, stream=True)
            try:
                return await self._answer(asked, url, response)
            finally:
                await response.aclose()

    async def _answer(self, asked: str, url: httpx2.URL, response: httpx2.Response) -> Fetched | str:
        location = response.headers.get("location")
        if response.status_code in _REDIRECTS and location:
            return _joined(url, location)
        unchanged = response.status_code == HTTPStatus.NOT_MODIFIED
        if not (response.is_success or unchanged):
            raise FetchError(
                f"The website answered with an error ({response.status_code} {response.reason_phrase}).".replace(
                    " )", ")"
                ),
                code="url_status",
                extra={
                    "upstream_status": response.status_code,
                    "retry_after_s": _seconds_of(response.headers.get("retry-after")),
                },
            )
        media_type, charset = _content_type(response.headers.get("content-type", ""))
        return Fetched(
            url=asked,
            final_url=str(url),
            status=response.status_code,
            media_type=media_type,
            charset=charset,
            body=b"" if unchanged else await self._body(response),
            etag=response.headers.get("etag"),
            last_modified=response.headers.get("last-modified"),
        )

    async def _body(self, response: httpx2.Response) -> bytes:
        announced = response.headers.get("content-length", "")
        if announced.isdigit() and int(announced[:15]) > self._limits.max_bytes:
            raise _too_large(self._limits.max_bytes)
        encoding = response.headers.get("content-encoding", "").strip().lower()
        raw = response.aiter_raw()
        if encoding in {"", "identity"}:
            return await _collected(raw, self._limits.max_bytes)
        if encoding in {"gzip", "x-gzip"}:
            return await _gunzipped(raw, self._limits.max_bytes)
        # Other encodings can turn a few bytes into megabytes in one step, and we did not ask for them.
        raise FetchError(f"The website sent the page in an encoding we cannot read ({encoding[:40]}).")


async def _collected(chunks: AsyncIterator[bytes], max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(body)


async def _gunzipped(chunks: AsyncIterator[bytes], max_bytes: int) -> bytes:
    """Members one after another are one body, as RFC 9110 has it; the limit holds before and after decoding."""
    body, received = bytearray(), 0
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        async for chunk in chunks:
            received += len(chunk)
            waiting = chunk
            while waiting:
                if decoder.eof:
                    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
                body += decoder.decompress(waiting, max_bytes + 1 - len(body))
                if max(len(body), received) > max_bytes:
                    raise _too_large(max_bytes)
                waiting = decoder.unconsumed_tail or decoder.unused_data.lstrip(b"\x00")
    except zlib.error:
        raise FetchError("The website sent a damaged page. Try again later.") from None
    if received and not decoder.eof:
        raise FetchError("The website sent only a part of the page. Try again later.")
    return bytes(body)


def _seconds_of(retry_after: str | None) -> int | None:
    """How long a website asks to be left alone, where it says so in seconds."""
    return int(retry_after[:6]) if retry_after and retry_after.isascii() and retry_after.isdigit() else None


def _header_values(values: Mapping[str, str | None]) -> dict[str, str]:
    """Stored validators come from strangers too: only what is a plain header value is sent back."""
    return {
        name: value for name, value in values.items() if value and value.isascii() and value.isprintable()
    }


def _content_type(header: str) -> tuple[str | None, str | None]:
    media_type, _, parameters = header.partition(";")
    charset = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", parameters, re.IGNORECASE)
    return media_type.strip().lower() or None, charset[1].lower() if charset else None


def _joined(url: httpx2.URL, location: str) -> str:
    try:
        return str(url.join(location))
    except (httpx2.InvalidURL, ValueError):
        raise _invalid("The page redirects to something that is not a web address.") from None


def _connection_failure(error: httpx2.TransportError, host: str) -> FetchError:
    if isinstance(error, httpx2.ConnectTimeout):
        return FetchError(f"“{host}” took too long to answer.", code="url_timeout")
    if "certificate" in str(error).lower():
        return FetchError(
            f"The security certificate of “{host}” is not valid, so the page cannot be trusted."
        )
    return FetchError(f"“{host}” could not be reached. Check the address, or try again later.")


def _invalid(detail: str) -> FetchError:
    return FetchError(detail, code="url_invalid")


def _too_large(max_bytes: int) -> FetchError:
    return FetchError(
        f"The page is larger than {max_bytes / 1024**2:.3g} MB, the most that can be added from a web address.",
        code="url_too_large",
    )
