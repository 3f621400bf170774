"""Which column of a feed is what: guessed from its name as shops and schema.org call it, or said by whoever adds it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from concierge.kit.columns import TECHNICAL, plain_name
from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.schemas.feeds import FEED_FIELDS, FeedField, FeedKind, FeedOptions

CONSTANT: Final = "="
MOST_NAMED: Final = 20

# Names of columns by our fields, the likeliest first, as letters and digits only: those of Google Merchant, Shopify,
# WooCommerce and schema.org, and what people call them.
_NAMES: Final[Mapping[FeedField, tuple[str, ...]]] = {
    "id": ("id", "productid", "itemid", "handle", "offerid", "articleid", "articlenumber", "sku", "variantsku", "guid", "key", "number", "slug"),
    "title": ("title", "name", "productname", "producttitle", "itemname", "articlename", "headline", "product"),
    "description": ("description", "bodyhtml", "longdescription", "productdescription", "body", "content", "text", "details", "shortdescription", "summary"),
    "url": ("link", "url", "producturl", "permalink", "productlink", "canonicallink", "canonicalurl", "pageurl", "webpage", "onlinestoreurl"),
    "price": ("price", "regularprice", "variantprice", "offersprice", "offers0price", "variants0price", "unitprice", "amount", "saleprice"),
    "currency": ("currency", "pricecurrency", "currencycode", "offerspricecurrency", "offers0pricecurrency"),
    "availability": ("availability", "offersavailability", "offers0availability", "instock", "stockstatus", "stock", "available", "variantinventoryqty", "inventory", "quantity"),
    "language": ("language", "lang", "contentlanguage", "inlanguage", "locale"),
    "updated": ("updated", "updatedat", "lastupdated", "modified", "modifiedat", "lastmodified", "datemodified", "dateupdated"),
    "question": ("question", "q", "faqquestion"),
    "answer": ("answer", "acceptedanswertext", "acceptedanswer0text", "a", "faqanswer", "answertext", "response", "reply"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """`columns` name a column for each field that the feed has, or after "=" the word itself."""

    kind: FeedKind
    columns: Mapping[FeedField, str]
    attributes: tuple[str, ...]

    def value(self, fields: Mapping[str, str], name: FeedField) -> str:
        column = self.columns.get(name, "")
        return column[1:].strip() if column.startswith(CONSTANT) else fields.get(column, "")


def column_map(columns: Sequence[str], options: FeedOptions) -> ColumnMap:
    """Guess what is not said. Errors: DocumentRejectedError for a column that is not there, or none for the title."""
    wanted: dict[FeedField, str] = {name: options.map[name] for name in FEED_FIELDS if name in options.map}
    named = [column for column in wanted.values() if column and not column.startswith(CONSTANT)]
    for column in (*named, *(options.attributes or ())):
        if column not in columns:
            raise _rejected(f"There is no column “{column}” in the feed. {_listed(columns)}")
    found = _guessed(columns, wanted)
    kind: FeedKind = "faq" if {"question", "answer"} <= set(found) else "products"
    if kind == "products" and "title" not in found:
        raise _rejected(
            "Which column holds the title is not clear. Say it: map `title`, or `question` and `answer` for a list of "
            f"questions. {_listed(columns)}"
        )
    used = set(found.values())
    others = (column for column in columns if column not in used and not TECHNICAL.search(column))
    attributes = others if options.attributes is None and kind == "products" else options.attributes or ()
    return ColumnMap(kind, found, tuple(attributes))


def _guessed(columns: Sequence[str], wanted: Mapping[FeedField, str]) -> dict[FeedField, str]:
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(plain_name(column), column)
    found: dict[FeedField, str] = {}
    for name in FEED_FIELDS:
        taken = {*found.values(), *wanted.values()}
        known = (by_name[spelled] for spelled in _NAMES[name] if spelled in by_name)
        column = wanted.get(name, next((column for column in known if column not in taken), ""))
        if column:
            found[name] = column
    # schema.org calls a question of an FAQPage by its name.
    if "answer" in found and "question" not in found and "question" not in wanted and "title" in found:
        found["question"] = found.pop("title")
    return found


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(f"“{column}”" for column in columns[:MOST_NAMED])
    return (
        f"It has {shown}{' and others' if len(columns) > MOST_NAMED else ''}." if columns else "It has none."
    )


def _rejected(detail: str) -> DocumentRejectedError:
    return DocumentRejectedError(detail, code="feed_mapping_invalid")
