"""HTTP of the catalogue room."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, status

from concierge.accounts.access import unit_with
from concierge.accounts.scope import Permission, Unit
from concierge.catalog.routes.parts import Catalog, catalog
from concierge.catalog.schemas.offers import (
    CatalogSettings,
    CatalogSettingsOut,
    EntryIn,
    EntryOut,
    EntryPatch,
    PromotionIn,
    PromotionOut,
    PromotionPatch,
    TextKind,
)
from concierge.catalog.schemas.products import FeaturedIn, ProductIn, ProductOut, ProductPatch
from concierge.catalog.service import (
    CatalogSettingsService,
    EntryService,
    ProductService,
    PromotionService,
)
from concierge.kit.pagination import Page

router = APIRouter(prefix="/api/v1/catalog", tags=["catalog"])

Parts = Annotated[Catalog, Depends(catalog)]
Reader = Annotated[Unit, unit_with(Permission.CATALOG_READ)]
Writer = Annotated[Unit, unit_with(Permission.CATALOG_WRITE)]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/products")
async def list_products(
    unit: Reader,
    parts: Parts,
    cursor: UUID | None = None,
    limit: Limit = 50,
    category: Annotated[str | None, Query(max_length=200)] = None,
    active: Annotated[bool | None, Query()] = None,
    search: Annotated[str | None, Query(max_length=100, description="A part of the title or sku.")] = None,
) -> Page[ProductOut]:
    """List products, the newest first."""
    found = await ProductService(unit, parts.reader, parts.clock).list(
        after=cursor, limit=limit + 1, category=category, active=active, search=search
    )
    return Page[ProductOut].of(found, limit)


@router.post("/products", status_code=status.HTTP_201_CREATED)
async def create_product(body: ProductIn, unit: Writer, parts: Parts) -> ProductOut:
    """Add a product. Answers know it from the next message on."""
    return await ProductService(unit, parts.reader, parts.clock).create(body)


@router.get("/products/{product_id}")
async def get_product(product_id: UUID, unit: Reader, parts: Parts) -> ProductOut:
    return await ProductService(unit, parts.reader, parts.clock).get(product_id)


@router.patch("/products/{product_id}")
async def change_product(product_id: UUID, body: ProductPatch, unit: Writer, parts: Parts) -> ProductOut:
    return await ProductService(unit, parts.reader, parts.clock).change(product_id, body)


@router.delete("/products/{product_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_product(product_id: UUID, unit: Writer, parts: Parts) -> None:
    await ProductService(unit, parts.reader, parts.clock).remove(product_id)


@router.get("/featured")
async def list_featured_products(unit: Reader, parts: Parts) -> Sequence[ProductOut]:
    """List the products that anybody is shown first, in their order."""
    return await ProductService(unit, parts.reader, parts.clock).featured()


@router.put("/featured")
async def feature_products(body: FeaturedIn, unit: Writer, parts: Parts) -> Sequence[ProductOut]:
    """Say which products anybody is shown first, and in which order."""
    return await ProductService(unit, parts.reader, parts.clock).feature(body.skus)


@router.get("/promotions")
async def list_promotions(unit: Reader, parts: Parts) -> Sequence[PromotionOut]:
    """List all promotions, the newest first: those that are over and those to come too."""
    return await PromotionService(unit, parts.reader, parts.clock).list()


@router.post("/promotions", status_code=status.HTTP_201_CREATED)
async def create_promotion(body: PromotionIn, unit: Writer, parts: Parts) -> PromotionOut:
    """Add an offer. It is told of, and lowers prices, on the days on which it holds and on no other."""
    return await PromotionService(unit, parts.reader, parts.clock).create(body)


@router.get("/promotions/{promotion_id}")
async def get_promotion(promotion_id: UUID, unit: Reader, parts: Parts) -> PromotionOut:
    return await PromotionService(unit, parts.reader, parts.clock).get(promotion_id)


@router.patch("/promotions/{promotion_id}")
async def change_promotion(
    promotion_id: UUID, body: PromotionPatch, unit: Writer, parts: Parts
) -> PromotionOut:
    return await PromotionService(unit, parts.reader, parts.clock).change(promotion_id, body)


@router.delete("/promotions/{promotion_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_promotion(promotion_id: UUID, unit: Writer, parts: Parts) -> None:
    await PromotionService(unit, parts.reader, parts.clock).remove(promotion_id)


@router.get("/entries")
async def list_entries(unit: Reader, parts: Parts, kind: TextKind | None = None) -> Sequence[EntryOut]:
    """List policies, what there is to know of the company, ways to get support, and questions with their answers."""
    return await EntryService(unit, parts.reader, parts.clock).list(kind)


@router.post("/entries", status_code=status.HTTP_201_CREATED)
async def create_entry(body: EntryIn, unit: Writer, parts: Parts) -> EntryOut:
    return await EntryService(unit, parts.reader, parts.clock).create(body)


@router.get("/entries/{entry_id}")
async def get_entry(entry_id: UUID, unit: Reader, parts: Parts) -> EntryOut:
    return await EntryService(unit, parts.reader, parts.clock).get(entry_id)


@router.patch("/entries/{entry_id}")
async def change_entry(entry_id: UUID, body: EntryPatch, unit: Writer, parts: Parts) -> EntryOut:
    return await EntryService(unit, parts.reader, parts.clock).change(entry_id, body)


@router.delete("/entries/{entry_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_entry(entry_id: UUID, unit: Writer, parts: Parts) -> None:
    await EntryService(unit, parts.reader, parts.clock).remove(entry_id)


@router.get("/settings")
async def get_catalog_settings(unit: Reader, parts: Parts) -> CatalogSettingsOut:
    return await CatalogSettingsService(unit, parts.clock).get()


@router.put("/settings")
async def change_catalog_settings(body: CatalogSettings, unit: Writer, parts: Parts) -> CatalogSettingsOut:
    """Say in which currency prices are that name none, where days begin, and what visitors' words mean here."""
    return await CatalogSettingsService(unit, parts.clock).change(body)
