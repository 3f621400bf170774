"""Chapters of e-books that have no heading of their own, given the one the book's table of contents has for them."""

import posixpath
import re
import zipfile
from html import escape, unescape
from io import BytesIO
from typing import Final
from urllib.parse import unquote

_LINK: Final = re.compile(
    r"<a\b[^>]{0,500}?href\s*=\s*[\"']([^\"'#]{1,500})[^\"']*[\"'][^>]*>(.{1,500}?)</a>",
    re.DOTALL | re.IGNORECASE,
)
_POINT: Final = re.compile(
    r"<(?:\w+:)?text\b[^>]*>([^<]{1,500})</(?:\w+:)?text>.{0,500}?<(?:\w+:)?content\b[^>]{0,500}?src\s*=\s*[\"']([^\"'#]{1,500})",
    re.DOTALL | re.IGNORECASE,
)
_HEADING: Final = re.compile(r"<h[1-6]\b", re.IGNORECASE)
_BODY: Final = re.compile(r"<body\b[^>]{0,2000}>", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^<>]*>")
_PAGES: Final = (".xhtml", ".html", ".htm")
# A table of contents of so many bytes is no help to anybody.
_MAX_CONTENTS: Final = 4 * 1024 * 1024


def with_chapter_headings(data: bytes) -> bytes:
    """`data` is an EPUB; a page of it without any heading begins with what the table of contents calls it."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        names = _named(archive)
        missing = {page: title for page, title in names.items() if not _HEADING.search(_text(archive, page))}
        return _rewritten(archive, missing) if missing else data


def _named(archive: zipfile.ZipFile) -> dict[str, str]:
    """Page → its name in the table of contents; the first name counts."""
    pages = {name for name in archive.namelist() if name.lower().endswith(_PAGES)}
    named: dict[str, str] = {}
    for contents in archive.namelist():
        text = _contents(archive, contents)
        links = [(href, title) for href, title in _LINK.findall(text)]
        links += [(href, title) for title, href in _POINT.findall(text)]
        for href, title in links:
            page = posixpath.normpath(posixpath.join(posixpath.dirname(contents), unquote(href)))
            plain = " ".join(_TAG.sub(" ", unescape(title)).split())
            if page in pages and plain:
                named.setdefault(page, plain)
    return named


def _contents(archive: zipfile.ZipFile, name: str) -> str:
    """The text of a table of contents: an NCX file, or a page with a `nav`. Of anything else, nothing."""
    is_page = name.lower().endswith(_PAGES)
    if not is_page and not name.lower().endswith(".ncx"):
        return ""
    if archive.getinfo(name).file_size > _MAX_CONTENTS:
        return ""
    text = _text(archive, name)
    if not is_page:
        return text
    start = text.lower().find("<nav")
    return text[start:] if start >= 0 else ""


def _text(archive: zipfile.ZipFile, name: str) -> str:
    return archive.read(name).decode("utf-8", errors="replace")


def _rewritten(archive: zipfile.ZipFile, titles: dict[str, str]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as copied:
        for entry in archive.infolist():
            content = archive.read(entry)
            if entry.filename in titles:
                heading = f"<h1>{escape(titles[entry.filename])}</h1>"
                text = content.decode("utf-8", errors="replace")
                content = _BODY.sub(lambda body, heading=heading: body[0] + heading, text, count=1).encode()
            copied.writestr(entry.filename, content)
    return out.getvalue()
