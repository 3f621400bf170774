"""A message in numbers for the linear heads: hashed words and pairs of words, hashed letters, signs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from concierge.intelligence.cues import Cue
from concierge.intelligence.schemas import EMOTIONS, INTENTS
from concierge.intelligence.tokens import DENYING, Token, is_shouted

WORD_BUCKETS: Final = 1 << 16
LETTER_BUCKETS: Final = 1 << 16
LETTERS: Final = (3, 4, 5)
SIGNS: Final = (
    *("questions", "exclamations", "shouting", "denials", "short", "long", "lower_case", "pictures"),
    *("first_person", "second_person", "numbers", "ellipsis"),
)
# What the phrases of a lexicon speak for, each once as it is said and once as it is denied.
CUED: Final = (*EMOTIONS, "sarcasm", *INTENTS)
MOST_SAID: Final = 6.0
_REACH: Final = 3  # Words after a denial that are other words than they would be without.
_PRIME: Final = np.uint32(0x01000193)
_MIX: Final = np.uint32(0x85EBCA6B)
_SPACE: Final = 0x20
_FIRST_PERSON: Final = frozenset(["i", "im", "ive", "id", "my", "me", "we", "our", "us"])
_SECOND_PERSON: Final = frozenset(["you", "your", "youre", "yours", "u", "ur", "yall"])

Buckets = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Features:
    """`words` are the buckets of each word and then of each pair; `letters` those of each run of letters.

    `signs` are numbers between 0 and 1, in the order of SIGNS and then, as said and as denied, of CUED.
    """

    words: Buckets
    letters: Buckets
    signs: NDArray[np.float32]


def features(text: str, tokens: Sequence[Token], *cues: Sequence[Cue]) -> Features:
    told = told_words(tokens)
    pairs = [f"{first} {second}" for first, second in pairwise(told)]
    words = np.fromiter((crc32(word.encode()) for word in (*told, *pairs)), np.uint32, len(told) + len(pairs))
    return Features(
        words % WORD_BUCKETS,
        letters(" ".join(told)) % LETTER_BUCKETS,
        np.concatenate([signs(text, tokens), cued(cues)]),
    )


def told_words(tokens: Sequence[Token]) -> list[str]:
    """Return a message's words and signs; those a denial reaches say so."""
    reach = 0
    told: list[str] = []
    for token in tokens:
        told.append(_told(token, denied=reach > 0))
        if token.text in DENYING:
            reach = _REACH
        elif token.ends_clause:
            reach = 0
        else:
            reach = max(0, reach - 1)
    return told


def _told(token: Token, *, denied: bool) -> str:
    if not token.is_word:
        return token.text[:3]  # Three exclamation marks or ten are the same.
    return f"not_{token.text}" if denied else token.text


def letters(text: str) -> Buckets:
    """Return a bucket for each run of three to five letters within a word, with the space before and after it."""
    codes = np.frombuffer(f" {text} ".encode("utf-32-le"), np.uint32)
    space = codes == _SPACE
    rolled = codes.copy()
    inner = np.zeros(len(codes), np.bool_)
    runs: list[Buckets] = []
    for length in range(2, LETTERS[-1] + 1):
        if len(codes) < length:
            break
        rolled = rolled[:-1] * _PRIME + codes[length - 1 :]
        inner = inner[:-1] | space[length - 2 : len(codes) - 1] if length > 2 else inner[:-1]
        if length in LETTERS:
            runs.append(_mixed(rolled[~inner], length))
    return np.concatenate(runs) if runs else np.zeros(0, np.uint32)


def _mixed(rolled: Buckets, length: int) -> Buckets:
    mixed = (rolled ^ np.uint32(length * 0x9E3779B1 & 0xFFFFFFFF)) * _MIX
    return mixed ^ (mixed >> np.uint32(15))


def signs(text: str, tokens: Sequence[Token]) -> NDArray[np.float32]:
    """Return how a message is written, apart from its words; in the order of SIGNS."""
    said = [token for token in tokens if token.is_word]
    words = [token.text for token in said]
    marks = "".join(token.text for token in tokens if not token.is_word)
    count = max(1, len(words))
    values = (
        min(3, marks.count("?")) / 3,
        min(3, marks.count("!")) / 3,
        float(is_shouted(said)),
        min(3, sum(word in DENYING for word in words)) / 3,
        float(len(words) <= 3),
        min(1.0, len(words) / 60),
        float(text.islower()),
        min(3, sum(token.is_pictured for token in tokens)) / 3,
        sum(word in _FIRST_PERSON for word in words) / count,
        sum(word in _SECOND_PERSON for word in words) / count,
        float(any(word[0].isdigit() for word in words)),
        float("..." in text or "…" in text),
    )
    return np.array(values, np.float32)


def cued(found: Sequence[Sequence[Cue]]) -> NDArray[np.float32]:
    """Return how much is said, and how much is denied, for each of CUED."""
    values = np.zeros((len(CUED), 2), np.float32)
    for cue in chain.from_iterable(found):
        values[_PLACES[cue.speaks_for], int(cue.denied)] += cue.weight
    return (np.minimum(values, MOST_SAID) / MOST_SAID).ravel().astype(np.float32)


_PLACES: Final = {name: place for place, name in enumerate(CUED)}
