"""Where the pages of a document begin in its text, which was put together anew and no longer says so. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# So many letters tell where a page begins; a page of fewer is looked for by all it has.
_HEAD: Final = 48
_LEAST: Final = 12


@dataclass(frozen=True, slots=True)
class Page:
    """`head` are the first letters and digits of a page, `letters` is how many it has."""

    head: str
    letters: int

    @classmethod
    def of(cls, text: str) -> "Page":
        plain = _plain(text)
        return cls(plain[:_HEAD], len(plain))


def page_starts(text: str, pages: Sequence[Page]) -> tuple[int, ...]:
    """Return the offset in `text` at which each page begins, rising; empty for a document of one page.

    A page whose beginning was set differently is placed by the number of letters before it.
    """
    if len(pages) < 2:
        return ()
    offsets = [place for place, character in enumerate(text) if character.isalnum()]
    plain = "".join(text[place] for place in offsets).lower()
    starts: list[int] = []
    at = 0
    for number, page in enumerate(pages):
        expected = at if number == 0 else min(len(plain), at + pages[number - 1].letters)
        found = _found(plain, page.head, at) if number else 0
        at = max(at, expected if found is None else found)
        starts.append(offsets[at] if at < len(offsets) else len(text))
    return tuple(starts)


def _found(plain: str, head: str, since: int) -> int | None:
    """Look for a page's beginning, the whole head first, then less of it."""
    for length in (len(head), len(head) // 2):
        if length >= min(_LEAST, len(head)) > 0:
            place = plain.find(head[:length], since)
            if place >= 0:
                return place
    return None


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()
