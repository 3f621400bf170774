"""From rows to products: prices and stock as files say them, variants gathered, and what is wrong with a row. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from concierge.catalog.reading.columns import Columns
from concierge.catalog.schemas.products import MOST_VARIANTS, ProductIn
from concierge.kit.columns import label_of, plain_name
from concierge.kit.goods import availability
from concierge.kit.html import line_of
from concierge.kit.money import CURRENCIES, SYMBOLS, amount_of
from concierge.kit.records import Record

_CURRENCY_OF: Final = {sign: code for code, sign in SYMBOLS.items()}
_STATES: Final[Mapping[str, str]] = {
    "in stock": "in_stock",
    "out of stock": "out_of_stock",
    "available to pre-order": "preorder",
    "on back order": "backorder",
    "in stock, but only a few are left": "limited",
    "discontinued": "discontinued",
}
_DAY: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_SEPARATORS: Final = re.compile(r"\s*[|;/]\s*|,\s+")
_LONGEST_CHOICE: Final = 40
_LONGEST_ATTRIBUTE: Final = 200
_VARIANT: Final = re.compile(r"variants\.(\d+)\.(.+)")
_OPTION: Final = re.compile(r"(option\d) ?value|(option\d)$", re.IGNORECASE)
# What Shopify calls the only variant of a product that has none.
_NO_VARIANT: Final = "Default Title"
_ADDRESS: Final = re.compile(r"(?:https?:|data:)?//", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """`mapping` says what columns are, by their names. `currency` is that of prices which name none."""

    mapping: Mapping[str, str] = field(default_factory=dict[str, str])
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class GivenProduct:
    """A product of one row or of several; `grouped` says that other rows of the file may add variants to it."""

    row: int
    rows: int
    product: ProductIn
    grouped: bool


@dataclass(frozen=True, slots=True)
class RowProblem:
    row: int
    sku: str | None
    reason: str


class RowUnreadableError(Exception):
    """Why a row cannot be read."""


@dataclass(slots=True)
class _Gathered:
    row: int
    sku: str
    values: dict[str, Any]
    grouped: bool
    rows: int = 1
    variants: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def products_of(
    rows: Iterator[Record], columns: Columns, options: ImportOptions
) -> Iterator[GivenProduct | RowProblem]:
    """Rows of one product that follow each other become one; what cannot be read is a problem of its own."""
    gathered: _Gathered | None = None
    for record in rows:
        columns.see(record.fields)
        try:
            read = _read(record, columns, options, gathered)
        except RowUnreadableError as problem:
            yield RowProblem(record.row, _known_sku(record, columns), str(problem))
            continue
        if gathered is not None and read is gathered:
            continue
        if gathered is not None:
            yield _finished(gathered)
        gathered = read
    if gathered is not None:
        yield _finished(gathered)


def _read(record: Record, columns: Columns, options: ImportOptions, before: _Gathered | None) -> _Gathered:
    """The product a row begins, or the one it goes on with. Errors: RowUnreadableError."""
    if record.problem is not None:
        raise RowUnreadableError(record.problem)
    fields = record.fields
    group, title = (line_of(columns.value(fields, name)) for name in ("group", "title"))
    sku = line_of(columns.value(fields, "sku"))
    continued = before is not None and (
        (bool(group) and group == before.sku) or (not title and not group and sku == before.sku)
    )
    if continued:
        assert before is not None
        before.rows += 1
        before.variants.append(_variant(record, columns, options, sku or f"{before.sku}-{before.rows}"))
        return before
    if not title:
        raise RowUnreadableError("It has no title. Say which column holds it, if there is one.")
    if not (group or sku):
        raise RowUnreadableError("It has no article number. Say which column holds it, if there is one.")
    values = _values(record, columns, options)
    begun = _Gathered(record.row, group or sku, {**values, "sku": group or sku, "title": title}, bool(group))
    if group and (sku or _choices(record, columns)):
        begun.variants.append(_variant(record, columns, options, sku or f"{group}-1"))
    begun.variants += _nested_variants(fields, options)
    return begun


def _finished(gathered: _Gathered) -> GivenProduct | RowProblem:
    variants = [variant for variant in gathered.variants if variant.get("title") != _NO_VARIANT]
    for number, variant in enumerate(variants, 1):
        if variant["sku"] == gathered.sku:
            variant["sku"] = f"{gathered.sku}-{number}"
    shared = {} if not gathered.grouped else _of_variants(variants)
    values = {**gathered.values, **shared, "variants": variants}
    if len(variants) > MOST_VARIANTS:
        return RowProblem(gathered.row, gathered.sku, f"It has more than {MOST_VARIANTS} variants.")
    try:
        product = ProductIn.model_validate(values)
    except ValidationError as error:
        return RowProblem(gathered.row, gathered.sku, _reasons(error))
    return GivenProduct(gathered.row, gathered.rows, product, gathered.grouped)


def _of_variants(variants: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the product of several rows has itself: its properties are those of its variants."""
    prices = [variant["price"] for variant in variants if variant.get("price") is not None]
    sales = [variant["sale_price"] for variant in variants if variant.get("sale_price") is not None]
    own = {"price": min(prices, default=None), "sale_price": min(sales, default=None)} if variants else {}
    choices = {name for variant in variants for name in variant["attributes"]}
    return {**own, "availability": None, "quantity": None} if choices or variants else {}


def _values(record: Record, columns: Columns, options: ImportOptions) -> dict[str, Any]:
    fields = record.fields
    money = _money(fields, columns, options)
    begins, ends = _days(fields, columns)
    grouped = bool(columns.value(fields, "group"))
    return {
        "description": columns.value(fields, "description"),
        "category": _category(columns.value(fields, "category")),
        "brand": columns.value(fields, "brand"),
        "url": _address(columns.value(fields, "url")),
        "image_url": _address(columns.value(fields, "image_url").split(",")[0]),
        **money,
        "sale_begins": begins,
        "sale_ends": ends,
        **_stock(fields, columns),
        "attributes": {} if grouped else _attributes(fields, columns),
    }


def _variant(record: Record, columns: Columns, options: ImportOptions, sku: str) -> dict[str, Any]:
    attributes = _choices(record, columns)
    title = ", ".join(value for values in attributes.values() for value in values)
    money = _money(record.fields, columns, options)
    return {
        "sku": sku,
        "title": title,
        "price": money["price"],
        "sale_price": money["sale_price"],
        **_stock(record.fields, columns),
        "attributes": {} if title == _NO_VARIANT else attributes,
    }


def _choices(record: Record, columns: Columns) -> dict[str, list[str]]:
    return _attributes(record.fields, columns)


def _nested_variants(fields: Mapping[str, str], options: ImportOptions) -> list[dict[str, Any]]:
    """Those that a JSON row lists within itself."""
    found: dict[str, dict[str, str]] = {}
    for column, value in fields.items():
        inside = _VARIANT.fullmatch(column)
        if inside is not None:
            found.setdefault(inside[1], {})[inside[2]] = value
    variants: list[dict[str, Any]] = []
    for number, own in found.items():
        columns = Columns({}, list(own))
        row = Record(0, own)
        variant = _variant(row, columns, options, columns.value(own, "sku") or f"variant-{int(number) + 1}")
        title = line_of(columns.value(own, "title"))
        variants.append({**variant, "title": title or variant["title"]})
    return variants


def _money(fields: Mapping[str, str], columns: Columns, options: ImportOptions) -> dict[str, Any]:
    """Errors: RowUnreadableError for a price that is no amount."""
    currency = columns.value(fields, "currency").strip().upper() or options.currency
    found: dict[str, Any] = {"price": None, "sale_price": None, "currency": currency}
    for name in ("price", "sale_price"):
        text = columns.value(fields, name).strip()
        if not text:
            continue
        amount = amount_of(text, currency)
        if amount is None:
            raise RowUnreadableError(f"Its {name.replace('_', ' ')} “{text[:40]}” is no amount of money.")
        found[name] = _thousandths(amount[0])
        code = _CURRENCY_OF.get(amount[1], amount[1])
        found["currency"] = code if code in CURRENCIES else currency
        if amount[1] and code not in CURRENCIES and amount[1] != currency:
            raise RowUnreadableError(f"Its currency “{amount[1][:10]}” is not known.")
    if found["sale_price"] == found["price"]:
        found["sale_price"] = None
    return found


def _thousandths(amount: Decimal) -> Decimal:
    """With no more digits than a price may have."""
    shorter = round(amount, 3)
    return amount if amount == shorter else shorter


def _stock(fields: Mapping[str, str], columns: Columns) -> dict[str, Any]:
    said, pieces = columns.value(fields, "availability").strip(), columns.value(fields, "quantity").strip()
    if re.fullmatch(r"\d{1,9}", said):
        said, pieces = "", pieces or said
    state = _STATES.get(availability(said) or "") if said else None
    if pieces and not re.fullmatch(r"-?\d{1,9}(?:\.0+)?", pieces):
        raise RowUnreadableError(f"Its quantity “{pieces[:40]}” is no whole number.")
    return {"availability": state, "quantity": max(0, int(float(pieces))) if pieces else None}


def _days(fields: Mapping[str, str], columns: Columns) -> tuple[date | None, date | None]:
    """The first and the last day of a sale, as they are written."""
    both = columns.value(fields, "sale_dates").partition("/")
    begins = columns.value(fields, "sale_begins") or both[0]
    ends = columns.value(fields, "sale_ends") or both[2]
    return _day(begins), _day(ends)


def _day(text: str) -> date | None:
    found = _DAY.match(text.strip())
    if found is None:
        return None
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        raise RowUnreadableError(f"There is no day “{text.strip()[:40]}”.") from None


def _category(text: str) -> str:
    return " > ".join(part.strip() for part in re.split(r"\s*(?:>|&gt;)\s*", text) if part.strip())


def _address(text: str) -> str | None:
    return text.strip() or None


def _attributes(fields: Mapping[str, str], columns: Columns) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    naming = {plain_name(column): value for column, value in fields.items()}
    for column in columns.attributes(fields):
        option = _OPTION.fullmatch(column.strip())
        if plain_name(column).endswith("name") and plain_name(column).startswith("option"):
            continue
        label = label_of(column)
        if option is not None:
            label = naming.get(f"{(option[1] or option[2]).lower()}name", label)
        value = line_of(fields[column])
        if value and len(value) <= _LONGEST_ATTRIBUTE and not _ADDRESS.search(value):
            found[label] = _values_of(value)
    return dict(list(found.items())[:40])


def _values_of(value: str) -> list[str]:
    """“Sand, Charcoal” are two; a sentence with a comma is one."""
    parts = [part for part in _SEPARATORS.split(value) if part]
    short = all(len(part) <= _LONGEST_CHOICE for part in parts) and value[-1] not in ".!?"
    return list(dict.fromkeys(parts)) if short and len(parts) > 1 else [value]


def _known_sku(record: Record, columns: Columns) -> str | None:
    found = columns.value(record.fields, "group") or columns.value(record.fields, "sku")
    return line_of(found)[:120] or None


def _reasons(error: ValidationError) -> str:
    """One sentence for each field."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return " ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'row'}: {str(problem['msg']).removeprefix('Value error, ')}."
        for problem in problems[:5]
    )
