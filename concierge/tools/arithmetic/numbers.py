"""Numbers in words, English and German. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

_ENGLISH: Final[Mapping[str, int]] = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
}
_ENGLISH_TENS: Final[Mapping[str, int]] = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_GERMAN: Final[Mapping[str, int]] = {
    "eins": 1,
    "zwei": 2,
    "zwo": 2,
    "drei": 3,
    "vier": 4,
    "fünf": 5,
    "sechs": 6,
    "sieben": 7,
    "acht": 8,
    "neun": 9,
    "zehn": 10,
    "elf": 11,
    "zwölf": 12,
    "dreizehn": 13,
    "vierzehn": 14,
    "fünfzehn": 15,
    "sechzehn": 16,
    "siebzehn": 17,
    "achtzehn": 18,
    "neunzehn": 19,
}
_GERMAN_TENS: Final[Mapping[str, int]] = {
    "zwanzig": 20,
    "dreißig": 30,
    "dreissig": 30,
    "vierzig": 40,
    "fünfzig": 50,
    "sechzig": 60,
    "siebzig": 70,
    "achtzig": 80,
    "neunzig": 90,
}
# German says it in one word, the unit first: einundzwanzig.
_GERMAN_TOGETHER: Final[Mapping[str, int]] = {
    f"{'ein' if unit == 'eins' else unit}und{tens}": number + own
    for tens, number in _GERMAN_TENS.items()
    for unit, own in _GERMAN.items()
    if own < 10
}
_WORDS: Final[Mapping[str, int]] = _ENGLISH | _ENGLISH_TENS | _GERMAN | _GERMAN_TENS | _GERMAN_TOGETHER
# What multiplies the number before it.
SCALES: Final[Mapping[str, int]] = {
    "dozen": 12,
    "pair": 2,
    "pairs": 2,
    "hundred": 100,
    "dutzend": 12,
    "hundert": 100,
}
GERMAN_WORDS: Final = frozenset({*_GERMAN, *_GERMAN_TENS, *_GERMAN_TOGETHER, "dutzend", "hundert"})


def number_at(words: Sequence[str], start: int) -> tuple[int, int] | None:
    """The number in words that begins at a place, and how many words it has: "twenty five" is (25, 2)."""
    word = words[start]
    following = _ENGLISH.get(words[start + 1], 10) if start + 1 < len(words) else 10
    if word in _ENGLISH_TENS and following < 10:
        return _ENGLISH_TENS[word] + following, 2
    number = _WORDS.get(word)
    return None if number is None else (number, 1)
