"""A site's own list of its pages: sitemaps, sitemap indexes, gzip, plain lists; what is malformed is passed over."""

import zlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from lxml.etree import XMLParser, XMLSyntaxError

from concierge.knowledge.parsing.document import parse_date

MAX_BYTES: Final = 50 * 1024 * 1024  # The limit of the sitemap protocol, unpacked.
MAX_ENTRIES: Final = 50_000  # So is this.
_PROLOGUE: Final = 64 * 1024
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Listed:
    """A page as its site lists it, or another sitemap."""

    address: str
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sitemap:
    """`is_sitemap` is false for a file that is none. `cut` says that the file went on beyond the limits."""

    pages: tuple[Listed, ...] = ()
    sitemaps: tuple[Listed, ...] = ()
    is_sitemap: bool = False
    cut: bool = False


@dataclass(slots=True)
class _Target:
    """Collects entries while the parser runs, so that a large file is never a tree in memory."""

    pages: list[Listed] = field(default_factory=list[Listed])
    sitemaps: list[Listed] = field(default_factory=list[Listed])
    is_sitemap: bool = False
    _text: list[str] = field(default_factory=list[str])
    _entry: dict[str, str] = field(default_factory=dict[str, str])

    def start(self, tag: str, _attributes: Any) -> None:
        name = _local(tag)
        self.is_sitemap = self.is_sitemap or name in {"urlset", "sitemapindex"}
        if name in {"url", "sitemap"}:
            self._entry = {}
        self._text = []

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, tag: str) -> None:
        name = _local(tag)
        if name in {"loc", "lastmod"}:
            self._entry.setdefault(name, "".join(self._text).strip())
        elif name in {"url", "sitemap"} and self._entry.get("loc"):
            entries = self.pages if name == "url" else self.sitemaps
            entries.append(Listed(self._entry["loc"], parse_date(self._entry.get("lastmod"))))
        self._text = []

    def close(self) -> None:
        """The parser asks for it; the entries are read from here."""


def sitemap_of(data: bytes) -> Sitemap:
    """Read a sitemap as far as it can be read."""
    body, cut = _unpacked(data)
    if not body.lstrip().startswith(b"<"):
        return _plain_list(body, cut=cut)
    if b"<!ENTITY" in body[:_PROLOGUE]:
        return Sitemap()  # No sitemap defines entities; what does wants them unfolded.
    target = _Target()
    parser = XMLParser(target=target, recover=True, resolve_entities=False, no_network=True, huge_tree=False)
    try:
        for start in range(0, len(body), 1 << 16):
            parser.feed(body[start : start + (1 << 16)])
            if len(target.pages) >= MAX_ENTRIES:
                cut = True
                break
        parser.close()
    except XMLSyntaxError:
        pass  # What was read before the fault is kept.
    return Sitemap(tuple(target.pages[:MAX_ENTRIES]), tuple(target.sitemaps), target.is_sitemap, cut)


def _unpacked(data: bytes) -> tuple[bytes, bool]:
    if not data.startswith(_GZIP):
        return data[:MAX_BYTES], len(data) > MAX_BYTES
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        body = decoder.decompress(data, MAX_BYTES)
    except zlib.error:
        return b"", False
    return body, bool(decoder.unconsumed_tail)


def _plain_list(body: bytes, *, cut: bool) -> Sitemap:
    """A text file with an address on each line is a sitemap too."""
    lines = body.decode("utf-8", errors="replace").split()[:MAX_ENTRIES]
    pages = tuple(Listed(line) for line in lines if line.startswith(("http://", "https://")))
    return Sitemap(pages, is_sitemap=bool(pages) and len(pages) == len(lines), cut=cut)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2].lower()
