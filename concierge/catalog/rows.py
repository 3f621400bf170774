"""Rows as the database gives them, as values and as evidence. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from concierge.catalog.models import CatalogProduct
from concierge.catalog.prices import Discount, Discounts, PriceNow, RunningPromotion, holds, price_on
from concierge.catalog.schemas.context import CatalogEntry, EntryKind, Promotion
from concierge.catalog.statements import (
    Offered,
    Statement,
    key_of,
    offered_variant,
    state,
    stated_text,
)

FloatArray = NDArray[np.float32]
DIMENSION: Final = 384
_NO_ROWS: Final[FloatArray] = np.empty((0, DIMENSION), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of the business's texts or promotions with its vector, None until it is read."""

    entry: CatalogEntry
    vector: FloatArray | None


def offered_of(values: Mapping[str, Any]) -> Offered:
    """A product from its columns, as JSON or as an object's attributes have them."""
    return Offered(
        sku=values["sku"],
        title=values["title"],
        description=values["description"],
        category=values["category"],
        brand=values["brand"],
        currency=values["currency"],
        price=_decimal(values["price"]),
        sale_price=_decimal(values["sale_price"]),
        sale_begins=_date(values["sale_begins"]),
        sale_ends=_date(values["sale_ends"]),
        availability=values["availability"],
        in_stock=values["in_stock"],
        attributes=values["attributes"],
        variants=tuple(offered_variant(variant) for variant in values["variants"]),
    )


def offered_row(row: CatalogProduct) -> Offered:
    return offered_of({name: getattr(row, name) for name in Offered.__dataclass_fields__})


def product_entry(
    values: Mapping[str, Any],
    sentences: bytes | None,
    updated_at: datetime,
    today: date,
    discounts: Discounts,
) -> CatalogEntry:
    """A product as evidence of today; its scores are nought."""
    product = offered_of(values)
    said = state(product, today, discounts.on(product.sku, values["category_key"]))
    return CatalogEntry(
        id=_id(values["id"]),
        kind="product",
        title=product.title,
        text=said.text,
        url=values["url"],
        sentences=said.sentences,
        sentence_vectors=_sentence_rows(sentences, said),
        score=0.0,
        cosine=0.0,
        updated_at=updated_at,
        category=product.category or None,
        price=said.price.now if said.price else None,
        was=said.price.was if said.price else None,
        currency=product.currency,
        in_stock=product.in_stock,
        audience=values["audience"],
    )


def text_entry(values: Mapping[str, Any], sentences: bytes | None, vector: FloatArray | None) -> Kept:
    """A policy, something of the company, a way to get support, or a question with its answer."""
    kind: EntryKind = values["kind"]
    return _kept(values, kind, stated_text(values["text"]), sentences, vector)


def promotion_entry(values: Mapping[str, Any], sentences: bytes | None, vector: FloatArray | None) -> Kept:
    return _kept(
        values, "promotion", promotion_statement(values["text"], values["conditions"]), sentences, vector
    )


def promotion_statement(text: str, conditions: str) -> Statement:
    return stated_text(f"{text}\n{conditions}" if conditions else text)


def _kept(
    values: Mapping[str, Any],
    kind: EntryKind,
    said: Statement,
    sentences: bytes | None,
    vector: FloatArray | None,
) -> Kept:
    entry = CatalogEntry(
        id=_id(values["id"]),
        kind=kind,
        title=values["title"],
        text=said.text,
        url=values["url"],
        sentences=said.sentences,
        sentence_vectors=_sentence_rows(sentences, said),
        score=0.0,
        cosine=0.0,
        updated_at=datetime.fromisoformat(values["updated_at"]),
        audience=values["audience"],
    )
    return Kept(entry, vector)


def promotion_of(values: Mapping[str, Any]) -> Promotion:
    return Promotion(
        id=_id(values["id"]),
        title=values["title"],
        text=values["text"],
        conditions=values["conditions"],
        begins=_date(values["begins"]),
        ends=_date(values["ends"]),
    )


def holds_on(values: Mapping[str, Any], *days: date) -> bool:
    """Whether a promotion holds on all of these days."""
    begins, ends = _date(values["begins"]), _date(values["ends"])
    return all(holds(begins, ends, day) for day in days)


def running(values: Mapping[str, Any]) -> RunningPromotion | None:
    """What a promotion takes off prices; None for one that lowers none."""
    percent, amount = _decimal(values["percent"]), _decimal(values["amount"])
    if percent is None and amount is None:
        return None
    return RunningPromotion(
        applies_to=values["applies_to"],
        category_key=key_of(values["category"]),
        skus=tuple(values["skus"]),
        discount=Discount(percent, amount, _date(values["ends"])),
    )


def price_now(values: Mapping[str, Any], today: date, discounts: Discounts) -> PriceNow | None:
    """What the cheapest variant of a product costs today."""
    product = offered_of(values)
    lowest = product.lowest
    if lowest is None:
        return None
    own = discounts.on(product.sku, values["category_key"])
    return price_on(today, lowest, product.currency, product.sale(product.sale_price), own)


def compared(entries: Sequence[Kept], vector: FloatArray) -> list[CatalogEntry]:
    """The same with their cosines to a message; of one that nobody has read yet it is nought."""
    if not entries:
        return []
    matrix = np.stack(
        [np.zeros(DIMENSION, np.float32) if own.vector is None else own.vector for own in entries]
    )
    return [
        replace(own.entry, cosine=float(cosine)) for own, cosine in zip(entries, matrix @ vector, strict=True)
    ]


def _sentence_rows(stored: bytes | None, said: Statement) -> FloatArray:
    """A row for each sentence; none where the sentences were not read yet."""
    if stored is None:
        return _NO_ROWS
    rows = np.frombuffer(stored, dtype=np.float16).reshape(-1, DIMENSION).astype(np.float32)
    return rows if len(rows) == len(said.sentences) else _NO_ROWS


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _date(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _id(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
