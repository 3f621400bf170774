"""What a business offers just now, as a turn uses it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

EntryKind = Literal["product", "promotion", "policy", "company", "support", "faq"]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One row of the catalogue as evidence: `text` says in full sentences what holds now.

    `sentences` are spans of `text`, `sentence_vectors` has one normalised row (384) for each; `cosine` and `score` are to the
    current message. `price` is the lowest of its variants; `was` the price without the promotion that holds today.
    """

    id: UUID
    kind: EntryKind
    title: str
    text: str
    url: str | None
    sentences: tuple[Span, ...]
    sentence_vectors: NDArray[np.float32] = field(repr=False)
    score: float
    cosine: float
    updated_at: datetime
    category: str | None = None
    price: Decimal | None = None
    was: Decimal | None = None
    currency: str | None = None
    in_stock: bool | None = None
    audience: str | None = None


@dataclass(frozen=True, slots=True)
class PriceRange:
    """What a category costs: “sofas from $899”. `said` is the lowest price as it is said, `entry` the row that has it."""

    category: str
    lowest: Decimal
    highest: Decimal
    currency: str
    said: str
    entry_id: UUID
    entry: CatalogEntry | None = None


@dataclass(frozen=True, slots=True)
class Promotion:
    """One that holds today, the visitor's today included."""

    id: UUID
    title: str
    text: str
    conditions: str
    begins: date | None
    ends: date | None


@dataclass(frozen=True, slots=True)
class ProductContext:
    """`matches` are the rows that fit the message, best first, within `filters` (“under 900, in stock”) read from it, or
    with `nearest` what comes closest where nothing does; the rest is what the business would show anybody.
    """

    version: int = 0
    matches: tuple[CatalogEntry, ...] = ()
    filters: tuple[str, ...] = ()
    nearest: bool = False
    featured: tuple[CatalogEntry, ...] = ()
    pricing: tuple[PriceRange, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    company: tuple[CatalogEntry, ...] = ()
    policies: tuple[CatalogEntry, ...] = ()
    support: tuple[CatalogEntry, ...] = ()
    faqs: tuple[CatalogEntry, ...] = ()
