"""Puts together what is shown from rows of the catalogue, and keeps what each sentence rests on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from concierge.catalog.schemas.context import CatalogEntry, PriceRange, Promotion
from concierge.chat.writers.brief import Citation, Claim, WrittenAnswer
from concierge.chat.writers.catalog import passage_of, passage_of_promotion
from concierge.chat.writers.citations import citation_of, marked
from concierge.kit.sentences import sentence_spans
from concierge.knowledge.schemas import Passage

# Somebody wrote these rows to be shown; that they fit the wish is as sure as the search for them.
SURE: Final = 0.9


@dataclass(slots=True)
class Shelf:
    pieces: list[str] = field(default_factory=list[str])
    claims: list[Claim] = field(default_factory=list[Claim])
    citations: dict[str, Citation] = field(default_factory=dict[str, Citation])

    def say(self, text: str) -> None:
        self.pieces.append(text if not self.pieces or self.pieces[-1].endswith("\n") else f" {text}")

    def show(self, entry: CatalogEntry, *, item: bool = False, sentences: int = 1) -> None:
        """Say the first sentences of a row, as an item of a list or as the next ones."""
        spans = entry.sentences[:sentences]
        start, end = (spans[0][0], spans[-1][1]) if spans else (0, len(entry.text))
        sentence = entry.text[start:end]
        number = self.cite(passage_of(entry, 0), sentence, start, end)
        if item:
            self.pieces.append(
                f"\n- {marked(sentence, number)}" if self.pieces else f"- {marked(sentence, number)}"
            )
        else:
            self.say(marked(sentence, number))

    def promote(self, promotion: Promotion, *, conditions: bool = False) -> None:
        """Say an offer, and the first of its conditions where there is room for them."""
        passage = passage_of_promotion(promotion, 0)
        offer, *others = passage.text.splitlines()
        told = [others[0][start:end] for start, end in sentence_spans(others[0])[:1]] if others else []
        for line in (offer, *(told if conditions else ())):
            start = passage.text.index(line)
            self.say(marked(line, self.cite(passage, line, start, start + len(line))))

    def prices(self, priced: Sequence[tuple[PriceRange, CatalogEntry]]) -> None:
        """Say where each category begins: “You'll find sofas from $899 [1] and chairs from $129 [2].”"""
        for place, (price, entry) in enumerate(priced):
            start, end = entry.sentences[0]
            quote = entry.text[start:end]
            number = self.cite(passage_of(entry, 0), quote, start, end, said=price.said)
            before = "You'll find " if place == 0 else " and " if place == len(priced) - 1 else ", "
            stop = "." if place == len(priced) - 1 else ""
            text = f"{before}{lowered(price.category)} from {price.said} [{number}]{stop}"
            self.say(text) if place == 0 else self.pieces.append(text)

    def cite(self, passage: Passage, quote: str, start: int, end: int, *, said: str | None = None) -> int:
        key = str(passage.chunk_id)
        if key not in self.citations:
            self.citations[key] = citation_of(passage, len(self.citations) + 1, start, end)
        number = self.citations[key].number
        self.claims.append(Claim(said or quote, number, quote, start, end))
        return number

    def written(self) -> WrittenAnswer:
        return WrittenAnswer(
            text="".join(self.pieces),
            outcome="answered",
            confidence=SURE,
            claims=tuple(self.claims),
            citations=tuple(self.citations.values()),
            pieces=tuple(self.pieces),
        )


def lowered(category: str) -> str:
    """The name of a category as it stands within a sentence; of a path, its last part."""
    name = category.rpartition(">")[2].strip()
    return name[:1].lower() + name[1:]
