"""Addresses of a website: one form for each page, which of them belong to it, and which lead nowhere. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

MAX_LENGTH: Final = 2_000
_PORTS: Final = {"http": "80", "https": "443"}
# Parameters that say where a visitor came from or who they are, not which page they see.
_TRACKING: Final = re.compile(
    r"(?:utm_\w+|gclid|fbclid|msclkid|yclid|mc_[ce]id|_ga|_gl|ref|ref_src|igshid"
    r"|(?:php|j|asp\.?net_?)?sess(?:ion)?_?id|sid|cftoken|cfid)\Z",
    re.IGNORECASE,
)
_PATH_SESSION: Final = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/?#;]*", re.IGNORECASE)
_SLASHES: Final = re.compile(r"/{2,}")
# Files that hold no text for a reader.
_NOT_PAGES: Final = re.compile(
    r"\.(?:jpe?g|png|gif|webp|svg|ico|avif|bmp|tiff?|css|m?js|map|json|xml|rss|atom|woff2?|ttf|eot|otf|mp[34]|m4[av]|"
    r"webm|ogg|wav|avi|mov|zip|gz|tgz|tar|rar|7z|exe|dmg|msi|apk|iso|bin)\Z",
    re.IGNORECASE,
)
_CALENDAR: Final = re.compile(
    r"(?:^|[?&/_-])(?:calendar|month|year|day|date|week)(?:[=/_-])\d|/(?:19|20)\d\d/\d{1,2}(?:/\d{1,2})?/?\Z",
    re.IGNORECASE,
)
_MAX_SEGMENTS: Final = 12
_MAX_REPEATS: Final = 2
_MAX_PARAMETERS: Final = 4
# So many addresses that differ in their numbers only are read; the rest are pages of a calendar or of a list without end.
ALIKE: Final = 40


def normalized(address: str, base: str | None = None) -> str | None:
    """Return an http(s) address in one form: no fragment, no tracking or session parameters, the others sorted.

    None for what is no address of a page, such as `mailto:` or a picture.
    """
    try:
        joined = urljoin(base, address.strip()) if base else address.strip()
        parts = urlsplit(joined)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or len(joined) > MAX_LENGTH:
        return None
    path = _SLASHES.sub("/", _PATH_SESSION.sub("", parts.path)) or "/"
    if _NOT_PAGES.search(path):
        return None
    netloc = host.lower() if port is None or str(port) == _PORTS[parts.scheme] else f"{host.lower()}:{port}"
    kept = sorted(
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.match(name)
    )
    return urlunsplit(
        (parts.scheme, netloc, quote(unquote(path), safe="/:@!$&'()*+,;=~-._"), urlencode(kept), "")
    )


def site_of(address: str) -> str:
    """Return what the pages of one site share: the host without `www.`, and the port."""
    return urlsplit(address).netloc.lower().removeprefix("www.")


def wanted(address: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Whether an address matches one of the patterns to include (where there are any) and none of those to exclude.

    A pattern with `*` is compared with the path and with the whole address, one without with their beginnings.
    """
    matched = not include or any(_matches(address, pattern) for pattern in include)
    return matched and not any(_matches(address, pattern) for pattern in exclude)


def trap(address: str) -> str | None:
    """Say why an address looks as if it led on without end; None for an ordinary one."""
    parts = urlsplit(address)
    segments = [segment for segment in parts.path.lower().split("/") if segment]
    if len(segments) > _MAX_SEGMENTS:
        return "The address is nested too deep to be a page."
    if segments and max(Counter(segments).values()) > _MAX_REPEATS:
        return "The address repeats itself, as in a link that leads in a circle."
    if len(parse_qsl(parts.query)) > _MAX_PARAMETERS:
        return "The address is a filter or a search, not a page."
    return None


def shape(address: str) -> str:
    """Return an address without its numbers: pages of a calendar or of a long list have one shape."""
    parts = urlsplit(address)
    return re.sub(r"\d+", "0", f"{parts.netloc}{parts.path}?{parts.query}")


def is_calendar(address: str) -> bool:
    parts = urlsplit(address)
    return bool(_CALENDAR.search(f"{parts.path}?{parts.query}" if parts.query else parts.path))


def _matches(address: str, pattern: str) -> bool:
    path = urlsplit(address).path
    if "*" in pattern:
        return fnmatchcase(path, pattern) or fnmatchcase(address, pattern)
    return path.startswith(pattern) or address.startswith(pattern)
