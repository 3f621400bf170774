"""Tables of data whose rows are read one at a time: each names its columns, so that it says all by itself. Pure.

A small table stays a table, which reads better; a long one would lose its header to the first passage it is cut into.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Final

from concierge.knowledge.errors import DocumentRejectedError

MAX_ROWS: Final = 50_000
# A table of so many characters is one passage with its header.
SMALL_TABLE: Final = 900
MAX_CELL: Final = 2_000
_TABLE: Final = re.compile(r"(?:^\|[^\n]*\|[ \t]*(?:\n|\Z)){3,}", re.MULTILINE)
_RULE: Final = re.compile(r"\|(?:\s*:?-{3,}:?\s*\|)+\s*\Z")
_CELLS: Final = re.compile(r"(?<!\\)\|")

Row = Sequence[str]


def read_delimited(text: str) -> str:
    """Return a CSV or TSV file as Markdown. Errors: DocumentRejectedError for more rows than one document may have."""
    rows = [row for row in _parsed(text) if any(cell for cell in row)]
    if not rows:
        return ""
    return rendered(_header(rows[0]), rows[1:])


def rendered(header: Row, rows: Sequence[Row]) -> str:
    """Return a table as it is, or as rows that stand alone where it is long."""
    table = _table(header, rows)
    if len(table) <= SMALL_TABLE:
        return table
    return "\n".join(f"- {_alone(header, row)}" for row in rows)


def with_long_tables_by_row(markdown: str) -> str:
    """Turn the long tables of a spreadsheet, given as Markdown, into rows that stand alone."""
    return _TABLE.sub(lambda found: _by_row(found.group()), markdown)


def _by_row(table: str) -> str:
    lines = table.strip().split("\n")
    if not _RULE.match(lines[1].strip()):
        return table
    header, *rows = [_cells(line) for line in (lines[0], *lines[2:])]
    check_rows(len(rows))
    return rendered(_header(header), rows) + "\n"


def _parsed(text: str) -> Iterator[list[str]]:
    try:
        dialect = csv.Sniffer().sniff(text[:8_192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), dialect)):
            check_rows(number)
            yield [_cell(value) for value in row]
    except csv.Error as error:
        raise DocumentRejectedError(
            "The table is damaged: a cell of it does not end. Open it, save it again and retry."
        ) from error


def check_rows(rows: int) -> None:
    """Errors: DocumentRejectedError for more rows than one document may have, its header not counted."""
    if rows > MAX_ROWS:
        raise DocumentRejectedError(
            f"The table has more than {MAX_ROWS:,} rows, the most that one document may have. "
            "Split it, or add it as a feed.",
            code="document_too_large",
        )


def _cell(value: str) -> str:
    return " ".join(value.split())[:MAX_CELL]


def _header(row: Row) -> list[str]:
    return [name or f"Column {place}" for place, name in enumerate(row, 1)]


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [_cell(cell.replace("\\|", "|")) for cell in _CELLS.split(inner)]


def _table(header: Row, rows: Sequence[Row]) -> str:
    lines = [header, ["---"] * len(header), *(_padded(row, len(header)) for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _padded(row: Row, width: int) -> list[str]:
    return [*row, *[""] * (width - len(row))][: max(width, len(row))]


def _alone(header: Row, row: Row) -> str:
    names = [*header, *(f"Column {place}" for place in range(len(header) + 1, len(row) + 1))]
    return "; ".join(f"{name}: {value}" for name, value in zip(names, row, strict=False) if value)
