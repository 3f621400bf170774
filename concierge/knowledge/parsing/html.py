"""The main text of a web page, with its headings, lists and tables, and what the page says about itself."""

import re
from typing import Final

import kreuzberg
import trafilatura
from lxml import html
from lxml.etree import ParserError
from trafilatura.settings import use_config

from concierge.knowledge.parsing.document import Extracted
from concierge.knowledge.parsing.markdown import tidy

_PUBLISHED: Final = ("article:published_time", "datePublished", "date", "dc.date", "dcterms.created")
_MODIFIED: Final = (
    "article:modified_time",
    "og:updated_time",
    "dateModified",
    "last-modified",
    "dcterms.modified",
)
_LINKED_DATA_DATE: Final = '"{}"\\s*:\\s*"([^"]{{8,40}})"'
# By default a page of a few sentences counts as no page, and loses its headings, lists and tables.
_CONFIG: Final = use_config()
_CONFIG.set("DEFAULT", "MIN_EXTRACTED_SIZE", "1")
# A main text this much shorter than the page is a guess gone wrong, unless it is a good page of text by itself.
_MIN_SHARE: Final = 0.1
_ENOUGH_CHARACTERS: Final = 1500
# Finding the main text of a longer page takes longer than a document may; all its text is had at once.
_MAX_WEIGHED_CHARACTERS: Final = 1_500_000


def read(data: bytes, _media_type: str) -> Extracted:
    """`data` is HTML in UTF-8, whatever it declares. The text is empty where the page shows none."""
    page = data.decode()
    tree = _tree(page)
    if tree is None:
        return Extracted(text="")
    metadata = trafilatura.extract_metadata(tree) if len(page) <= _MAX_WEIGHED_CHARACTERS else None
    return tidy(
        Extracted(
            text=_text(page, tree),
            title=(metadata.title if metadata else None) or _first(tree, "//title/text()"),
            url=_absolute(_first(tree, "//link[@rel='canonical']/@href") or _meta(tree, ("og:url",))),
            language=_first(tree, "/html/@lang") or _meta(tree, ("language", "og:locale")),
            published=_meta(tree, _PUBLISHED) or _linked_data(tree, "datePublished"),
            modified=_meta(tree, _MODIFIED) or _linked_data(tree, "dateModified"),
        )
    )


def _tree(page: str) -> html.HtmlElement | None:
    # The parser refuses documents nested deeper than 256 or with texts beyond 10 MB: `huge_tree` stays off.
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, remove_pis=True)
    try:
        tree = html.document_fromstring(page.encode("utf-8", errors="replace"), parser=parser)
    except (ParserError, ValueError):
        return None
    return tree


def _text(page: str, tree: html.HtmlElement) -> str:
    if len(page) > _MAX_WEIGHED_CHARACTERS:
        return _whole_text(page)
    main = trafilatura.extract(
        page,
        output_format="markdown",
        include_comments=False,
        include_formatting=True,
        include_links=True,
        favor_recall=True,
        config=_CONFIG,
    )
    main = (main or "").strip()
    visible = sum(
        len(text.strip()) for text in _all(tree, "//body//text()[not(ancestor::script or ancestor::style)]")
    )
    if len(main) >= min(_ENOUGH_CHARACTERS, _MIN_SHARE * visible) and main:
        return main
    return _whole_text(page) or main


def _whole_text(page: str) -> str:
    config = kreuzberg.ExtractionConfig(
        use_cache=False,
        enable_quality_processing=False,
        output_format="markdown",
        html_options={
            "extract_metadata": False,
            "preprocessing": {"enabled": True, "remove_navigation": True},
        },
    )
    try:
        return kreuzberg.extract_bytes_sync(page.encode(), "text/html", config=config).content.strip()
    except kreuzberg.KreuzbergError:
        return ""


def _all(tree: html.HtmlElement, path: str) -> list[str]:
    found = tree.xpath(path)
    return [str(item) for item in found] if isinstance(found, list) else []


def _first(tree: html.HtmlElement, path: str) -> str | None:
    return next((stripped for item in _all(tree, path) if (stripped := item.strip())), None)


def _meta(tree: html.HtmlElement, names: tuple[str, ...]) -> str | None:
    for name in names:
        found = _first(tree, f"//meta[@property='{name}' or @name='{name}' or @itemprop='{name}']/@content")
        if found:
            return found
    return None


def _linked_data(tree: html.HtmlElement, key: str) -> str | None:
    pattern = re.compile(_LINKED_DATA_DATE.format(key))
    for script in _all(tree, "//script[@type='application/ld+json']/text()"):
        if found := pattern.search(script):
            return found[1]
    return None


def _absolute(url: str | None) -> str | None:
    return url if url and url.startswith(("https://", "http://")) else None
