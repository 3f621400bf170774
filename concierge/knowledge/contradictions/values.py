"""Typed values in a sentence: prices, periods, shares, dates, counted things. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from concierge.knowledge.lexical import terms

Kind = Literal["price", "duration", "share", "date", "amount"]

_UNDER_TWENTY = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
NUMBERS: Mapping[str, int] = {
    **{word: number for number, word in enumerate(_UNDER_TWENTY)},
    **{word: 10 * number for number, word in enumerate(_TENS, 2)},
    **{
        f"{ten}-{word}": 10 * tens + number
        for tens, ten in enumerate(_TENS, 2)
        for number, word in enumerate(_UNDER_TWENTY[1:10], 1)
    },
}
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
CURRENCIES: Mapping[str, str] = {
    "$": "usd", "€": "eur", "£": "gbp", "¥": "jpy",
    "dollar": "usd", "euro": "eur", "pound": "gbp", "yen": "jpy",
}  # fmt: skip
# What a unit of time is measured in, and how many of those it holds. Months are not days: contracts mean what they say.
DURATIONS: Mapping[str, tuple[str, int]] = {
    "second": ("seconds", 1), "minute": ("seconds", 60), "hour": ("seconds", 3600), "day": ("days", 1),
    "week": ("days", 7), "month": ("months", 1), "year": ("months", 12),
}  # fmt: skip

# Not the digits of a name, as of EC2. Number words are one alternative each at most, as this is tried at every word.
_NUMBER = (
    rf"(?:(?<![\w.])\d+(?:[,.]\d+)*|\b(?:(?:{'|'.join(_TENS)})(?:-(?:{'|'.join(_UNDER_TWENTY[1:10])}))?"
    rf"|{'|'.join(sorted(_UNDER_TWENTY, key=len, reverse=True))})\b)"
)
_MONTH = "|".join(f"{month}|{month[:3]}" for month in MONTHS)
_PATTERNS: Mapping[Kind, re.Pattern[str]] = {
    "date": re.compile(
        rf"\b(?:(?P<iso>\d{{4}}-\d\d-\d\d)|(?P<day>\d{{1,2}})\.?\s+(?P<month>{_MONTH})\b\.?(?:,?\s+(?P<year>\d{{4}}))?"
        rf"|(?P<month2>{_MONTH})\.?\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<year2>\d{{4}}))?"
        rf"|(?P<month3>{_MONTH})\.?\s+(?P<year3>\d{{4}})\b)",
        re.IGNORECASE,
    ),
    "price": re.compile(
        rf"(?P<sign>[$€£¥])\s?(?P<n>\d+(?:[,.]\d+)*)|(?P<n2>{_NUMBER})\s?(?P<name>[€£¥]|(?:dollar|euro|pound)s?\b|USD\b|EUR\b|GBP\b)",
        re.IGNORECASE,
    ),
    "share": re.compile(rf"(?P<n>{_NUMBER})\s?(?:%|percent\b|per cent\b)", re.IGNORECASE),
    "duration": re.compile(
        rf"(?P<n>{_NUMBER})[\s-]?(?P<how>working |business |calendar )?(?P<unit>{'|'.join(DURATIONS)})s?\b",
        re.IGNORECASE,
    ),
    "amount": re.compile(rf"(?P<n>{_NUMBER})[\s-]?(?P<unit>[A-Za-z]{{2,}})", re.IGNORECASE),
}
# What a kind cannot be written without: most sentences have none of these, and a pattern that finds nothing costs the same.
_MARKS: Mapping[Kind, re.Pattern[str]] = {
    "date": re.compile(rf"\d{{4}}-\d\d-|{'|'.join(month[:3] for month in MONTHS)}", re.IGNORECASE),
    "price": re.compile(r"[$€£¥]|dollar|euro|pound|usd|eur|gbp", re.IGNORECASE),
    "share": re.compile(r"%|percent|per cent", re.IGNORECASE),
    "duration": re.compile("|".join(DURATIONS), re.IGNORECASE),
}
# Addresses hold numbers that say nothing.
ADDRESS = re.compile(r"(?:https?://|www\.)[^\s)>\]]+|(?<=\]\()[^)]*")
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[a-z-]+")
# A bound is another statement than a value: "from $29" does not contradict "$49".
_BOUND = re.compile(
    r"\b(?:from|up to|at least|at most|over|under|above|below|more than|less than|between|minimum|maximum|about|around)\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it compares: `unit` is its currency, its measure of time, or the word behind a number."""

    kind: Kind
    unit: str
    amount: str
    bound: bool


def values_of(text: str) -> list[tuple[Value, int, int]]:
    """Find the typed values of a sentence with their places, the more telling kinds first."""
    found: list[tuple[Value, int, int]] = []
    taken: list[tuple[int, int]] = []
    for kind, pattern in _PATTERNS.items():
        if kind in _MARKS and not _MARKS[kind].search(text):
            continue
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < until and since < end for since, until in taken):
                continue
            value = _READERS[kind](match)
            if value is not None:
                bound = bool(_BOUND.search(text[:start]))
                found.append((Value(kind, *value, bound), start, end))
                taken.append((start, end))
    return found


def holds_number(text: str) -> bool:
    """Look before the patterns do, which cost more: most sentences have no number."""
    return bool(_DIGIT.search(text)) or not NUMBERS.keys().isdisjoint(_WORD.findall(text.lower()))


def _number(written: str) -> str:
    """A number as it compares: "1,299.00" is "1299", "thirty" is "30"."""
    lower = written.lower()
    if lower in NUMBERS:
        return str(NUMBERS[lower])
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", lower):
        lower = lower.replace(",", "")
    lower = lower.replace(",", ".")
    return f"{float(lower):.15g}" if lower.count(".") <= 1 else lower


def _date(match: re.Match[str]) -> tuple[str, str] | None:
    if match["iso"]:
        return "date", match["iso"]
    month = match["month"] or match["month2"] or match["month3"]
    number = next(place for place, name in enumerate(MONTHS, 1) if name.startswith(month.lower()[:3]))
    if match["year3"]:
        return "month", f"{match['year3']}-{number:02}"
    day, year = match["day"] or match["day2"], match["year"] or match["year2"] or ""
    return ("date" if year else "day", f"{year}-{number:02}-{int(day):02}")


def _price(match: re.Match[str]) -> tuple[str, str] | None:
    name = (match["sign"] or match["name"]).lower()
    return CURRENCIES.get(name.removesuffix("s"), name), _number(match["n"] or match["n2"])


def _share(match: re.Match[str]) -> tuple[str, str] | None:
    return "%", _number(match["n"])


def _duration(match: re.Match[str]) -> tuple[str, str] | None:
    measure, size = DURATIONS[match["unit"].lower()]
    how = "working " if (match["how"] or "").lower().startswith(("working", "business")) else ""
    amount = _number(match["n"])
    return how + measure, f"{float(amount) * size:.15g}" if amount.count(".") <= 1 else amount


def _amount(match: re.Match[str]) -> tuple[str, str] | None:
    unit = terms(match["unit"])
    return (unit[0], _number(match["n"])) if unit else None


_READERS = {"date": _date, "price": _price, "share": _share, "duration": _duration, "amount": _amount}
