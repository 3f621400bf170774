"""What a site says again and again: pages that are nearly the same, and blocks that stand on many of them. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

import numpy as np

# Pages whose fingerprints differ in at most so many of 64 bits say the same.
NEAR: Final = 3
SHINGLE_WORDS: Final = 4
# A block on so many pages, and on such a share of those read, belongs to the site and not to a page.
PAGES: Final = 4
SHARE: Final = 0.3
LONGEST_BLOCK: Final = 800
SHORTEST_BLOCK: Final = 30
# Fewer words do not tell pages apart.
LEAST_WORDS: Final = 20
MOST_KNOWN: Final = 500

_WORD: Final = re.compile(r"\w+")
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")


def fingerprint(text: str) -> int | None:
    """Return a simhash of the runs of words, as a signed 64-bit number; None for a text too short to tell."""
    words = _WORD.findall(text.lower())
    if len(words) < LEAST_WORDS:
        return None
    runs = {" ".join(words[place : place + SHINGLE_WORDS]) for place in range(len(words) - SHINGLE_WORDS + 1)}
    hashes = np.frombuffer(
        b"".join(blake2b(run.encode(), digest_size=8).digest() for run in runs), dtype=np.uint8
    ).reshape(-1, 8)
    votes = np.unpackbits(hashes, axis=1).sum(axis=0, dtype=np.int64) * 2 > len(runs)
    return int.from_bytes(np.packbits(votes).tobytes(), "big", signed=True)


def differing_bits(one: int, other: int) -> int:
    return ((one ^ other) & (2**64 - 1)).bit_count()


def same_numbers(one: str, other: str) -> bool:
    """Whether two texts name the same numbers: two products may share every word but the price."""
    return set(_NUMBER.findall(one)) == set(_NUMBER.findall(other))


class Boilerplate:
    """Blocks seen on the pages of one site, and which of them repeat so often that they are left out."""

    def __init__(self, known: Iterable[bytes] = ()) -> None:
        """`known` are blocks that an earlier run has found to repeat."""
        self._known = set(known)
        self._pages_of: dict[bytes, set[str]] = defaultdict(set)
        self._pages: set[str] = set()
        self._holding: dict[bytes, set[str]] = defaultdict(set)
        self.dropped = 0
        self.reread: set[str] = set()

    def cleaned(self, address: str, text: str) -> str:
        """Note a page's blocks and return its text without those that repeat across the site."""
        blocks = text.split("\n\n")
        self._pages.add(address)
        kept: list[str] = []
        for block in blocks:
            if not SHORTEST_BLOCK <= len(block) <= LONGEST_BLOCK or block.startswith("#"):
                kept.append(block)
                continue
            key = _key(block)
            self._pages_of[key].add(address)
            if self._repeats(key):
                self.dropped += 1
            else:
                kept.append(block)
                self._holding[key].add(address)
        return "\n\n".join(kept) if any(_says_something(block) for block in kept) else text

    def holders(self) -> set[str]:
        """Return, once, the pages that were read before one of their blocks was known to repeat."""
        repeated = [key for key in self._holding if self._repeats(key)]
        pages = {page for key in repeated for page in self._holding.pop(key)} - self.reread
        self.reread |= pages
        return pages

    def known(self) -> list[bytes]:
        """Return the blocks to leave out from the beginning next time."""
        found = self._known | {key for key in self._pages_of if self._repeats(key)}
        return sorted(found)[:MOST_KNOWN]

    def _repeats(self, key: bytes) -> bool:
        if key in self._known:
            return True
        count = len(self._pages_of[key])
        return count >= PAGES and count >= SHARE * len(self._pages)


def _key(block: str) -> bytes:
    return blake2b(" ".join(_WORD.findall(block.lower())).encode(), digest_size=8).digest()


def _says_something(block: str) -> bool:
    return not block.startswith("#") and bool(_WORD.search(block))
