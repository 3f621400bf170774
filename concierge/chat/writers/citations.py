"""Numbers sources in the order an answer uses them and keeps, for each, the exact words and where they stand."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from concierge.chat.writers.brief import Citation, Claim
from concierge.chat.writers.repair import Standing
from concierge.chat.writers.structure import Unit
from concierge.knowledge.schemas import Passage, Span

LONGEST_QUOTE = 700
_END = re.compile(r"(?P<close>[\"”’')\]]*)(?P<stop>[.!?…]+)(?P<after>[\"”’')\]]*)$")


def marked(text: str, *numbers: int) -> str:
    """The sentence with its marks before the full stop, as in "… we collect it for free [1]."; a stop is added."""
    marks = "".join(f"[{number}]" for number in numbers)
    found = _END.search(text)
    if not found:
        return f"{text.rstrip(' ,;:–-')} {marks}."
    if found["after"]:
        return f"{text} {marks}"
    return f"{text[: found.start('stop')]} {marks}{found['stop']}"


@dataclass(slots=True)
class Citations:
    """Collects claims; the same passage keeps its number. What is said of a unit is also shown where it is `confirmed`."""

    passages: Sequence[Passage]
    confirmed: Mapping[Unit, Unit] = field(default_factory=dict[Unit, Unit])
    numbers: dict[int, int] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    spans: dict[int, list[Span]] = field(default_factory=dict)

    def cite(self, unit: Unit, text: str, standing: Standing | None = None) -> int:
        """Record that `text` was made from `unit`; returns the number of its source."""
        number = self.numbers.setdefault(unit.passage, len(self.numbers) + 1)
        self.spans.setdefault(number, []).append((unit.start, unit.end))
        if standing and standing.source:  # The subject comes from there, so the source shows it.
            self.spans[number].append((standing.source.start, standing.source.end))
        replaced = standing.replaced if standing else None
        quote = self._quote(unit.passage, (unit.start, unit.end))
        self.claims.append(Claim(text, number, quote, unit.start, unit.end, replaced))
        return number

    def marks(self, unit: Unit, text: str, standing: Standing | None = None) -> tuple[int, ...]:
        """Record the same; returns the number of its source, and of the one that says so too."""
        number, other = self.cite(unit, text, standing), self.confirmed.get(unit)
        if other is None:
            return (number,)
        also = self.numbers.setdefault(other.passage, len(self.numbers) + 1)
        self.spans.setdefault(also, []).append((other.start, other.end))
        return number, also

    def _quote(self, position: int, span: Span) -> str:
        passage = self.passages[position]
        return passage.text[span[0] - passage.start : span[1] - passage.start]

    def citations(self) -> tuple[Citation, ...]:
        return tuple(self._citation(position, number) for position, number in self.numbers.items())

    def _citation(self, position: int, number: int) -> Citation:
        return citation_of(self.passages[position], number, *around(self.spans[number]))


def citation_of(passage: Passage, number: int, start: int, end: int) -> Citation:
    """Part of a passage as a numbered source; `start` and `end` are places in the document it comes from."""
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


def around(spans: list[Span]) -> Span:
    """One span over all of them while that stays readable, otherwise the first one said."""
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    return (start, end) if end - start <= LONGEST_QUOTE else spans[0]
