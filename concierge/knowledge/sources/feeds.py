"""From the rows of a feed to documents, each of which reads well by itself. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urljoin

from concierge.kit.columns import label_of
from concierge.kit.goods import availability, offer
from concierge.kit.html import line_of, plain
from concierge.kit.money import money
from concierge.kit.records import Record
from concierge.kit.text import normalize
from concierge.knowledge.parsing.document import parse_date
from concierge.knowledge.parsing.feeds import Records
from concierge.knowledge.schemas.faqs import MAX_ANSWER_CHARS, MAX_QUESTION_CHARS
from concierge.knowledge.schemas.feeds import FeedField, FeedOptions
from concierge.knowledge.sources.columns import CONSTANT, ColumnMap, column_map
from concierge.knowledge.sources.pairs import text_of

MAX_ID_CHARS: Final = 200
MAX_TITLE_CHARS: Final = 300
MAX_DESCRIPTION_CHARS: Final = 20_000
MAX_URL_CHARS: Final = 2_000
# A longer value of a column that nobody has asked for is no property of a product.
MAX_ATTRIBUTE_CHARS: Final = 200
MOST_ATTRIBUTES: Final = 40
MOST_VARIANTS: Final = 20
_ADDRESS: Final = re.compile(r"(?:https?:|data:)?//", re.IGNORECASE)
_LANGUAGE: Final = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]+)*", re.IGNORECASE)
# "Option1 Name" is what "Option1 Value" is a value of.
_NAMING: Final = re.compile(r"(?P<stem>.+?)[ ._]name", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RowDocument:
    """A row as a document, known by `key` within its feed; `questions` are those of a question–answer pair."""

    row: int
    key: str
    title: str
    text: str
    url: str | None
    language: str | None
    updated: datetime | None
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowProblem:
    row: int
    key: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class FeedContent:
    """All there is in a feed; `joined` counts the rows that went on with the product before them."""

    columns: ColumnMap
    documents: tuple[RowDocument, ...]
    problems: tuple[RowProblem, ...]
    joined: int


class RowUnreadableError(Exception):
    """Why a row cannot be read."""


@dataclass(slots=True)
class _Gathered:
    """A row with the values that later rows of the same product add to its columns."""

    row: int
    key: str
    fields: Mapping[str, str]
    more: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def values(self, column: str) -> list[str]:
        first = self.fields.get(column, "")
        return list(dict.fromkeys(filter(None, (first, *self.more.get(column, ())))))[:MOST_VARIANTS]


def read_feed(records: Records, options: FeedOptions, base: str | None = None) -> FeedContent:
    """Make documents of rows; a row that cannot be read is a problem of its own.

    `base` is the feed's address. Errors: DocumentRejectedError when the columns cannot be told.
    """
    columns = column_map(records.columns, options)
    problems: list[RowProblem] = []
    gathered: dict[str, _Gathered] = {}
    joined = 0
    for record in records.rows:
        try:
            joined += _gather(record, columns, gathered)
        except RowUnreadableError as problem:
            problems.append(RowProblem(record.row, _key(record.fields, columns) or None, str(problem)))
    documents: list[RowDocument] = []
    for entry in gathered.values():
        try:
            documents.append(_document(entry, columns, base))
        except RowUnreadableError as problem:
            problems.append(RowProblem(entry.row, entry.key, str(problem)))
    problems.sort(key=lambda problem: problem.row)
    return FeedContent(columns, tuple(documents), tuple(problems), joined)


def _gather(record: Record, columns: ColumnMap, gathered: dict[str, _Gathered]) -> bool:
    """Take a row in. Returns whether it goes on with an earlier one. Errors: RowUnreadableError."""
    if record.problem is not None:
        raise RowUnreadableError(record.problem)
    naming: FeedField = "question" if columns.kind == "faq" else "title"
    named = bool(line_of(columns.value(record.fields, naming)))
    key = _key(record.fields, columns)
    earlier = gathered.get(key)
    if earlier is not None and not named and columns.value(record.fields, "id"):
        for column, value in record.fields.items():
            earlier.more.setdefault(column, []).append(value)
        return True
    if not named:
        raise RowUnreadableError(f"It has no {naming} (column “{columns.columns.get(naming, naming)}”).")
    if earlier is not None:
        raise RowUnreadableError(f"It has the same id as row {earlier.row}: “{key}”.")
    gathered[key] = _Gathered(record.row, key, record.fields)
    return False


def _key(fields: Mapping[str, str], columns: ColumnMap) -> str:
    """What a row is known by from one reading to the next: its id, else its address, else its name."""
    names: tuple[FeedField, ...] = ("id", "question", "url", "title")
    found = (line_of(columns.value(fields, name)) for name in names)
    return next((key for key in found if key), "")[:MAX_ID_CHARS]


def _document(entry: _Gathered, columns: ColumnMap, base: str | None) -> RowDocument:
    language = _LANGUAGE.fullmatch(columns.value(entry.fields, "language").strip())
    spoken = language[1].lower() if language else None
    pair = columns.kind == "faq"
    title = _bounded(
        line_of(columns.value(entry.fields, "question" if pair else "title")),
        "question" if pair else "title",
        MAX_QUESTION_CHARS if pair else MAX_TITLE_CHARS,
    )
    return RowDocument(
        row=entry.row,
        key=entry.key,
        title=title,
        text=_pair(entry, columns, title) if pair else _product(entry, columns, title, spoken),
        url=_address(columns.value(entry.fields, "url"), base),
        language=spoken,
        updated=parse_date(columns.value(entry.fields, "updated")),
        questions=(title,) if pair else (),
    )


def _pair(entry: _Gathered, columns: ColumnMap, question: str) -> str:
    if not any(character.isalnum() for character in question):
        raise RowUnreadableError("Its question has no word.")
    answer = _bounded(plain(columns.value(entry.fields, "answer")), "answer", MAX_ANSWER_CHARS)
    if not answer:
        raise RowUnreadableError(f"It has no answer (column “{columns.columns['answer']}”).")
    return text_of(question, answer)


def _product(entry: _Gathered, columns: ColumnMap, title: str, language: str | None) -> str:
    """What a customer may read: the description, one sentence on price and stock, and its properties."""
    described = _bounded(
        plain(columns.value(entry.fields, "description")), "description", MAX_DESCRIPTION_CHARS
    )
    sentence = _offer(entry, columns, title) if language in {None, "en"} else None
    listed = [*_unsaid(entry, columns, sentence), *_attributes(entry, columns)][:MOST_ATTRIBUTES]
    properties = "\n".join(f"- {name}: {value}" for name, value in listed)
    return normalize("\n\n".join(filter(None, (f"# {title}", described, sentence, properties))))


def _offer(entry: _Gathered, columns: ColumnMap, title: str) -> str | None:
    return offer(
        title,
        _all_values(entry, columns, "price"),
        columns.value(entry.fields, "currency"),
        _stock(_all_values(entry, columns, "availability")),
    )


def _stock(values: list[str]) -> str | None:
    """Of several variants one in stock is enough to have the product."""
    return next((value for value in values if availability(value) == "in stock"), next(iter(values), None))


def _all_values(entry: _Gathered, columns: ColumnMap, name: FeedField) -> list[str]:
    column = columns.columns.get(name, "")
    return entry.values(column) or list(filter(None, [columns.value(entry.fields, name)]))


def _unsaid(entry: _Gathered, columns: ColumnMap, sentence: str | None) -> Iterator[tuple[str, str]]:
    """Price and stock in the feed's own words, where no sentence says them."""
    currency = columns.value(entry.fields, "currency")
    for price in _all_values(entry, columns, "price")[:1]:
        known = money(price, currency)
        if sentence is None or known is None:
            yield _heading(columns, "price"), known[1] if known else line_of(price)
    for stock in _all_values(entry, columns, "availability")[:1]:
        if sentence is None or availability(stock) is None:
            yield _heading(columns, "availability"), line_of(stock)


def _heading(columns: ColumnMap, name: FeedField) -> str:
    """What the feed itself calls it, which is in the language of its rows."""
    column = columns.columns[name]
    return name.capitalize() if column.startswith(CONSTANT) else column[:1].upper() + column[1:]


def _attributes(entry: _Gathered, columns: ColumnMap) -> Iterator[tuple[str, str]]:
    for column in columns.attributes:
        naming = _NAMING.fullmatch(column)
        if naming and any(_is_value_of(other, naming["stem"]) for other in columns.attributes):
            continue
        value = ", ".join(line_of(value) for value in entry.values(column))
        if value and len(value) <= MAX_ATTRIBUTE_CHARS and not _ADDRESS.search(value):
            yield _label(entry, column, columns.attributes), value


def _is_value_of(column: str, stem: str) -> bool:
    return re.fullmatch(rf"{re.escape(stem)}[ ._]values?(?:\(s\))?", column, re.IGNORECASE) is not None


def _label(entry: _Gathered, column: str, others: Iterable[str]) -> str:
    """The name of a property as a person writes it: “care_instructions” is Care instructions."""
    for other in others:
        naming = _NAMING.fullmatch(other)
        if naming and _is_value_of(column, naming["stem"]) and (said := line_of(entry.fields.get(other, ""))):
            return said
    return label_of(column)


def _bounded(text: str, what: str, most: int) -> str:
    if len(text) > most:
        raise RowUnreadableError(f"Its {what} is longer than {most:,} characters.")
    return text


def _address(value: str, base: str | None) -> str | None:
    """The address of a row's page, complete; none for what is none."""
    try:
        joined = urljoin(base, value.strip()) if base else value.strip()
    except ValueError:
        return None
    usable = joined.isprintable() and re.fullmatch(r"https?://[^\s<>\"\\]+", joined)
    return joined if value and usable and len(joined) <= MAX_URL_CHARS else None
