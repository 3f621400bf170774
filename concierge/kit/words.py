"""Words for matching: tokens, stems, hashes, and the two halves of a BM25 score.

A chunk stores the half that depends on it (`document_weights`); a query brings the other (`idf`). Their inner
product is BM25 exactly, except where two terms of one text share a hash (about one pair in a billion).
"""

import math
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

from Stemmer import Stemmer

TERM_DIMENSIONS = 10**9 - 1  # A pgvector sparsevec has at most 10⁹ dimensions.
K1 = 1.2  # With b, within a flat optimum on product documentation, encyclopedia articles and reports.
B = 0.75
# BM25 wants the average length; a fixed one near it lets a chunk's weights stay true while its pack grows.
USUAL_CHUNK_TERMS = 100.0
MAX_TERM_LENGTH = 64  # Longer runs are encoded data; their beginning identifies them.

STOP_WORDS = frozenset(
    [
        "a",
        "about",
        "after",
        "again",
        "all",
        "am",
        "an",
        "and",
        "any",
        "are",
        "aren't",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "being",
        "below",
        "between",
        "both",
        "but",
        "by",
        "can",
        "can't",
        "cannot",
        "could",
        "couldn't",
        "did",
        "didn't",
        "do",
        "does",
        "doesn't",
        "doing",
        "don't",
        "down",
        "during",
        "each",
        "few",
        "for",
        "from",
        "further",
        "had",
        "has",
        "hasn't",
        "have",
        "haven't",
        "having",
        "he",
        "her",
        "here",
        "hers",
        "herself",
        "him",
        "himself",
        "his",
        "how",
        "how's",
        "i",
        "i'd",
        "i'll",
        "i'm",
        "i've",
        "if",
        "in",
        "into",
        "is",
        "isn't",
        "it",
        "it's",
        "its",
        "itself",
        "just",
        "let's",
        "me",
        "more",
        "most",
        "my",
        "myself",
        "of",
        "off",
        "on",
        "once",
        "only",
        "or",
        "other",
        "our",
        "ours",
        "ourselves",
        "out",
        "over",
        "own",
        "please",
        "same",
        "shall",
        "she",
        "should",
        "shouldn't",
        "so",
        "some",
        "such",
        "than",
        "that",
        "that's",
        "the",
        "their",
        "theirs",
        "them",
        "themselves",
        "then",
        "there",
        "there's",
        "these",
        "they",
        "they're",
        "this",
        "those",
        "through",
        "to",
        "too",
        "under",
        "until",
        "up",
        "very",
        "was",
        "wasn't",
        "we",
        "we're",
        "we've",
        "were",
        "weren't",
        "what",
        "what's",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "won't",
        "would",
        "wouldn't",
        "you",
        "you'd",
        "you'll",
        "you're",
        "you've",
        "your",
        "yours",
        "yourself",
        "yourselves",
    ]
)

# Letters and digits of any script with the vowel signs of Arabic, Indic and Thai letters; an apostrophe may stand inside.
_LETTERS = r"(?:[^\W_]|[\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e])+"
_WORD = re.compile(rf"{_LETTERS}(?:'{_LETTERS})*")
_CODE = re.compile(r"(?<![^\W_])[^\W_]++(?:[._/:-][^\W_]++)+")
_OF_CODE = re.compile(r"[\d._]")
_LATIN_MARKS = re.compile(r"[\u0300-\u036f]")
# Scripts written without spaces: Chinese, Japanese kana, Thai, Lao, Khmer, Burmese.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_local = threading.local()


def codes_in(text: str) -> list[str]:
    """What names one single thing by letters and digits with marks between ("db.t2.small", "us-east-2"), lower-cased."""
    return [code.lower() for code in _CODE.findall(text) if _OF_CODE.search(code)]


def terms(text: str) -> list[str]:
    """The words of a text in order, lower-cased, without Latin accents, stemmed (Snowball English), stop words dropped.

    Scripts written without spaces give overlapping pairs of characters, which match without a dictionary.
    """
    words = [word for word in _words(text) if word not in STOP_WORDS]
    return [stem[:MAX_TERM_LENGTH] for stem in _stemmer().stemWords(words)]


@lru_cache(maxsize=65_536)
def term_id(term: str) -> int:
    """The dimension of a term in a sparse vector, 1 … TERM_DIMENSIONS, the same in every process."""
    return int.from_bytes(_digest(term.encode()), "big") % TERM_DIMENSIONS + 1


@lru_cache(maxsize=65_536)
def local_term(place: UUID, term: str) -> int:
    """A term within one place, such as an index or an organization, as a signed 64-bit integer: posting lists are local."""
    return int.from_bytes(_digest(place.bytes + term.encode()), "big", signed=True)


def document_weights(
    terms: Iterable[str], average_length: float, *, k1: float = K1, b: float = B
) -> dict[int, float]:
    """The part of BM25 that depends on the document, per term id; lengths are counted in terms."""
    counts = Counter(map(term_id, terms))
    length = sum(counts.values())
    norm = k1 * (1 - b + b * length / average_length) if average_length > 0 else k1
    return {term: count * (k1 + 1) / (count + norm) for term, count in counts.items()}


def idf(documents: int, df: int) -> float:
    """Inverse document frequency, never negative: `df` of `documents` hold the term."""
    return math.log1p((max(documents, df) - df + 0.5) / (df + 0.5))


def _words(text: str) -> Iterable[str]:
    text = text.replace("’", "'")
    if text.isascii():  # Most text is, and then nothing below would change it.
        yield from _WORD.findall(text.lower())
        return
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    plain = unicodedata.normalize("NFC", _LATIN_MARKS.sub("", decomposed))
    for match in _WORD.finditer(plain):
        word = match.group()
        if _UNSPACED.search(word):
            yield from (word[start : start + 2] for start in range(max(1, len(word) - 1)))
        else:
            yield word


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=8).digest()


def _stemmer() -> Any:
    """A stemmer keeps a cache inside and may not be shared between threads."""
    stemmer: Any = getattr(_local, "stemmer", None)
    if stemmer is None:
        stemmer = _local.stemmer = Stemmer("english")
    return stemmer
