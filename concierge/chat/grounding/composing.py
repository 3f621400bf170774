"""Puts together what remains of a draft: openings, numbering, and one mark at the end of each sentence that claims. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from concierge.chat.grounding.draft import Piece
from concierge.chat.grounding.library import Rest
from concierge.chat.grounding.mending import Mended
from concierge.chat.writers.brief import Citation, Claim
from concierge.chat.writers.citations import around, citation_of, marked
from concierge.knowledge.schemas import Passage, Span

_NUMBERED = re.compile(r"(?P<indent>\s*)(?P<number>\d{1,4})(?P<dot>[.)])(?P<space>\s+)$")
_STOPPED = re.compile(r"[.!?…:;。！？][\"”’')\]*_`]*$")
_CELL_END = re.compile(r"\s*\|?\s*$")


@dataclass(slots=True)
class Composer:
    """Numbers sources in the order they are used."""

    passages: Sequence[Passage]
    numbers: dict[int, int] = field(default_factory=dict[int, int])
    spans: dict[int, list[Span]] = field(default_factory=dict[int, list[Span]])
    claims: list[Claim] = field(default_factory=list[Claim])
    counts: dict[int, int] = field(default_factory=dict[int, int])

    def compose(self, mended: Sequence[Mended]) -> tuple[str, list[str | None]]:
        """The text, and what stands in it of each piece."""
        last = _last_of_lines(mended)
        shown = [self._shown(entry, ends_line=at in last) for at, entry in enumerate(mended)]
        parts: list[str] = []
        for text, gap in self._lines(mended, shown):
            parts += ["", text] if gap and parts else [text]
        return "\n".join(parts), shown

    def citations(self) -> tuple[Citation, ...]:
        return tuple(self._citation(source, number) for source, number in self.numbers.items())

    def _shown(self, entry: Mended, *, ends_line: bool) -> str | None:
        if entry.shown is None:
            return None
        numbers = [self._cite(entry, rest) for rest in entry.rests]
        return _with_marks(entry, list(dict.fromkeys(numbers)), ends_line=ends_line)

    def _cite(self, entry: Mended, rest: Rest) -> int:
        number = self.numbers.setdefault(rest.source, len(self.numbers) + 1)
        start, end = rest.unit.start, rest.unit.end
        self.spans.setdefault(number, []).append((start, end))
        self.claims.append(Claim(entry.shown or "", number, rest.evidence.quote, start, end))
        return number

    def _lines(self, mended: Sequence[Mended], shown: Sequence[str | None]) -> Iterator[tuple[str, bool]]:
        gap = False
        above: Piece | None = None
        for _, group in groupby(zip(mended, shown, strict=True), key=lambda pair: pair[0].read.piece.line):
            entries = list(group)
            gap = gap or any(entry.read.piece.gap for entry, _ in entries)
            words = [text for _, text in entries if text is not None]
            piece = entries[0][0].read.piece
            if not words:
                self._begin(piece)
                continue
            line = self._opening(piece) + _joined(words)
            yield line, gap or (above is not None and _runs_on(above, piece))
            above = piece
            if piece.kind == "header":
                yield "|" + "---|" * len(piece.cells), False
            gap = False

    def _opening(self, piece: Piece) -> str:
        """The number of a step counts what is left of its list."""
        if not piece.listed:
            self.counts.clear()
        numbered = _NUMBERED.match(piece.opening)
        indent = len(piece.opening) - len(piece.opening.lstrip())
        self.counts = {deep: count for deep, count in self.counts.items() if deep <= indent}
        if numbered is None:
            return piece.opening
        self._begin(piece)
        self.counts[indent] += 1
        return f"{piece.opening[:indent]}{self.counts[indent]}{numbered['dot']}{numbered['space']}"

    def _begin(self, piece: Piece) -> None:
        """A list begins with the number its first item had, also where that has gone."""
        numbered = _NUMBERED.match(piece.opening)
        if numbered:
            self.counts.setdefault(len(numbered["indent"]), int(numbered["number"]) - 1)

    def _citation(self, source: int, number: int) -> Citation:
        return citation_of(self.passages[source - 1], number, *around(self.spans[number]))


def _joined(words: Sequence[str]) -> str:
    """The sentences of one paragraph; what stands behind a colon begins on a new line, or both would be one sentence."""
    parts = [f"{text}\n" if text.endswith(":") else f"{text} " for text in words]
    return "".join(parts).rstrip()


def _runs_on(above: Piece, piece: Piece) -> bool:
    """Whether a paragraph would be read as the end of what stands above it."""
    return above.kind == piece.kind == "sentence" and above.block != piece.block and not piece.opening


def _last_of_lines(mended: Sequence[Mended]) -> set[int]:
    """Which pieces are the last that is shown of their line."""
    last = {entry.read.piece.line: at for at, entry in enumerate(mended) if entry.shown is not None}
    return set(last.values())


def _with_marks(entry: Mended, numbers: Sequence[int], *, ends_line: bool) -> str:
    text = entry.shown or ""
    piece = entry.read.piece
    if piece.kind == "code":
        return text
    if not numbers:
        return text if ends_line or _STOPPED.search(text) else f"{text}."
    marks = "".join(f"[{number}]" for number in numbers)
    if piece.kind == "row":
        return _CELL_END.sub(f" {marks} |", text, count=1)
    return _marked_words(piece, text, marks) or (
        f"{text} {marks}"
        if piece.listed and ends_line and text[-1:] not in ".!?…"
        else marked(text, *numbers)
    )


def _marked_words(piece: Piece, text: str, marks: str) -> str | None:
    """An introduction with its marks in front of the colon; None where there is no colon to end with."""
    if not piece.leads or not text.rstrip("*_ ").endswith(":"):
        return None
    words = piece.text if text.endswith(("*", "_")) else text
    return f"{words.rstrip(': ')} {marks}:"
