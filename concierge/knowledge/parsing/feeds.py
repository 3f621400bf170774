"""Feeds, row by row: JSON, JSON Lines, CSV and TSV become records of text by the path or name of each field.

Large feeds are read in the sandbox: a hostile one costs its own reading, and nothing waits for the others.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from concierge.kit.records import (
    TOO_LARGE,
    Record,
    UnreadableRecordsError,
    delimiter_of,
    first_line,
    is_object,
    named_columns,
    one_line,
    parsed,
    record_of,
    row_of,
    table_of,
)
from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing.document import Extracted
from concierge.knowledge.parsing.sandbox import sandbox
from concierge.knowledge.parsing.text import decode

Format = Literal["json", "jsonl", "csv"]

MAX_FEED_BYTES: Final = 50 * 1024 * 1024
MAX_ROWS: Final = 20_000
MAX_IN_PROCESS_BYTES: Final = 256 * 1024
_PATH: Final = "; items="


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
    except UnreadableRecordsError as problem:
        return Extracted(text=json.dumps({"problem": one_line(str(problem)), "code": problem.code}))
    columns = list(dict.fromkeys(name for record in records for name in record.fields))
    listed = [(record.row, record.fields, record.problem and one_line(record.problem)) for record in records]
    return Extracted(text=json.dumps({"format": format_, "columns": columns, "rows": listed}))


def _rows_of(text: str, items: str | None) -> tuple[Format, Iterator[Record]]:
    if not text.lstrip().startswith(("{", "[")):
        return "csv", _delimited(text)
    try:
        document = parsed(text)
    except UnreadableRecordsError:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) > 1 and items is None and is_object(lines[0]):
            return "jsonl", _lines(text)
        raise
    if isinstance(document, dict) and items is None and "\n" not in text.strip() and not _lists_in(document):
        return "jsonl", iter([record_of(1, document)])
    return "json", _list_of(document, items)


def _lines(text: str) -> Iterator[Record]:
    numbered = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    _check(len(numbered))
    for number, line in numbered:
        try:
            yield record_of(number, parsed(line))
        except UnreadableRecordsError:
            yield Record(number, {}, "The line is not valid JSON.")


def _list_of(document: Any, items: str | None) -> Iterator[Record]:
    found = _at(document, items) if items else _best_list(document)
    if not isinstance(found, list):
        others = ", ".join(f"“{path}”" for path in list(_lists_in(document))[:5])
        there = f" It has lists at {others}." if others else " It has no list of objects at all."
        wanted = (
            f"There is no list at “{items}” in the feed." if items else "Where the rows are is not clear."
        )
        raise UnreadableRecordsError(wanted + there)
    rows = cast("list[Any]", found)
    _check(len(rows))
    return (record_of(number, row) for number, row in enumerate(rows, 1))


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


def _delimited(text: str) -> Iterator[Record]:
    lines = io.StringIO(text, newline="")
    table = table_of(lines, delimiter_of(first_line(lines)))
    names = named_columns(table)
    for count, (number, cells, problem) in enumerate(table, 1):
        _check(count)
        record = row_of(number, cells, problem, names)
        if record is not None:
            yield record


def _check(rows: int) -> None:
    if rows > MAX_ROWS:
        raise UnreadableRecordsError(
            f"The feed has more than {MAX_ROWS:,} rows. Split it into several.", code=TOO_LARGE
        )
