from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pgvector import HalfVector, SparseVector
from pgvector.sqlalchemy import HALFVEC, SPARSEVEC
from sqlalchemy import ARRAY, BigInteger, ForeignKey, LargeBinary, Numeric, func
from sqlalchemy.orm import Mapped, mapped_column

from concierge.kit.db import Base

TERM_SPACE = 999_999_999
DIMENSION = 384
MONEY = Numeric(14, 3)


class CatalogSetting(Base):
    """One row of an organization, from its first change on. Whoever changes its catalogue holds it meanwhile."""

    __tablename__ = "catalog_settings"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    currency: Mapped[str] = mapped_column(default="USD")
    time_zone: Mapped[str] = mapped_column(default="UTC")
    synonyms: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(BigInteger, default=0)
    product_count: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CatalogProduct(Base):
    __tablename__ = "catalog_products"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sku: Mapped[str]
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    category: Mapped[str] = mapped_column(default="")
    category_key: Mapped[str] = mapped_column(default="")
    brand: Mapped[str] = mapped_column(default="")
    url: Mapped[str | None]
    image_url: Mapped[str | None]
    currency: Mapped[str]
    price: Mapped[Decimal | None] = mapped_column(MONEY)
    sale_price: Mapped[Decimal | None] = mapped_column(MONEY)
    sale_begins: Mapped[date | None]
    sale_ends: Mapped[date | None]
    lowest: Mapped[Decimal | None] = mapped_column(MONEY)
    availability: Mapped[str | None]
    quantity: Mapped[int | None]
    in_stock: Mapped[bool | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    variants: Mapped[list[Any]] = mapped_column(default=list)
    featured_rank: Mapped[int | None]
    audience: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
    text: Mapped[str]
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    facets: Mapped[list[str]] = mapped_column(default=list)
    terms: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), deferred=True)
    bm25: Mapped[SparseVector] = mapped_column(SPARSEVEC(TERM_SPACE), deferred=True)
    embedding: Mapped[HalfVector | None] = mapped_column(HALFVEC(DIMENSION), deferred=True)
    sentence_vectors: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CatalogTerm(Base):
    """How many products that everybody may see hold a word."""

    __tablename__ = "catalog_terms"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    term: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    df: Mapped[int]


class CatalogFacet(Base):
    """A category, a brand or the value of an attribute that products of an audience have; the public's is empty."""

    __tablename__ = "catalog_facets"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    products: Mapped[int]


class CatalogPromotion(Base):
    __tablename__ = "catalog_promotions"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    text: Mapped[str]
    conditions: Mapped[str] = mapped_column(default="")
    url: Mapped[str | None]
    begins: Mapped[date | None]
    ends: Mapped[date | None]
    percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    amount: Mapped[Decimal | None] = mapped_column(MONEY)
    applies_to: Mapped[str]
    category: Mapped[str] = mapped_column(default="")
    skus: Mapped[list[str]] = mapped_column(default=list)
    audience: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
    embedding: Mapped[HalfVector | None] = mapped_column(HALFVEC(DIMENSION), deferred=True)
    sentence_vectors: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CatalogText(Base):
    """A policy, something of the company, a way to get support, or a question with its answer."""

    __tablename__ = "catalog_entries"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]
    url: Mapped[str | None]
    position: Mapped[int] = mapped_column(default=0)
    audience: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
    embedding: Mapped[HalfVector | None] = mapped_column(HALFVEC(DIMENSION), deferred=True)
    sentence_vectors: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
