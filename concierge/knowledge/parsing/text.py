"""From bytes to text, and from any text to text in one form."""

import codecs
import re
import unicodedata
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
_LINE_ENDS: Final = re.compile("\r\n|[\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
# Control characters, lone surrogates and noncharacters; what a reader never sees (soft hyphen, zero-width space,
# byte-order mark, direction overrides, tag characters) but what splits words or hides instructions.
_REMOVED: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u200b\u2060\ufeff\ufffe\uffff\u202a-\u202e\u2066-\u2069\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_SPACES: Final = re.compile("[\xa0\u2000-\u200a\u202f\u205f]")
_TRAILING: Final = re.compile(r"(?<![ \t])[ \t]++(?=\n|\Z)")
_BLANK_LINES: Final = re.compile(r"\n{3,}")


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


def normalize(text: str) -> str:
    """One form for all text: NFC, LF, no invisible or control characters but tab, at most one blank line in a row.

    Applying it twice changes nothing.
    """
    text = _LINE_ENDS.sub("\n", text)
    text = _REMOVED.sub("", text)
    text = _SPACES.sub(" ", text)
    text = unicodedata.normalize("NFC", text)
    text = _TRAILING.sub("", text)
    return _BLANK_LINES.sub("\n\n", text).strip("\n").rstrip()
