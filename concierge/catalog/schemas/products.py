"""Products over HTTP, and as they are read from a file."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from concierge.accounts.schemas import AudienceLabel
from concierge.catalog.schemas.fields import (
    Attributes,
    Availability,
    Body,
    Currency,
    Label,
    Price,
    Quantity,
    Sku,
    Title,
    WebAddress,
)
from concierge.kit.pagination import Identified

MOST_VARIANTS: Final = 200
STOCKED: Final = frozenset({"in_stock", "limited"})


def check_sale(value: Decimal | None, info: ValidationInfo) -> Decimal | None:
    price = info.data.get("price")
    if value is not None and price is not None and value > price:
        raise ValueError("must not be higher than `price`, which is what the product costs without the sale")
    return value


def check_ends(value: date | None, begins: date | None) -> date | None:
    if value is not None and begins is not None and value < begins:
        raise ValueError("must not lie before the day it begins")
    return value


class Variant(BaseModel):
    """One way in which a product is sold: a size, a colour. What it does not say is as with the product."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sku: Sku
    title: Label = ""
    price: Price | None = None
    sale_price: Price | None = None
    availability: Availability | None = None
    quantity: Quantity | None = None
    attributes: Attributes = {}

    @field_validator("sale_price")
    @classmethod
    def sale_is_a_reduction(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        return check_sale(value, info)

    @property
    def in_stock(self) -> bool | None:
        return stock_of(self.availability, self.quantity)


class ProductIn(BaseModel):
    """`category` may be a path, “Furniture > Sofas”. Without a `currency` it is that of the organization's settings.

    A sale price holds from `sale_begins` to `sale_ends`, both days included, in the organization's time zone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sku: Sku
    title: Title
    description: Body = ""
    category: Label = ""
    brand: Label = ""
    url: WebAddress | None = None
    image_url: WebAddress | None = None
    currency: Currency | None = None
    price: Price | None = None
    sale_price: Price | None = None
    sale_begins: date | None = None
    sale_ends: date | None = None
    availability: Availability | None = None
    quantity: Quantity | None = None
    attributes: Attributes = {}
    variants: Annotated[tuple[Variant, ...], Field(max_length=MOST_VARIANTS)] = ()
    featured_rank: Annotated[int, Field(ge=1, le=1_000)] | None = None
    audience: AudienceLabel | None = None
    active: bool = True

    @field_validator("sale_price")
    @classmethod
    def sale_is_a_reduction(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        return check_sale(value, info)

    @field_validator("sale_ends")
    @classmethod
    def sale_ends_after_it_begins(cls, value: date | None, info: ValidationInfo) -> date | None:
        return check_ends(value, info.data.get("sale_begins"))

    @field_validator("variants")
    @classmethod
    def variants_are_others(cls, value: tuple[Variant, ...], info: ValidationInfo) -> tuple[Variant, ...]:
        skus = [variant.sku for variant in value]
        if info.data.get("sku") in skus:
            raise ValueError("a product cannot be a variant of itself; give each variant a `sku` of its own")
        if len(set(skus)) != len(skus):
            raise ValueError("no two variants may have the same `sku`")
        return value

    @property
    def in_stock(self) -> bool | None:
        """Of several variants one in stock is enough to have the product."""
        known = [state for variant in self.variants if (state := variant.in_stock) is not None]
        return any(known) if known else stock_of(self.availability, self.quantity)


class ProductPatch(BaseModel):
    """What is left out stays as it is; null empties a field that may be empty."""

    model_config = ConfigDict(extra="forbid")

    title: Title | None = None
    description: Body | None = None
    category: Label | None = None
    brand: Label | None = None
    url: WebAddress | None = None
    image_url: WebAddress | None = None
    currency: Currency | None = None
    price: Price | None = None
    sale_price: Price | None = None
    sale_begins: date | None = None
    sale_ends: date | None = None
    availability: Availability | None = None
    quantity: Quantity | None = None
    attributes: Attributes | None = None
    variants: Annotated[list[Variant], Field(max_length=MOST_VARIANTS)] | None = None
    featured_rank: Annotated[int, Field(ge=1, le=1_000)] | None = None
    audience: AudienceLabel | None = None
    active: bool | None = None

    @model_validator(mode="after")
    def names_stay(self) -> Self:
        emptied = [name for name in ("title", "active") if name in self.model_fields_set]
        if any(getattr(self, name) is None for name in emptied):
            raise ValueError("`title` and `active` cannot be empty")
        return self


class ProductOut(Identified):
    """`text` is what an answer may repeat; while a promotion holds, answers say its price instead."""

    sku: str
    title: str
    description: str
    category: str
    brand: str
    url: str | None
    image_url: str | None
    currency: str
    price: Decimal | None
    sale_price: Decimal | None
    sale_begins: date | None
    sale_ends: date | None
    availability: Availability | None
    quantity: int | None
    in_stock: bool | None
    attributes: dict[str, list[str]]
    variants: list[dict[str, Any]]
    featured_rank: int | None
    audience: str | None
    active: bool
    text: str
    created_at: datetime
    updated_at: datetime


class FeaturedIn(BaseModel):
    """The products to show anybody first, in this order; all others are featured no longer."""

    skus: Annotated[list[Sku], Field(max_length=50)]

    @field_validator("skus")
    @classmethod
    def each_once(cls, value: list[str]) -> list[str]:
        if len(set(value)) != len(value):
            raise ValueError("must name each product once")
        return value


def stock_of(availability: Availability | None, quantity: int | None) -> bool | None:
    if availability is not None:
        return availability in STOCKED
    return None if quantity is None else quantity > 0
