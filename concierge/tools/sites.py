"""Which addresses of the web may be shown and fetched, and which of them belong to a site. Pure.

Addresses are taken apart by the library that fetches them, so that both mean the same host.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from posixpath import normpath
from typing import Final
from urllib.parse import unquote

import httpx2

from concierge.kit.addresses import is_public_address

LONGEST_URL: Final = 2_048
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f-\x9f\\\ud800-\udfff]")
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# What a browser reads as an IPv4 address ends in a number, in whatever base.
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS: Final = {"http": (None, 80), "https": (None, 443)}
_LOCAL_NAMES: Final = frozenset(
    {"localhost", "local", "internal", "intranet", "lan", "home", "arpa", "onion"}
)


@dataclass(frozen=True, slots=True)
class Site:
    """A host with all its subdomains, and the folder its pages are in, `/` for all of it."""

    host: str
    folder: str

    def __str__(self) -> str:
        return self.host + (self.folder if self.folder != "/" else "")

    def has(self, url: httpx2.URL) -> bool:
        host, path = _host(url), _path(url)
        within = self.folder in {"/", path} or path.startswith(f"{self.folder}/")
        return within and (host == self.host or host.endswith(f".{self.host}"))


def site_of(written: str) -> Site | None:
    """A site as an operator writes it: `example.com`, `https://example.com/docs/`; None for what names none."""
    address = written.strip()
    url = public_url(address if "://" in address else f"https://{address}")
    return None if url is None else Site(_host(url), _path(url))


def sites_of(written: Iterable[str]) -> tuple[Site, ...]:
    """The sites among what is written, in a stable order."""
    sites = {site for own in written if (site := site_of(own)) is not None}
    return tuple(sorted(sites, key=str))


def public_url(written: str) -> httpx2.URL | None:
    """An address of a public website, without its fragment; None for anything else."""
    if len(written) > LONGEST_URL or _UNSAFE.search(written):
        return None
    try:
        url = httpx2.URL(written).copy_with(fragment=None)
        host = _host(url)
    except (httpx2.InvalidURL, ValueError):
        return None
    if url.scheme not in _PORTS or url.port not in _PORTS[url.scheme] or url.userinfo:
        return None
    return url if _is_public_host(host) else None


def belongs(written: str, sites: Iterable[Site]) -> bool:
    """Whether an address is public and lies in one of the sites."""
    url = public_url(written)
    return url is not None and any(site.has(url) for site in sites)


def _is_public_host(host: str) -> bool:
    labels = host.split(".")
    if ":" in host or _NUMBER.fullmatch(labels[-1]):
        return is_public_address(host)
    return len(labels) > 1 and labels[-1] not in _LOCAL_NAMES and all(map(_LABEL.fullmatch, labels))


def _host(url: httpx2.URL) -> str:
    return url.raw_host.decode("ascii").strip("[]").lower().removesuffix(".")


def _path(url: httpx2.URL) -> str:
    """The folder or file, without a trailing slash; `..` is followed, however it is written."""
    path = unquote(url.raw_path.decode("ascii").partition("?")[0])
    return normpath("/" + path.replace("\\", "/").lstrip("/"))
