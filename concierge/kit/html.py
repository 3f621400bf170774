"""The text of what may be HTML. Pure."""

import re
from html.parser import HTMLParser
from typing import Final

from concierge.kit.text import normalize

_MARKUP: Final = re.compile(r"<[a-zA-Z/!][^<>]*>|&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,5});")


def line_of(value: str) -> str:
    """The text of a value on one line."""
    return " ".join(plain(value).split())


def plain(value: str) -> str:
    """The text of a value, without the HTML that shops write into their fields."""
    if _MARKUP.search(value):
        reader = _HtmlText()
        reader.feed(value)
        reader.close()
        value = reader.text()
    return normalize(value).strip()


class _HtmlText(HTMLParser):
    """Text with an empty line between paragraphs and a line for each item of a list."""

    _PARAGRAPHS: Final = frozenset({"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table"})
    _LINES: Final = frozenset({"br", "tr", "li"})
    _HIDDEN: Final = frozenset({"script", "style", "template", "noscript"})

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # The parser's.
        self._hidden += tag in self._HIDDEN
        if tag in self._PARAGRAPHS:
            self._parts.append("\n\n")
        elif tag in self._LINES:
            self._parts.append("\n- " if tag == "li" else "\n")
        elif tag in {"td", "th"}:
            self._parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in self._HIDDEN and self._hidden > 0
        if tag in self._PARAGRAPHS:
            self._parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._parts.append(re.sub(r"\s+", " ", data))

    def text(self) -> str:
        lines = (line.strip() for line in "".join(self._parts).split("\n"))
        return "\n".join(line for line in lines if line != "-")
