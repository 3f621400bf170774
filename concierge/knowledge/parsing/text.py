"""From bytes to text."""

import codecs
from typing import Final

from concierge.knowledge.errors import DocumentRejectedError

# The longer mark first: UTF-32's begins with UTF-16's.
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL_BYTES: Final = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
# Text in an old encoding has next to none of these; a tenth of random bytes are.
_MAX_CONTROL_SHARE: Final = 0.01


def decode(data: bytes, charset: str | None = None) -> str:
    """The text of `data`: byte-order mark, then UTF-8, then `charset` as declared, then Windows-1252.

    Raises DocumentRejectedError (`document_binary`) for what is no text in any of them.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    control = len(data) - len(data.translate(None, _CONTROL_BYTES))
    if b"\x00" in data or control > _MAX_CONTROL_SHARE * len(data):
        raise DocumentRejectedError(
            "The file is not text: its content is binary data. Upload it in its own format, such as PDF or Word.",
            code="document_binary",
        )
    for encoding in ("utf-8", _known(charset)):
        try:
            return data.decode(encoding or "utf-8")
        except UnicodeDecodeError:
            continue
    return data.decode("cp1252", errors="replace")


def _known(charset: str | None) -> str | None:
    try:
        name = codecs.lookup(charset).name if charset else None
    except LookupError:
        return None
    # Python's own codecs such as `zlib` or `idna` are not encodings of text.
    return (
        name
        if name and name.startswith(("iso8859", "cp", "windows", "koi8", "gb", "big5", "shift_jis", "euc"))
        else None
    )
