"""Importing products: how a file is read, and what became of it."""

from decimal import Decimal
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from concierge.kit.fields import PlainText

ImportField = Literal[
    "sku", "group", "title", "description", "category", "brand", "url", "image_url", "price", "currency", "sale_price",
    "sale_dates", "sale_begins", "sale_ends", "availability", "quantity", "attribute", "ignore",
]  # fmt: skip
IMPORT_FIELDS: Final[tuple[ImportField, ...]] = get_args(ImportField)
Column = Annotated[str, StringConstraints(min_length=1, max_length=200), PlainText]


def _known(mapping: dict[str, str]) -> dict[str, str]:
    strange = next((field for field in mapping.values() if field not in IMPORT_FIELDS), None)
    if strange is not None:
        raise ValueError(f"“{strange[:60]}” is no field; the fields are {', '.join(IMPORT_FIELDS)}")
    return mapping


class Mapping(BaseModel):
    """Which column is what. `attribute` is a property that is told of by the column's own name, `ignore` nothing."""

    model_config = ConfigDict(extra="forbid")

    columns: Annotated[
        dict[Column, Annotated[str, StringConstraints(max_length=40)]],
        Field(max_length=200),
        AfterValidator(_known),
    ] = {}


class ImportedRow(BaseModel):
    """A row as it would become; `text` is what answers may repeat."""

    row: int
    sku: str
    title: str
    category: str
    price: Decimal | None
    currency: str
    variants: int
    text: str


class ImportProblem(BaseModel):
    """A row that was left out, and why; `row` counts as in the file, where a table's header is row 1."""

    row: int
    sku: str | None
    reason: str


class ImportReport(BaseModel):
    """What an import did, or with `dry_run` would do. Rows that are variants of one product are one of its counts.

    `mapping` says what each column was taken for. `problems` are the first 5,000 of the `failed` rows. `kept` says why
    nothing was removed although everything else was to be replaced.
    """

    format: Literal["csv", "json", "jsonl", "xml"]
    dry_run: bool
    rows: int = 0
    products: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: int = 0
    kept: str | None = None
    mapping: dict[str, str] = {}
    first: list[ImportedRow] = []
    problems: list[ImportProblem] = []
