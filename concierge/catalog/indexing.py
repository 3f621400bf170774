"""A product as it is stored: what it says, and what it is found by. Pure."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic_core import to_json

from concierge.catalog.schemas.products import ProductIn, Variant
from concierge.catalog.statements import (
    STATEMENT_VERSION,
    Offered,
    OfferedVariant,
    category_key,
    category_levels,
    key_of,
    state,
)
from concierge.kit.words import document_weights, local_term, terms

CATEGORY: Final = "category"
# A level above categories: Furniture, of “Furniture > Sofas”.
GROUP: Final = "group"
BRAND: Final = "brand"
BETWEEN: Final = "\x1f"
# How often a word counts that stands there.
_TITLE, _CATEGORY, _ELSE = 3, 2, 1
_USUAL_TERMS: Final = 60.0
_MOST_DESCRIPTION: Final = 4_000
_LONGEST_FACET: Final = 60


@dataclass(frozen=True, slots=True)
class StoredProduct:
    """`values` are columns of `catalog_products`; `weights` go into its sparse vector by dimension."""

    values: Mapping[str, Any]
    weights: Mapping[int, float]
    postings: Sequence[int]


def offered(product: ProductIn, currency: str) -> Offered:
    return Offered(
        sku=product.sku,
        title=product.title,
        description=product.description,
        category=product.category,
        brand=product.brand,
        currency=product.currency or currency,
        price=product.price,
        sale_price=product.sale_price,
        sale_begins=product.sale_begins,
        sale_ends=product.sale_ends,
        availability=product.availability,
        in_stock=product.in_stock,
        attributes=product.attributes,
        variants=tuple(_variant(variant) for variant in product.variants),
    )


def stored(org_id: UUID, product: ProductIn, currency: str) -> StoredProduct:
    """`currency` is that of products which name none."""
    seen = offered(product, currency)
    own = product.model_dump(exclude={"variants", "currency"})
    variants = [_kept(variant) for variant in product.variants]
    facets = list(facets_of(seen))
    words = list(_words(seen))
    values = {
        **own,
        "currency": seen.currency,
        "variants": variants,
        "category_key": category_key(seen.category),
        "lowest": seen.lowest,
        "in_stock": seen.in_stock,
        "text": state(seen, None).text,
        "facets": facets,
        "content_hash": content_hash(product, currency),
    }
    postings = {local_term(org_id, word) for word in words}
    postings |= {facet_term(org_id, *facet.split(BETWEEN)) for facet in facets}
    return StoredProduct(values, document_weights(words, _USUAL_TERMS), sorted(postings))


def content_hash(product: ProductIn, currency: str) -> bytes:
    said = product.model_copy(update={"currency": product.currency or currency})
    return hashlib.sha256(to_json([STATEMENT_VERSION, said.model_dump(mode="json")])).digest()


def facets_of(product: Offered) -> Iterator[str]:
    """What a product can be narrowed down by: levels of its category, its brand, its attributes; each name and value."""
    levels = category_levels(product.category)
    found = [(GROUP, level) for level in levels[:-1]] + [(CATEGORY, level) for level in levels[-1:]]
    found += [(BRAND, product.brand)] if product.brand else []
    found += [
        (name, value)
        for name, values in product.all_attributes.items()
        for value in values
        if len(value) <= _LONGEST_FACET
    ]
    yield from dict.fromkeys(BETWEEN.join(facet) for facet in found)


def facet_term(org_id: UUID, name: str, value: str) -> int:
    """The posting of a value; “Sand” of a colour is not “Sand” of a finish."""
    return local_term(org_id, f"{BETWEEN}{name.casefold()}{BETWEEN}{key_of(value)}")


def head_of(product: Offered) -> str:
    """What is read before a statement, so that its sentences know what they are about."""
    return ". ".join(filter(None, (product.title, ", ".join(category_levels(product.category)))))


def _words(product: Offered) -> Iterator[str]:
    attributes = product.all_attributes
    weighed = [
        (_TITLE, f"{product.title} {product.sku}"),
        (_CATEGORY, f"{product.category} {product.brand}"),
        (_ELSE, product.description[:_MOST_DESCRIPTION]),
        (_ELSE, " ".join(f"{name} {' '.join(values)}" for name, values in attributes.items())),
        (_ELSE, " ".join(f"{variant.title} {variant.sku}" for variant in product.variants)),
    ]
    for weight, text in weighed:
        for word in terms(text):
            yield from (word for _ in range(weight))


def _variant(variant: Variant) -> OfferedVariant:
    return OfferedVariant(
        sku=variant.sku,
        title=variant.title,
        price=variant.price,
        sale_price=variant.sale_price,
        availability=variant.availability,
        in_stock=variant.in_stock,
        attributes=variant.attributes,
    )


def _kept(variant: Variant) -> dict[str, Any]:
    dumped = variant.model_dump(mode="json", exclude_none=True)
    state_known = variant.in_stock
    return dumped if state_known is None else {**dumped, "in_stock": state_known}
