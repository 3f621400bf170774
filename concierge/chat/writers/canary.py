"""Whether a reply repeats the notes it was written from. A canary is a word that stands in those of one turn alone."""

import re
import secrets
from typing import Final

_BYTES: Final = 6
_PREFIX: Final = "note-"
# So many words in a row of our own notes are no accident.
_RUN: Final = 14
_WORD: Final = re.compile(r"[^\W_]+")


def new_canary() -> str:
    return f"{_PREFIX}{secrets.token_hex(_BYTES)}"


class Notes:
    """The notes of one turn, which no reply may repeat."""

    def __init__(self, text: str, canary: str) -> None:
        words = _words(text)
        self._runs = {tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)}
        self._canary = canary
        self._core = canary.removeprefix(_PREFIX)

    def are_in(self, reply: str) -> bool:
        """Whether a reply holds the canary, however it is spaced, cased or turned round, or a long run of the notes."""
        words = _words(reply)
        plain = "".join(words)
        if self._core in plain or self._core[::-1] in plain:
            return True
        return any(tuple(words[at : at + _RUN]) in self._runs for at in range(len(words) - _RUN + 1))

    def begins_at_end_of(self, reply: str) -> int:
        """Return how many characters at the end of a reply may be the beginning of the canary."""
        end = reply[-len(self._canary) :].lower()
        return next((size for size in range(len(end), 0, -1) if self._canary.startswith(end[-size:])), 0)


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]
