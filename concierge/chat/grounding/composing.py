"""Puts together what remains of a draft: openings, numbering, and one mark at the end of each sentence that claims. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from concierge.chat.grounding.library import Rest
from concierge.chat.grounding.mending import Mended
from concierge.chat.writers.brief import Citation, Claim
from concierge.chat.writers.citations import around, marked
from concierge.knowledge.schemas import Passage, Span

_NUMBERED = re.compile(r"(?P<indent>\s*)(?P<number>\d{1,4})(?P<dot>[.)])(?P<space>\s+)$")
_CELL_END = re.compile(r"\s*\|?\s*$")


@dataclass(slots=True)
class Composer:
    """Numbers sources in the order they are used."""

    passages: Sequence[Passage]
    numbers: dict[int, int] = field(default_factory=dict[int, int])
    spans: dict[int, list[Span]] = field(default_factory=dict[int, list[Span]])
    claims: list[Claim] = field(default_factory=list[Claim])
    counts: dict[tuple[int, str], int] = field(default_factory=dict[tuple[int, str], int])

    def compose(self, mended: Sequence[Mended]) -> tuple[str, list[str | None]]:
        """The text, and what stands in it of each piece."""
        shown = [self._shown(entry) for entry in mended]
        parts: list[str] = []
        for text, gap in self._lines(mended, shown):
            parts += ["", text] if gap and parts else [text]
        return "\n".join(parts), shown

    def citations(self) -> tuple[Citation, ...]:
        return tuple(self._citation(source, number) for source, number in self.numbers.items())

    def _shown(self, entry: Mended) -> str | None:
        if entry.shown is None:
            return None
        numbers = [self._cite(entry, rest) for rest in entry.rests]
        return _with_marks(entry, list(dict.fromkeys(numbers)))

    def _cite(self, entry: Mended, rest: Rest) -> int:
        number = self.numbers.setdefault(rest.source, len(self.numbers) + 1)
        passage = self.passages[rest.source - 1]
        start, end = passage.start + rest.start, passage.start + rest.end
        self.spans.setdefault(number, []).append((start, end))
        self.claims.append(Claim(entry.shown or "", number, rest.quote, start, end))
        return number

    def _lines(self, mended: Sequence[Mended], shown: Sequence[str | None]) -> Iterator[tuple[str, bool]]:
        gap = False
        for _, group in groupby(zip(mended, shown, strict=True), key=lambda pair: pair[0].read.piece.line):
            entries = list(group)
            gap = gap or any(entry.read.piece.gap for entry, _ in entries)
            words = [text for _, text in entries if text is not None]
            if not words:
                continue
            piece = entries[0][0].read.piece
            line = self._opening(piece.opening, piece.block) + " ".join(words)
            yield line, gap
            if piece.kind == "header":
                yield "|" + "---|" * len(piece.cells), False
            gap = False

    def _opening(self, opening: str, block: int) -> str:
        """The number of a step counts what is left of its list."""
        numbered = _NUMBERED.match(opening)
        if numbered is None:
            return opening
        key = (block, numbered["indent"])
        self.counts[key] = self.counts.get(key, int(numbered["number"]) - 1 if key in self.counts else 0) + 1
        return f"{numbered['indent']}{self.counts[key]}{numbered['dot']}{numbered['space']}"

    def _citation(self, source: int, number: int) -> Citation:
        passage = self.passages[source - 1]
        start, end = around(self.spans[number])
        return Citation(
            number=number,
            document_id=passage.document_id,
            chunk_id=passage.chunk_id,
            title=passage.title,
            url=passage.url,
            kind=passage.kind,
            score=passage.score,
            quote=passage.text[start - passage.start : end - passage.start],
            start=start,
            end=end,
            page=passage.page_at(start),
        )


def _with_marks(entry: Mended, numbers: Sequence[int]) -> str:
    text = entry.shown or ""
    piece = entry.read.piece
    if not numbers or piece.kind == "code":
        return text
    marks = "".join(f"[{number}]" for number in numbers)
    if piece.kind == "row":
        if entry.fate == "repaired":
            return f"| {text.rstrip('.')} {marks} |"
        return _CELL_END.sub(f" {marks} |", text, count=1)
    if piece.leads and text.rstrip("*_ ").endswith(":"):
        return f"{text.rstrip('*_: ')} {marks}:"
    if piece.listed and text[-1:] not in ".!?…":
        return f"{text} {marks}"
    return marked(text, *numbers)
