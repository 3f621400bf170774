"""The words of a message, each with what it does in an order. Pure."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from concierge.kit.money import amount_of
from concierge.kit.text import normalize
from concierge.tools.arithmetic.numbers import GERMAN_WORDS, SCALES, number_at

# What a word does, as a letter of the patterns in `reading`; `?` is a word that nobody knows in an order.
Code = Literal["N", "A", "D", "I", "R", "J", "K", "W", "X", "P", "O", "M", "F", "C", "S", "g", "?"]
_CODES: Final[Mapping[str, Code]] = {
    "glue": "g",
    "asks": "S",
    "permits": "g",
    "for": "K",
    "where": "W",
    "of": "J",
    "the": "D",
    "one": "A",
    "those": "R",
    "times": "X",
    "percent": "P",
    "off": "O",
    "minus": "M",
}
_SIGNS: Final[Mapping[str, Code]] = {"%": "P", "×": "X", "*": "X", "&": "g", "+": "g"}
# A number with a word behind its hyphen is one word: the 3-seater is not three of something.
_PIECE: Final = re.compile(
    r"(?P<word>\d+-[^\W\d_]+|[^\W\d_]+(?:'[^\W\d_]+)?)|(?P<number>[0-9]+(?:[.,][0-9]+)*)(?P<times>x(?!\w))?"
    r"|(?P<dash>[-‐–—−])|(?P<pause>[\s.,;:!?()\"'“”„]+)|(?P<sign>.)",
    re.DOTALL,
)  # fmt: skip
_UNSURE_NUMBER: Final = re.compile(r"\d{1,3}[.,]\d{3}")


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is folded. `number` is that of a number, `currencies` are those that a sign or a word may mean."""

    text: str
    code: Code
    number: Decimal | None = None
    is_whole: bool = False
    currencies: frozenset[str] = frozenset()
    fee: str = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    words: Mapping[str, Code]
    german: frozenset[str]
    asks: frozenset[str]
    permits: frozenset[str]
    halves: frozenset[str]
    fees: Mapping[str, str]
    currencies: Mapping[str, frozenset[str]]


@cache
def vocabulary() -> Vocabulary:
    table = tomllib.loads(files(__package__ or "").joinpath("words.toml").read_text("utf-8"))
    languages = {own: {kind: _listed(rows) for kind, rows in table[own].items()} for own in ("en", "de")}
    # A word that does several things, as "das" does, does the one that says more.
    words: dict[str, Code] = {
        word: code for kind, code in _CODES.items() for own in languages.values() for word in own[kind]
    }
    english = {word for rows in languages["en"].values() for word in rows}
    return Vocabulary(
        words=words,
        german=frozenset(word for rows in languages["de"].values() for word in rows) - english | GERMAN_WORDS,
        asks=frozenset(word for own in languages.values() for word in own["asks"]),
        permits=frozenset(word for own in languages.values() for word in own["permits"]),
        halves=frozenset(word for own in languages.values() for word in own["half"]),
        fees={word: fee for fee, rows in table["fees"].items() for word in _listed(rows)},
        currencies={word: frozenset(codes.split()) for word, codes in table["currencies"].items()},
    )


def _listed(rows: str) -> list[str]:
    return [word.strip() for line in rows.splitlines() for word in line.split("|") if word.strip()]


def tokens_of(text: str) -> list[Token]:
    """The words and signs of a text. A dash between words parts them; one that could be a minus or a range is unknown."""
    folded = normalize(text).casefold().replace("’", "'")
    return _with_numbers(list(_pieces(folded)))


def _pieces(text: str) -> Iterator[Token]:
    before = ""
    for found in _PIECE.finditer(text):
        kind, piece = found.lastgroup or "", found[0]
        if kind == "word":
            yield _word(piece)
        elif found["number"]:
            yield _number(found["number"])
            if found["times"]:
                yield Token("x", "X")
        elif kind == "dash":
            if not _only_parts(text, found.start(), before):
                yield Token(piece, "?")
        elif kind == "sign":
            yield _sign(piece)
        before = kind if kind != "pause" else before


def _only_parts(text: str, place: int, before: str) -> bool:
    """Whether a dash stands between words or begins a line, and belongs to no number."""
    following = text[place + 1 : place + 2]
    return before != "number" and not following.isdigit()


def _word(text: str) -> Token:
    known = vocabulary()
    if text in known.fees:
        return Token(text, "F", fee=known.fees[text])
    if text in known.currencies:
        return Token(text, "C", currencies=known.currencies[text])
    return Token(text, known.words.get(text, "?"))


def _sign(text: str) -> Token:
    currencies = vocabulary().currencies.get(text)
    return Token(text, "C", currencies=currencies) if currencies else Token(text, _SIGNS.get(text, "?"))


def _number(text: str) -> Token:
    # Nobody knows whether 1.500 is a thousand and a half or one and a half.
    amount = None if _UNSURE_NUMBER.fullmatch(text) else amount_of(text)
    return Token(text, "?") if amount is None else Token(text, "N", amount[0], is_whole=text.isdigit())


def _with_numbers(tokens: Sequence[Token]) -> list[Token]:
    """Put numbers in words, dozens and pairs in the place of their words."""
    texts = [token.text for token in tokens]
    read: list[Token] = []
    place = 0
    while place < len(tokens):
        found = number_at(texts, place)
        if found is not None:
            read.append(Token(texts[place], "N", Decimal(found[0]), is_whole=True))
            place += found[1]
        else:
            read.append(tokens[place])
            place += 1
    return _with_scales(read)


def _with_scales(tokens: Sequence[Token]) -> list[Token]:
    """Six for "half a dozen", 24 for "two dozen", 12 for "a dozen", "ein Dutzend" and "dozen"."""
    halves = vocabulary().halves
    read: list[Token] = []
    for token in tokens:
        scale = SCALES.get(token.text)
        if scale is None:
            read.append(token)
            continue
        factor = Decimal(1)
        if read and read[-1].code == "A":
            read.pop()
        elif read and read[-1].code == "N" and read[-1].number is not None:
            factor = read.pop().number or factor
        if read and read[-1].text in halves:
            read.pop()
            factor /= 2
            # German puts the article before it: "ein halbes Dutzend".
            if read and read[-1].code == "A":
                read.pop()
        read.append(Token(token.text, "N", scale * factor, is_whole=factor * scale % 1 == 0))
    return read
