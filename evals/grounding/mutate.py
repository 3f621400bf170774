"""Makes a right sentence wrong, by rule, in the ways language models do: another number, unit, name, sense or subject."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from concierge.knowledge.lexical import terms
from evals.grounding.material import Statement

_NUMBER = re.compile(
    r"(?<![\w.,$€£-])\d{1,3}(?:,\d{3})+(?![\w,])|(?<![\w.,$€£:/-])\d+(?:\.\d+)?(?![\w:/]|[.,]\d)"
)
_AMOUNT_WORD = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|fifty)\b"
)
_WORDS: Final = (
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "twelve",
    "fifteen",
    "twenty",
    "thirty",
    "fifty",
)
_UNITS: Final[Sequence[tuple[re.Pattern[str], Sequence[str]]]] = tuple(
    (re.compile(pattern), others)
    for pattern, others in (
        (r"(?<=\d )days?\b|(?<=\d-)day\b", ("weeks", "hours", "months")), (r"(?<=\d )weeks?\b", ("days", "months")), (r"(?<=\d )months?\b", ("weeks", "years")),
        (r"(?<=\d )years?\b", ("months", "decades")), (r"(?<=\d )hours?\b", ("minutes", "days")), (r"(?<=\d )minutes?\b", ("seconds", "hours")),
        (r"(?<=\d )seconds?\b", ("minutes", "hours")), (r"\$(?=\d)", ("€", "£")), (r"(?<=\d)%|(?<=\d) percent\b", (" dollars", " points")),
        (r"(?<=\d) ?GB\b|(?<=\d) ?GiB\b", (" TB", " MB")), (r"(?<=\d) ?MB\b", (" GB", " KB")), (r"(?<=\d) ?KB\b", (" MB",)), (r"(?<=\d )(?:km|kilometres|kilometers)\b", ("miles", "metres")),
        (r"(?<=\d )miles\b", ("kilometres",)), (r"(?<=\d )(?:kg|kilograms)\b", ("pounds", "grams")), (r"(?<=\d )million\b", ("billion", "thousand")), (r"(?<=\d )billion\b", ("million",)),
        (r"\bJanuary\b", ("June", "March")), (r"\bFebruary\b", ("August",)), (r"\bMarch\b(?= \d)", ("May",)), (r"\bApril\b", ("August", "July")), (r"\bJune\b", ("July", "January")), (r"\bJuly\b", ("June", "October")),
        (r"\bAugust\b", ("April",)), (r"\bSeptember\b", ("December",)), (r"\bOctober\b", ("November",)), (r"\bNovember\b", ("September",)), (r"\bDecember\b", ("October",)),
        (r"\b(?:1[5-9]|20)\d\d\b", ("1931", "1874", "2016", "2022", "1706")), (r"\bmonthly\b", ("weekly", "yearly")), (r"\bdaily\b", ("weekly",)), (r"\bannual(?:ly)?\b", ("monthly",)),
    )
)  # fmt: skip
_NAME = re.compile(r"(?<=[a-z,;)] )[A-Z][a-z]{2,}(?:[ -][A-Z][a-z]{2,}){0,3}\b")
_SUBJECT = re.compile(
    r"^((?:(?:The|A|An|This|Each|Our|Your) )?[\w’'-]+(?: (?!not\b)[\w’'-]+){0,4}?) (?=(?:is|are|was|were|has|have|had|can|will|must|should|may|does|do|became|includes?|provides?|contains?|supports?|requires?|offers?|uses?|allows?)\b)"
)
_PRONOUN = re.compile(
    r".*\b(?:that|which|who|if|when)\b|(?:Though|Although|Now|Note|While|Once|Because|So|But|And|Or|Unlike|The following|Then|Also|However|Therefore|It|They|He|She|This|These|There|You|We|I|If|When|What|That|Such|As|In|To|For|All|Some|Both|Most|Many|Each|One|By)\b"
)
# Each of these turns a sentence into its opposite, or into another claim.
_TURNS: Final[Sequence[tuple[re.Pattern[str], str]]] = tuple(
    (re.compile(pattern), told)
    for pattern, told in (
        (r"\b(is|are|was|were|can|could|will|would|should|must|may|has been|have been|does|do|did) not\b", r"\1"), (r"\bcannot\b", "can"), (r"\b(is|are|was|were|does|do|did)n['’]t\b", r"\1"),
        (r"\bnever\b", "always"), (r"\balways\b", "never"), (r"\bat least\b", "at most"), (r"\bup to\b", "at least"), (r"\bmore than\b", "less than"), (r"\bless than\b", "more than"),
        (r"\bbefore\b", "after"), (r"\bafter\b", "before"), (r"\bwithout\b", "with"), (r"\bincludes\b", "excludes"), (r"\bincluding\b", "excluding"), (r"\bexcept\b", "including"),
        (r"\bfree\b", "paid"), (r"\bonly\b ", ""), (r"\bunless\b", "if"), (r"\bincreases?\b", "decreases"), (r"\bincreased\b", "decreased"), (r"\bhigher\b", "lower"), (r"\blower\b", "higher"),
        (r"\benabled\b", "disabled"), (r"\bdisabled\b", "enabled"), (r"\brequired\b", "optional"), (r"\boptional\b", "required"), (r"\bfirst\b", "last"), (r"\blargest\b", "smallest"), (r"\bpublic\b", "private"),
        (r"\bprivate\b", "public"), (r"\bno longer\b", "still"), (r"\bavailable\b", "unavailable"), (r"\bsupported\b", "unsupported"), (r"\ball\b(?! the\b| of\b)", "no"), (r"\bmaximum\b", "minimum"), (r"\bminimum\b", "maximum"),
        (r"\ballows\b", "forbids"), (r"\bsuccessful\b", "unsuccessful"), (r"\bwithin\b", "after"),
    )
)  # fmt: skip
_DENY: Final[Sequence[tuple[re.Pattern[str], str]]] = (
    (
        re.compile(
            r"\b(is|are|was|were|will|should|must|could|would|may|has|had) (?!not\b|no\b|never\b|all\b)(?=[a-z])"
        ),
        r"\1 not ",
    ),
    (re.compile(r"\bcan (?!not\b)(?=[a-z])"), "cannot "),
    (
        re.compile(
            r"^((?:The|A|An) [\w ]{3,30}?|You|We|They) (allow|provide|support|include|need|use|receive|have) (?=[a-z])"
        ),
        r"\1 do not \2 ",
    ),
)
_NO_NAMES: Final = frozenset({"Yes", "No", "The", "This", "You", "Your", "And"})
GLUED: Final = (
    "it comes with a lifetime guarantee", "there is no extra charge for this", "a refund is possible at any time", "it is the most popular choice among experts", "support answers within five minutes",
    "this also works without an internet connection", "students get a special rate", "it has won several international awards", "an administrator has to approve it first", "the first month is on the house",
    "it was inspired by a Japanese tradition", "the limit can be raised on request", "most people notice a difference at once", "weekends are excluded", "a phone number has to be given",
    "it doubles the speed", "older versions are no longer maintained", "this has been tested in laboratories", "the result is sent by mail", "no registration is needed",
    "critics have praised it ever since", "it was later moved to Berlin", "a second copy is stored in Canada", "half of the profits go to charity", "children under twelve are exempt",
)  # fmt: skip
_GLUES: Final = (", and {}", ", which means that {}", "; {}", ", so {}", " and {}", ", but {}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else there is: the statements of the same passage, of the other sources, and of documents that are none."""

    passage: Sequence[Statement]
    sources: Sequence[Statement]
    elsewhere: Sequence[Statement]


Change = Callable[[str, Surroundings, random.Random], str | None]


def other_number(text: str, around: Surroundings, lot: random.Random) -> str | None:
    """Half of the time a number that the passage has, for something else."""
    found = lot.choice(list(_NUMBER.finditer(text)) or [None])
    if found is None:
        word = _AMOUNT_WORD.search(text)
        if word is None:
            return None
        return (
            text[: word.start()]
            + lot.choice([other for other in _WORDS if other != word.group()])
            + text[word.end() :]
        )
    near = {number for other in around.passage for number in _NUMBER.findall(other.quote)} - {found.group()}
    number = lot.choice(sorted(near)) if near and lot.random() < 0.5 else _changed(found.group(), lot)
    return text[: found.start()] + number + text[found.end() :]


def _changed(written: str, lot: random.Random) -> str:
    value = float(written.replace(",", ""))
    other = lot.choice([value * 2, value + 1, value * 10, max(1.0, value - 1), value + 5])
    other = other if other != value else value + 3
    text = f"{other:,.0f}" if "," in written else f"{other:g}" if value != int(value) else f"{other:.0f}"
    return text if text != written else f"{other + 2:.0f}"


def other_unit(text: str, _: Surroundings, lot: random.Random) -> str | None:
    fitting = [(found, others) for pattern, others in _UNITS if (found := pattern.search(text))]
    if not fitting or " 0 " in text:  # Nothing is as long in any unit.
        return None
    found, others = lot.choice(fitting)
    other = lot.choice([other for other in others if other != found.group()])
    return text[: found.start()] + other + text[found.end() :]


def other_name(text: str, around: Surroundings, lot: random.Random) -> str | None:
    """A name of about the same form: two times in five one that the passage has."""
    found = lot.choice(list(_NAME.finditer(text)) or [None])
    if found is None:
        return None
    near = _names(around.passage) - {found.group()}
    pool = near if near and lot.random() < 0.4 else _names((*around.sources, *around.elsewhere))
    own = set(terms(text))
    others = sorted(name for name in pool if not own & set(terms(name)))
    return text[: found.start()] + lot.choice(others) + text[found.end() :] if others else None


def _names(statements: Sequence[Statement]) -> set[str]:
    return {name for statement in statements for name in _NAME.findall(statement.quote)} - _NO_NAMES


def other_sense(text: str, _: Surroundings, lot: random.Random) -> str | None:
    fitting = [(pattern, told) for pattern, told in _TURNS if pattern.search(text)]
    if not fitting or lot.random() < 0.3:
        fitting = [(pattern, told) for pattern, told in _DENY if pattern.search(text)] or fitting
    if not fitting:
        return None
    pattern, told = lot.choice(fitting)
    return pattern.sub(told, text, count=1)


def extra_clause(text: str, around: Surroundings, lot: random.Random) -> str | None:
    """An invented clause, or one of a document that is no source."""
    clause = lot.choice(GLUED)
    others = [
        other.text
        for other in around.elsewhere
        if 6 <= len(other.text.split()) <= 14 and other.text.startswith("The ")
    ]
    if others and lot.random() < 0.4:
        clause = "the " + lot.choice(others)[4:-1]
    return text[:-1] + lot.choice(_GLUES).format(clause) + "."


def other_subject(text: str, around: Surroundings, lot: random.Random) -> str | None:
    found = _SUBJECT.match(text)
    if found is None or _PRONOUN.match(found[1]):
        return None
    pools = [pool for pool in (around.passage, around.sources, around.elsewhere) if pool]
    own = set(terms(text))
    subjects = sorted(
        {
            other[1]
            for statement in lot.choice(pools)
            if (other := _SUBJECT.match(statement.text))
            and not _PRONOUN.match(other[1])
            and set(terms(other[1]))
            and not own & set(terms(other[1]))
        }
    )
    return lot.choice(subjects) + text[found.end(1) :] if subjects else None


CHANGES: Final[Mapping[str, Change]] = {
    "wrong number": other_number,
    "wrong unit, date or price": other_unit,
    "wrong name": other_name,
    "flipped sense": other_sense,
    "extra clause": extra_clause,
    "other subject": other_subject,
}
