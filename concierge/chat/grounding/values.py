"""Values as they compare, however they are written: prices, shares, periods, dates, numbers, addresses. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from concierge.knowledge.contradictions import values_of
from concierge.knowledge.contradictions.values import MONTHS, NUMBERS, holds_number
from concierge.knowledge.schemas import Span

StatedKind = Literal["price", "share", "duration", "date", "number"]

ADDRESS = re.compile(
    r"(?:https?://|www\.)[^\s<>()\[\]\"'`|*]{1,500}|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"
    r"|(?<![\w.@/-])(?:[a-z0-9-]{2,40}\.){1,4}(?:com|org|net|io|dev|app|co|eu|de|uk|shop|store|info|example|ai)\b(?:/[^\s<>()\[\]\"'`|*]{0,300})?",
    re.IGNORECASE,
)
_MAY_ADDRESS = re.compile(r"\w\.[A-Za-z]|@|://")
_SCALES = re.compile(r"hundred|thousand|[mbtr]illion", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w.,-])\+?\d(?:[\s().-]{0,2}\d){8,14}(?![\w,-])")
_CLOCK = re.compile(
    r"\b(?P<h>\d{1,2})(?::(?P<m>[0-5]\d))?\s?(?P<half>[ap])\.?m\b\.?|\b(?P<h2>[01]?\d|2[0-4]):(?P<m2>[0-5]\d)\b",
    re.IGNORECASE,
)
# A name with digits in it: EC2, PS-20, v1.2.3, t3.micro, 10th.
_CODE = re.compile(
    r"\b(?=[\w.-]{0,40}\d)(?=[\w.-]{0,40}[^\W\d_])(?!\d+-(?:day|week|month|year|hour|minute|second|point|star|seat|inch|door|piece|person|page|step|digit|character|bit|byte|percent|fold|time|hand|part|way)s?\b)"
    r"\w+(?:[.-]\w+)*",
    re.IGNORECASE,
)
_UNIT_BEHIND = re.compile(r"(?P<n>\d[\d.,]*)(?P<unit>[a-zA-Z]{1,7})$")
_SCALE = {
    "hundred": 100,
    "thousand": 1_000,
    "k": 1_000,
    "million": 10**6,
    "mn": 10**6,
    "billion": 10**9,
    "bn": 10**9,
    "trillion": 10**12,
}
_SCALED = re.compile(
    rf"\b(?P<n>\d+(?:[.,]\d+)*|{'|'.join(sorted(NUMBERS, key=len, reverse=True))}|an?)[\s-]?(?P<by>(?:hundred|thousand|million|billion|trillion)|(?<=\d)(?:k|mn|bn))\b",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"(?<![\d.,-])(?P<sign>[$€£¥]?)(?P<low>\d+(?:[.,]\d+)*)\s?(?:–|—|-|to|and|or)\s?(?P<sign2>[$€£¥]?)(?P<high>\d+(?:[.,]\d+)*)(?P<unit>(?:[\s-]?(?:working|business|calendar))?[\s-]?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|%|percent|per cent|euros?|dollars?|pounds?|[kmgt]b|kg|cm|mm|km)?)(?![\w-])",
    re.IGNORECASE,
)
_OF_MONTH = re.compile(
    rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+(?P<month>{'|'.join(MONTHS)})\b", re.IGNORECASE
)
_CODED_CURRENCY = re.compile(r"\b(?P<code>USD|EUR|GBP|US\$|JPY)\s?(?=\d)")
_SIGNS = {"USD": "$", "US$": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_OFTEN = re.compile(
    r"\b(?P<adverb>hourly|daily|weekly|monthly|quarterly|yearly|annual(?:ly)?)\b|(?:\b(?:per|each|every|an?)\s|/)(?P<unit>hour|day|week|month|quarter|year)\b|/(?P<short>mo|yr)\b",
    re.IGNORECASE,
)
_HOW_OFTEN = {
    "daily": "day",
    "annual": "year",
    "annually": "year",
    "yearly": "year",
    "mo": "month",
    "yr": "year",
}
_BARE = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![\w])")
_SLASHED = re.compile(r"(?<=\d)/(?:mo|month)\b|(?<=\d)\s?/\s?(?=[a-z])", re.IGNORECASE)
_PLAIN_NUMBERS = frozenset({"one", "second", "zero"})
# Units of measure, by every way they are written. Other words behind a number are things that are counted.
_MEASURES: Mapping[str, str] = {
    form: name
    for name, forms in {
        "kb": "kb kib kilobyte", "mb": "mb mib megabyte", "gb": "gb gib gigabyte", "tb": "tb tib terabyte", "pb": "pb petabyte",
        "byte": "byte bytes", "bit": "bit bits", "mbps": "mbps mbit", "gbps": "gbps gbit",
        "kg": "kg kilo kilogram kilogramme", "g": "gram gramme", "lb": "lb lbs pound", "oz": "oz ounce", "ton": "ton tonne",
        "km": "km kilometre kilometer", "m": "m metre meter", "cm": "cm centimetre centimeter", "mm": "mm millimetre millimeter",
        "mile": "mile mi", "ft": "ft foot feet", "inch": "inch inches", "yard": "yard",
        "ms": "ms millisecond", "l": "litre liter", "ml": "ml millilitre", "watt": "watt w", "kw": "kw kilowatt",
        "hz": "hz hertz", "mhz": "mhz", "ghz": "ghz", "vcpu": "vcpu", "celsius": "celsius", "fahrenheit": "fahrenheit",
    }.items()
    for form in forms.split()
}  # fmt: skip

_MEASURED = frozenset(_MEASURES.values())


@dataclass(frozen=True, slots=True)
class Stated:
    """A value as it compares. `unit` is a currency, a measure or what is counted, empty for a bare number."""

    kind: StatedKind
    unit: str
    amount: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Valued:
    """A text in which numbers are written one way, what values it has, and what is exact by nature: addresses and codes.

    `rest` is the text without typed values, addresses and codes.
    """

    text: str
    rest: str
    values: tuple[Stated, ...]
    addresses: frozenset[str]
    codes: frozenset[str]


@lru_cache(maxsize=4096)
def valued(text: str) -> Valued:
    addresses, codes = set[str](), set[str]()
    if _MAY_ADDRESS.search(text):
        text = ADDRESS.sub(_into(addresses, _address), text)
    if not holds_number(text) and not _SCALES.search(text) and not _OFTEN.search(text):
        return Valued(text, text, (), frozenset(addresses), frozenset())
    text = _PHONE.sub(_into(addresses, _digits), text)
    text = _written_one_way(text)
    text = _CLOCK.sub(_into(codes, _clock), text)
    text = _CODE.sub(_coded(codes), text)
    values = tuple(_values(text))
    rest = text
    for value in sorted(values, key=lambda own: -own.start):
        kept = (
            ""
            if value.kind != "number" or value.unit in _MEASURED
            else _BARE.sub(" ", text[value.start : value.end])
        )
        rest = f"{rest[: value.start]} {kept} {rest[value.end :]}"
    return Valued(text, rest, values, frozenset(addresses), frozenset(codes))


def _into(found: set[str], read: Callable[[re.Match[str]], str]) -> Callable[[re.Match[str]], str]:
    """Note what a match says and leave spaces in its place."""

    def note(match: re.Match[str]) -> str:
        found.add(read(match))
        return " "

    return note


def _address(match: re.Match[str]) -> str:
    bare = match.group().casefold().removeprefix("https://").removeprefix("http://").removeprefix("www.")
    return bare.rstrip(".,;:!?/…").split("#", 1)[0]


def _digits(match: re.Match[str]) -> str:
    return re.sub(r"\D", "", match.group())


def _clock(match: re.Match[str]) -> str:
    hour, minute = int(match["h"] or match["h2"]), match["m"] or match["m2"] or "00"
    if match["half"]:
        hour = hour % 12 + (12 if match["half"].lower() == "p" else 0)
    return f"{hour:02}:{minute}"


def _coded(codes: set[str]) -> Callable[[re.Match[str]], str]:
    """Note a name with digits; a number with its measure right behind it ("58kg") is a number."""

    def note(match: re.Match[str]) -> str:
        measured = _UNIT_BEHIND.match(match.group())
        if measured and (
            measured["unit"].lower() in _MEASURES or measured["unit"].lower() in {"h", "d", "s"}
        ):
            return f"{measured['n']} {measured['unit']}"
        codes.add(match.group().casefold())
        return " "

    return note


def _written_one_way(text: str) -> str:
    text = _CODED_CURRENCY.sub(lambda match: _SIGNS[match["code"]], text)
    text = _OF_MONTH.sub(r"\g<day> \g<month>", text)
    text = _SCALED.sub(_scaled, text)
    text = _SLASHED.sub(" per ", text)
    return _RANGE.sub(_both, text)


def _scaled(match: re.Match[str]) -> str:
    written = match["n"].lower()
    number = 1.0 if written in {"a", "an"} else float(NUMBERS.get(written, 0)) or _float(written)
    return f"{number * _SCALE[match['by'].lower()]:.15g}" if number else match.group()


def _float(written: str) -> float:
    plain = re.sub(r",(?=\d{3}\b)", "", written).replace(",", ".")
    return float(plain) if plain.count(".") <= 1 else 0.0


def _both(match: re.Match[str]) -> str:
    """Write out a range: “3–5 days” are three days and five days."""
    unit = match["unit"]
    sign, second = match["sign"] or match["sign2"], match["sign2"] or match["sign"]
    if not unit and not sign:
        return f"{match['low']} – {match['high']}"
    return f"{sign}{match['low']}{unit} – {second}{match['high']}{unit}"


def _values(text: str) -> list[Stated]:
    found: list[Stated] = []
    for value, start, end in values_of(text):
        if value.kind == "amount":
            word = text[start:end].lower()
            if not word[0].isdigit() and word.split()[0].split("-")[0] in _PLAIN_NUMBERS:
                continue
            found.append(_counted(value.unit, value.amount, text, (start, end)))
        else:
            found.append(Stated(value.kind, value.unit, value.amount, start, end))
    for match in _OFTEN.finditer(text):
        word = (match["adverb"] or match["unit"] or match["short"]).lower()
        found.append(
            Stated("duration", "every", _HOW_OFTEN.get(word, word.removesuffix("ly")), *match.span())
        )
    taken = [(value.start, value.end) for value in found]
    found += [
        Stated("number", "", _plain(match.group()), *match.span())
        for match in _BARE.finditer(text)
        if not any(start < match.end() and match.start() < end for start, end in taken)
    ]
    return sorted(found, key=lambda value: value.start)


def _counted(unit: str, amount: str, text: str, span: Span) -> Stated:
    word = re.sub(r"^[\W\d]+", "", text[span[0] : span[1]]).lower()
    measure = _MEASURES.get(word) or _MEASURES.get(word.rstrip("s"))
    return Stated("number", measure or f"#{unit}", amount, *span)


def _plain(written: str) -> str:
    number = _float(written)
    return f"{number:.15g}" if number else written


def unstated(said: Valued, known: Valued, above: Valued) -> Stated | None:
    """The first value that a source does not state, or not so often; a year or a bare number may stand above it, where
    it has none of its own.
    """
    for value in said.values:
        wanted = sum(same(value, other) for other in said.values)
        stated = sum(same(other, value) for other in known.values)
        if value.kind in {"date", "number"} and not _others(value, known, said):
            stated += sum(same(other, value) for other in above.values)
        if stated < wanted and not (value.amount == "1" and re.search(r"\bone\b", known.text, re.IGNORECASE)):
            return value
    return None


def _others(value: Stated, known: Valued, said: Valued) -> bool:
    """Whether the source has a value of this kind that is not said."""
    return any(
        other.kind == value.kind and not any(same(other, own) for own in said.values)
        for other in known.values
    )


def same(stated: Stated, wanted: Stated) -> bool:
    """Whether what is stated says what is wanted: a date may be given with less, a number with another word behind it."""
    if stated.kind != wanted.kind:
        return _year_of(stated, wanted) or (
            wanted.kind == "number"
            and not wanted.unit
            and stated.kind == "duration"
            and stated.amount == wanted.amount
        )
    if wanted.kind == "date":
        return stated.amount == wanted.amount or _part_of_date(stated, wanted)
    if wanted.kind == "number":
        return stated.amount == wanted.amount and _units_agree(stated.unit, wanted.unit)
    if wanted.kind == "duration":
        return _days(stated) == _days(wanted)
    return (stated.unit, stated.amount) == (wanted.unit, wanted.amount)


def _days(value: Stated) -> tuple[str, str]:
    """A period as it compares: hours count as days where they make whole ones."""
    if value.unit == "seconds" and value.amount.isdigit() and int(value.amount) % 86_400 == 0:
        return "days", str(int(value.amount) // 86_400)
    return value.unit, value.amount


def _units_agree(one: str, other: str) -> bool:
    if one.startswith("#") and other.startswith("#"):
        return True  # What is counted is a word like any other, and judged with the words.
    return (
        one == other
        or not (one and other)
        or (one.startswith("#") != other.startswith("#") and not {one, other} & _MEASURED)
    )


def _part_of_date(stated: Stated, wanted: Stated) -> bool:
    if wanted.unit == "month":
        return stated.amount.startswith(wanted.amount)
    return wanted.unit == "day" and stated.amount.endswith(wanted.amount)


def _year_of(stated: Stated, wanted: Stated) -> bool:
    return wanted.kind == "number" and stated.kind == "date" and stated.amount[:4] == wanted.amount
