"""What turns a statement round: denial, exceptions, bounds, before and after, free and for a fee. Tables and their comparison."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, cast

from concierge.chat.grounding.vocabulary import SYNONYMS, stems
from concierge.knowledge.contradictions.values import NUMBERS

Turn = Literal[
    "not", "except", "only", "at_most", "at_least", "before", "after", "within", "free", "for_a_fee", "included", "excluded",
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
    "within": r"within|inside",
    "excluded": r"exclud(?:e|es|ed|ing)|left out|omit(?:s|ted)?|not includ(?:e|ed|ing)|do(?:es)? not include|(?:is|are)n['’]t included|without",
    "included": r"includ(?:e|es|ed|ing)|compris(?:e|es|ed|ing)|contain(?:s|ed|ing)?|with",
    "not": r"not|no|never|none|nothing|nobody|nowhere|neither|nor|without|cannot|\w+n['’]t|unable|impossible|lacks?|lacking|fail(?:s|ed)? to|refus(?:e|es|ed)|prohibit(?:s|ed)?|forb(?:id|ids|idden|ade)|prevent(?:s|ed)?|hardly|scarcely|rarely|seldom|free of(?! charge| cost)",
    "all": r"all|every|each|always|any|entire(?:ly)?|whole|everyone|everything|everywhere|both",
    "some": r"some|certain|selected|most(?:ly)?|sometimes|often|occasionally|partly|partially|part of|half of|usually|generally|typically|rarely|seldom",
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
    ("at_most", "at_least"), ("before", "after"), ("within", "after"), ("free", "for_a_fee"), ("included", "excluded"), ("all", "some"),
    ("must", "may"), ("more", "less"), ("first", "last"),
)  # fmt: skip
# Words of these turns say no more than their turn; the others are judged as words too.
_COUNTS: Final = frozenset(stems(" ".join(NUMBERS)))
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
    r"[;:()—–|!?]|\.\s|\s(?=(?:but|while|whereas|although|though|because|if|when|which|who|that|so|yet|unless|except|unlike|instead of|rather than)\b)"
    r"|,\s(?=(?:and\s|or\s)?(?:we|you|it|they|he|she|the|there|this|these|a|an|not|no)\b)"
    r"|\s(?=(?:and|or)\s(?:we|you|it|they|he|she|there|cannot|can|is|are|was|were|not|does|do|did|will|has|have|had|must|never|no)\b)",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"(?:if|when|once|although|though|because|while|unless|after|before|since|until|as soon as)\b[^,]{3,200}(?=,)",
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
# A clause is the counterpart of another when it shares nearly as many words as the best one does.
_ALMOST = 0.75
# A source's clause is said when so many of its words are.
_SAID = 0.5


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause: what turns it, and how often, the stems it is about, and what these may be called too."""

    turns: Mapping[Turn, int]
    about: frozenset[str]
    groups: frozenset[int]

    def shared(self, other: "Clause") -> int:
        """How many of its words the other has."""
        return sum(
            word in other.about or not other.groups.isdisjoint(SYNONYMS.get(word, ())) for word in self.about
        )


def without_prefixes(text: str) -> str:
    """Write out a denial: “unavailable” as “not available”, so that it compares with it."""
    return _PREFIXED.sub(r"not \g<base>", _ALWAYS_MEANT.sub(" ", text))


def clauses_of(text: str) -> tuple[Clause, ...]:
    """The clauses of a text in order; it has gone through `without_prefixes`."""
    cuts = [0, *(match.start() for match in _CLAUSE.finditer(text)), len(text)]
    condition = _CONDITION.match(text)
    if condition:
        cuts = sorted({*cuts, condition.end()})
    return tuple(_clause(text[start:end]) for start, end in pairwise(cuts) if start < end)


def _clause(text: str) -> Clause:
    turns: Mapping[Turn, int] = Counter(cast("Turn", match.lastgroup) for match in _ALL.finditer(text))
    words = stems(_ALL.sub(" ", text) if turns else text)
    about = frozenset(word for word in words if not word.isdigit() and word not in _COUNTS)
    return Clause(turns, about, frozenset(group for word in about for group in SYNONYMS.get(word, ())))


def without_turns(text: str) -> str:
    """The text without the words that only turn it."""
    return _WORDS_OF_TURNS.sub(" ", text)


def agree(said: Sequence[Clause], known: Sequence[Clause]) -> bool:
    """Whether what a sentence says is turned as in its source: neither more nor less."""
    return (
        all(_met(clause, known) for clause in said)
        and not any(_left_out(clause, said) for clause in known)
        and not any(_opposed(one, other, said, known) for one, other in _OPPOSITES)
    )


def _aligned(clause: Clause, others: Sequence[Clause]) -> list[Clause]:
    """The clauses that are about the same as this one more than all others are."""
    if not clause.about:
        return [other for other in others if not other.about]
    shared = [clause.shared(other) for other in others]
    best = max(shared, default=0)
    return [other for other, count in zip(others, shared, strict=True) if best and count >= _ALMOST * best]


def _met(clause: Clause, known: Sequence[Clause]) -> bool:
    """Whether what turns a clause turns it in the source as well, and as often."""
    present = {turn for other in known for turn in other.turns}
    if clause.turns.keys() & _ADDED - present:
        return False
    turning = clause.turns.keys() & _MEETS.keys()
    if not turning:
        return True
    aligned = _aligned(clause, known)
    return all(any(_meets(turn, clause, other) for other in aligned) for turn in turning)


def _meets(turn: Turn, clause: Clause, other: Clause) -> bool:
    if turn in other.turns:
        return clause.turns[turn] % 2 == other.turns[turn] % 2
    return bool(_MEETS[turn] & other.turns.keys())


def _left_out(clause: Clause, said: Sequence[Clause]) -> bool:
    """Whether the source denies, excepts or limits what the sentence says, and the sentence does not."""
    turning = clause.turns.keys() & _MEETS.keys()
    if not turning or not clause.about:
        return False
    words = frozenset[str]().union(*(other.about for other in said))
    groups = frozenset[int]().union(*(other.groups for other in said))
    if clause.shared(Clause({}, words, groups)) < _SAID * len(clause.about):
        return False
    aligned = _aligned(clause, said)
    return not all(any(_meets(turn, clause, other) for other in aligned) for turn in turning)


def _opposed(one: Turn, other: Turn, said: Sequence[Clause], known: Sequence[Clause]) -> bool:
    return _against(one, other, said, known) or _against(other, one, said, known)


def _against(mine: Turn, theirs: Turn, said: Sequence[Clause], known: Sequence[Clause]) -> bool:
    for clause in said:
        if mine in clause.turns:
            aligned = {turn for other in _aligned(clause, known) for turn in other.turns}
            if theirs in aligned and mine not in aligned:
                return True
    return False
