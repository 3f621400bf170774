"""Cut a document into the units people quote: sentences, list items, table rows, headings, pieces of code.

Every non-space character belongs to exactly one unit, units follow the text, and a unit is at most MAX_UNIT
characters long, whatever the input.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from concierge.kit.sentences import sentence_spans, trim

Span = tuple[int, int]

MAX_UNIT = 600
WHOLE_ITEM = 320  # A list item up to this length is quoted whole.
SHORT_LINE = 40  # A paragraph of such lines only (an address, opening hours) is read line by line.


class Kind(StrEnum):
    HEADING = "heading"
    SENTENCE = "sentence"
    ITEM = "item"
    ROW = "row"
    CODE = "code"
    RULE = "rule"  # Carries no words.


@dataclass(frozen=True, slots=True)
class Unit:
    start: int
    end: int
    kind: Kind
    block: int  # Units of one paragraph, list item, table or code block share a number.
    level: int = 0  # 1 … 6 for a heading.

    @property
    def span(self) -> Span:
        return self.start, self.end


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring lines of one kind."""

    start: int
    end: int
    kind: Kind
    level: int = 0


_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_HEADING = re.compile(r"\s{0,3}(#{1,6})(?:\s|$)")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-{2,})\s*$")
_ITEM = re.compile(r"\s*(?:[-*+•‣◦–]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s+\S")
_ROW = re.compile(r"\s*\|.*\S")
_SEPARATOR = re.compile(r"[\s|:+=-]*-[\s|:+=-]*$")
_WORD = re.compile(r"[^\W_]")
_LINE_END = re.compile(r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")


def units_of(text: str) -> list[Unit]:
    """All units of a document, in order."""
    found: list[Unit] = []
    for number, block in enumerate(_blocks(text)):
        found.extend(_units_of_block(text, block, number))
    return found


def heading_title(text: str, unit: Unit) -> str:
    """The words of a heading, without its marks, HTML anchors and emphasis."""
    line = _LINE_END.split(text[unit.start : unit.end])[0]
    plain = re.sub(r"<[^<>]{0,200}>", "", line.strip().strip("#"))
    return re.sub(r"[*_`]{1,3}", "", plain).strip()


def _lines(text: str) -> list[Span]:
    spans: list[Span] = []
    start = 0
    for match in _LINE_END.finditer(text):
        spans.append((start, match.start()))
        start = match.end()
    spans.append((start, len(text)))
    return spans


class _Reader:
    """Walks over the lines once, gathering lines that belong together into the open block."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.open: Block | None = None
        self.fence = ""

    def read(self) -> Iterator[Block]:
        for start, end in _lines(self.text):
            yield from self._line(start, end, self.text[start:end])
        yield from self._close()

    def _line(self, start: int, end: int, line: str) -> Iterator[Block]:
        fence = _FENCE.match(line)
        if self.fence:
            self._extend(end)
            if fence and fence[1].startswith(self.fence) and not line[fence.end() :].strip():
                self.fence = ""
                yield from self._close()
        elif not line.strip():
            yield from self._close()
        elif fence:
            self.fence = fence[1]
            yield from self._begin(Block(start, end, Kind.CODE))
        else:
            yield from self._prose(start, end, line)

    def _prose(self, start: int, end: int, line: str) -> Iterator[Block]:
        block = self.open
        if heading := _HEADING.match(line):
            yield from self._begin(Block(start, end, Kind.HEADING, len(heading[1])))
            yield from self._close()
        elif (underline := _UNDERLINE.match(line)) and block and self._is_one_line_of_text(block):
            self.open = replace(block, end=end, kind=Kind.HEADING, level=1 if underline[1][0] == "=" else 2)
            yield from self._close()
        elif _ROW.match(line):
            yield from self._begin_or_extend(Kind.ROW, start, end)
        elif not _WORD.search(line):
            yield from self._begin(Block(start, end, Kind.RULE))
            yield from self._close()
        elif _ITEM.match(line):
            yield from self._begin(Block(start, end, Kind.ITEM))
        elif block and block.kind in {Kind.ITEM, Kind.SENTENCE}:
            self._extend(end)
        else:
            yield from self._begin(Block(start, end, Kind.SENTENCE))

    def _is_one_line_of_text(self, block: Block) -> bool:
        return block.kind is Kind.SENTENCE and not _LINE_END.search(self.text, block.start, block.end)

    def _begin_or_extend(self, kind: Kind, start: int, end: int) -> Iterator[Block]:
        if self.open and self.open.kind is kind:
            self._extend(end)
        else:
            yield from self._begin(Block(start, end, kind))

    def _begin(self, block: Block) -> Iterator[Block]:
        yield from self._close()
        self.open = block

    def _extend(self, end: int) -> None:
        if self.open:
            self.open = replace(self.open, end=end)

    def _close(self) -> Iterator[Block]:
        if self.open:
            yield self.open
        self.open = None


def _blocks(text: str) -> Iterator[Block]:
    return _Reader(text).read()


def _units_of_block(text: str, block: Block, number: int) -> Iterator[Unit]:
    start, end = trim(text, block.start, block.end)
    for piece in _pieces(text, replace(block, start=start, end=end)):
        for part_start, part_end in bounded(text, *piece):
            yield Unit(part_start, part_end, block.kind, number, block.level)


def _pieces(text: str, block: Block) -> Iterator[Span]:
    if block.kind is Kind.ROW:
        yield from _rows(text, block)
    elif block.kind is Kind.SENTENCE or (block.kind is Kind.ITEM and block.end - block.start > WHOLE_ITEM):
        yield from _sentences(text, block)
    elif block.start < block.end:
        yield block.start, block.end


def _rows(text: str, block: Block) -> Iterator[Span]:
    """One unit a row; the line of dashes under a header belongs to the header."""
    spans = [
        trim(text, start + block.start, end + block.start)
        for start, end in _lines(text[block.start : block.end])
    ]
    rows: list[Span] = []
    for start, end in spans:
        if rows and _SEPARATOR.match(text[start:end]):
            rows[-1] = (rows[-1][0], end)
        else:
            rows.append((start, end))
    yield from rows


def _sentences(text: str, block: Block) -> Iterator[Span]:
    body = text[block.start : block.end]
    lines = [trim(body, *line) for line in _lines(body)]
    if len(lines) > 1 and all(end - start <= SHORT_LINE for start, end in lines):
        spans = lines
    else:
        spans = sentence_spans(body)
    yield from ((block.start + start, block.start + end) for start, end in spans)


def bounded(text: str, start: int, end: int, limit: int = MAX_UNIT) -> Iterator[Span]:
    """Cut a span to parts of at most `limit` characters: at a line's end, a clause's end, a space, or anywhere."""
    while end - start > limit:
        cut = _best_cut(text, start, start + limit)
        yield trim(text, start, cut)
        start = trim(text, cut, end)[0]
    if start < end:
        yield start, end


_CUTS = tuple(re.compile(pattern) for pattern in (r"[\n\r]+", r"[;:,、，；]\s?", r"\s"))


def _best_cut(text: str, start: int, limit: int) -> int:
    for pattern in _CUTS:
        ends = [match.end() for match in pattern.finditer(text, start, limit)]
        half = bisect_right(ends, start + (limit - start) // 2)
        if half < len(ends):
            return ends[-1]
    return limit
