"""Any text in one form."""

import re
import unicodedata
from typing import Final

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
