"""Whether sentences of the sources support a sentence of a draft, and if not, what is wrong with it. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from concierge.chat.grounding.claimless import claimless
from concierge.chat.grounding.facts import VERB, Facts, facts_of, groups_of, has_verb, values_with_segments
from concierge.chat.grounding.library import Library, Rest
from concierge.chat.grounding.polarity import agree
from concierge.chat.grounding.schemas import Fault
from concierge.chat.grounding.values import Stated, same, unstated, valued
from concierge.chat.grounding.vocabulary import SYNONYMS

# So many places are looked at closely, of the sources that are cited and of all.
_LOOKED_AT = 4
# What lacks nothing but words is half supported from here on.
PARTIAL = 0.6
_JOINT = re.compile(
    r"[;–—](?=\s)|,?\s(?=(?:and|but|while|whereas|so)\b)|,\s(?=(?:which|who|although|though)\b)|:\s",
    re.IGNORECASE,
)
_SUBORDINATE = re.compile(
    r"[\W_]*(?:and |but )?(?:if|when|unless|once|after|before|until|because|since|as|except|provided|in case|while|whereas)\b",
    re.IGNORECASE,
)
_OWN_SUBJECT = re.compile(
    r"[\W_]*(?:(?:and|but|also|so|then|while|whereas)\s+)*(?:(?i:we|you|i|the|a|an|our|your|my|each|every|all|there|most|some|any|no one|nobody)\b|[A-Z])"
    r"|[\W_]*(?:(?:and|but|so|while|whereas)\s+)*(?!(?:not|never|also|then|it|its|they|their|he|she|which|who|that|this|these)\b)"
    rf"(?!(?:{VERB})\b)(?:[\w'’-]+\s){{1,3}}(?:is|are|was|were|has|have|can|cannot|will|must|costs?|takes?|\w+n['’]t)\b"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A sentence to be judged. `antecedent` are the stems of what its pronoun stands for, or of what its list is about;
    `question` are the stems of the visitor's words.
    """

    facts: Facts
    antecedent: frozenset[str] = frozenset()
    question: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """No `fault` where the sentence is supported by `rests` together; else what is wrong beside the nearest of them.

    `likeness` is the share of its words, the rarer counting more, that the nearest sentence of all sources has.
    """

    fault: Fault | None
    rests: tuple[Rest, ...] = ()
    partial: bool = False
    likeness: float = 0.0


def find(asked: Asked, library: Library, cited: Sequence[int]) -> Finding:
    """Look for what supports a sentence, among the sources it cites first (numbered from 1)."""
    ranked = library.ranked(_wanted(asked), asked.facts.terms)
    likeness = ranked[0][0] if ranked else 0.0
    own = [rest for _, rest in ranked if rest.source in cited][:_LOOKED_AT]
    every = [rest for _, rest in ranked[: 2 * _LOOKED_AT]]
    missed: list[Finding] = []
    for candidates, among in ((own, cited), (every, ())):
        found = _by_one(asked, candidates)
        if found.fault:
            missed.append(found)
            found = _by_clauses(asked, library, among) or found
        if found.fault is None:
            return Finding(None, found.rests, likeness=likeness)
        missed.append(found)
    nearest = missed[2]  # Of all sources, as a whole.
    rests = dict.fromkeys(rest for entry in (nearest, missed[0]) for rest in entry.rests)
    return Finding(nearest.fault, tuple(rests), any(entry.partial for entry in missed), likeness)


def _wanted(asked: Asked) -> Sequence[str]:
    return [*(asked.facts.words or asked.facts.terms), *asked.antecedent]


def _by_one(asked: Asked, candidates: Sequence[Rest]) -> Finding:
    """The first place that supports a sentence; else the fault beside the nearest one, with the two nearest."""
    faults: list[Fault] = []
    for rest in candidates:
        # Of all but the nearest it is enough to know that they do not support it; words are told soonest.
        if faults and not all(map(rest.covers, asked.facts.words)):
            continue
        fault = fault_of(asked, rest)
        if fault is None:
            return Finding(None, (rest,))
        faults.append(fault)
    if not faults:
        return Finding("elsewhere")
    half = faults[0] == "words" and _share(asked.facts, candidates[0]) >= PARTIAL
    return Finding(faults[0], tuple(candidates[:2]), partial=half)


def _by_clauses(asked: Asked, library: Library, cited: Sequence[int]) -> Finding | None:
    """Let each clause rest on a sentence of its own. None where it has but one clause."""
    parts = list(clauses_of(asked.facts.text))
    if len(parts) < 2:
        return None
    rests: list[Rest] = []
    missing: list[Finding] = []
    subject = facts_of(parts[0]).subject or asked.antecedent
    for number, part in enumerate(parts):
        facts = facts_of(part)
        if claimless(facts, part, asked.question):
            continue
        antecedent = _antecedent(number, part, asked, subject)
        clause = Asked(facts, antecedent)
        ranked = [
            rest
            for _, rest in library.ranked(_wanted(clause), facts.terms)
            if not cited or rest.source in cited
        ]
        found = _by_one(clause, ranked[:_LOOKED_AT])
        if found.fault:
            missing.append(found)
        else:
            rests += [rest for rest in found.rests if rest not in rests]
    if not missing and rests:
        return Finding(None, tuple(rests))
    return Finding(missing[0].fault, tuple(rests), partial=True) if rests else None


def _antecedent(number: int, part: str, asked: Asked, subject: frozenset[str]) -> frozenset[str]:
    """A clause that brings no subject of its own is about that of the first."""
    if number == 0:
        return asked.antecedent
    return frozenset() if _OWN_SUBJECT.match(part) else subject


def clauses_of(text: str) -> Iterator[str]:
    """The clauses of a sentence that state something each; a condition stays with what depends on it."""
    cuts = [0, *(match.start() for match in _JOINT.finditer(text)), len(text)]
    held = ""
    for start, end in pairwise(cuts):
        part = text[start:end]
        if held and _complete(held) and _complete(part) and not _SUBORDINATE.match(part):
            yield held
            held = part
        else:
            held += part
    if held:
        yield held


def _complete(part: str) -> bool:
    return has_verb(part) and not _SUBORDINATE.match(part) and len(part.split()) > 2


def fault_of(asked: Asked, rest: Rest) -> Fault | None:
    """What a sentence says that this place of a source does not, the plainest first; None where it says all of it."""
    facts = asked.facts
    unheld = unstated(facts.valued, rest.facts.valued, valued(rest.context_text))
    if unheld:
        return unheld.kind
    return next((fault for fault, holds in _CHECKS.items() if not holds(asked, rest)), None)


def _addresses_agree(asked: Asked, rest: Rest) -> bool:
    said = asked.facts.valued.addresses
    return not said or said <= rest.addresses


def _turned_alike(asked: Asked, rest: Rest) -> bool:
    return agree(asked.facts.clauses, rest.facts.clauses)


def _has_words(asked: Asked, rest: Rest) -> bool:
    return all(map(rest.covers, asked.facts.words))


def _names_agree(asked: Asked, rest: Rest) -> bool:
    """Whether the source has every name and code. One that only its title or a heading has may be the subject, or stand
    where the source's own sentence names nothing else.
    """
    facts = asked.facts
    if not facts.valued.codes <= rest.facts.valued.codes | valued(rest.context_text).codes:
        return False
    above = [name for name in facts.names if name not in rest.terms]
    if not all(name in rest.context for name in above):
        return False
    omitted = rest.facts.names - facts.terms
    return not above or not omitted or (set(above) <= facts.subject and not omitted & rest.facts.subject)


def _share(facts: Facts, rest: Rest) -> float:
    return sum(map(rest.covers, facts.words)) / len(facts.words) if facts.words else 0.0


def _belong(asked: Asked, rest: Rest) -> bool:
    """Whether each value stands with the same things there, not with those that another value of its kind stands with."""
    known = values_with_segments(rest.facts)
    for value, said in values_with_segments(asked.facts):
        places = [place for place, (other, _) in enumerate(known) if same(other, value)]
        if places and not any(_fits(place, known, said) for place in places):
            return False
    return True


def _fits(place: int, known: Sequence[tuple[Stated, frozenset[str]]], said: frozenset[str]) -> bool:
    value, own = known[place]
    others = frozenset[str]().union(
        *(words for other, words in known if other.kind == value.kind and not same(other, value))
    )
    mine = own - others
    return not said & (others - own) or mine <= said


def _same_subject(asked: Asked, rest: Rest) -> bool:
    """Whether it is said of the same thing: what a pronoun stands for, or the words in front of the verb.

    A subject that only a title or heading names will do where the source's sentence has none of its own.
    """
    said = asked.antecedent or asked.facts.subject
    if asked.antecedent and not any(map(rest.covers, asked.antecedent)):
        return False
    if not said or rest.leans or rest.unit.kind != "prose":
        return True
    own = rest.facts.subject
    if not any(map(rest.says, said)):
        return not own or not own.isdisjoint(asked.facts.terms)
    groups = groups_of(asked.facts.terms | said)
    omitted = [word for word in own - asked.facts.terms - said if groups.isdisjoint(SYNONYMS.get(word, ()))]
    return not omitted or all(map(rest.says, asked.facts.subject))


_CHECKS: Final[Mapping[Fault, Callable[[Asked, Rest], bool]]] = {
    "address": _addresses_agree,
    "name": _names_agree,
    "polarity": _turned_alike,
    "belongs": _belong,
    "words": _has_words,
    "subject": _same_subject,
}
