"""Says the same in other words, by rule: other order, other words, other spelling of numbers, active and passive."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

# What can stand for each other nearly everywhere. Written without regard to the table of the product.
_SYNONYMS: Final[Mapping[str, Sequence[str]]] = {
    "large": ("big",), "big": ("large",), "began": ("started",), "begins": ("starts",),
    "helps": ("assists",), "often": ("frequently",), "frequently": ("often",), "purchase": ("buy",), "buy": ("purchase",),
    "shows": ("displays",), "displays": ("shows",), "requires": ("needs",), "needs": ("requires",), "multiple": ("several",),
    "several": ("multiple",), "various": ("different",), "allows": ("lets",), "enables": ("allows",), "obtain": ("get",),
    "receive": ("get",), "received": ("got",), "create": ("set up",), "creates": ("makes",), "delete": ("remove",),
    "deletes": ("removes",), "remove": ("delete",), "select": ("choose",), "choose": ("select",), "modify": ("change",),
    "change": ("modify",), "approximately": ("about", "roughly"), "nearly": ("almost",), "additional": ("extra",),
    "extra": ("additional",), "automatically": ("by itself",), "contains": ("holds", "includes"), "includes": ("contains",),
    "located": ("situated",), "situated": ("located",), "known as": ("called",), "called": ("named", "known as"),
    "important": ("significant", "key"), "significant": ("important",), "people": ("persons",), "company": ("firm", "business"),
    "customers": ("clients",), "customer": ("client",), "fast": ("quick",), "quickly": ("fast",), "finished": ("completed",),
    "completed": ("finished",), "wrote": ("authored",), "city": ("town",), "constructed": ("built",), "built": ("constructed",),
    "established": ("founded",), "founded": ("established",), "primarily": ("mainly",), "mainly": ("mostly",), "usually": ("typically",),
    "typically": ("usually",), "specify": ("define",), "specifies": ("defines",), "uses": ("makes use of",), "used": ("employed",),
    "use": ("employ", "make use of"), "provides": ("offers",), "provide": ("offer", "give"), "offers": ("provides",), "send": ("submit",),
    "previous": ("earlier",), "previously": ("earlier",), "current": ("present",), "currently": ("at present",), "immediately": ("at once",),
    "error": ("failure",), "option": ("choice",), "verify": ("check",), "ensure": ("make sure",), "ensures": ("makes sure",),
    "must": ("have to",), "retain": ("keep",), "retained": ("kept",), "area": ("region",), "region": ("area",), "largest": ("biggest",),
    "major": ("main",), "main": ("chief",), "children": ("kids",), "difficult": ("hard",), "simple": ("easy",), "job": ("task",),
    "fee": ("charge",), "fees": ("charges",), "cost": ("price",), "annual": ("yearly",), "yearly": ("annual",), "monthly": ("per month",),
    "assigned": ("given",), "increased": ("went up",), "returns": ("gives back",), "information": ("details",), "details": ("information",),
    "however": ("still",), "throughout": ("across",), "within": ("inside",), "entire": ("whole",), "whole": ("entire",), "famous": ("well-known",),
    "discovered": ("found",), "attempt": ("try",), "display": ("show",), "view": ("see",), "configure": ("set up",), "enter": ("type",),
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z]+(?:-[a-z]+)*")
_FRONTED = re.compile(
    r"^((?:In|During|After|Before|By|At|On|For|From|Since|Under|Until|With|Within|Throughout) (?:[^,]{3,60})), ((?:the |a |an |it |they |there |he |she |this |these |you |we )?\S.*)\.$"
)
_IF_FIRST = re.compile(r"^(If|When|Once|Because|Although|While) ([^,]{8,90}), ([^,]+)\.$")
_IF_LAST = re.compile(r"^([^,;]{12,90}) (if|when|because|although) ([^,;]{8,90})\.$")
_PASSIVE = re.compile(
    r"^((?:The|A|An|This|Each) [\w -]{3,40}?|[A-Z][\w]+(?: [A-Z]\w+){0,3}) (?:was|were) (\w+ed) by ((?:the |a |an )?[\w -]{3,40})\.$"
)
_NUMBER_WORDS: Final = [
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
    "twenty",
]
_TENS: Final[Mapping[int, str]] = {
    30: "thirty",
    40: "forty",
    50: "fifty",
    60: "sixty",
    70: "seventy",
    80: "eighty",
    90: "ninety",
}
_COUNTED = re.compile(
    r"(?<![\w$€£.,/-])(\d{1,2})(?= (?:days?|weeks?|months?|years?|hours?|minutes?|people|times|percent|users?|items?|pages?|projects?)\b)"
)
_WEEKS = re.compile(r"(?<![\w.,])(\d) weeks?\b")
_YEARS = re.compile(r"(?<![\w.,-])(\d) years\b")
_PERCENT = re.compile(r"(?<=\d)\s?%|(?<=\d) percent\b")
_THOUSANDS = re.compile(r"(?<![\w.,])(\d{1,3}),(\d{3})(?![\d,])")
_DOLLARS = re.compile(r"\$(\d+(?:\.\d\d)?)(?![\d,.]|\s?(?:million|billion))")
_DATE = re.compile(
    r"\b(\d{1,2}) (January|February|March|April|May|June|July|August|September|October|November|December) (\d{4})\b"
)
_DATE_US = re.compile(
    r"\b(January|February|March|April|May|June|July|August|September|October|November|December) (\d{1,2}), (\d{4})\b"
)
_LONG_NOT = re.compile(r"\b(is|are|was|were|do|does|did|could|should|would|has|have) not\b")
_SHORT_NOT = re.compile(r"\b(is|are|was|were|do|does|did|could|should|would|has|have)n['’]t\b")
_BRACKETS = re.compile(r" \([^()]{3,80}\)")
_OPENINGS: Final = ("In short, ", "Please note that ", "In fact, ", "Also, ", "Additionally, ")
_MOST = 3

Change = Callable[[str, random.Random], str]


def paraphrased(text: str, lot: random.Random) -> str | None:
    """The sentence in other words; None where no rule fits, so that it would still be the source's own."""
    changes = list(CHANGES)
    lot.shuffle(changes)
    changes.append(_opened)
    done, said = 0, text
    for change in changes:
        changed = change(said, lot)
        if changed != said:
            said, done = changed, done + 1
        if done == _MOST and change is not _opened:
            break
    return said if done and text.rstrip(".") not in said else None


def _other_words(text: str, lot: random.Random) -> str:
    """Up to two words, never one that is written as a name."""
    places = [found for found in _WORD.finditer(text) if found.group() in _SYNONYMS]
    for found in sorted(lot.sample(places, min(2, len(places))), key=lambda match: -match.start()):
        text = text[: found.start()] + lot.choice(_SYNONYMS[found.group()]) + text[found.end() :]
    return text


def _other_order(text: str, lot: random.Random) -> str:
    for pattern, told in ((_FRONTED, _behind), (_IF_FIRST, _condition_behind), (_IF_LAST, _condition_first)):
        found = pattern.match(text)
        if found and lot.random() < 0.8:
            return told(found)
    return text


def _behind(found: re.Match[str]) -> str:
    return f"{_capital(found[2])} {_small(found[1])}."


def _condition_behind(found: re.Match[str]) -> str:
    return f"{_capital(found[3])} {found[1].lower()} {found[2]}."


def _condition_first(found: re.Match[str]) -> str:
    return f"{found[2].capitalize()} {found[3]}, {_small(found[1])}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _small(text: str) -> str:
    """A small first letter, unless the first word may be a name."""
    common = text.split(" ", 1)[0] in {
        "The",
        "A",
        "An",
        "This",
        "These",
        "In",
        "During",
        "After",
        "Before",
        "By",
        "At",
        "On",
        "For",
        "From",
        "Since",
        "Under",
        "Until",
        "With",
        "Within",
        "Throughout",
        "You",
        "We",
        "It",
        "They",
        "There",
        "Each",
        "Every",
        "All",
    }
    return text[:1].lower() + text[1:] if common else text


def _active(text: str, _: random.Random) -> str:
    found = _PASSIVE.match(text)
    return f"{_capital(found[3])} {found[2]} {_small(found[1])}." if found else text


def _other_numbers(text: str, lot: random.Random) -> str:
    for pattern, told in _NUMBERS_TOLD:
        if lot.random() < 0.7:
            text = pattern.sub(told, text)
    return text


def _in_words(number: int) -> str:
    if number < len(_NUMBER_WORDS):
        return _NUMBER_WORDS[number]
    tens, ones = number - number % 10, number % 10
    return _TENS.get(tens, "twenty") + (f"-{_NUMBER_WORDS[ones]}" if ones else "")


def _other_denial(text: str, _: random.Random) -> str:
    if _LONG_NOT.search(text):
        return _LONG_NOT.sub(r"\1n't", text)
    return _SHORT_NOT.sub(r"\1 not", text)


def _without_brackets(text: str, _: random.Random) -> str:
    return _BRACKETS.sub("", text, count=1)


def _opened(text: str, lot: random.Random) -> str:
    return lot.choice(_OPENINGS) + _small(text) if lot.random() < 0.3 else text


def _in_months(found: re.Match[str]) -> str:
    return f"{12 * int(found[1])} months"


_NUMBERS_TOLD: Final[Sequence[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]]] = (
    (_WEEKS, lambda found: f"{7 * int(found[1])} days"),
    (_YEARS, _in_months),
    (_COUNTED, lambda found: _in_words(int(found[1]))),
    (_PERCENT, lambda found: " per cent" if "%" in found.group() else "%"),
    (_THOUSANDS, lambda found: f"{found[1]}{found[2]}"),
    (_DOLLARS, lambda found: f"{found[1]} dollars"),
    (_DATE, lambda found: f"{found[2]} {found[1]}, {found[3]}"),
    (_DATE_US, lambda found: f"{found[2]} {found[1]} {found[3]}"),
)
CHANGES: Final[Sequence[Change]] = (
    _other_words,
    _other_order,
    _active,
    _other_numbers,
    _other_denial,
    _without_brackets,
)
