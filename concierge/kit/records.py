"""Rows of JSON and of tables as records of text, by the path or name of each field. Pure, and as lazy as it can be."""

import csv
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, TextIO, cast

from concierge.kit.text import normalize

MAX_FIELDS: Final = 200
# One more than the longest text that a field may hold, so that whoever maps it sees that it is too long.
MAX_VALUE: Final = 20_001
MAX_DEPTH: Final = 6
# Of a list within a record, such as the variants of a product, so many are looked at.
MAX_LISTED: Final = 20
# Where quotation marks are broken, reading goes on with the next line; so often, and no more.
MAX_DAMAGED: Final = 100
MAX_NAME: Final = 120
_DELIMITERS: Final = ",;\t|"
TOO_LARGE: Final = "document_too_large"


class UnreadableRecordsError(Exception):
    """Why nothing of a file can be read."""

    def __init__(self, detail: str, *, code: str = "document_corrupt") -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Record:
    """One row. `row` counts as a reader of the file does: the header of a table is its row 1, a list begins with 1.

    `problem` says why it could not be read.
    """

    row: int
    fields: Mapping[str, str]
    problem: str | None = None


class Doubled(dict[str, Any]):
    """An object of which a name is given twice, so that nobody can tell what it means."""

    name = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    doubled = Doubled(found)
    for name, _ in pairs:
        if name in seen:
            doubled.name = name
        seen.add(name)
    return doubled


def _no_number(name: str) -> Any:
    raise UnreadableRecordsError(f"The feed is not valid JSON: it has “{name}” where a number belongs.")


DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=_no_number
)


def parsed(text: str) -> Any:
    """Numbers stay as they are written: "349.00" is a price, and a number of ten thousand digits is just text."""
    try:
        return DECODER.decode(text)
    except RecursionError:
        raise UnreadableRecordsError("The feed is nested too deeply to be a list of rows.") from None
    except json.JSONDecodeError as error:
        raise UnreadableRecordsError(
            f"The feed is not valid JSON: {error.msg.lower()} in line {error.lineno}, column {error.colno}."
        ) from None


def is_object(line: str) -> bool:
    try:
        return isinstance(parsed(line), dict)
    except UnreadableRecordsError:
        return False


def record_of(number: int, value: Any) -> Record:
    if not isinstance(value, dict):
        return Record(number, {}, "It is not an object with named fields.")
    if isinstance(value, Doubled):
        return Record(
            number, {}, f"It has the field “{value.name[:MAX_NAME]}” twice, so its meaning is not clear."
        )
    fields: dict[str, str] = {}
    for name, text in _flat(cast("dict[str, Any]", value), "", 0):
        if len(fields) >= MAX_FIELDS:
            return Record(number, {}, f"It has more than {MAX_FIELDS} fields.")
        if text:
            fields[name] = text[:MAX_VALUE]
    return Record(number, fields)


def _flat(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """The texts of a record by their paths; a list of words is one text."""
    if isinstance(value, dict):
        if depth < MAX_DEPTH:
            for name, inner in cast("dict[str, Any]", value).items():
                named = one_line(name)[:MAX_NAME]
                yield from _flat(inner, f"{path}.{named}" if path else named, depth + 1)
    elif isinstance(value, list):
        listed = cast("list[Any]", value)[:MAX_LISTED]
        if not any(isinstance(entry, dict | list) for entry in listed):
            yield path, ", ".join(text for entry in listed if (text := _scalar(entry)))
        elif depth < MAX_DEPTH:
            for place, entry in enumerate(listed):
                yield from _flat(entry, f"{path}.{place}", depth + 1)
    else:
        yield path, _scalar(value)


def one_line(text: str) -> str:
    """Names and what is said of them, without what no reader can see and no answer can carry."""
    return " ".join(normalize(text).split())


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()


def first_line(text: TextIO) -> str:
    """The first line that has something in it; the text is back at its beginning."""
    found = next((line for line in text if line.strip()), "")
    text.seek(0)
    return found


def delimiter_of(first: str) -> str:
    """What separates the cells of a table, by its first line."""
    outside_quotes = "".join(first.split('"')[::2])
    return max(_DELIMITERS, key=outside_quotes.count)


class _Rewindable:
    """Lines that can be gone back to, as far as the beginning of a row."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._since: deque[str] = deque()
        self._again: deque[str] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._since.append(line)
        return line

    def mark(self) -> None:
        self._since.clear()

    def rewind_behind_first(self) -> None:
        if self._since:
            self._since.popleft()
        self._again.extendleft(reversed(self._since))
        self._since.clear()


NumberedCells = tuple[int, Sequence[str], str | None]


def table_of(lines: Iterable[str], delimiter: str) -> Iterator[NumberedCells]:
    """Number, cells and problem of each row. Behind a row whose quotation marks are broken, the next line is tried.

    Errors: UnreadableRecordsError.
    """
    source = _Rewindable(lines)
    row = damaged = 0
    while True:
        reader = csv.reader(source, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                row += 1
                yield row, [cell.strip() for cell in cells], None
                source.mark()
        except csv.Error:
            row += 1
            damaged += 1
            if damaged > MAX_DAMAGED:
                raise UnreadableRecordsError(
                    "The table is damaged: the quotation marks of too many rows are broken."
                ) from None
            yield row, [], "A quotation mark in it is never closed, or stands where none belongs."
            source.rewind_behind_first()
        else:
            return


def named_columns(table: Iterator[NumberedCells]) -> list[str]:
    """The names of a table's columns, each once, from its first row. Errors: UnreadableRecordsError."""
    _, header, problem = next(table, (1, (), None))
    if problem is not None:
        raise UnreadableRecordsError("The first row of the table, which names its columns, is damaged.")
    if len(header) > MAX_FIELDS:
        raise UnreadableRecordsError(f"The table has more than {MAX_FIELDS} columns.", code=TOO_LARGE)
    names: list[str] = []
    for place, cell in enumerate(header, 1):
        name = one_line(cell)[:MAX_NAME] or f"Column {place}"
        names.append(name if name not in names else f"{name} ({place})")
    if len(names) < 2:
        raise UnreadableRecordsError(
            "This does not look like a table: its first row must name at least two columns, separated by commas, "
            "semicolons or tabs."
        )
    return names


def row_of(number: int, cells: Sequence[str], problem: str | None, names: Sequence[str]) -> Record | None:
    """A row of a table as a record; None for one without anything in it."""
    if problem is not None:
        return Record(number, {}, problem)
    if any(cells[len(names) :]):
        return Record(number, {}, f"It has {len(cells)} cells, but there are only {len(names)} columns.")
    if not any(cells):
        return None
    return Record(number, {name: cell[:MAX_VALUE] for name, cell in zip(names, cells, strict=False) if cell})
