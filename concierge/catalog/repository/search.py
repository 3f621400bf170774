"""The two statements that every turn asks of the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, LiteralString
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector, SparseVector

from concierge.accounts.scope import Audiences, TenantScope
from concierge.catalog.models import TERM_SPACE
from concierge.kit.db import Session, fetch, jsonb

STATE: LiteralString = """
SELECT s.currency, s.time_zone, s.version, s.product_count, t.terms, t.dfs
FROM catalog_settings s, LATERAL (
    SELECT array_agg(term) AS terms, array_agg(df) AS dfs FROM catalog_terms
    WHERE org_id = %(org_id)b AND term = ANY (%(postings)b::bigint[]) AND df > 0) t
WHERE s.org_id = %(org_id)b
"""

# A product as JSON: prices as text, which loses nothing.
PRODUCT: LiteralString = """jsonb_build_object(
    'id', p.id, 'sku', p.sku, 'title', p.title, 'description', p.description, 'category', p.category,
    'category_key', p.category_key, 'brand', p.brand, 'url', p.url, 'currency', p.currency, 'price', p.price::text,
    'sale_price', p.sale_price::text, 'sale_begins', p.sale_begins, 'sale_ends', p.sale_ends,
    'lowest', p.lowest::text, 'availability', p.availability, 'in_stock', p.in_stock, 'attributes', p.attributes,
    'variants', p.variants, 'audience', p.audience)"""

# Counting comes before the second look, where NOT EXISTS would be made a join of both.
# Where nothing is as the message wants it, the second look leaves out price, stock, sale and properties, and begins at
# the end of the prices that is nearest.
SEARCH: LiteralString = """
WITH strict AS MATERIALIZED (
    SELECT product_id FROM catalog_candidates(
        %(words)b::bigint[], %(every)b::bigint[], %(either)b::bigint[], %(query)b, %(vector)b, %(everything)b,
        %(labels)b::text[], %(today)b::date, %(discounts)b::jsonb, %(low)b::numeric, %(high)b::numeric,
        %(stocked)b, %(reduced)b, %(sort)b::text, %(category)b::text, %(small)b, %(wanted)b)
), relaxed AS MATERIALIZED (
    SELECT product_id FROM catalog_candidates(
        %(words)b::bigint[], %(loose)b::bigint[], %(either)b::bigint[], %(query)b, %(vector)b, %(everything)b,
        %(labels)b::text[], %(today)b::date, %(discounts)b::jsonb, NULL, NULL,
        false, false, %(nearest)b::text, %(category)b::text, %(small)b, %(wanted)b)
    WHERE %(narrow)b AND (SELECT count(*) FROM strict) = 0
), chosen AS (SELECT product_id, true AS fits FROM strict UNION SELECT product_id, false FROM relaxed)
SELECT p.id, c.fits, {product}, -(p.bm25 <#> %(query)b), -(p.embedding <#> %(vector)b), p.sentence_vectors,
       p.created_at, p.updated_at
FROM chosen c JOIN catalog_products p ON p.org_id = %(org_id)b AND p.id = c.product_id
""".replace("{product}", PRODUCT)


@dataclass(frozen=True, slots=True)
class State:
    """A catalogue as it is just now, and how many of its products hold each of the words that were asked about."""

    currency: str
    time_zone: str
    version: int
    products: int
    df: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for. `words` are postings, `weights` BM25 weights by dimension; `every` and `either` are postings of
    properties; `loose` are those that hold also when nothing else does. `nearest` is the order of the second look.
    `category` is the key of the only condition but prices, where that is a category.
    """

    words: Sequence[int]
    weights: Mapping[int, float]
    vector: NDArray[np.float32]
    today: date
    every: Sequence[int] = ()
    either: Sequence[int] = ()
    loose: Sequence[int] = ()
    discounts: Mapping[str, Any] | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    stocked: bool = False
    reduced: bool = False
    sort: str = ""
    nearest: str = ""
    category: str = ""
    narrow: bool = False
    small: bool = True


@dataclass(frozen=True, slots=True)
class FoundProduct:
    """`fits` is false for what is only near to what the message wants; `cosine` is None until it is read."""

    id: UUID
    fits: bool
    product: Mapping[str, Any]
    bm25: float
    cosine: float | None
    sentence_vectors: bytes | None
    created_at: datetime
    updated_at: datetime


class SearchRepository:
    """Finds for somebody of these `audiences`, and nothing else."""

    def __init__(self, session: Session, scope: TenantScope, audiences: Audiences) -> None:
        self._session = session
        self._scope = scope
        self._audiences = audiences

    async def state(self, postings: Sequence[int]) -> State | None:
        """None for an organization without a catalogue."""
        rows = await fetch(self._session, STATE, {"org_id": self._scope.org_id, "postings": list(postings)})
        if not rows:
            return None
        currency, time_zone, version, products, terms, dfs = rows[0]
        df: dict[int, int] = dict(zip(terms, dfs, strict=True)) if terms else {}
        return State(currency, time_zone, version, products, df)

    async def products(self, asked: Asked, wanted: int) -> list[FoundProduct]:
        parameters = {
            "org_id": self._scope.org_id,
            "words": list(asked.words) or None,
            "every": list(asked.every) or None,
            "either": list(asked.either) or None,
            "loose": list(asked.loose) or None,
            "query": SparseVector(dict(asked.weights), TERM_SPACE),
            "vector": HalfVector(asked.vector),
            "everything": self._audiences.everything,
            "labels": sorted(self._audiences.labels),
            "today": asked.today,
            "discounts": None if asked.discounts is None else jsonb(asked.discounts),
            "low": asked.low,
            "high": asked.high,
            "stocked": asked.stocked,
            "reduced": asked.reduced,
            "sort": asked.sort,
            "nearest": asked.nearest,
            "category": asked.category,
            "narrow": asked.narrow,
            "small": asked.small,
            "wanted": wanted,
        }
        rows = await fetch(self._session, SEARCH, parameters)
        return [FoundProduct(*row) for row in rows]
