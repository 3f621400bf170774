"""What turns a statement round: denial, exceptions, bounds, before and after, free and for a fee. Tables and their comparison."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from concierge.knowledge.lexical import terms

Turn = Literal[
    "not", "except", "only", "at_most", "at_least", "before", "after", "free", "for_a_fee", "included", "excluded",
    "all", "some", "must", "may", "more", "less", "first", "last",
]  # fmt: skip

_NUMBER = r"(?=(?:about |approximately )?(?:[$€£¥]|\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|fifty|half|a)\b))"
_PATTERNS: Final[Mapping[Turn, str]] = {
    "free": r"free(?: of (?:charge|cost))?|no (?:extra |additional |added )?(?:cost|charge|fee)s?|without (?:any )?(?:extra |additional )?(?:cost|charge|fee|paying)s?|complimentary|gratis|not charged?",
    "for_a_fee": r"for a fee|at (?:an )?(?:extra|additional) (?:cost|charge)|(?:extra|additional) (?:cost|charge|fee)s?|surcharge|chargeable|at your (?:own )?(?:cost|expense)|fees? appl(?:y|ies)|paid",
    "at_most": rf"at (?:the )?most|up to|(?:no|not) (?:more|longer|later|greater) than|a maximum of|maximum|max|at the latest|(?:less|fewer|lower|shorter) than|(?:under|below) {_NUMBER}|or (?:less|fewer)",
    "at_least": rf"at (?:the )?least|(?:no|not) (?:less|fewer|earlier) than|a minimum of|minimum|min|(?:more|greater|longer|higher) than|(?:over|above|beyond) {_NUMBER}|or (?:more|longer|above)|exceed(?:s|ing)?|from {_NUMBER}|starting (?:at|from)",
    "except": r"except(?:ing|ion|ions| for)?|unless|apart from|other than|aside from|unlike|rather than|instead of|exempt(?:ed)?|save for",
    "only": r"only|solely|exclusively|nothing but",
    "before": r"before|prior to|earlier than|ahead of|until|till|by the (?:time|end)|preced(?:e|es|ing|ed)|previous to",
    "after": r"after(?:wards?)?|following|later than|once|since|upon|from the (?:day|date|time)|subsequent(?:ly)? to|as soon as|when",
    "excluded": r"exclud(?:e|es|ed|ing)|left out|omit(?:s|ted)?|not includ(?:e|ed|ing)|do(?:es)? not include|(?:is|are)n['’]t included|without",
    "included": r"includ(?:e|es|ed|ing)|compris(?:e|es|ed|ing)|contain(?:s|ed|ing)?|with",
    "not": r"not|no|never|none|nothing|nobody|nowhere|neither|nor|without|cannot|\w+n['’]t|unable|impossible|lacks?|lacking|fail(?:s|ed)? to|refus(?:e|es|ed)|prohibit(?:s|ed)?|forb(?:id|ids|idden|ade)|prevent(?:s|ed)?|hardly|scarcely|rarely|seldom|free of(?! charge| cost)",
    "all": r"all|every|each|always|any|entire(?:ly)?|whole|everyone|everything|everywhere|both",
    "some": r"some|certain|selected|several|a few|many|most(?:ly)?|sometimes|often|occasionally|partly|partially|part of|half of|usually|generally|typically|rarely|seldom",
    "must": r"must|required|mandatory|obligatory|compulsory",
    "may": r"may|might|can|could|optional(?:ly)?",
    "more": r"more|higher|larger|greater|bigger|longer|faster|better|increas(?:e|es|ed|ing)|ris(?:e|es|ing)|rose|grew|grow(?:s|ing)?|older|stronger|above|over",
    "less": r"less|fewer|lower|smaller|shorter|slower|worse|decreas(?:e|es|ed|ing)|reduc(?:e|es|ed|ing)|declin(?:e|es|ed|ing)|f[ae]ll(?:s|ing)?|younger|weaker|below|under",
    "first": r"first|initial(?:ly)?|earliest|oldest",
    "last": r"last|final(?:ly)?|latest|newest|most recent",
}  # fmt: skip
# What may not stand on one side alone, what the source must have too, and what may not meet its opposite.
_MEETS: Final[Mapping[Turn, frozenset[Turn]]] = {
    "not": frozenset({"not", "excluded", "except"}),
    "excluded": frozenset({"not", "excluded", "except"}),
    "except": frozenset({"not", "excluded", "except", "only"}),
    "only": frozenset({"only", "except"}),
}
_ADDED: Final[frozenset[Turn]] = frozenset({"at_most", "at_least", "free", "for_a_fee", "before"})
_OPPOSITES: Final[tuple[tuple[Turn, Turn], ...]] = (
    ("at_most", "at_least"), ("before", "after"), ("free", "for_a_fee"), ("included", "excluded"), ("all", "some"),
    ("must", "may"), ("more", "less"), ("first", "last"),
)  # fmt: skip
# Words of these turns say no more than their turn; the others are judged as words too.
_ONLY_TURN: Final[tuple[Turn, ...]] = (
    "free", "for_a_fee", "at_most", "at_least", "except", "only", "before", "after", "excluded", "included", "not", "all", "may",
)  # fmt: skip
_ALL = re.compile(
    "|".join(rf"(?P<{name}>\b(?:{pattern})(?!\w))" for name, pattern in _PATTERNS.items()), re.IGNORECASE
)
_WORDS_OF_TURNS = re.compile(
    "|".join(rf"\b(?:{_PATTERNS[name]})(?!\w)" for name in _ONLY_TURN), re.IGNORECASE
)
_CLAUSE = re.compile(
    r"[,;:()—–|!?]|\.\s|\b(?:and|but|or|while|whereas|although|though|because|if|which|who|that|so|yet)\b|\b(?=unless\b|except\b|unlike\b|instead of\b|rather than\b)",
    re.IGNORECASE,
)
# Words that say no by their beginning, where what is left is a word that is said of things as well.
_BASES: Final = (
    "able acceptable accessible accurate active affected allowed altered answered appropriate authorized authorised available aware "
    "certain changed clear common comfortable compatible complete conditional confirmed correct covered defined eligible employed "
    "encrypted equal expected fair familiar finished fortunate fulfilled healthy important installed kind known lawful likely limited "
    "locked modified necessary needed occupied official opened paid pleasant popular possible predictable protected published "
    "registered related reliable required resolved restricted returnable safe sold solicited specified stable successful suitable "
    "supported sure tested transferable true trusted used usual valid verified visible willing wanted capable effective sufficient "
    "dependent direct finite formal visible refundable refundable negotiable profit smoking standard members"
)
_PREFIXED = re.compile(
    rf"\b(?:un|in|im|ir|il|non-?)(?P<base>{'|'.join(sorted(set(_BASES.split()), key=len, reverse=True))})\b",
    re.IGNORECASE,
)
_ALWAYS_MEANT = re.compile(
    r"\bnot (?:only|just|merely)\b|\bno (?:doubt|problem|worries|matter)\b|^\s*(?:no|yes),\s", re.IGNORECASE
)
_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Turned:
    """A word that turns a statement, and the stems of the clause it stands in."""

    turn: Turn
    about: frozenset[str]


@lru_cache(maxsize=4096)
def without_prefixes(text: str) -> str:
    """ "unavailable" as "not available", so that it compares with it."""
    return _PREFIXED.sub(r"not \g<base>", _ALWAYS_MEANT.sub(" ", text))


@lru_cache(maxsize=4096)
def turns_of(text: str) -> tuple[Turned, ...]:
    """What turns the statements of a text, in order; `text` has gone through `without_prefixes`."""
    return tuple(_turns(text))


def _turns(text: str) -> Iterator[Turned]:
    if not _ALL.search(text):
        return
    cuts = [0, *(match.start() for match in _CLAUSE.finditer(text)), len(text)]
    for start, end in zip(cuts, cuts[1:], strict=False):
        clause = text[start:end]
        found: list[Turn] = [match.lastgroup for match in _ALL.finditer(clause) if match.lastgroup]  # type: ignore[misc]
        if found:
            about = frozenset(terms(_ALL.sub(" ", clause)))
            yield from (Turned(turn, about) for turn in dict.fromkeys(found))


def without_turns(text: str) -> str:
    """The text without the words that only turn it."""
    return _WORDS_OF_TURNS.sub(" ", text)


def agree(said: tuple[Turned, ...], known: tuple[Turned, ...], words: frozenset[str]) -> bool:
    """Whether a sentence, whose stems are `words`, is turned as its source is: neither way more, nor less."""
    return (
        all(_met(own, known) for own in said)
        and not any(_left_out(own, said, words) for own in known)
        and not any(_opposed(one, other, said, known) for one, other in _OPPOSITES)
    )


def _near(one: Turned, other: Turned) -> bool:
    return not one.about or not other.about or bool(one.about & other.about)


def _met(own: Turned, known: tuple[Turned, ...]) -> bool:
    """Whether what turns a sentence turns its source as well, in a clause about the same."""
    if own.turn in _MEETS:
        return any(other.turn in _MEETS[own.turn] and _near(own, other) for other in known)
    return own.turn not in _ADDED or any(other.turn == own.turn for other in known)


def _left_out(own: Turned, said: tuple[Turned, ...], words: frozenset[str]) -> bool:
    """Whether the source denies, excepts or limits what the sentence says, and the sentence does not."""
    if own.turn not in _MEETS or not own.about:
        return False
    if len(own.about & words) < _SHARE * len(own.about):
        return False
    return not any(other.turn in _MEETS[own.turn] and _near(own, other) for other in said)


def _opposed(one: Turn, other: Turn, said: tuple[Turned, ...], known: tuple[Turned, ...]) -> bool:
    return _against(one, other, said, known) or _against(other, one, said, known)


def _against(mine: Turn, theirs: Turn, said: tuple[Turned, ...], known: tuple[Turned, ...]) -> bool:
    for own in said:
        if own.turn != mine:
            continue
        near = {entry.turn for entry in known if _near(own, entry)}
        if theirs in near and mine not in near:
            return True
    return False
