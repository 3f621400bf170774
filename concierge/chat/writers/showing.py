"""Answers made of rows of the catalogue: a welcome with the best of it, its prices at a glance, what fits a wish. Pure.

Every sentence about a row is the row's own, with the row as its source.
"""

from collections.abc import Sequence
from typing import Final

from concierge.catalog.schemas.context import CatalogEntry, PriceRange, ProductContext
from concierge.chat.strategy.moment import is_greeting
from concierge.chat.strategy.schemas import Strategy
from concierge.chat.writers.brief import AnswerBrief, WrittenAnswer
from concierge.chat.writers.phrases import is_call_for_help
from concierge.chat.writers.shelf import Shelf
from concierge.chat.writers.tongues import spoken
from concierge.chat.writers.wishes import (
    asks_for_offers,
    asks_for_prices,
    compares,
    is_leisurely,
    looks_around,
    named,
    wants_products,
)
from concierge.knowledge.lexical import terms

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
IS_IT_ABOUT: Final = (
    "Is it about the {subject}, or something else?",
    "Is it the {subject}, or is it another matter today?",
)
GLADLY: Final = ("Of course.", "Gladly.", "Certainly.")
TAKE_YOUR_TIME: Final = ("Take your time!", "Have a good look around!")
WHAT_IN_MIND: Final = (
    "Tell me what you have in mind, and I'll show you what we have on it.",
    "When something catches your interest, just ask.",
)
NOTHING_CLOSER: Final = (
    "Nothing fits that exactly; this comes closest:",
    "I have nothing just like that. The nearest I have:",
)
UPSET: Final = frozenset({"empathetic", "reassuring"})
RANGES: Final = 3
SIDE_BY_SIDE: Final = 2  # Sentences on each of the things that are compared.
OFFERS: Final = 2
ROWS: Final = {"brief": 2, "normal": 3, "detailed": 5}


def shown(brief: AnswerBrief) -> WrittenAnswer | None:
    """The answer that the catalogue, or what is known of the visitor, gives by itself; None for all other questions."""
    if brief.strategy is None:
        return None
    products = brief.products or ProductContext()
    return _spoken(brief, brief.strategy, products) or _from_rows(brief, products)


def _spoken(brief: AnswerBrief, strategy: Strategy, products: ProductContext) -> WrittenAnswer | None:
    """A welcome, or the hand held out to somebody who is back and needs help."""
    if is_greeting(brief.question):
        return _welcome(brief, strategy, products)
    if brief.unfinished and is_call_for_help(brief.question):
        question = _phrase(brief, IS_IT_ABOUT).format(subject=brief.unfinished)
        return _talk(_phrase(brief, GLADLY), question)
    return None


def _from_rows(brief: AnswerBrief, products: ProductContext) -> WrittenAnswer | None:
    rows = _products(products)
    if products.promotions and asks_for_offers(brief.question):
        return _offers(products)
    if compares(brief.question) and len(both := _named_in(brief.asked, rows)) > 1:
        return _side_by_side(both)
    if rows and (products.filters or _is_asked_for(brief, products)):
        return _fitting(brief, products, rows)
    if looks_around(brief.question):
        return _around(brief, products)
    if not rows and asks_for_prices(brief.question, [price.category for price in products.pricing]):
        return _prices(brief, products)
    return None


def _is_asked_for(brief: AnswerBrief, products: ProductContext) -> bool:
    """Whether things of a kind are wanted, and these are things of that kind."""
    kinds = [price.category for price in products.pricing]
    return wants_products(brief.question) and bool(named(brief.question, kinds))


def _phrase(brief: AnswerBrief, options: Sequence[str]) -> str:
    return spoken(brief, options)


def _talk(*sentences: str) -> WrittenAnswer:
    pieces = tuple(sentence if at == 0 else f" {sentence}" for at, sentence in enumerate(sentences))
    return WrittenAnswer("".join(pieces), "small_talk", 1.0, pieces=pieces)


def _welcome(brief: AnswerBrief, strategy: Strategy, products: ProductContext) -> WrittenAnswer:
    back = strategy.opening == "welcome_back"
    welcome = _phrase(brief, WELCOMES_BACK if back else WELCOMES)
    if back and brief.unfinished:
        return _talk(welcome, _phrase(brief, IS_IT_ABOUT).format(subject=brief.unfinished))
    if strategy.fallback != "showcase" or not products.featured:
        return _talk(welcome, _phrase(brief, OPEN_QUESTIONS))
    shelf = Shelf()
    shelf.say(welcome)
    shelf.show(products.featured[0])
    shelf.say(_phrase(brief, AFTER_SHOWING))
    return shelf.written()


def _products(products: ProductContext) -> Sequence[CatalogEntry]:
    return [entry for entry in products.matches if entry.kind == "product"]


def _fitting(brief: AnswerBrief, products: ProductContext, rows: Sequence[CatalogEntry]) -> WrittenAnswer:
    """The products that fit a wish, best first; where none does, the nearest, and it is said that they are."""
    shelf = Shelf()
    if products.nearest:
        shelf.say(_phrase(brief, NOTHING_CLOSER))
    few = rows[: ROWS[brief.length]]
    for entry in few:
        shelf.show(entry, item=len(few) > 2)
    return shelf.written()


def _named_in(question: str, rows: Sequence[CatalogEntry]) -> list[CatalogEntry]:
    """The products whose own name the question says, beside the word for their kind."""
    asked = set(terms(question))
    return [row for row in rows if row.title and terms(row.title)[:1] and terms(row.title)[0] in asked]


def _side_by_side(rows: Sequence[CatalogEntry]) -> WrittenAnswer:
    """What each costs and what it is, one after the other."""
    shelf = Shelf()
    for entry in rows[:RANGES]:
        shelf.show(entry, item=True, sentences=SIDE_BY_SIDE)
    return shelf.written()


def _around(brief: AnswerBrief, products: ProductContext) -> WrittenAnswer | None:
    """What there is, for who only looks: where each kind begins, or else the best of it."""
    leisurely = is_leisurely(brief.question)
    priced = _ranges(products)[:RANGES]
    if not priced and not products.featured:
        return _talk(_phrase(brief, TAKE_YOUR_TIME), _phrase(brief, WHAT_IN_MIND)) if leisurely else None
    shelf = Shelf()
    if leisurely:
        shelf.say(_phrase(brief, TAKE_YOUR_TIME))
    if priced:
        shelf.prices(priced)
    for entry in () if priced else products.featured[:OFFERS]:
        shelf.show(entry)
    return shelf.written()


def _offers(products: ProductContext) -> WrittenAnswer:
    """Each offer in a sentence; of a single one its first condition as well. The source has them all."""
    shelf = Shelf()
    few = products.promotions[:OFFERS]
    for promotion in few:
        shelf.promote(promotion, conditions=len(few) == 1)
    return shelf.written()


def _prices(brief: AnswerBrief, products: ProductContext) -> WrittenAnswer | None:
    """Where the prices of the categories that were named begin, or of all, and the first offer that runs today."""
    priced = _ranges(products)
    spoken_of = named(brief.question, [price.category for price, _ in priced])
    priced = [own for own in priced if not spoken_of or own[0].category in spoken_of][:RANGES]
    if not priced:
        return None
    shelf = Shelf()
    shelf.prices(priced)
    if products.promotions and brief.strategy is not None and brief.strategy.tone not in UPSET:
        shelf.promote(products.promotions[0], conditions=True)
    return shelf.written()


def _ranges(products: ProductContext) -> list[tuple[PriceRange, CatalogEntry]]:
    """The categories with their prices, those of the business's own choice first."""
    first = [entry.category for entry in products.featured]
    ranges = sorted(
        products.pricing,
        key=lambda price: first.index(price.category) if price.category in first else len(first),
    )
    return [(price, price.entry) for price in ranges if price.entry is not None and price.entry.sentences]
