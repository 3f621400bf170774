"""Text of others as data in a prompt: every line of it is marked, so that none can pass for one of ours. Pure."""

import re
from typing import Final

MARK: Final = ">"
CUT: Final = " […] "
TAIL: Final = 0.25  # Of a text too long, this share is kept from its end, where the question often stands.
# Characters nobody sees and a model may read: controls, directions of writing, the letters of the tag block.
_UNSEEN: Final = re.compile(
    r"[\x00-\x08\x0e-\x1b\x1f\x7f\x80-\x84\x86-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_GAP: Final = re.compile(r"\n(?:[^\S\n]*\n){2,}")


def quoted(text: str, limit: int) -> str:
    """The text with a mark before every line, at most about `limit` characters of it."""
    seen = _GAP.sub("\n\n", "\n".join(_UNSEEN.sub("", clipped(text, limit)).strip().splitlines()))
    return "\n".join(f"{MARK} {line}".rstrip() for line in seen.split("\n"))


def one_line(text: str, limit: int) -> str:
    """The text as part of a line."""
    return " ".join(_UNSEEN.sub("", clipped(text, limit)).split())


def clipped(text: str, limit: int) -> str:
    """At most `limit` characters: the beginning and, of what is longer, the end too."""
    if len(text) <= limit:
        return text
    tail = int(limit * TAIL)
    return text[: limit - tail - len(CUT)] + CUT + text[-tail:]
