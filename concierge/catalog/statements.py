"""What a row of the catalogue says, in full sentences that an answer may repeat. Pure.

A statement has as many sentences, in the same order, whatever holds on the day: a promotion changes the words of those
that say prices, and nothing else, so that the vectors of the sentences stay true.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from concierge.catalog.prices import Discount, PriceNow, Sale, price_on, said_price
from concierge.catalog.schemas.context import Span
from concierge.kit.goods import is_plural, subject
from concierge.kit.money import said
from concierge.kit.sentences import sentence_spans
from concierge.kit.words import terms

STATEMENT_VERSION: Final = 1  # Raised when the same row is worded otherwise, so that it is embedded again.
MOST_DESCRIBING: Final = 12
MOST_VARIANTS_SAID: Final = 12
MOST_VALUES_SAID: Final = 20
_STATES: Final[Mapping[str, str]] = {
    "in_stock": "in stock",
    "limited": "in stock, but only a few are left",
    "preorder": "available to pre-order",
    "backorder": "on back order",
    "out_of_stock": "out of stock",
    "discontinued": "discontinued",
}
_MATERIAL: Final = frozenset({"material", "materials"})
# An amount of money; a description that names one may be older than the price.
_MONEY: Final = re.compile(
    r"[$€£¥₹₩₪₺₴₫₦₱]\s?\d|\d\s?[$€£¥₹₩₪₺₴₫₦₱]|\b(?:USD|EUR|GBP|CHF|SEK|NOK|DKK|CAD|AUD)\s?\d"
    r"|\d\s?(?:USD|EUR|GBP|CHF|SEK|NOK|DKK|CAD|AUD|dollars?|euros?|pounds?)\b",
    re.IGNORECASE,
)
_AMOUNT: Final = re.compile(r"[$€£¥₹₩₪₺₴₫₦₱][\d,.]*\d|\d[\d,.]* [A-Z]{3}\b")
_BULLET: Final = re.compile(r"^(?:[-*•·–]|\d{1,2}[.)])\s+")


@dataclass(frozen=True, slots=True)
class OfferedVariant:
    sku: str
    title: str
    price: Decimal | None
    sale_price: Decimal | None
    availability: str | None
    in_stock: bool | None
    attributes: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Offered:
    """A product as far as it is spoken of."""

    sku: str
    title: str
    description: str
    category: str
    brand: str
    currency: str
    price: Decimal | None
    sale_price: Decimal | None
    sale_begins: date | None
    sale_ends: date | None
    availability: str | None
    in_stock: bool | None
    attributes: Mapping[str, Sequence[str]]
    variants: tuple[OfferedVariant, ...] = ()

    @property
    def all_attributes(self) -> dict[str, list[str]]:
        """Its own and those of its variants, each value once, by name: the database keeps no other order."""
        found: dict[str, list[str]] = {}
        for attributes in (self.attributes, *(variant.attributes for variant in self.variants)):
            for name, values in attributes.items():
                known = found.setdefault(name, [])
                known.extend(value for value in values if value not in known)
        return dict(sorted(found.items()))

    @property
    def list_prices(self) -> list[Decimal]:
        own = [] if self.price is None else [self.price]
        return [variant.price for variant in self.variants if variant.price is not None] or own

    @property
    def lowest(self) -> Decimal | None:
        return min(self.list_prices, default=None)

    def sale(self, price: Decimal | None) -> Sale | None:
        return None if price is None else Sale(price, self.sale_begins, self.sale_ends)


@dataclass(frozen=True, slots=True)
class Statement:
    """`price` is the lowest of today, None where none is known; `sentences` are spans of `text`."""

    text: str
    sentences: tuple[Span, ...]
    price: PriceNow | None = None


def category_levels(category: str) -> list[str]:
    """“Furniture > Sofas” is Furniture, Sofas."""
    return [level for part in category.split(">") if (level := part.strip())]


def key_of(value: str) -> str:
    """What a category or a value is compared by: its stems, so that “Sofas” is “sofa”."""
    return " ".join(terms(value)) or value.strip().casefold()


def category_key(category: str) -> str:
    levels = category_levels(category)
    return key_of(levels[-1]) if levels else ""


def joined(sentences: Iterable[str]) -> Statement:
    """Put sentences one after another."""
    text, spans = "", list[Span]()
    for sentence in sentences:
        start = len(text) + bool(text)
        text = f"{text} {sentence}" if text else sentence
        spans.append((start, len(text)))
    return Statement(text, tuple(spans))


def stated_text(body: str) -> Statement:
    """A text that an operator wrote, as it is."""
    spans = [
        (start + begin, start + end) for start, line in _lines(body) for begin, end in sentence_spans(line)
    ]
    return Statement(body, tuple(spans))


def state(product: Offered, today: date | None, discounts: Sequence[Discount] = ()) -> Statement:
    """What a product is and costs on a day; without one, without any reduction."""
    now = _prices(product, today, discounts)
    sentences = [
        *_offer(product, now, today),
        *_described(product.description),
        *_properties(product),
        *_varied(product, now, today),
    ]
    plain = joined(sentences or [f"{subject(product.title)}."])
    return Statement(
        plain.text, plain.sentences, min(now.values(), key=lambda price: price.now, default=None)
    )


def _prices(product: Offered, today: date | None, discounts: Sequence[Discount]) -> dict[str, PriceNow]:
    """Today's price of each variant that has one, by sku; or of the product itself."""
    priced = [
        (variant.sku, variant.price, variant.sale_price or product.sale_price)
        for variant in product.variants
        if variant.price is not None
    ]
    if not priced and product.price is not None:
        priced = [(product.sku, product.price, product.sale_price)]
    if today is None:
        return {sku: PriceNow(price) for sku, price, _ in priced}
    return {
        sku: price_on(today, price, product.currency, product.sale(sale), discounts)
        for sku, price, sale in priced
    }


def _offer(product: Offered, now: Mapping[str, PriceNow], today: date | None) -> Iterator[str]:
    many = is_plural(product.title)
    parts: list[str] = []
    if now:
        parts.append(f"{'cost' if many else 'costs'} {_cost(list(now.values()), product.currency, today)}")
    if (known := _stock(product)) is not None:
        parts.append(f"{'are' if many else 'is'} {known}")
    if parts:
        yield f"{subject(product.title)} {' and '.join(parts)}."


def _cost(prices: Sequence[PriceNow], currency: str, today: date | None) -> str:
    lowest, highest = (pick(prices, key=lambda price: price.now) for pick in (min, max))
    if lowest == highest:
        return said_price(lowest, currency, today)
    return f"from {said(lowest.now, currency)} to {said(highest.now, currency)}"


def _stock(product: Offered) -> str | None:
    if product.variants and product.in_stock is not None:
        return _STATES["in_stock" if product.in_stock else "out_of_stock"]
    if product.availability is not None:
        return _STATES[product.availability]
    return None if product.in_stock is None else _STATES["in_stock" if product.in_stock else "out_of_stock"]


def _described(description: str) -> list[str]:
    """The sentences of a description but those that name an amount of money: what a row costs, its price says."""
    found: list[str] = []
    for _, line in _lines(description):
        body = _BULLET.sub("", line)
        for start, end in sentence_spans(body):
            sentence = " ".join(body[start:end].split())
            if any(letter.isalnum() for letter in sentence) and not _MONEY.search(sentence):
                found.append(sentence if sentence[-1] in ".!?…。！？:;" else f"{sentence}.")
    return found[:MOST_DESCRIBING]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.split("\n"):
        if line.strip():
            yield start, line
        start += len(line) + 1


def _properties(product: Offered) -> Iterator[str]:
    it = "They are" if is_plural(product.title) else "It is"
    if product.brand:
        yield f"Brand: {product.brand}."
    for name, values in product.all_attributes.items():
        listed = ", ".join(values[:MOST_VALUES_SAID])
        if name.casefold() in _MATERIAL and len(values) == 1:
            yield f"{it} made of {listed[:1].lower() + listed[1:]}."
        else:
            yield f"{name[:1].upper() + name[1:]}: {listed}."


def _varied(product: Offered, now: Mapping[str, PriceNow], today: date | None) -> Iterator[str]:
    """Each variant with its price where they differ by what they cost; else those that are out of stock."""
    named = [(variant, _name(variant)) for variant in product.variants]
    if len(set(product.list_prices)) > 1:
        for variant, name in named[:MOST_VARIANTS_SAID]:
            if name and variant.sku in now:
                yield f"{name}: {said_price(now[variant.sku], product.currency, today)}."
    gone = [name for variant, name in named if variant.in_stock is False and name]
    if gone and len(gone) < len(named):
        yield f"Out of stock just now: {', '.join(gone[:MOST_VALUES_SAID])}."


def _name(variant: OfferedVariant) -> str:
    chosen = (value for _, values in sorted(variant.attributes.items()) for value in values)
    return variant.title or ", ".join(chosen)


def without_prices(text: str) -> str:
    """What a statement says besides amounts of money: where that is the same, its vectors are still true."""
    return _AMOUNT.sub("#", text)


def offered_variant(stored: Mapping[str, Any]) -> OfferedVariant:
    """A variant as it is kept in a row."""
    return OfferedVariant(
        sku=stored["sku"],
        title=stored.get("title", ""),
        price=_decimal(stored.get("price")),
        sale_price=_decimal(stored.get("sale_price")),
        availability=stored.get("availability"),
        in_stock=stored.get("in_stock"),
        attributes=stored.get("attributes") or {},
    )


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
