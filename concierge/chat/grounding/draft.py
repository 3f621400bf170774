"""Cuts a draft into what can be judged by itself: sentences, list items, table rows, headings, blocks of code. Pure."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from concierge.chat.grounding.marks import blanked, marks_of
from concierge.chat.writers.markup import plain
from concierge.chat.writers.structure import cells_of
from concierge.kit.sentences import sentence_spans, trim
from concierge.knowledge.schemas import Span

PieceKind = Literal["sentence", "row", "header", "heading", "code"]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_LINE = re.compile(r"[^\r\n\u2028\u2029]+")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+|\s{0,3}(?:\*\*|__)(?=[^*_.!?]{1,80}(?:\*\*|__):?\s*$)")
_LIST = re.compile(r"(?P<indent>\s*)(?P<mark>[-*+•–]|\d{1,4}[.)])\s+(?=\S)")
_LISTED = re.compile(r"[\s>]*(?:[-*+•–]|\d{1,4}[.)])\s+$")
_QUOTED = re.compile(r"\s{0,3}(?:>\s?)+")
_RULE = re.compile(r"\s*([-*_=]\s*){3,}$")
_SEPARATOR = re.compile(r"[\s|:-]+$")
_FENCE = re.compile(r"\s*(```|~~~)")
_TIGHT = re.compile(r"\s+([.,;:!?…])(?=\s|$)")
_SPACE = re.compile(r"\s+")
_IMAGE = re.compile(r"!\[[^\]\n]{0,200}\]\([^)\n]{0,400}\)")
# A longer sentence is none; nobody reads it, and it would cost more than all others together.
LONGEST = 1500
# What would make a line of a sentence that stood within one.
_LEADING = re.compile(r"(?:(?:#{1,6}|[-*+•–|]|>+|\d{1,4}[.)])\s+|>|\||`{3,}\s*|~{3,}\s*)+")
_NO_WORDS = re.compile(r"[\W_]*$")


@dataclass(frozen=True, slots=True)
class Piece:
    """`start` and `end` are its place in the draft; `raw` keeps emphasis and links, `text` is plain, both without marks.

    `line` is the number of the line it begins on, `opening` what that line opens with ("- ", "2. ", "> "), `gap` whether
    an empty line stands before it. `block` counts paragraphs, lists, tables. `header` are the column names of a row.
    """

    kind: PieceKind
    start: int
    end: int
    raw: str
    text: str
    marks: tuple[int, ...]
    line: int
    block: int
    opening: str = ""
    gap: bool = False
    level: int = 0
    header: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()

    @property
    def leads(self) -> bool:
        """Whether it announces what follows."""
        return self.text.rstrip("*_ ").endswith((":", "："))

    @property
    def listed(self) -> bool:
        return bool(_LISTED.match(self.opening))


@dataclass(slots=True)
class _Cutter:
    draft: str
    clean: str
    marks: list[tuple[Span, tuple[int, ...]]]
    pieces: list[Piece] = field(default_factory=list[Piece])
    paragraph: Span | None = None
    opening: str = ""
    line: int = 0
    paragraph_line: int = 0
    block: int = 0
    gap: bool = False
    listed: bool = False
    header: tuple[str, ...] = ()
    code: Span | None = None

    def cut(self) -> list[Piece]:
        position = 0
        for found in _LINE.finditer(self.clean):
            if self.clean.count("\n", position, found.start()) > 1:
                self.blank()
            position = found.end()
            self.line += 1
            self.read(found.start(), found.end())
        self.close()
        if self.code:
            self.add_code(self.code)
        return self.pieces

    def read(self, start: int, end: int) -> None:
        line = self.clean[start:end]
        if self.code or _FENCE.match(line):
            self.fenced(start, end, line)
        elif not line.strip():
            self.blank()
        elif heading := _HEADING.match(line):
            self.close()
            self.block += 1
            level = len(heading[1]) if heading[1] else 7
            self.add("heading", heading.end() + start, end, line[: heading.end()], level=level)
        elif line.count("|") >= 2 and line.lstrip().startswith("|"):
            self.row(start, end, line[: 2 * LONGEST])
        elif _RULE.match(line):
            self.close()
        else:
            self.words(start, end, line)

    def blank(self) -> None:
        self.close()
        self.gap = True
        self.header = ()

    def fenced(self, start: int, end: int, line: str) -> None:
        if self.code is None:
            self.close()
            self.code = (start, end)
            return
        self.code = (self.code[0], end)
        if _FENCE.match(line):
            self.add_code(self.code)
            self.code = None

    def add_code(self, span: Span) -> None:
        self.block += 1
        raw = self.draft[span[0] : span[1]]
        self.push(Piece("code", *span, raw, raw, (), self.line, self.block, gap=self.gap))

    def row(self, start: int, end: int, line: str) -> None:
        self.close()
        previous = self.pieces[-1] if self.pieces else None
        if _SEPARATOR.match(line):
            if previous and previous.kind == "row" and previous.line == self.line - 1 and not self.header:
                self.pieces[-1] = replace(previous, kind="header")
                self.header = previous.cells
            return
        if not (previous and previous.kind in {"row", "header"} and not self.gap):
            self.block += 1
        self.add("row", start, end, "", header=self.header, cells=cells_of(line))

    def words(self, start: int, end: int, line: str) -> None:
        quoted = _QUOTED.match(line)
        at = quoted.end() if quoted else 0
        listed = _LIST.match(line, at)
        if listed or (quoted and not self.paragraph) or self.paragraph is None:
            self.close()
            if not (listed and self.listed):
                self.block += 1
            self.listed = bool(listed)
            at = listed.end() if listed else at
            self.opening, self.paragraph, self.paragraph_line = line[:at], (start + at, end), self.line
            return
        self.paragraph = (self.paragraph[0], end)

    def close(self) -> None:
        """End the paragraph that is open and add its sentences."""
        if self.paragraph is None:
            return
        begin, end = self.paragraph
        self.paragraph = None
        opening = self.opening
        for start, until in sentence_spans(self.clean[begin:end]):
            self.add("sentence", begin + start, begin + until, opening, line=self.paragraph_line)

    def add(
        self,
        kind: PieceKind,
        start: int,
        end: int,
        opening: str,
        *,
        line: int | None = None,
        level: int = 0,
        header: tuple[str, ...] = (),
        cells: tuple[str, ...] = (),
    ) -> None:
        start, end = trim(self.clean, start, end)
        raw = self.clean[start : min(end, start + 2 * LONGEST)]
        raw = (
            _LEADING.sub("", tidy(raw), count=1) if kind == "sentence" and _LEADING.match(raw) else tidy(raw)
        )
        if not raw or _NO_WORDS.match(raw):
            return
        self.push(
            Piece(
                kind,
                start,
                end,
                raw,
                plain(raw) if len(raw) <= LONGEST else raw,
                (),
                line or self.line,
                self.block,
                opening,
                self.gap,
                level,
                header,
                cells,
            )
        )

    def push(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self.gap = False


def tidy(text: str) -> str:
    return _TIGHT.sub(r"\1", _SPACE.sub(" ", _IMAGE.sub("", text))).strip()


def pieces_of(draft: str) -> tuple[Piece, ...]:
    """The pieces of a draft in order, each with the marks that stand in it or right behind it."""
    clean = _CONTROL.sub(" ", draft)
    marks = marks_of(clean)
    pieces = _Cutter(draft, blanked(clean, [span for span, _ in marks]), marks).cut()
    return tuple(_with_marks(pieces, marks))


def _with_marks(pieces: list[Piece], marks: list[tuple[Span, tuple[int, ...]]]) -> Iterator[Piece]:
    """A mark belongs to the piece it stands in, else to the one before it on its line, else to the one behind it."""
    ends = [piece.end for piece in pieces]
    own: dict[int, list[int]] = {}
    for (start, _), numbers in marks:
        at = bisect_left(ends, start + 1)
        inside = at < len(pieces) and pieces[at].start <= start
        behind = at > 0 and (at == len(pieces) or pieces[at].line != pieces[at - 1].line or not inside)
        own.setdefault(at if inside or not behind else at - 1, []).extend(numbers)
    for at, piece in enumerate(pieces):
        found = tuple(dict.fromkeys(own.get(at, ())))
        yield replace(piece, marks=found) if found else piece
