from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pgvector import HalfVector, SparseVector
from sqlalchemy import delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from concierge.accounts.scope import TenantScope
from concierge.catalog.indexing import StoredProduct
from concierge.catalog.models import TERM_SPACE, CatalogProduct, CatalogSetting
from concierge.catalog.vectors import StatementVectors
from concierge.kit.db import DRIVER, Session, fetch, jsonb

VALUES: Final = (
    "sku", "title", "description", "category", "category_key", "brand", "url", "image_url", "currency", "price",
    "sale_price", "sale_begins", "sale_ends", "lowest", "availability", "quantity", "in_stock", "attributes", "variants",
    "featured_rank", "audience", "active", "text", "content_hash", "facets",
)  # fmt: skip
INDEXED: Final = ("terms", "bm25")
_CHANGED: Final = (*VALUES, *INDEXED, "updated_at")
_ALL: Final = ("org_id", "id", *VALUES, *INDEXED, "embedding", "sentence_vectors", "created_at", "updated_at")
# The last parameter says whether what was read of the earlier row is still true of this one.
UPSERT: Final = f"""
INSERT INTO catalog_products ({", ".join(_ALL)}) VALUES ({", ".join(["%s"] * len(_ALL))})
ON CONFLICT (org_id, id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _CHANGED)},
    (embedding, sentence_vectors) = (SELECT
        CASE WHEN keep THEN catalog_products.embedding ELSE excluded.embedding END,
        CASE WHEN keep THEN catalog_products.sentence_vectors ELSE excluded.sentence_vectors END
        FROM (VALUES (%s::boolean)) AS kept (keep))
"""  # noqa: S608  # Names of columns only.

# Words are taken in order, so that two transactions that share some wait for each other instead of deadlocking.
COUNT_TERMS: Final = """
INSERT INTO catalog_terms (org_id, term, df)
SELECT org_id, term, CAST(:sign AS integer) * count(*) FROM catalog_products, unnest(terms) AS term
WHERE org_id = :org_id AND id = ANY (:ids) AND active AND audience IS NULL
GROUP BY org_id, term ORDER BY term
ON CONFLICT (org_id, term) DO UPDATE SET df = catalog_terms.df + excluded.df
"""
COUNT_FACETS: Final = """
INSERT INTO catalog_facets (org_id, name, value, audience, products)
SELECT org_id, split_part(facet, E'\\x1f', 1), split_part(facet, E'\\x1f', 2), coalesce(audience, ''),
       CAST(:sign AS integer) * count(*)
FROM catalog_products, unnest(facets) AS facet
WHERE org_id = :org_id AND id = ANY (:ids) AND active
GROUP BY 1, 2, 3, 4 ORDER BY 2, 3, 4
ON CONFLICT (org_id, name, value, audience) DO UPDATE SET products = catalog_facets.products + excluded.products
"""
FORGET_UNUSED: Final = (
    "DELETE FROM catalog_terms WHERE org_id = :org_id AND df <= 0",
    "DELETE FROM catalog_facets WHERE org_id = :org_id AND products <= 0",
)
STORED: Final = """
SELECT id, sku, content_hash, text, title, category, variants, embedding IS NOT NULL FROM catalog_products
WHERE org_id = %(org_id)b AND sku = ANY (%(skus)b)
"""
SET_VECTORS: Final = """
UPDATE catalog_products SET embedding = %s, sentence_vectors = %s
WHERE org_id = %s AND id = %s AND content_hash = %s
"""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """As much of a product as an import compares."""

    id: UUID
    sku: str
    content_hash: bytes
    text: str
    title: str
    category: str
    variants: list[dict[str, Any]]
    is_read: bool


@dataclass(frozen=True, slots=True)
class PutProduct:
    """A product to store under an id. Without `vectors` those of the earlier row stay where `keeps` says so."""

    id: UUID
    product: StoredProduct
    vectors: StatementVectors | None = None
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class NewVectors:
    product_id: UUID
    content_hash: bytes
    vectors: StatementVectors


class ProductRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def begin_change(self, now: datetime) -> CatalogSetting:
        """Let nobody else change this catalogue until the transaction ends, and raise its version."""
        statement = (
            insert(CatalogSetting)
            .values(org_id=self._scope.org_id, version=1, updated_at=now)
            .on_conflict_do_update(
                index_elements=["org_id"], set_={"version": CatalogSetting.version + 1, "updated_at": now}
            )
            .returning(CatalogSetting)
        )
        (setting,) = await self._session.scalars(statement, execution_options={"populate_existing": True})
        return setting

    async def lock(self) -> None:
        """Let nobody else change this catalogue until the transaction ends."""
        await self._session.execute(
            insert(CatalogSetting)
            .values(org_id=self._scope.org_id)
            .on_conflict_do_update(index_elements=["org_id"], set_={"org_id": self._scope.org_id})
        )

    async def setting(self) -> CatalogSetting | None:
        return await self._session.get(CatalogSetting, self._scope.org_id)

    async def flush(self) -> None:
        await self._session.flush()

    async def refresh(self, product: CatalogProduct) -> None:
        """Look at a row again that was changed past the session."""
        await self._session.refresh(product)

    async def get(self, product_id: UUID) -> CatalogProduct | None:
        return await self._session.get(CatalogProduct, (self._scope.org_id, product_id))

    async def id_of(self, sku: str) -> UUID | None:
        query = select(CatalogProduct.id).where(
            CatalogProduct.org_id == self._scope.org_id, CatalogProduct.sku == sku
        )
        return await self._session.scalar(query)

    async def list(
        self, *, after: UUID | None, limit: int, category: str | None, active: bool | None, search: str | None
    ) -> Sequence[CatalogProduct]:
        """Return products, the newest first; `category` is a key, `search` a part of the title or sku."""
        query = select(CatalogProduct).where(CatalogProduct.org_id == self._scope.org_id)
        if after is not None:
            query = query.where(CatalogProduct.id < after)
        if category is not None:
            query = query.where(CatalogProduct.category_key == category)
        if active is not None:
            query = query.where(CatalogProduct.active == active)
        if search:
            query = query.where(
                CatalogProduct.title.icontains(search, autoescape=True)
                | CatalogProduct.sku.icontains(search, autoescape=True)
            )
        return (await self._session.scalars(query.order_by(CatalogProduct.id.desc()).limit(limit))).all()

    async def stored(self, skus: Sequence[str]) -> dict[str, StoredRow]:
        rows = await fetch(self._session, STORED, {"org_id": self._scope.org_id, "skus": list(skus)})
        found = [StoredRow(*row) for row in rows]
        return {row.sku: row for row in found}

    async def put(self, products: Sequence[PutProduct], now: datetime, *, added: int) -> None:
        """Store products, `added` of which are new, and count what they are found by. Whoever calls has begun a change."""
        ids = [put.id for put in products]
        await self._count(ids, -1)
        driver = self._session.info[DRIVER]
        async with driver.cursor() as cursor:
            await cursor.executemany(UPSERT, [self._row(put, now) for put in products])
        await self._count(ids, 1)
        await self._add_to_count(added)

    async def remove(self, ids: Sequence[UUID]) -> None:
        await self._count(ids, -1)
        gone = await self._session.execute(
            delete(CatalogProduct)
            .where(CatalogProduct.org_id == self._scope.org_id, CatalogProduct.id.in_(ids))
            .returning(CatalogProduct.id)
        )
        await self._add_to_count(-len(gone.all()))
        for statement in FORGET_UNUSED:
            await self._session.execute(text(statement), {"org_id": self._scope.org_id})

    async def feature(self, skus: Sequence[str]) -> None:
        """Show these first, in this order, and no others."""
        mine = CatalogProduct.org_id == self._scope.org_id
        await self._session.execute(
            update(CatalogProduct)
            .where(mine, CatalogProduct.featured_rank.is_not(None), CatalogProduct.sku.not_in(skus))
            .values(featured_rank=None)
        )
        for rank, sku in enumerate(skus, 1):
            await self._session.execute(
                update(CatalogProduct).where(mine, CatalogProduct.sku == sku).values(featured_rank=rank)
            )

    async def featured(self) -> Sequence[CatalogProduct]:
        query = select(CatalogProduct).where(
            CatalogProduct.org_id == self._scope.org_id,
            CatalogProduct.active,
            CatalogProduct.featured_rank.is_not(None),
        )
        ordered = query.order_by(CatalogProduct.featured_rank, CatalogProduct.id).limit(50)
        return (await self._session.scalars(ordered)).all()

    async def waiting(self, limit: int) -> Sequence[CatalogProduct]:
        """Return products that nobody has read for their meaning yet."""
        query = select(CatalogProduct).where(
            CatalogProduct.org_id == self._scope.org_id, CatalogProduct.embedding.is_(None)
        )
        return (await self._session.scalars(query.order_by(CatalogProduct.id).limit(limit))).all()

    async def count_waiting(self) -> int:
        query = select(func.count()).where(
            CatalogProduct.org_id == self._scope.org_id, CatalogProduct.embedding.is_(None)
        )
        return await self._session.scalar(query) or 0

    async def set_vectors(self, read: Sequence[NewVectors]) -> None:
        """Store what was read of products that are still as they were."""
        rows = [
            (
                HalfVector(own.vectors.whole),
                own.vectors.stored_sentences,
                self._scope.org_id,
                own.product_id,
                own.content_hash,
            )
            for own in read
        ]
        async with self._session.info[DRIVER].cursor() as cursor:
            await cursor.executemany(SET_VECTORS, rows)

    async def skus_after(self, sku: str, limit: int) -> Sequence[tuple[UUID, str]]:
        query = (
            select(CatalogProduct.id, CatalogProduct.sku)
            .where(
                CatalogProduct.org_id == self._scope.org_id,
                tuple_(CatalogProduct.org_id, CatalogProduct.sku) > (self._scope.org_id, sku),
            )
            .order_by(CatalogProduct.org_id, CatalogProduct.sku)
            .limit(limit)
        )
        return [(row[0], row[1]) for row in await self._session.execute(query)]

    async def known(self, skus: Collection[str]) -> set[str]:
        query = select(CatalogProduct.sku).where(
            CatalogProduct.org_id == self._scope.org_id, CatalogProduct.sku.in_(skus)
        )
        return set(await self._session.scalars(query))

    async def _count(self, ids: Sequence[UUID], sign: int) -> None:
        parameters = {"org_id": self._scope.org_id, "ids": list(ids), "sign": sign}
        for statement in (COUNT_TERMS, COUNT_FACETS):
            await self._session.execute(text(statement), parameters)

    async def _add_to_count(self, products: int) -> None:
        if products:
            await self._session.execute(
                update(CatalogSetting)
                .where(CatalogSetting.org_id == self._scope.org_id)
                .values(product_count=CatalogSetting.product_count + products)
                .execution_options(synchronize_session=False)
            )

    def _row(self, put: PutProduct, now: datetime) -> tuple[Any, ...]:
        values = dict(put.product.values)
        for name in ("attributes", "variants"):
            values[name] = jsonb(values[name])
        vectors = put.vectors
        return (
            self._scope.org_id,
            put.id,
            *(values[name] for name in VALUES),
            list(put.product.postings),
            SparseVector(dict(put.product.weights), TERM_SPACE),
            None if vectors is None else HalfVector(vectors.whole),
            None if vectors is None else vectors.stored_sentences,
            now,
            now,
            put.keeps,
        )
