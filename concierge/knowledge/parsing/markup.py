"""Tags inside Markdown (HTML and JSX): what they show stays as Markdown, what they merely arrange goes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Final

_TAG_START: Final = re.compile(r"<(/?)([A-Za-z][\w.-]*)")
# The bounds keep the work linear in the length of the text, whatever it contains.
CODE_SPAN: Final = re.compile(r"(?<!`)(`++).{1,1000}?(?<!`)\1(?!`)", re.DOTALL)
_COMMENTS: Final = (("<!--", "-->"), ("{/*", "*/}"))
_MARK: Final = re.compile(r"[<`]")
_ATTRIBUTE: Final = re.compile(
    r"""(?<![\w:-])([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|\{\s*["'`]([^"'`]*)["'`]\s*\})"""
)
# An attribute a reader sees: the question on a fold-out, the file name on a tab of code.
_SHOWN_ATTRIBUTES: Final = ("title", "label", "summary")
# Stands before the question of a fold-out until its place among the headings is known. No normalised text has it.
QUESTION_MARK: Final = "\x01"
_MAX_TAG_LENGTH: Final = 20_000
_SCANS_PER_CHARACTER: Final = 8
_MAX_INDENT: Final = 8
_MAX_COLUMNS: Final = 60

_HTML_TAGS: Final = frozenset(
    [
        "a",
        "abbr",
        "article",
        "aside",
        "audio",
        "b",
        "big",
        "blockquote",
        "body",
        "br",
        "button",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "font",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "header",
        "hr",
        "html",
        "i",
        "iframe",
        "img",
        "input",
        "ins",
        "kbd",
        "label",
        "li",
        "link",
        "main",
        "mark",
        "meta",
        "nav",
        "noscript",
        "ol",
        "option",
        "p",
        "picture",
        "pre",
        "q",
        "s",
        "samp",
        "script",
        "section",
        "select",
        "small",
        "source",
        "span",
        "strike",
        "strong",
        "style",
        "sub",
        "summary",
        "sup",
        "svg",
        "table",
        "tbody",
        "td",
        "template",
        "textarea",
        "tfoot",
        "th",
        "thead",
        "time",
        "title",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "video",
        "wbr",
    ]
)
_SILENT: Final = frozenset(
    {"script", "style", "svg", "head", "template", "iframe", "noscript", "video", "audio", "select"}
)
_BLOCKS: Final = frozenset(
    [
        "article",
        "aside",
        "blockquote",
        "center",
        "details",
        "dd",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hr",
        "main",
        "nav",
        "ol",
        "p",
        "section",
        "table",
        "tbody",
        "thead",
        "ul",
    ]
)


@dataclass(frozen=True, slots=True)
class Tag:
    name: str
    closes: bool
    alone: bool
    attributes: str

    @property
    def is_component(self) -> bool:
        return self.name[0].isupper()

    def shown(self) -> str | None:
        """The text of the attribute that a reader would see, if there is one."""
        values = {
            found[1]: next(filter(None, found.groups()[1:]), "")
            for found in _ATTRIBUTE.finditer(self.attributes)
        }
        # A label of a component without content names a thing, not a text.
        names = _SHOWN_ATTRIBUTES[:1] if self.alone else _SHOWN_ATTRIBUTES
        return next((values[name] for name in names if values.get(name)), None)


def without_markup(text: str) -> str:
    """`text` is Markdown without fenced code. Code spans stay as they are, unknown tags (`<your-name>`) too."""
    renderer = _Renderer(components=frozenset(re.findall(r"</([A-Z][\w.]*)\s*>", text)))
    for piece in _pieces(_without_comments(text)):
        renderer.add(piece)
    return renderer.text()


def _without_comments(text: str) -> str:
    for start, end in _COMMENTS:
        kept: list[str] = []
        at = 0
        while (found := text.find(start, at)) >= 0 and (close := text.find(end, found + len(start))) >= 0:
            kept.append(text[at:found])
            at = close + len(end)
        text = "".join([*kept, text[at:]])
    return text


def _pieces(text: str) -> Iterator[str | Tag]:
    """Text, code spans (as text) and tags in order."""
    at = start = 0
    budget = _Budget(_SCANS_PER_CHARACTER * len(text))
    while mark := _MARK.search(text, at):
        position = at = mark.start()
        at += 1
        if mark[0] == "`":
            span = CODE_SPAN.match(text, position)
            at = span.end() if span else at
        elif text[position - 1 : position] != "\\" and (found := _tag_at(text, position, budget)):
            yield text[start:position]
            yield found[0]
            start = at = found[1]
    yield text[start:]


@dataclass(slots=True)
class _Budget:
    """Steps left for finding ends of tags: text full of beginnings without ends is not searched again and again."""

    left: int


def _tag_at(text: str, position: int, budget: _Budget) -> tuple[Tag, int] | None:
    start = _TAG_START.match(text, position)
    if start is None or budget.left <= 0:
        return None
    name = start[2]
    if not (name.lower() in _HTML_TAGS or name[0].isupper()):
        return None
    limit = min(len(text), start.end() + _MAX_TAG_LENGTH)
    end = _end_of_tag(text, start.end(), limit)
    budget.left -= (end if end >= 0 else limit) - position
    if end < 0:
        return None
    inside = text[start.end() : end]
    alone = inside.rstrip().endswith("/")
    return Tag(name if name[0].isupper() else name.lower(), bool(start[1]), alone, inside), end + 1


def _end_of_tag(text: str, at: int, limit: int) -> int:
    """Where the `>` is that ends the tag; quotes and nested braces may hold others. -1 without an end."""
    depth, quote = 0, ""
    for position in range(at, limit):
        character = text[position]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'`" and (depth or text[position - 1] in "={ "):
            quote = character
        elif character in "{}":
            depth = max(0, depth + (1 if character == "{" else -1))
        elif depth == 0 and character in "<>":
            return position if character == ">" else -1
    return -1


@dataclass(slots=True)
class _Renderer:
    components: frozenset[str]
    parts: list[str] = field(default_factory=list[str])
    silent: str = ""
    lists: list[int] = field(default_factory=list[int])
    rows: list[list[str]] | None = None
    cell: int = 0
    summary: int = 0

    def add(self, piece: str | Tag) -> None:
        if isinstance(piece, str):
            if not self.silent:
                self.parts.append(unescape(piece))
        elif self.silent:
            if piece.closes and piece.name == self.silent:
                self.silent = ""
        elif piece.name in _SILENT:
            self.silent = "" if piece.closes or piece.alone else piece.name
        elif piece.is_component:
            self._component(piece)
        else:
            self._element(piece)

    def text(self) -> str:
        return "".join(self.parts)

    def _component(self, tag: Tag) -> None:
        known = tag.alone or tag.name in self.components or "=" in tag.attributes
        if not known:
            # A placeholder such as <YourName>: it is text.
            self.parts.append(f"<{tag.name}>")
        elif not tag.closes:
            shown = tag.shown()
            self.parts.append(f"\n\n{_lead(shown)}\n\n" if shown else "")

    def _element(self, tag: Tag) -> None:
        if tag.name in {"tr", "td", "th", "table"}:
            self._table(tag)
        elif tag.name == "summary":
            self._summary(tag)
        elif tag.name in {"ul", "ol"}:
            self._list(tag)
        elif tag.name == "li":
            self._item(tag)
        elif tag.name == "br":
            self.parts.append(" " if self.rows is not None else "\n")
        elif len(tag.name) == 2 and tag.name[0] == "h" and tag.name[1].isdigit():
            self.parts.append("\n\n" if tag.closes else f"\n\n{'#' * int(tag.name[1])} ")
        elif tag.name in _BLOCKS:
            self.parts.append(" " if self.rows is not None else "\n")

    def _summary(self, tag: Tag) -> None:
        if tag.closes:
            summary = " ".join("".join(self.parts[self.summary :]).split())
            del self.parts[self.summary :]
            self.parts.append(f"{_lead(summary)}\n\n")
        else:
            self.parts.append("\n\n")
            self.summary = len(self.parts)

    def _list(self, tag: Tag) -> None:
        if not tag.closes:
            self.lists.append(0 if tag.name == "ul" else 1)
        elif self.lists:
            self.lists.pop()
        self.parts.append("\n")

    def _item(self, tag: Tag) -> None:
        if tag.closes or not self.lists:
            self.parts.append("\n")
            return
        number = self.lists[-1]
        if number:
            self.lists[-1] += 1
        indent = "  " * min(len(self.lists) - 1, _MAX_INDENT)
        self.parts.append(f"\n{indent}{f'{number}.' if number else '-'} ")

    def _table(self, tag: Tag) -> None:
        if tag.name == "table":
            if tag.closes and self.rows is not None:
                self._finish_cell()
                rows, self.rows = self.rows, None
                self.parts.append(f"\n\n{table_lines(rows)}\n\n")
            elif not tag.closes:
                self.rows, self.cell = [], len(self.parts)
        elif self.rows is None:
            self.parts.append("\n" if tag.name == "tr" else " ")
        elif tag.name == "tr":
            self._finish_cell()
            if not tag.closes:
                self.rows.append([])
        else:
            self._finish_cell(keep=tag.closes)

    def _finish_cell(self, *, keep: bool = False) -> None:
        """What was written since the last cell is this one's text, or blank space between cells."""
        written = " ".join("".join(self.parts[self.cell :]).split())
        del self.parts[self.cell :]
        if self.rows and (keep or written):
            self.rows[-1].append(written)
        self.cell = len(self.parts)


def _lead(title: str) -> str:
    return f"{QUESTION_MARK if title.endswith('?') else ''}{title}"


def table_lines(rows: list[list[str]]) -> str:
    """Rows of cells as a Markdown table; the first row is its head."""
    filled = [row[:_MAX_COLUMNS] for row in rows if any(row)]
    if not filled:
        return ""
    width = max(len(row) for row in filled)
    lines = [
        "| " + " | ".join(cell.replace("|", "\\|") for cell in [*row, *[""] * (width - len(row))]) + " |"
        for row in filled
    ]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])
