"""How many rows a spreadsheet has, counted while it is unpacked, before anybody holds it in memory as a whole."""

import re
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import IO, Final

from concierge.knowledge.parsing.kinds import Kind
from concierge.knowledge.parsing.rows import check_rows

_STEP: Final = 1 << 20
# Longer than the name of any element that is looked for.
_TAIL: Final = 64
_SHEETS: Final[Mapping[str, re.Pattern[str]]] = {
    Kind.XLSX: re.compile(r"xl/worksheets/[^/]+\.xml\Z"),
    Kind.ODS: re.compile(r"content\.xml\Z"),
}
_ROW: Final[Mapping[str, re.Pattern[bytes]]] = {
    Kind.XLSX: re.compile(rb"<(?:\w{1,20}:)?row[\s/>]"),
    Kind.ODS: re.compile(rb"<(?:\w{1,20}:)?table-row[\s/>]"),
}


def check_sheets(data: bytes, kind: str) -> None:
    """Errors: DocumentRejectedError when a sheet has more rows than one document may have."""
    if kind not in _SHEETS:
        return
    with zipfile.ZipFile(BytesIO(data)) as archive:
        for name in archive.namelist():
            if _SHEETS[kind].match(name):
                with archive.open(name) as sheet:
                    rows = 0
                    for found in _counted(sheet, _ROW[kind]):
                        rows += found
                        check_rows(rows - 1)


def _counted(sheet: IO[bytes], row: re.Pattern[bytes]) -> Iterator[int]:
    rest = b""
    while part := sheet.read(_STEP):
        window = rest + part
        # An element that is cut in two is counted with the next part.
        cut = window.rfind(b"<", -_TAIL)
        end = len(window) if cut < 0 else cut
        yield sum(1 for _ in row.finditer(window, 0, end))
        rest = window[end:]
    yield len(row.findall(rest))
