"""Reads the structure of a passage: which characters are a heading, a sentence, a list item, a step, a table row.

The splitter that made the passage says where sentences lie; what kind of line each stands on is read here, because
a table row must not be written as if it were a sentence.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from concierge.chat.writers.markup import heading_text, is_question, plain
from concierge.knowledge.schemas import Passage, Span

Kind = Literal["prose", "question", "item", "step", "row", "code", "heading"]

_HEADING = re.compile(r"\s{0,3}#{1,6}(\s|$)")
_BOLD_LINE = re.compile(r"\s*(\*\*|__)[^*_]+(\*\*|__):?\s*$")
_ITEM = re.compile(r"(?P<indent>\s*)(?P<mark>[-*+•–]|\d{1,3}[.)]|[a-z][.)])\s+(?:\[[ xX]\]\s+)?(?=\S)")
_RULE = re.compile(r"\s*([-*_=]\s*){3,}$")
_ROW = re.compile(r"\s*\|.*\|?\s*$")
_SEPARATOR = re.compile(r"\s*\|?\s*:?-{1,}:?\s*(\|\s*:?-{1,}:?\s*)*\|?\s*$")
_FENCE = re.compile(r"\s*(```|~~~)")
_SPEAKER = re.compile(
    r"\s*(?:[*_]{2})?(?P<who>Q|A|Question|Answer)(?:[*_]{2})?\s*[:.](?:[*_]{2})?\s+", re.IGNORECASE
)
_VALUE = re.compile(r"\W{0,2}\d")
_YEAR = re.compile(r"(?:19|20)\d\d")
_CELL = re.compile(r"(?<!\\)\|")
_ENDS = re.compile(r"[.!?:;…][\"”’')\]*_]*$")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“‘(]?[A-Z0-9])")


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest thing an answer may show: a sentence, item, step, row or block of code.

    `start` and `end` are offsets in the document, markers left out; `rows` index the passage's sentence vectors;
    `block` numbers the paragraph, list or table within the passage; `lead` is the index, within the passage's units,
    of the sentence that introduces the block ("You can pay by:").
    """

    passage: int
    kind: Kind
    start: int
    end: int
    text: str
    block: int
    index: int
    headings: tuple[str, ...]
    rows: tuple[int, ...] = ()
    header: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    lead: int | None = None
    depth: int = 0
    whole: bool = True

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(slots=True)
class _Element:
    """A run of lines of one kind, offsets within the passage's text."""

    kind: Kind
    start: int
    end: int
    block: int
    header: tuple[str, ...] = ()
    depth: int = 0


@dataclass(slots=True)
class _Reader:
    """Walks over the lines of one passage and gathers elements."""

    text: str
    elements: list[_Element] = field(default_factory=list)
    block: int = 0
    open: _Element | None = None
    blank: bool = False
    fence: bool = False
    header: tuple[str, ...] | None = None

    def close(self) -> None:
        self.open = None

    def add(self, kind: Kind, start: int, end: int, *, same_block: bool, depth: int = 0) -> _Element:
        if not same_block:
            self.block += 1
        element = _Element(kind, start, end, self.block, depth=depth)
        self.elements.append(element)
        self.open = element
        return element

    def last_is(self, *kinds: Kind) -> bool:
        return bool(self.elements) and self.elements[-1].kind in kinds

    def line(self, start: int, end: int) -> None:
        line = self.text[start:end]
        if self.fence or _FENCE.match(line):
            self.code(line, start, end)
        elif not line.strip():
            self.blank = True
            self.header = None
            if self.open is None or self.open.kind not in {"item", "step"}:
                self.close()
            return
        elif _HEADING.match(line) or (_BOLD_LINE.match(line) and (self.open is None or self.blank)):
            self.add("heading", start, end, same_block=False)
            self.close()
        elif _SEPARATOR.match(line) and "|" in line and self.last_is("row"):
            self.promote_header()
        elif _RULE.match(line):
            self.close()
        elif _ROW.match(line) and line.count("|") >= 2:
            self.row(start, end)
        else:
            self.words(line, start, end)
        self.blank = False

    def code(self, line: str, start: int, end: int) -> None:
        mark = bool(_FENCE.match(line))
        if not self.fence:
            self.add("code", start, end, same_block=False)
        elif self.open is not None:
            self.open.end = end
        if mark:
            self.fence = not self.fence
            if not self.fence:
                self.close()

    def promote_header(self) -> None:
        cells = cells_of(self.text[self.elements[-1].start : self.elements[-1].end])
        if _holds_values(cells):
            self.header = None
            return
        self.header = cells
        self.elements.pop()

    def row(self, start: int, end: int) -> None:
        element = self.add("row", start, end, same_block=self.last_is("row") and not self.blank)
        element.header = self.header or ()
        self.close()

    def words(self, line: str, start: int, end: int) -> None:
        item = _ITEM.match(line)
        if item:
            kind: Kind = "step" if item["mark"][0].isalnum() else "item"
            depth = min(len(item["indent"]) // 2, 3)
            same = self.last_is("item", "step") and (
                self.elements[-1].kind == kind or depth > 0 or self.nested()
            )
            self.add(kind, start + item.end(), end, same_block=same, depth=depth)
            return
        continues = self.open is not None and (
            not self.blank or (line[:2].isspace() and self.open.kind != "prose")
        )
        if continues and self.open is not None:
            self.open.end = end
        elif line.lstrip()[:1].islower() and self.last_is("prose") and not self.ended():
            self.elements[-1].end = end
            self.open = self.elements[-1]
        else:
            self.add("prose", start, end, same_block=False)

    def ended(self) -> bool:
        """Whether the last element ends like a sentence; what a page's layout broke apart does not."""
        last = self.elements[-1]
        return bool(_ENDS.search(self.text, last.start, last.end))

    def nested(self) -> bool:
        """Whether the item before stands deeper, so that this one returns to the list around it."""
        return self.elements[-1].depth > 0


def _holds_values(cells: Sequence[str]) -> bool:
    """Whether a first row is data: a page's table without a header gets its first row in the header's place."""
    values = [cell for cell in cells[1:] if cell]
    return bool(values) and all(map(_VALUE.match, values)) and not all(map(_YEAR.fullmatch, values))


def cells_of(line: str) -> tuple[str, ...]:
    inner = line.strip().strip("|")
    return tuple(plain(cell.replace("\\|", "|")) for cell in _CELL.split(inner))


def _elements(text: str, *, front: bool) -> list[_Element]:
    reader = _Reader(text)
    position = _front_matter_end(text) if front else 0
    for line in text[position:].splitlines(keepends=True):
        reader.line(position, position + len(line.rstrip("\r\n")))
        position += len(line)
    return reader.elements


def _front_matter_end(text: str) -> int:
    found = re.match(r"---\s*\n.*?\n---\s*(\n|$)", text, re.DOTALL)
    return found.end() if found else 0


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _sentences(element: _Element, passage: Passage) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """The sentences within a paragraph with the vector row of each; the splitter's spans are clipped to it."""
    covered = False
    for row, (start, end) in enumerate(passage.sentences):
        low, high = max(start - passage.start, element.start), min(end - passage.start, element.end)
        low, high = _trim(passage.text, low, max(low, high))
        if high - low >= 2:
            covered = True
            yield low, high, (row,)
    if not covered:
        position = element.start
        for found in _SENTENCE_END.finditer(passage.text, element.start, element.end):
            yield *_trim(passage.text, position, found.start() + 1), ()
            position = found.end()
        yield *_trim(passage.text, position, element.end), ()


def _joined(
    sentences: Iterable[tuple[int, int, tuple[int, ...]]], text: str
) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Put together what the lines of a page broke apart: a sentence that did not end goes on with a small letter."""
    held: tuple[int, int, tuple[int, ...]] | None = None
    for start, end, rows in sentences:
        if held is not None and text[start].islower() and not _ENDS.search(text, held[0], held[1]):
            held = (held[0], end, (*held[2], *rows))
            continue
        if held is not None:
            yield held
        held = (start, end, rows)
    if held is not None:
        yield held


def _rows_within(element: _Element, passage: Passage) -> tuple[int, ...]:
    low, high = element.start + passage.start, element.end + passage.start
    return tuple(
        i for i, (start, end) in enumerate(passage.sentences) if min(end, high) - max(start, low) >= 2
    )


@dataclass(frozen=True, slots=True)
class _Extra:
    cells: tuple[str, ...] = ()
    lead: int | None = None
    whole: bool = True


_PLAIN = _Extra()


@dataclass(slots=True)
class _Builder:
    """Turns elements into units and remembers the headings and introductions above them."""

    passage: Passage
    position: int
    headings: tuple[str, ...]
    units: list[Unit] = field(default_factory=list)
    leads: dict[int, int] = field(default_factory=dict)

    def build(self, elements: Sequence[_Element]) -> tuple[Unit, ...]:
        for number, element in enumerate(elements):
            if element.kind == "heading":
                self.heading(element)
            elif element.kind == "prose":
                self.paragraph(element)
            else:
                self.single(element, first=number == 0)
        return tuple(self.units)

    def append(
        self, kind: Kind, span: Span, element: _Element, rows: tuple[int, ...], extra: _Extra = _PLAIN
    ) -> None:
        raw = self.passage.text[span[0] : span[1]]
        text = heading_text(raw) if kind == "heading" else plain(raw)
        if not text:
            return
        self.units.append(
            Unit(
                passage=self.position,
                kind=kind,
                start=span[0] + self.passage.start,
                end=span[1] + self.passage.start,
                text=text,
                block=element.block,
                index=len(self.units),
                headings=self.headings,
                rows=rows,
                header=element.header,
                cells=extra.cells,
                lead=extra.lead,
                depth=element.depth,
                whole=extra.whole,
            )
        )

    def heading(self, element: _Element) -> None:
        text = heading_text(self.passage.text[element.start : element.end])
        if text:
            self.headings = (*self.passage.headings[:-1], text)
            self.append("heading", (element.start, element.end), element, _rows_within(element, self.passage))

    def paragraph(self, element: _Element) -> None:
        for start, end, rows in _joined(_sentences(element, self.passage), self.passage.text):
            begin, asks = self.speaker(start, end)
            text = self.passage.text[begin:end]
            kind: Kind = "question" if asks or is_question(text) else "prose"
            cut = start <= element.start == 0 and text[:1].islower()
            self.append(kind, (begin, end), element, rows, _Extra(whole=not cut))

    def speaker(self, start: int, end: int) -> tuple[int, bool]:
        """Where the words begin behind a "Q:" or "A:", and whether a question was announced."""
        found = _SPEAKER.match(self.passage.text, start, end)
        if not found:
            return start, False
        return found.end(), found["who"].lower().startswith("q")

    def single(self, element: _Element, *, first: bool) -> None:
        start, end = _trim(self.passage.text, element.start, element.end)
        raw = self.passage.text[start:end]
        cells = cells_of(raw) if element.kind == "row" else ()
        if (
            not first
            and element.block not in self.leads
            and self.units
            and self.units[-1].block != element.block
        ):
            self.leads[element.block] = self.units[-1].index
        lead = self.leads.get(element.block)
        introduces = lead is not None and self.units[lead].text.endswith(":")
        extra = _Extra(cells=cells, lead=lead if introduces else None)
        self.append(element.kind, (start, end), element, _rows_within(element, self.passage), extra)


def units_of(passage: Passage, position: int) -> tuple[Unit, ...]:
    """The units of a passage in document order; `position` is the passage's index in the brief."""
    elements = _elements(passage.text, front=passage.start == 0)
    return _Builder(passage, position, passage.headings).build(elements)
