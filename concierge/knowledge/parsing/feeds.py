"""Feeds, row by row: JSON, JSON Lines, CSV and TSV become records of text by the path or name of each field.

Large feeds are read in the sandbox: a hostile one costs its own reading, and nothing waits for the others.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing.document import Extracted
from concierge.knowledge.parsing.sandbox import sandbox
from concierge.knowledge.parsing.text import decode, normalize

Format = Literal["json", "jsonl", "csv"]

MAX_FEED_BYTES: Final = 50 * 1024 * 1024
MAX_ROWS: Final = 20_000
MAX_FIELDS: Final = 200
# One more than the longest text that a field may hold, so that whoever maps it sees that it is too long.
MAX_VALUE: Final = 20_001
MAX_DEPTH: Final = 6
# Of a list within a record, such as the variants of a product, so many are looked at.
MAX_LISTED: Final = 20
MAX_IN_PROCESS_BYTES: Final = 256 * 1024
# Where quotation marks are broken, reading goes on with the next line; so often, and no more.
MAX_DAMAGED: Final = 100
MAX_NAME: Final = 120
TOO_LARGE: Final = "document_too_large"
_DELIMITERS: Final = ",;\t|"
_PATH: Final = "; items="


class FeedProblemError(Exception):
    """Why nothing of a feed can be read."""

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


@dataclass(frozen=True, slots=True)
class Records:
    """`columns` are the names of all fields, in the order in which they first occur."""

    format: Format
    columns: tuple[str, ...]
    rows: tuple[Record, ...]


def read_records(data: bytes, *, charset: str | None = None, items: str | None = None) -> Records:
    """Read a feed; blocking. `items` is the path to the list within a JSON object ("data.products").

    Raises DocumentRejectedError, whose code and sentence say why.
    """
    if len(data) > MAX_FEED_BYTES:
        raise DocumentRejectedError(
            f"The feed is larger than {MAX_FEED_BYTES // 1024**2} MB. Split it.", code=TOO_LARGE
        )
    if not data.strip(b"\xef\xbb\xbf \t\r\n"):
        raise DocumentRejectedError("The feed is empty.", code="document_empty")
    source = decode(data, charset).encode("utf-8", errors="replace")
    media_type = f"text/plain{_PATH}{items}" if items else "text/plain"
    inside = len(source) <= MAX_IN_PROCESS_BYTES
    found = read(source, media_type) if inside else sandbox.read("feeds", source, media_type)
    reply = json.loads(found.text)
    if "problem" in reply:
        raise DocumentRejectedError(reply["problem"], code=reply["code"])
    rows = tuple(Record(row, fields, problem) for row, fields, problem in reply["rows"])
    return Records(reply["format"], tuple(reply["columns"]), rows)


def read(data: bytes, media_type: str) -> Extracted:
    """Read UTF-8 into one JSON text: format, columns and rows, or the problem."""
    text = data.decode("utf-8", errors="replace").lstrip("\ufeff")
    try:
        format_, rows = _rows_of(text, media_type.partition(_PATH)[2] or None)
        records = list(rows)
    except FeedProblemError as problem:
        return Extracted(text=json.dumps({"problem": _line(str(problem)), "code": problem.code}))
    columns = list(dict.fromkeys(name for record in records for name in record.fields))
    listed = [(record.row, record.fields, record.problem and _line(record.problem)) for record in records]
    return Extracted(text=json.dumps({"format": format_, "columns": columns, "rows": listed}))


def _rows_of(text: str, items: str | None) -> tuple[Format, Iterator[Record]]:
    if not text.lstrip().startswith(("{", "[")):
        return "csv", _delimited(text)
    try:
        document = _parsed(text)
    except FeedProblemError:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) > 1 and items is None and _is_object(lines[0]):
            return "jsonl", _lines(text)
        raise
    if isinstance(document, dict) and items is None and "\n" not in text.strip() and not _lists_in(document):
        return "jsonl", iter([_record(1, document)])
    return "json", _list_of(document, items)


class _Doubled(dict[str, Any]):
    """An object of which a name is given twice, so that nobody can tell what it means."""

    name = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    doubled = _Doubled(found)
    for name, _ in pairs:
        if name in seen:
            doubled.name = name
        seen.add(name)
    return doubled


def _no_number(name: str) -> Any:
    raise FeedProblemError(f"The feed is not valid JSON: it has “{name}” where a number belongs.")


def _parsed(text: str) -> Any:
    """Numbers stay as they are written: "349.00" is a price, and a number of ten thousand digits is just text."""
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=_no_number
        )
    except RecursionError:
        raise FeedProblemError("The feed is nested too deeply to be a list of rows.") from None
    except json.JSONDecodeError as error:
        raise FeedProblemError(
            f"The feed is not valid JSON: {error.msg.lower()} in line {error.lineno}, column {error.colno}."
        ) from None


def _is_object(line: str) -> bool:
    try:
        return isinstance(_parsed(line), dict)
    except FeedProblemError:
        return False


def _lines(text: str) -> Iterator[Record]:
    numbered = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    _check(len(numbered))
    for number, line in numbered:
        try:
            yield _record(number, _parsed(line))
        except FeedProblemError:
            yield Record(number, {}, "The line is not valid JSON.")


def _list_of(document: Any, items: str | None) -> Iterator[Record]:
    found = _at(document, items) if items else _best_list(document)
    if not isinstance(found, list):
        others = ", ".join(f"“{path}”" for path in list(_lists_in(document))[:5])
        there = f" It has lists at {others}." if others else " It has no list of objects at all."
        wanted = (
            f"There is no list at “{items}” in the feed." if items else "Where the rows are is not clear."
        )
        raise FeedProblemError(wanted + there)
    rows = cast("list[Any]", found)
    _check(len(rows))
    return (_record(number, row) for number, row in enumerate(rows, 1))


def _at(document: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(document, list) and part.isdigit() and int(part[:6]) < len(cast("list[Any]", document)):
            document = document[int(part[:6])]
        else:
            document = cast("dict[str, Any]", document).get(part) if isinstance(document, dict) else None
    return document


def _best_list(document: Any) -> Any:
    """The list itself, or the longest list of objects within an object."""
    if isinstance(document, list):
        return cast("list[Any]", document)
    return max(_lists_in(document).values(), key=len, default=None)


def _lists_in(document: Any, above: str = "", depth: int = 0) -> dict[str, list[Any]]:
    """The lists of objects near the top of a document, by their paths."""
    found: dict[str, list[Any]] = {}
    if not isinstance(document, dict) or depth > 3:
        return found
    for name, value in cast("dict[str, Any]", document).items():
        path = f"{above}.{name}" if above else name
        if isinstance(value, list) and any(isinstance(entry, dict) for entry in cast("list[Any]", value)):
            found[path] = cast("list[Any]", value)
        else:
            found |= _lists_in(value, path, depth + 1)
    return found


def _record(number: int, value: Any) -> Record:
    if not isinstance(value, dict):
        return Record(number, {}, "It is not an object with named fields.")
    if isinstance(value, _Doubled):
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
                named = _line(name)[:MAX_NAME]
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


def _line(text: str) -> str:
    """Names and what is said of them, without what no reader can see and no answer can carry."""
    return " ".join(normalize(text).split())


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()


def _delimited(text: str) -> Iterator[Record]:
    lines = io.StringIO(text, newline="").readlines()
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(_DELIMITERS, key=lambda mark: _outside_quotes(first).count(mark))
    table = _table(lines, delimiter)
    number, header, problem = next(table, (1, [], None))
    if problem is not None:
        raise FeedProblemError("The first row of the table, which names its columns, is damaged.")
    names = _header(header)
    if len(names) < 2:
        raise FeedProblemError(
            "This does not look like a table: its first row must name at least two columns, separated by commas, "
            "semicolons or tabs."
        )
    for count, (number, cells, problem) in enumerate(table, 1):
        _check(count)
        if problem is not None:
            yield Record(number, {}, problem)
        elif any(cells[len(names) :]):
            yield Record(number, {}, f"It has {len(cells)} cells, but there are only {len(names)} columns.")
        elif any(cells):
            values = zip(names, cells, strict=False)
            yield Record(number, {name: cell[:MAX_VALUE] for name, cell in values if cell})


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


def _header(cells: Sequence[str]) -> list[str]:
    """Names of columns, each once."""
    if len(cells) > MAX_FIELDS:
        raise FeedProblemError(f"The table has more than {MAX_FIELDS} columns.", code=TOO_LARGE)
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = _line(cell)[:MAX_NAME] or f"Column {place}"
        names.append(name if name not in names else f"{name} ({place})")
    return names


def _table(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str], str | None]]:
    """Number, cells and problem of each row. Behind a row whose quotation marks are broken, the next line is tried."""
    at = row = damaged = 0
    while at < len(lines):
        reader = csv.reader(_counted(lines, at), delimiter=delimiter, strict=True)
        begun = at
        try:
            for cells in reader:
                row += 1
                yield row, [cell.strip() for cell in cells], None
                begun = at + reader.line_num
        except csv.Error:
            row += 1
            damaged += 1
            if damaged > MAX_DAMAGED:
                raise FeedProblemError(
                    "The table is damaged: the quotation marks of too many rows are broken."
                ) from None
            yield row, [], "A quotation mark in it is never closed, or stands where none belongs."
            at = begun + 1
        else:
            return


def _counted(lines: list[str], at: int) -> Iterator[str]:
    for place in range(at, len(lines)):
        yield lines[place]


def _check(rows: int) -> None:
    if rows > MAX_ROWS:
        raise FeedProblemError(
            f"The feed has more than {MAX_ROWS:,} rows. Split it into several.", code=TOO_LARGE
        )
