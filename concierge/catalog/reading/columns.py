"""Which column of a file is what: said by whoever imports it, or guessed from its name. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from concierge.catalog.schemas.imports import ImportField
from concierge.kit.columns import TECHNICAL, plain_name

# Names of columns by our fields, the likeliest first, as letters and digits only: those of Google Merchant, Shopify,
# WooCommerce and schema.org, and what people call them.
NAMES: Final[Mapping[ImportField, tuple[str, ...]]] = {
    "group": ("itemgroupid", "handle", "parentsku", "parentid", "groupid"),
    "sku": ("variantsku", "sku", "id", "productid", "itemid", "offerid", "articlenumber", "articleid", "itemnumber", "externalid", "partnumber", "mpn", "number", "guid"),
    "title": ("title", "name", "productname", "producttitle", "itemname", "articlename", "product"),
    "description": ("description", "bodyhtml", "longdescription", "productdescription", "body", "content", "details", "shortdescription", "summary"),
    "category": ("category", "producttype", "productcategory", "categories", "googleproductcategory", "type", "collection", "department"),
    "brand": ("brand", "brandname", "vendor", "manufacturer", "make"),
    "url": ("link", "url", "producturl", "permalink", "productlink", "canonicallink", "pageurl", "webpage"),
    "image_url": ("imagelink", "image", "imageurl", "imagesrc", "images", "picture", "photo", "thumbnail"),
    "price": ("price", "regularprice", "variantprice", "offersprice", "unitprice", "listprice", "rrp", "amount"),
    "currency": ("currency", "pricecurrency", "currencycode", "offerspricecurrency"),
    "sale_price": ("saleprice", "specialprice", "discountprice", "offerprice", "reducedprice"),
    "sale_dates": ("salepriceeffectivedate",),
    "sale_begins": ("datesalepricestarts", "salebegins", "salestart", "salestartdate", "salefrom"),
    "sale_ends": ("datesalepriceends", "saleends", "saleend", "saleenddate", "saleuntil"),
    "availability": ("availability", "offersavailability", "stockstatus", "instock", "available", "stock"),
    "quantity": ("quantity", "variantinventoryqty", "inventory", "stockquantity", "qty", "inventoryquantity"),
}  # fmt: skip
_KNOWN: Final[Mapping[str, ImportField]] = {name: field for field, names in NAMES.items() for name in names}
_BY_FIELD: Final[Mapping[str, tuple[str, ...]]] = {str(field): names for field, names in NAMES.items()}
# Of Google's own properties those that a customer asks for.
_PROPERTIES: Final = frozenset(
    ["color", "colour", "size", "material", "pattern", "gender", "agegroup", "finish"]
)


class Columns:
    """Looks at each name once, as rows bring them, and takes the likeliest for each field."""

    def __init__(self, mapping: Mapping[str, str], columns: Sequence[str] = ()) -> None:
        self._said = dict(mapping)
        self._seen: dict[str, str] = {}
        self._by_field: dict[str, list[str]] = {}
        for column in columns:
            self.see([column])

    @property
    def mapping(self) -> dict[str, str]:
        """What every column that was seen is taken for; of several for a field the likeliest."""
        chosen = {columns[0] for columns in self._by_field.values()}
        return {
            column: field
            for column, field in self._seen.items()
            if field in {"attribute", "ignore"} or column in chosen or column in self._said
        }

    def see(self, columns: Iterable[str]) -> None:
        for column in columns:
            if column not in self._seen:
                field = self._said.get(column) or _guess(column)
                self._seen[column] = field
                if field not in {"attribute", "ignore"}:
                    known = self._by_field.setdefault(field, [])
                    known.append(column)
                    known.sort(key=self._likelihood)

    def value(self, fields: Mapping[str, str], name: ImportField) -> str:
        """What a row says of a field, by the likeliest column that says anything."""
        return next((fields[column] for column in self._by_field.get(name, ()) if fields.get(column)), "")

    def attributes(self, fields: Mapping[str, str]) -> list[str]:
        return [column for column in fields if self._seen.get(column) == "attribute"]

    def _likelihood(self, column: str) -> tuple[bool, int]:
        """What was said comes first; then the place of its name in the list."""
        names = _BY_FIELD.get(_guess(column), ())
        plain = plain_name(column)
        return column not in self._said, names.index(plain) if plain in names else len(names)


def _guess(column: str) -> str:
    plain = plain_name(column)
    known = _KNOWN.get(plain)
    if known is not None:
        return known
    if column.startswith(("attributes.", "attribute.")) or plain in _PROPERTIES:
        return "attribute"
    return "ignore" if TECHNICAL.search(column) or column.startswith("variants.") else "attribute"
