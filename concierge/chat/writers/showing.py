"""Answers made of rows of the catalogue: a welcome with the best of it, its prices at a glance, what fits a wish. Pure.

Every sentence about a row is the row's own, with the row as its source.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from concierge.catalog.schemas.context import CatalogEntry, PriceRange, ProductContext
from concierge.chat.strategy.moment import asks_price, is_greeting
from concierge.chat.strategy.schemas import Strategy
from concierge.chat.writers.brief import AnswerBrief, Citation, Claim, WrittenAnswer
from concierge.chat.writers.citations import marked
from concierge.chat.writers.phrases import pick

# Somebody wrote these rows to be shown; that they fit the wish is as sure as the search for them.
SURE: Final = 0.9
WELCOMES: Final = ("Welcome!", "Hello, and welcome!", "Hi, good to have you here!")
WELCOMES_BACK: Final = ("Welcome back!", "Good to see you again!", "Hello again!")
OPEN_QUESTIONS: Final = (
    "What can I help you with?",
    "What are you looking for?",
    "What would you like to know?",
)
AFTER_SHOWING: Final = (
    "Looking for something like that, or shall I point you somewhere else?",
    "Is that the kind of thing you have in mind?",
)
AGAIN: Final = (
    "Is it about the {subject} again, or something else?",
    "Shall we go on with the {subject}, or is it something else today?",
)
NOTHING_CLOSER: Final = (
    "Nothing fits that exactly; this comes closest:",
    "I have nothing just like that. The nearest I have:",
)
RANGES: Final = 3
ROWS: Final = {"brief": 2, "normal": 3, "detailed": 5}


@dataclass(slots=True)
class Shelf:
    """Puts together what is shown, and keeps what each sentence rests on."""

    pieces: list[str] = field(default_factory=list[str])
    claims: list[Claim] = field(default_factory=list[Claim])
    citations: dict[str, Citation] = field(default_factory=dict[str, Citation])

    def say(self, text: str) -> None:
        self.pieces.append(text if not self.pieces or self.pieces[-1].endswith("\n") else f" {text}")

    def show(self, entry: CatalogEntry, *, item: bool = False) -> None:
        """Say the first sentence of a row, as an item of a list or as the next sentence."""
        start, end = entry.sentences[0] if entry.sentences else (0, len(entry.text))
        sentence = entry.text[start:end]
        number = self._cite(entry, sentence, sentence, start, end)
        self.pieces.append(
            f"\n- {marked(sentence, number)}" if item else self._next(marked(sentence, number))
        )

    def price(self, price: PriceRange, entry: CatalogEntry, *, first: bool, last: bool) -> None:
        """Say what a category begins at: “Sofas from $899 [1]”."""
        start, end = entry.sentences[0]
        name = price.category[:1].upper() + price.category[1:] if first else price.category.lower()
        number = self._cite(entry, price.said, entry.text[start:end], start, end)
        text = f"{name} from {price.said} [{number}]{'.' if last else ','}"
        self.pieces.append(self._next(text))

    def _cite(self, entry: CatalogEntry, text: str, quote: str, start: int, end: int) -> int:
        key = str(entry.id)
        if key not in self.citations:
            self.citations[key] = Citation(
                number=len(self.citations) + 1,
                document_id=entry.id,
                chunk_id=entry.id,
                title=entry.title,
                url=entry.url,
                kind=entry.kind,
                score=entry.score,
                quote=quote,
                start=start,
                end=end,
            )
        number = self.citations[key].number
        self.claims.append(Claim(text, number, quote, start, end))
        return number

    def _next(self, text: str) -> str:
        return f" {text}" if self.pieces else text

    def written(self) -> WrittenAnswer:
        return WrittenAnswer(
            text="".join(self.pieces),
            outcome="answered",
            confidence=SURE,
            claims=tuple(self.claims),
            citations=tuple(self.citations.values()),
            pieces=tuple(self.pieces),
        )


def shown(brief: AnswerBrief) -> WrittenAnswer | None:
    """The answer that the catalogue alone gives to a greeting, a wish or a general question of price; None for others."""
    if brief.strategy is None:
        return None
    products = brief.products or ProductContext()
    if is_greeting(brief.question):
        return _welcome(brief, brief.strategy, products)
    if products.filters and (rows := _products(products)):
        return _fitting(brief, products, rows)
    if asks_price(brief.question) and not _products(products):
        return _prices(products)
    return None


def _welcome(brief: AnswerBrief, strategy: Strategy, products: ProductContext) -> WrittenAnswer:
    shelf = Shelf()
    back = strategy.opening == "welcome_back"
    shelf.say(pick(WELCOMES_BACK if back else WELCOMES, brief.question, brief.turn, brief.said))
    again = brief.unfinished
    if back and again:
        shelf.say(pick(AGAIN, brief.question, brief.turn, brief.said).format(subject=again))
    elif strategy.fallback == "showcase" and products.featured:
        shelf.show(products.featured[0])
        shelf.say(pick(AFTER_SHOWING, brief.question, brief.turn, brief.said))
    else:
        shelf.say(pick(OPEN_QUESTIONS, brief.question, brief.turn, brief.said))
    written = shelf.written()
    return (
        written if written.claims else WrittenAnswer(written.text, "small_talk", 1.0, pieces=written.pieces)
    )


def _products(products: ProductContext) -> Sequence[CatalogEntry]:
    return [entry for entry in products.matches if entry.kind == "product"]


def _fitting(brief: AnswerBrief, products: ProductContext, rows: Sequence[CatalogEntry]) -> WrittenAnswer:
    """The products that fit a wish, best first; where none does, the nearest, and it is said that they are."""
    shelf = Shelf()
    if products.nearest:
        shelf.say(pick(NOTHING_CLOSER, brief.question, brief.turn, brief.said))
    few = rows[: ROWS[brief.length]]
    as_list = len(few) > 2
    for entry in few:
        shelf.show(entry, item=as_list)
    if as_list and shelf.pieces[0].startswith("\n"):
        shelf.pieces[0] = shelf.pieces[0].lstrip("\n")
    return shelf.written()


def _prices(products: ProductContext) -> WrittenAnswer | None:
    """Where the prices of each category begin, the first categories of the business's own choice."""
    priced = list(_ranges(products))[:RANGES]
    if not priced:
        return None
    shelf = Shelf()
    for place, (price, entry) in enumerate(priced):
        shelf.price(price, entry, first=place == 0, last=place == len(priced) - 1)
    return shelf.written()


def _ranges(products: ProductContext) -> Iterator[tuple[PriceRange, CatalogEntry]]:
    first = [entry.category for entry in products.featured]
    ranges = sorted(
        products.pricing,
        key=lambda price: first.index(price.category) if price.category in first else len(first),
    )
    for price in ranges:
        if price.entry is not None and price.entry.sentences:
            yield price, price.entry
