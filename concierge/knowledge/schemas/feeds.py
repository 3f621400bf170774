"""Feeds over HTTP: where their rows are, which of their columns is what, and what they would become."""

from datetime import datetime
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from concierge.kit.fields import PlainText

Column = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), PlainText]
FeedField = Literal[
    "id",
    "title",
    "description",
    "url",
    "price",
    "currency",
    "availability",
    "language",
    "updated",
    "question",
    "answer",
]
# Where a source keeps them among its options.
OPTIONS: Final = "feed"
FEED_FIELDS: Final[tuple[FeedField, ...]] = get_args(FeedField)
FeedKind = Literal["products", "faq"]


def _known_fields(mapping: dict[str, str]) -> dict[str, str]:
    strange = next((name for name in mapping if name not in FEED_FIELDS), None)
    if strange is not None:
        raise ValueError(f"“{strange[:60]}” is no field; the fields are {', '.join(FEED_FIELDS)}")
    return mapping


class FeedOptions(BaseModel):
    """How a feed is read. What is not said is told by the names of its columns.

    `map` names a column, or the dotted path within a JSON row, for each of our fields; "=EUR" means the word itself,
    and "" that the feed has nothing of that kind. `attributes` are columns that are told of beside these; null means
    all that are short, none an empty list.
    """

    model_config = ConfigDict(extra="forbid")

    items: Column | None = Field(
        default=None, description="Where the list of rows is in a JSON object: data.products"
    )
    map: Annotated[
        dict[str, Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), PlainText]],
        AfterValidator(_known_fields),
    ] = {}
    attributes: Annotated[list[Column], Field(max_length=50)] | None = None


class FeedRow(BaseModel):
    """A row as it would be read. `text` is what answers quote."""

    row: int
    id: str
    title: str
    text: str
    url: str | None
    language: str | None
    updated: datetime | None


class FeedProblem(BaseModel):
    """A row that would not be read, and why; `row` counts as in the file, where a table's header is row 1."""

    row: int
    id: str | None
    reason: str


class FeedPreview(BaseModel):
    """What a feed would become: nothing was kept. `rows` are the first ten, `problems` the first fifty.

    `total` counts the rows there are, `readable` the documents they would become; rows that go on with the product
    before them, as variants do, are `joined` to it.
    """

    kind: FeedKind
    format: Literal["json", "jsonl", "csv"]
    columns: list[str]
    map: dict[str, str]
    attributes: list[str]
    rows: list[FeedRow]
    problems: list[FeedProblem]
    total: int
    readable: int
    joined: int
    failed: int
