"""Statements that disagree: the same thing said with two prices, periods, shares, dates or limits. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Literal
from uuid import UUID

from concierge.knowledge.lexical import terms
from concierge.knowledge.schemas import Passage

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

_NUMBER = rf"(?:\d+(?:[,.]\d+)*|\b(?:{'|'.join(sorted(NUMBERS, key=len, reverse=True))})\b)"
_MONTH = "|".join(f"{month}|{month[:3]}" for month in MONTHS)
_PATTERNS: Mapping[Kind, re.Pattern[str]] = {
    "date": re.compile(
        rf"\b(?:(?P<iso>\d{{4}}-\d\d-\d\d)|(?P<day>\d{{1,2}})\.?\s+(?P<month>{_MONTH})\b\.?(?:,?\s+(?P<year>\d{{4}}))?"
        rf"|(?P<month2>{_MONTH})\.?\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<year2>\d{{4}}))?)",
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
# Addresses hold numbers that say nothing.
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s)>\]]+|(?<=\]\()[^)]*")
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[a-z-]+")
_NEGATION = re.compile(r"\b(?:not|no|never|none|without|cannot|\w+n['’]t)\b", re.IGNORECASE)
# A bound is another statement than a value: "from $29" does not contradict "$49".
_BOUND = re.compile(
    r"\b(?:from|up to|at least|at most|over|under|above|below|more than|less than|between|minimum|maximum|about|around)\s*$",
    re.IGNORECASE,
)
# Titles that do not say what a page is about.
GENERAL = frozenset(
    terms(
        "FAQ frequently asked questions answers help support overview information general details guide policy policies "
        "terms conditions introduction summary page home document version updated new old draft"
    )
)

# So many words besides the values must two statements have in common, or fewer and no others; and so large a share.
SHARED_TERMS = 3
LEAST_TERMS = 2
ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it compares: `unit` is its currency, its measure of time, or the word behind a number."""

    kind: Kind
    unit: str
    amount: str
    bound: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence with one value of a kind. `about` are its other words, `title` and `headings` those it stands under."""

    document_id: UUID
    start: int
    end: int
    text: str
    value: Value
    negated: bool
    about: frozenset[str]
    title: frozenset[str]
    headings: frozenset[str]
    dated: datetime | None
    credibility: float  # 1 and above for an authoritative source

    @property
    def subject(self) -> frozenset[str]:
        return self.about | self.title | self.headings


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a document, `start` to `end` in its text, with what the document says of itself."""

    document_id: UUID
    start: int
    end: int
    text: str
    title: str
    headings: Sequence[str] = ()
    dated: datetime | None = None
    authoritative: bool = False
    credibility: float = 0.5


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two statements that cannot both hold. `settled` says that `valid` is known to be the better one."""

    valid: Statement
    other: Statement
    settled: bool


def values_of(text: str) -> list[tuple[Value, int, int]]:
    """Find the typed values of a sentence with their places, the more telling kinds first."""
    found: list[tuple[Value, int, int]] = []
    taken: list[tuple[int, int]] = []
    for kind, pattern in _PATTERNS.items():
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


def statements_of(sentence: Sentence) -> Iterator[Statement]:
    """Yield a statement for each kind of value that the sentence has exactly one of."""
    if not _holds_number(sentence.text):
        return
    text = _ADDRESS.sub(lambda match: " " * len(match.group()), sentence.text)
    found = values_of(text)
    if not found:
        return
    kinds: dict[tuple[Kind, str], list[Value]] = defaultdict(list)
    for value, _, _ in found:
        kinds[value.kind, value.unit].append(value)
    rest = text
    for _, start, end in sorted(found, key=lambda entry: -entry[1]):
        rest = f"{rest[:start]} {rest[end:]}"
    about = _words(rest)
    title, headings = _names(sentence.title), _names(" ".join(sentence.headings))
    for values in kinds.values():
        if len(values) == 1:
            yield Statement(
                document_id=sentence.document_id,
                start=sentence.start,
                end=sentence.end,
                text=sentence.text,
                value=values[0],
                negated=bool(_NEGATION.search(text)),
                about=about,
                title=title,
                headings=headings,
                dated=sentence.dated,
                credibility=1.0 + sentence.credibility if sentence.authoritative else sentence.credibility,
            )


def _holds_number(text: str) -> bool:
    """Look before the patterns do, which cost more: most sentences have no number."""
    return bool(_DIGIT.search(text)) or not NUMBERS.keys().isdisjoint(_WORD.findall(text.lower()))


def contradictions(statements: Iterable[Statement]) -> list[Contradiction]:
    """Find the pairs that disagree. Only statements that share a word with each other are compared."""
    groups: dict[tuple[Kind, str], list[Statement]] = defaultdict(list)
    for statement in statements:
        if len(statement.about) >= LEAST_TERMS:
            groups[statement.value.kind, statement.value.unit].append(statement)
    return [
        settled(one, other)
        for group in groups.values()
        for one, other in _sharing(group)
        if disagree(one, other)
    ]


def among(passages: Sequence[Passage]) -> tuple[Contradiction, ...]:
    """Find what disagrees within the passages of one answer."""
    return tuple(contradictions(statement for passage in passages for statement in _stated(passage)))


def _stated(passage: Passage) -> Iterator[Statement]:
    for start, end in passage.sentences:
        text = passage.text[start - passage.start : end - passage.start]
        yield from statements_of(
            Sentence(
                document_id=passage.document_id,
                start=start,
                end=end,
                text=text,
                title=passage.title,
                headings=passage.headings,
                dated=passage.updated_at,
                authoritative=passage.authoritative,
                credibility=passage.credibility,
            )
        )


def disagree(one: Statement, other: Statement) -> bool:
    """Whether two statements say the same of the same thing, but for the value."""
    if one.document_id == other.document_id or one.value.amount == other.value.amount:
        return False
    if one.value.bound != other.value.bound or one.negated != other.negated:
        return False
    shared = one.about & other.about
    if len(shared) < (LEAST_TERMS if one.about == other.about else SHARED_TERMS):
        return False
    if len(shared) < ALIKE * len(one.about | other.about):
        return False
    return _same_thing(one, other)


def _same_thing(one: Statement, other: Statement) -> bool:
    """Titles name things: each must be named on the other side too. Headings may differ on one side, not on both."""
    if not one.title <= other.subject or not other.title <= one.subject:
        return False
    return one.headings <= other.subject or other.headings <= one.subject


def settled(one: Statement, other: Statement) -> Contradiction:
    """Let the authoritative or more credible source stand, then the newer one."""
    if one.credibility != other.credibility:
        one, other = sorted((one, other), key=lambda entry: -entry.credibility)
        return Contradiction(one, other, settled=True)
    if one.dated and other.dated and one.dated != other.dated:
        one, other = (one, other) if one.dated > other.dated else (other, one)
        return Contradiction(one, other, settled=True)
    return Contradiction(one, other, settled=False)


def _sharing(group: Sequence[Statement]) -> Iterator[tuple[Statement, Statement]]:
    """Yield each pair once whose rarest words meet: two that share most words share one of them."""
    frequency: dict[str, int] = defaultdict(int)
    for statement in group:
        for term in statement.about:
            frequency[term] += 1
    blocks: dict[str, list[int]] = defaultdict(list)
    for number, statement in enumerate(group):
        # Alike by 0.6 means that of the rarest two fifths, and one more, at least one is shared.
        rarest = sorted(statement.about, key=lambda term: (frequency[term], term))
        for term in rarest[: int(len(rarest) * (1 - ALIKE)) + 1]:
            blocks[term].append(number)
    pairs = {pair for block in blocks.values() for pair in combinations(block, 2)}
    for one, other in sorted(pairs):
        yield group[one], group[other]


def _words(text: str) -> frozenset[str]:
    return frozenset(term for term in terms(text) if not term.isdigit())


def _names(text: str) -> frozenset[str]:
    return _words(text) - GENERAL


def _number(written: str) -> str:
    """A number as it compares: "1,299.00" is "1299", "thirty" stays a word."""
    lower = written.lower()
    if lower in NUMBERS:
        return str(NUMBERS[lower])
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", lower):
        lower = lower.replace(",", "")
    lower = lower.replace(",", ".")
    return f"{float(lower):g}" if lower.count(".") <= 1 else lower


def _date(match: re.Match[str]) -> tuple[str, str] | None:
    if match["iso"]:
        return "date", match["iso"]
    day, month = match["day"] or match["day2"], match["month"] or match["month2"]
    year = match["year"] or match["year2"] or ""
    number = next(place for place, name in enumerate(MONTHS, 1) if name.startswith(month.lower()[:3]))
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
    return how + measure, f"{float(amount) * size:g}" if amount.count(".") <= 1 else amount


def _amount(match: re.Match[str]) -> tuple[str, str] | None:
    unit = terms(match["unit"])
    return (unit[0], _number(match["n"])) if unit else None


_READERS = {"date": _date, "price": _price, "share": _share, "duration": _duration, "amount": _amount}
