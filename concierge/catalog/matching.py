"""Which rows fit a message: what to look for, and in which order what was found is worth telling. Pure."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final, cast
from uuid import UUID

import numpy as np

from concierge.catalog.filters import Filters
from concierge.catalog.indexing import CATEGORY, facet_term
from concierge.catalog.prices import Discounts
from concierge.catalog.repository.search import Asked, FoundProduct
from concierge.catalog.rows import FloatArray, price_now, product_entry
from concierge.catalog.schemas.context import CatalogEntry, EntryKind
from concierge.catalog.statements import category_levels, key_of
from concierge.kit.words import K1, idf, local_term, term_id, terms

# Up to here all products are compared; beyond it by posting lists and the approximate index.
SMALL: Final = 2_000
# Words that more products share than this tell too little to look for.
MOST_SHARED: Final = 1_200
MOST_MATCHES: Final = 8
# Measured on requests about the demo catalogue (tests/catalog/requests.jsonl).
NEAR: Final = 0.47
NAMED: Final = 0.5
NAMED_NEAR: Final = 0.18
NARROWED_NEAR: Final = 0.15
COVERED: Final = 0.95
TEXT_NEAR: Final = 0.42
# Where products are asked for, another text must say just that.
TEXT_NEAR_NARROWED: Final = 0.55
_COSINE, _BM25, _TITLE = 0.45, 0.2, 0.35
_FITS: Final = 0.25
_CALLED: Final = 0.5
# A single sentence is nearer to a question by chance than a whole row is.
_SENTENCE_LESS: Final = 0.05
# A word that no product has counts as one that this share of them has.
_UNKNOWN_SHARE: Final = 8
_SHORTEST_SKU: Final = 3
_NAME: Final = re.compile(r"(?<=[^\W_]\s)[^\W\d_a-z][^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Question:
    """`df` says how many of `products` hold a word of the message; words that none holds are not in it."""

    message: str
    filters: Filters
    vector: FloatArray
    df: Mapping[str, int]
    products: int

    def idf(self, word: str) -> float:
        known = self.df.get(word) or max(1, self.products // _UNKNOWN_SHARE)
        return idf(self.products, known)

    @property
    def names(self) -> set[str]:
        """Words that are written as names are: with a capital, and not at the beginning of a sentence."""
        return {stem for word in _NAME.findall(self.message) for stem in terms(word)}

    @property
    def known_words(self) -> list[str]:
        return [word for word in self.filters.all_words if self.df.get(word, 0) > 0]

    def named(self, strong: AbstractSet[str], weak: AbstractSet[str] = frozenset()) -> float:
        """How much of what the message says is in these words, 0 to 1; what else a word is called counts as well."""
        words = self.filters.words
        total = sum(self.idf(word) for word in words)
        found = 0.0
        for word in words:
            called = {word, *self.filters.others.get(word, ())}
            found += self.idf(word) * (1.0 if called & strong else 0.7 if called & weak else 0.0)
        return found / total if total else 0.0


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
        category=_only_category(filters),
        narrow=filters.narrow,
        small=question.products <= SMALL,
    )


def _only_category(filters: Filters) -> str:
    """The key of a category that has no others below it, where nothing else narrows the choice but prices and stock."""
    names = {facet.name for facet in filters.categories}
    alone = len(filters.categories) == 1 and names == {CATEGORY} and not filters.properties
    return key_of(filters.categories[0].value) if alone else ""


def _groups(org_id: UUID, filters: Filters) -> tuple[list[int], list[int]]:
    """Postings that must all be there, and those of which one must be. A second group of choices only ranks."""
    if not filters.narrow:
        return [], []
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
    scored = [_Scored.of(question, row, today, discounts) for row in found]
    ordered = _ordered(question.filters, [own for own in scored if own.belongs(question)], fitting=fitting)
    products = [own.entry(today, discounts) for own in ordered[:MOST_MATCHES]]
    filtered = _filtered(question.filters, currency, fitting=fitting) if products else []
    near = TEXT_NEAR_NARROWED if question.filters.narrow else TEXT_NEAR
    texts = [
        replace(entry, score=_text_score(question, entry))
        for entries in others.values()
        for entry in entries
        if entry.cosine >= near
    ]
    texts.sort(key=lambda entry: -entry.score)
    ranked = [*products, *texts]
    if not question.filters.sort and (fitting or not question.filters.has_price):
        ranked.sort(key=lambda entry: -entry.score)
    return ranked[:MOST_MATCHES], filtered


# What a wish begins with that no product fits.
NOTHING: Final = "nothing"


def _filtered(filters: Filters, currency: str, *, fitting: bool) -> list[str]:
    said = list(filters.said(currency))
    if not fitting:
        said = [f"{NOTHING} {', '.join(said)}; these come nearest"]
    if filters.is_foreign(currency):
        said.append(f"the prices are in {currency}, so they were not compared")
    return said


@dataclass(frozen=True, slots=True)
class _Scored:
    row: FoundProduct
    score: float
    cosine: float
    price: Decimal | None
    named: float
    called: bool
    by_name: bool
    inside: bool

    @classmethod
    def of(cls, question: Question, row: FoundProduct, today: date, discounts: Discounts) -> "_Scored":
        product, filters = row.product, question.filters
        title = set(terms(f"{product['title']} {product['sku']}"))
        named = question.named(title, set(terms(f"{product['category']} {product['brand']}")))
        most = (K1 + 1) * sum(question.idf(word) for word in filters.words)
        bm25 = min(1.0, row.bm25 / most) if most else 0.0
        cosine = max(row.cosine or 0.0, _best_sentence(row.sentence_vectors, question.vector))
        inside = _is_in(product, filters)
        called = _is_called(question.message, product)
        score = _COSINE * max(0.0, cosine) + _BM25 * bm25 + _TITLE * named
        score += _FITS * (row.fits and (filters.narrow or inside)) + _CALLED * called
        price = price_now(product, today, discounts) if filters.sort or filters.has_price else None
        return cls(
            row=row,
            score=min(1.0, score),
            cosine=cosine,
            price=None if price is None else price.now,
            named=named,
            called=called,
            by_name=bool(title & question.names),
            inside=inside,
        )

    def entry(self, today: date, discounts: Discounts) -> CatalogEntry:
        row = self.row
        said = product_entry(row.product, row.sentence_vectors, row.updated_at, today, discounts)
        return replace(said, score=self.score, cosine=self.cosine)

    def belongs(self, question: Question) -> bool:
        """Whether the message has to do with it at all."""
        filters = question.filters
        if self.called or filters.sort or filters.reduced:
            return True
        if filters.narrow and (self.inside or filters.anything):
            return True
        if self.by_name and self.cosine > 0:
            return True
        if self.row.cosine is None and self.named >= NAMED:
            return True  # Nobody has read it for its meaning yet; its name must do.
        least = NAMED_NEAR if self.named >= NAMED else NARROWED_NEAR if self.inside else NEAR
        return self.cosine >= least or (self.named > 0 and self.says(question) >= COVERED)

    def says(self, question: Question) -> float:
        """How much of the message is in what the product says of itself."""
        product = self.row.product
        return question.named(
            set(terms(f"{product['title']} {product['description']} {product['attributes']}"))
        )


def _best_sentence(stored: bytes | None, vector: FloatArray) -> float:
    if not stored:
        return 0.0
    rows = np.frombuffer(stored, dtype=np.float16).reshape(-1, len(vector)).astype(np.float32)
    return float((rows @ vector).max()) - _SENTENCE_LESS


def _is_in(product: Mapping[str, object], filters: Filters) -> bool:
    levels = {key_of(level) for level in category_levels(str(product["category"]))}
    return any(key_of(facet.value) in levels for facet in filters.categories)


def _is_called(message: str, product: Mapping[str, object]) -> bool:
    """Whether a message has an article number in it, that of the product or of one of its variants."""
    variants = cast("Sequence[Mapping[str, str]]", product["variants"])
    folded = f" {message.casefold()} "
    skus = (str(product["sku"]), *(variant["sku"] for variant in variants))
    return any(
        len(sku) >= _SHORTEST_SKU and not sku.isalpha() and _stands_alone(sku.casefold(), folded)
        for sku in skus
    )


def _stands_alone(sku: str, folded: str) -> bool:
    at = folded.find(sku)
    if at <= 0:
        return False
    before, behind = folded[at - 1], folded[at + len(sku)]
    return not (before.isalnum() or behind.isalnum() or behind == "-" or before == "-")


def _ordered(filters: Filters, products: Sequence[_Scored], *, fitting: bool) -> list[_Scored]:
    """By the order that was asked for; where nothing fits, by how near the price is; else by score."""
    if filters.sort == "newest":
        return sorted(products, key=lambda own: -own.row.created_at.timestamp())
    if filters.sort:
        sign = 1 if filters.sort == "cheapest" else -1
        return sorted(products, key=lambda own: (own.price is None, sign * (own.price or 0), -own.score))
    if filters.has_price and not fitting:
        return sorted(products, key=lambda own: (_distance(filters, own.price), -own.score))
    return sorted(products, key=lambda own: -own.score)


def _distance(filters: Filters, price: Decimal | None) -> Decimal:
    if price is None:
        return Decimal("Infinity")
    if filters.high is not None and price > filters.high:
        return price - filters.high
    return filters.low - price if filters.low is not None and price < filters.low else Decimal(0)


def _text_score(question: Question, entry: CatalogEntry) -> float:
    """Comparable with that of a product: what a title has of the message counts as a product's does."""
    return _COSINE * entry.cosine + (_BM25 + _TITLE) * question.named(set(terms(entry.title)))
