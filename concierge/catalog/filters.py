"""What a message asks of products besides their words: price, category, properties, stock, sale, order. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, Literal, Self

from concierge.catalog.indexing import BRAND, CATEGORY, GROUP
from concierge.catalog.synonyms import SYNONYMS
from concierge.kit.money import SYMBOLS, amount_of, said
from concierge.kit.words import STOP_WORDS, terms

Sort = Literal["", "cheapest", "dearest", "newest"]

LONGEST_NAME: Final = 4
_NEAR: Final = Decimal("0.2")
# Without a currency a smaller number counts pieces, people or days.
_SMALLEST_BARE: Final = Decimal(10)
_CURRENCY_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("dollar", "dollars", "usd", "bucks", "us$"), "USD"),
    **dict.fromkeys(("euro", "euros", "eur"), "EUR"),
    **dict.fromkeys(("pound", "pounds", "gbp", "quid"), "GBP"),
    **dict.fromkeys(("franc", "francs", "chf"), "CHF"),
    **dict.fromkeys(("yen", "jpy"), "JPY"),
    **dict.fromkeys(("krona", "kronor", "sek"), "SEK"),
    **dict.fromkeys(("rupee", "rupees", "inr"), "INR"),
    **{sign: code for code, sign in SYMBOLS.items()},
}
_MONEY: Final = (
    r"(?P<sign{n}>[$€£¥₹])?\s?(?P<number{n}>\d{{1,3}}(?:[,.  ]\d{{3}})+(?:[.,]\d{{1,2}})?|\d{{1,9}}(?:[.,]\d{{1,2}})?)"
    r"(?P<thousand{n}>\s?k\b)?\s?(?P<unit{n}>[$€£¥₹]|(?:us\$|dollars?|usd|bucks|euros?|eur|pounds?|gbp|quid|francs?|chf|yen|"
    r"jpy|kronor|krona|sek|rupees?|inr)\b)?"
)
_ONE: Final = _MONEY.format(n="")
_TWO: Final = _MONEY.format(n="2")
_HIGH: Final = (
    r"under|below|beneath|less than|cheaper than|lower than|up to|at most|no more than|not more than|not over|maximum(?: of)?|"
    r"max\.?|within (?:a |my )?budget of|(?:my |a |our )?budget (?:is|of)(?: about| around)?|for less than|not exceeding"
)
_LOW: Final = (
    r"over|above|more than|at least|starting at|starting from|from|minimum(?: of)?|no less than|upwards of"
)
_ABOUT: Final = r"around|about|approximately|approx\.?|roughly|circa|close to|near"
_BETWEEN: Final = re.compile(rf"\b(?:between|from)\s+{_ONE}\s*(?:and|to|-|–|—)\s*{_TWO}", re.IGNORECASE)
_RANGE: Final = re.compile(rf"(?<![\w.,-]){_ONE}\s?(?:-|–|—|to)\s?{_TWO}", re.IGNORECASE)
_BOUND: Final = re.compile(
    rf"\b(?:(?P<high>{_HIGH})|(?P<low>{_LOW})|(?P<about>{_ABOUT}))\s+{_ONE}", re.IGNORECASE
)
_BEHIND: Final = re.compile(rf"{_ONE}\s+(?:(?P<high>or (?:less|under|below|cheaper)|max(?:imum)?|tops)|"
                            r"(?P<low>or (?:more|above|over)|and up))\b", re.IGNORECASE)  # fmt: skip
_NEXT_WORD: Final = re.compile(r"\s*([^\W\d_]+|[%°\"”″]|[x×]\s?\d)?")
_SORTS: Final[Sequence[tuple[Sort, re.Pattern[str]]]] = (
    ("cheapest", re.compile(r"\b(?:cheapest|least expensive|most affordable|lowest[- ]?priced?|lowest prices?)\b", re.IGNORECASE)),
    ("dearest", re.compile(r"\b(?:most expensive|priciest|dearest|highest[- ]?priced?|most luxurious|top of the (?:line|range))\b", re.IGNORECASE)),
    ("newest", re.compile(r"\b(?:newest|latest (?!order|delivery)|most recent (?!order)|new arrivals|what'?s new)\b", re.IGNORECASE)),
)  # fmt: skip
_STOCKED: Final = re.compile(
    r"\b(?:in stock|available (?:now|today|immediately|right away)|ready to ship|on hand)\b", re.IGNORECASE
)
_OUT: Final = re.compile(r"\b(?:not|isn'?t|aren'?t|back|out)\s+(?:\w+\s+)?(?:in|of) stock\b", re.IGNORECASE)
_REDUCED: Final = re.compile(
    r"\b(?:on (?:sale|offer|special)|discounted|reduced|marked down|special offers?|"
    r"any (?:sales?|deals?|offers?|discounts?|promotions?)|current (?:deals?|offers?|promotions?|sales?))\b",
    re.IGNORECASE,
)
_ANYTHING: Final = re.compile(
    r"\b(?:anything|something|everything|products?|items?|pieces?|gifts?|presents?|what do you (?:have|sell|offer|carry)|"
    r"which ones?|what can i (?:get|buy)|your range|assortment|catalogu?e)\b",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
# A thing that is to be more so than another one.
_COMPARED: Final = re.compile(
    r"\b(?:bigger|larger|smaller|wider|narrower|longer|shorter|taller|higher|lower|lighter|heavier|cheaper|softer|harder|better|"
    r"nicer|simpler|darker|brighter|less expensive|more expensive)\b",
    re.IGNORECASE,
)
_A_NAME: Final = re.compile(r"(?<=[^\W_]\s)[A-Z][^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Facet:
    """A value of the catalogue: a category, a brand, or what an attribute may be."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Filters:
    """`low` and `high` are bounds of the price, both included, in `currency` where the message names one.

    Of `categories` one must hold, and of each group of `properties` one. `words` are what is left to look for, stemmed, and
    `others` what else some of them are called. `anything` says that products as such are asked for.
    """

    low: Decimal | None = None
    high: Decimal | None = None
    currency: str | None = None
    categories: tuple[Facet, ...] = ()
    properties: tuple[tuple[Facet, ...], ...] = ()
    stocked: bool = False
    reduced: bool = False
    sort: Sort = ""
    words: tuple[str, ...] = ()
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    anything: bool = False

    @property
    def has_price(self) -> bool:
        return self.low is not None or self.high is not None

    @property
    def all_words(self) -> tuple[str, ...]:
        more = (other for own in self.others.values() for other in own)
        return tuple(dict.fromkeys([*self.words, *more]))

    @property
    def narrow(self) -> bool:
        """Whether conditions were named; a category alone only says what it is about, and is none."""
        return bool(self.has_price or self.properties or self.stocked or self.reduced or self.sort)

    def said(self, currency: str) -> tuple[str, ...]:
        """What was read, in the words of a shop: “up to $900”, “in stock”. `currency` is the shop's own."""
        return tuple(self._said(self.currency or currency))

    def is_foreign(self, currency: str) -> bool:
        """Whether its bounds are in other money than the prices are."""
        return self.has_price and self.currency is not None and self.currency != currency

    def _said(self, currency: str) -> Iterator[str]:
        if self.categories and self.narrow:
            yield " or ".join(facet.value for facet in self.categories)
        for group in self.properties:
            yield " or ".join(dict.fromkeys(facet.value for facet in group))
        yield from self._said_price(currency)
        if self.stocked:
            yield "in stock"
        if self.reduced:
            yield "reduced just now"
        if self.sort:
            yield {"cheapest": "cheapest first", "dearest": "dearest first", "newest": "newest first"}[
                self.sort
            ]

    def _said_price(self, currency: str) -> Iterator[str]:
        if self.low is not None and self.high is not None:
            yield f"from {said(self.low, currency)} to {said(self.high, currency)}"
        elif self.high is not None:
            yield f"up to {said(self.high, currency)}"
        elif self.low is not None:
            yield f"from {said(self.low, currency)}"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The catalogue's own names by their stems, and what other words mean here."""

    names: Mapping[tuple[str, ...], tuple[Facet, ...]] = field(
        default_factory=dict[tuple[str, ...], tuple[Facet, ...]]
    )
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @classmethod
    def of(cls, facets: Iterable[Facet], synonyms: Mapping[str, str]) -> Self:
        names: dict[tuple[str, ...], tuple[Facet, ...]] = {}
        for facet in facets:
            name = tuple(terms(facet.value))
            if name and len(name) <= LONGEST_NAME and _is_sayable(facet, name):
                names[name] = (*names.get(name, ()), facet)
        own = {
            stem[0]: tuple(terms(meant)) for said, meant in synonyms.items() if len(stem := terms(said)) == 1
        }
        return cls(names, {**SYNONYMS, **own})


def _is_sayable(facet: Facet, name: tuple[str, ...]) -> bool:
    """Whether a value can be told from a word of another kind: “M” and “180” cannot."""
    return facet.name in {CATEGORY, GROUP, BRAND} or any(
        len(word) > 2 and not word.isdigit() for word in name
    )


def read(message: str, vocabulary: Vocabulary) -> Filters:
    """Read what a message asks of products."""
    rest, low, high, currency = _price(message)
    sort, rest = _sort(rest)
    out = _OUT.search(rest) is not None
    stocked = _STOCKED.search(rest) is not None and not out
    reduced = _REDUCED.search(rest) is not None
    for pattern in (_STOCKED, _REDUCED):
        rest = pattern.sub(" ", rest)
    stems = tuple(terms(rest))
    categories, properties = _named(stems, vocabulary)
    # A colour alone is a word like others; with what it is the colour of, it is a condition.
    narrow = bool(categories or sort or low is not None or high is not None)
    return Filters(
        low=low,
        high=high,
        currency=currency,
        categories=categories,
        properties=properties if narrow else (),
        stocked=stocked,
        reduced=reduced,
        sort=sort,
        words=tuple(dict.fromkeys(stems)),
        others={stem: meant for stem in stems if (meant := vocabulary.synonyms.get(stem, ()))},
        anything=_ANYTHING.search(message) is not None,
    )


def read_after(message: str, earlier: Iterable[str], vocabulary: Vocabulary) -> Filters:
    """Read a message within its conversation, whose `earlier` messages come newest first.

    “The cheapest one” and “up to $1,500” are meant of the kind of thing that was last spoken of, unless a kind or a thing
    is named.
    """
    own = read(message, vocabulary)
    compared = _COMPARED.search(message) is not None
    goes_on = own.has_price or own.sort or compared
    if own.categories or not goes_on or _A_NAME.search(message) or (own.anything and not compared):
        return own
    kinds = next((kinds for text in earlier if (kinds := read(text, vocabulary).categories)), ())
    return replace(own, categories=kinds)


def _named(
    stems: Sequence[str], vocabulary: Vocabulary
) -> tuple[tuple[Facet, ...], tuple[tuple[Facet, ...], ...]]:
    """The categories and the properties that are named, the longest names first; each word counts once."""
    categories: list[Facet] = []
    properties: dict[str, list[Facet]] = {}
    at = 0
    while at < len(stems):
        length, facets = _longest(stems[at : at + LONGEST_NAME], vocabulary)
        named = [facet for facet in facets if facet.name in {CATEGORY, GROUP}]
        categories += named
        for facet in () if named else facets:
            # The values of one attribute are choices; so are attributes that share a value.
            properties.setdefault(facet.name if len(facets) == 1 else facet.value, []).append(facet)
        at += max(1, length)
    return tuple(dict.fromkeys(categories)), tuple(tuple(dict.fromkeys(own)) for own in properties.values())


def _longest(stems: Sequence[str], vocabulary: Vocabulary) -> tuple[int, tuple[Facet, ...]]:
    for length in range(len(stems), 0, -1):
        found = vocabulary.names.get(tuple(stems[:length]))
        if found is not None:
            return length, found
    for meant in [vocabulary.synonyms.get(stem, ()) for stem in stems[:1]]:
        for word in meant:
            found = vocabulary.names.get((word,))
            if found is not None and any(facet.name in {CATEGORY, GROUP} for facet in found):
                return 1, found
        found = vocabulary.names.get(tuple(meant))
        if found is not None:
            return 1, found
    return 0, ()


def _sort(text: str) -> tuple[Sort, str]:
    for sort, pattern in _SORTS:
        if pattern.search(text):
            return sort, pattern.sub(" ", text)
    return "", text


@dataclass(frozen=True, slots=True)
class _Amount:
    value: Decimal
    currency: str | None


_Bounds = tuple[str, Decimal | None, Decimal | None, str | None]


def _price(text: str) -> _Bounds:
    """The message without its bounds, the bounds, and the currency they are in."""
    return _between(text) or _one_sided(text)


def _between(text: str) -> _Bounds | None:
    for pattern in (_BETWEEN, _RANGE):
        for found in pattern.finditer(text):
            second = _amount(found, text, "2")
            first = _amount(found, text, "", sure=second is not None and pattern is _BETWEEN)
            if first is None or second is None:
                continue
            currency = first.currency or second.currency
            if pattern is _BETWEEN or currency is not None:
                low, high = sorted((first.value, second.value))
                return _without(text, found), low, high, currency
    return None


def _one_sided(text: str) -> _Bounds:
    low: Decimal | None = None
    high: Decimal | None = None
    currency: str | None = None
    rest = text
    for found in (*_BOUND.finditer(text), *_BEHIND.finditer(text)):
        amount = _amount(found, text, "")
        if amount is None:
            continue
        groups = found.groupdict()
        if groups.get("about"):
            low, high = amount.value * (1 - _NEAR), amount.value * (1 + _NEAR)
        elif groups.get("high"):
            high = amount.value
        else:
            low = amount.value
        currency = amount.currency or currency
        rest = _without(rest, found)
    if low is not None and high is not None and low > high:
        low, high = high, low
    return rest, low, high, currency


def _without(text: str, found: re.Match[str]) -> str:
    return text.replace(found.group(), " ")


def _amount(found: re.Match[str], text: str, n: str, *, sure: bool = False) -> _Amount | None:
    """A number as a price; None for what counts something else, as in “under 200 cm”."""
    number, sign, unit = found[f"number{n}"], found[f"sign{n}"], found[f"unit{n}"]
    known = amount_of(re.sub(r"[  ]", "", number))
    if known is None:
        return None
    value = known[0] * 1000 if found[f"thousand{n}"] else known[0]
    currency = _CURRENCY_WORDS.get((sign or unit or "").casefold())
    if currency is None and not sure and (value < _SMALLEST_BARE or _counts_something(text, found, n)):
        return None
    return _Amount(value, currency)


def _counts_something(text: str, found: re.Match[str], n: str) -> bool:
    """Whether a word stands behind the number that says of what it is the number."""
    behind = _NEXT_WORD.match(text, found.end(f"number{n}"))
    word = (behind[1] or "").casefold() if behind else ""
    return bool(word) and word not in STOP_WORDS and word not in _FOLLOWING


# What may stand behind a price without a currency.
_FOLLOWING: Final = frozenset(
    [
        "k",
        "please",
        "thanks",
        "thank",
        "total",
        "max",
        "maximum",
        "tops",
        "available",
        "available?",
        "delivered",
        "including",
        "incl",
        "plus",
        "ideally",
        "preferably",
        "today",
        "right",
        "altogether",
        "overall",
        "or",
        "less",
    ]
)
