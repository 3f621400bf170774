"""Which rows fit a message: what to look for, and in which order what was found is worth telling. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from concierge.catalog.filters import Filters
from concierge.catalog.indexing import facet_term
from concierge.catalog.prices import Discounts
from concierge.catalog.repository.search import Asked, FoundProduct
from concierge.catalog.rows import FloatArray, product_entry
from concierge.catalog.schemas.context import CatalogEntry, EntryKind
from concierge.kit.words import K1, idf, local_term, term_id, terms

# Up to here all products are compared; beyond it by posting lists and the approximate index.
SMALL: Final = 2_000
# Words that more products share than this tell too little to look for.
MOST_SHARED: Final = 2_000
MOST_MATCHES: Final = 8
# Measured on requests about the demo catalogue (tests/catalog/requests.jsonl).
NEAR: Final = 0.47
NAMED: Final = 0.5
NAMED_NEAR: Final = 0.18
TEXT_NEAR: Final = 0.42
_COSINE, _BM25, _TITLE = 0.45, 0.2, 0.35


@dataclass(frozen=True, slots=True)
class Question:
    """`df` says how many of `products` hold a word of the message; words that none holds are not in it."""

    filters: Filters
    vector: FloatArray
    df: Mapping[str, int]
    products: int

    def idf(self, word: str) -> float:
        return idf(self.products, self.df.get(word, 0))

    @property
    def known_words(self) -> list[str]:
        return [word for word in self.filters.words if self.df.get(word, 0) > 0]


def asked(
    org_id: UUID, question: Question, today: date, discounts: Mapping[str, object] | None, currency: str
) -> Asked:
    """What to look for in the database."""
    filters = question.filters
    every, either = _groups(org_id, filters)
    loose = [facet_term(org_id, facet.name, facet.value) for facet in filters.categories]
    sorts_a_category = bool(filters.sort and filters.categories)
    words = () if sorts_a_category or filters.reduced else _telling(question)
    nearest = "cheapest" if filters.high is not None else "dearest" if filters.low is not None else ""
    foreign = filters.is_foreign(currency)
    return Asked(
        words=[local_term(org_id, word) for word in words],
        weights={term_id(word): question.idf(word) for word in question.known_words},
        vector=question.vector,
        today=today,
        every=every,
        either=either,
        loose=loose if len(loose) == 1 else (),
        discounts=discounts,
        low=None if foreign else filters.low,
        high=None if foreign else filters.high,
        stocked=filters.stocked,
        reduced=filters.reduced,
        sort=filters.sort,
        nearest=nearest,
        narrow=filters.narrow,
        small=question.products <= SMALL,
    )


def _groups(org_id: UUID, filters: Filters) -> tuple[list[int], list[int]]:
    """Postings that must all be there, and those of which one must be. A second group of choices only ranks."""
    groups = [
        [facet_term(org_id, facet.name, facet.value) for facet in group]
        for group in (filters.categories, *filters.properties)
    ]
    every = [group[0] for group in groups if len(group) == 1]
    return every, next((group for group in groups if len(group) > 1), [])


def _telling(question: Question) -> list[str]:
    """The rarest words, until so many products have one that more would tell nothing."""
    chosen: list[str] = []
    shared = 0
    for word in sorted(question.known_words, key=lambda word: question.df[word]):
        shared += question.df[word]
        if chosen and shared > MOST_SHARED:
            break
        chosen.append(word)
    return chosen


def matching(
    question: Question,
    found: Sequence[FoundProduct],
    others: Mapping[EntryKind, Sequence[CatalogEntry]],
    today: date,
    discounts: Discounts,
    currency: str,
) -> tuple[list[CatalogEntry], list[str]]:
    """The rows that fit, best first, and what they were narrowed down by."""
    fitting = any(row.fits for row in found)
    scored = [
        _Scored.of(
            question, row, product_entry(row.product, row.sentence_vectors, row.updated_at, today, discounts)
        )
        for row in found
    ]
    products = [own for own in scored if own.belongs(question)]
    products = _ordered(question.filters, products, fitting=fitting)
    filtered = _filtered(question.filters, currency, fitting=fitting) if products else []
    texts = [
        replace(entry, score=_text_score(question, entry))
        for entries in others.values()
        for entry in entries
        if entry.cosine >= TEXT_NEAR
    ]
    ranked = [own.entry for own in products]
    if not question.filters.sort:
        ranked = sorted([*ranked, *texts], key=lambda entry: -entry.score)
    else:
        ranked = [*ranked, *sorted(texts, key=lambda entry: -entry.score)]
    return ranked[:MOST_MATCHES], filtered


def _filtered(filters: Filters, currency: str, *, fitting: bool) -> list[str]:
    said = list(filters.said(currency))
    if not fitting:
        said = [f"nothing {', '.join(said)}; these come nearest"]
    if filters.is_foreign(currency):
        said.append(f"the prices are in {currency}, so they were not compared")
    return said


@dataclass(frozen=True, slots=True)
class _Scored:
    entry: CatalogEntry
    named: float
    fits: bool
    created: float

    @classmethod
    def of(cls, question: Question, row: FoundProduct, entry: CatalogEntry) -> "_Scored":
        words = question.filters.words
        total = sum(question.idf(word) for word in words) or 1.0
        title = set(terms(f"{row.product['title']} {row.product['sku']}"))
        around = title | set(terms(f"{row.product['category']} {row.product['brand']}"))
        named = sum(question.idf(word) * _weight(word, title, around) for word in words) / total
        bm25 = min(1.0, row.bm25 / ((K1 + 1) * total))
        cosine = row.cosine or 0.0
        score = _COSINE * max(0.0, cosine) + _BM25 * bm25 + _TITLE * min(1.0, named)
        return cls(replace(entry, score=score, cosine=cosine), named, row.fits, row.created_at.timestamp())

    def belongs(self, question: Question) -> bool:
        """Whether the message has to do with it at all."""
        filters = question.filters
        asks = bool(filters.categories or filters.sort or filters.reduced)
        if asks or (filters.anything and filters.narrow):
            return True
        return self.entry.cosine >= NEAR or (self.named >= NAMED and self.entry.cosine >= NAMED_NEAR)


def _weight(word: str, title: set[str], around: set[str]) -> float:
    return 1.0 if word in title else 0.7 if word in around else 0.0


def _ordered(filters: Filters, products: Sequence[_Scored], *, fitting: bool) -> list[_Scored]:
    """By the order that was asked for; where nothing fits, by how near the price is; else by score."""
    if filters.sort == "newest":
        return sorted(products, key=lambda own: -own.created)
    if filters.sort:
        sign = 1 if filters.sort == "cheapest" else -1
        return sorted(products, key=lambda own: (own.entry.price is None, sign * (own.entry.price or 0)))
    if filters.has_price and not fitting:
        return sorted(products, key=lambda own: (_distance(filters, own.entry.price), -own.entry.score))
    return sorted(products, key=lambda own: -own.entry.score)


def _distance(filters: Filters, price: Decimal | None) -> Decimal:
    if price is None:
        return Decimal("Infinity")
    if filters.high is not None and price > filters.high:
        return price - filters.high
    return filters.low - price if filters.low is not None and price < filters.low else Decimal(0)


def _text_score(question: Question, entry: CatalogEntry) -> float:
    """Comparable with that of a product: what a title has of the message counts as a product's does."""
    words = question.filters.words
    title = set(terms(entry.title))
    total = sum(question.idf(word) for word in words) or 1.0
    named = sum(question.idf(word) for word in words if word in title) / total
    return _COSINE * entry.cosine + (_BM25 + _TITLE) * named
