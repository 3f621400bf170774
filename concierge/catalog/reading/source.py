"""What a file is, and its rows one after another; no more of it is in memory than a few rows."""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal

from concierge.catalog.errors import ImportUnreadableError
from concierge.catalog.reading.markup import rows_of_xml
from concierge.catalog.reading.objects import rows_of_json
from concierge.kit.records import (
    Record,
    UnreadableRecordsError,
    delimiter_of,
    first_line,
    named_columns,
    row_of,
    table_of,
)

Format = Literal["csv", "json", "jsonl", "xml"]
_BLOCK: Final = 1 << 18
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class RowSource:
    """`columns` are those of a table; the fields of other formats show row by row."""

    format: Format
    columns: tuple[str, ...]
    rows: Iterator[Record]


def opened(file: BinaryIO) -> RowSource:
    """Look what a file is. Blocks; so does going on with its rows. Errors: ImportUnreadableError."""
    start = _start(file)
    if start.startswith(b"<"):
        return RowSource("xml", (), _guarded(rows_of_xml(file)))
    text = io.TextIOWrapper(file, encoding=_encoding(file), errors="replace", newline="")
    try:
        first = first_line(text)
        if first.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
            format_, rows = rows_of_json(text)
            return RowSource(format_, (), _guarded(rows))
        table = table_of(text, delimiter_of(first))
        names = named_columns(table)
    except UnreadableRecordsError as problem:
        raise ImportUnreadableError(str(problem)) from None
    rows = (row for entry in table if (row := row_of(*entry, names)) is not None)
    return RowSource("csv", tuple(names), _guarded(rows))


def _start(file: BinaryIO) -> bytes:
    file.seek(0)
    start = file.read(1024)
    file.seek(0)
    if not start.strip(b"\xef\xbb\xbf \t\r\n"):
        raise ImportUnreadableError("The file is empty.")
    if start.startswith((b"PK\x03\x04", b"%PDF", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")):
        raise ImportUnreadableError(
            "This is not a list of products as text. Save it as CSV, JSON or XML, and do not pack it."
        )
    return start.lstrip(b"\xef\xbb\xbf \t\r\n")


def _encoding(file: BinaryIO) -> str:
    """By its mark, else UTF-8 where all of it is, else that of old programs. Errors: ImportUnreadableError."""
    start = file.read(4)
    file.seek(0)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    decoder = codecs.getincrementaldecoder("utf-8")()
    found = "utf-8"
    while block := file.read(_BLOCK):
        if b"\x00" in block:
            raise ImportUnreadableError("The file is not text: its content is binary data.")
        if found == "utf-8":
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                found = "cp1252"
    file.seek(0)
    return found


def _guarded(rows: Iterator[Record]) -> Iterator[Record]:
    """Where a file breaks off, what was read before it counts."""
    last = 0
    try:
        for row in rows:
            last = row.row
            yield row
    except UnreadableRecordsError as problem:
        if not last:
            raise ImportUnreadableError(str(problem)) from None
        yield Record(last + 1, {}, f"From here on nothing can be read. {problem}")
