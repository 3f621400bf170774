"""The passages as they are looked up: their sentences, items and rows, what each stands under, and which words lead there."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from concierge.chat.grounding.facts import VERB, Facts, facts_of, groups_of
from concierge.chat.grounding.schemas import Evidence
from concierge.chat.grounding.values import ADDRESS, valued
from concierge.chat.grounding.vocabulary import ALTERNATIVES, SYNONYMS, stems
from concierge.chat.writers.structure import Unit, units_of
from concierge.knowledge.schemas import Passage

ANAPHOR = re.compile(
    r"(?:(?:and|but|also|however|moreover|in addition|additionally|therefore|thus|for example|instead|then),?\s+)?"
    r"(?:it|its|they|their|them|this|these|those|that|such|he|she|his|her|him|both|each|one|the (?:former|latter|two|same))\b",
    re.IGNORECASE,
)
# What stands for something said before, as "this" alone does, and "this plan" does not.
PRONOUN = re.compile(
    rf"[\W_]*(?:it|its|they|their|he|she|his|her)\b|[\W_]*(?:this|these|those|that|both)\s+(?:also\s+)?(?:{VERB})\b",
    re.IGNORECASE,
)
_CHAIN = 3
_HEAD = 5
_TIE = 0.001
_TITLE_SPLIT = re.compile(r"[-_/]")


@dataclass(frozen=True, eq=False)
class Rest:
    """One sentence, item or row of a source that a sentence may rest on; `text` is what it says with the words that
    introduce it. Most are looked up and never looked at, so what they say is read when it is asked for.
    """

    source: int
    unit: Unit
    before: Sequence[Unit]
    passage: Passage
    text: str

    @property
    def evidence(self) -> Evidence:
        start, end = self.start, self.unit.end - self.passage.start
        return Evidence(self.source, start, end, self.passage.text[start:end])

    @property
    def start(self) -> int:
        return self.unit.start - self.passage.start

    @cached_property
    def facts(self) -> Facts:
        return facts_of(self.text)

    @cached_property
    def terms(self) -> frozenset[str]:
        return frozenset(stems(self.text))

    @cached_property
    def leans(self) -> bool:
        """Whether its subject is a pronoun, or cut off."""
        return self.unit.kind == "prose" and bool(PRONOUN.match(self.unit.text) or not self.unit.whole)

    @cached_property
    def context(self) -> frozenset[str]:
        """The stems it stands under, and those of what its pronoun stands for."""
        own = _stems_of(self.context_text)
        if self.leans or (self.unit.kind == "prose" and ANAPHOR.match(self.unit.text)):
            own |= _leaned_on(self.before)
        return own

    @cached_property
    def context_text(self) -> str:
        return " | ".join((_title(self.passage.title), *self.unit.headings, *_asked(self.before)))

    @cached_property
    def addresses(self) -> frozenset[str]:
        return addresses_of(self.passage)

    @cached_property
    def groups(self) -> frozenset[int]:
        return groups_of(self.terms | self.context)

    @cached_property
    def heads(self) -> Mapping[str, Sequence[str]]:
        """Its stems by how they begin."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for term in self.terms | self.context:
            found[term[:_HEAD]].append(term)
        return found

    def names(self, word: str) -> bool:
        """Whether the sentence itself, or what it stands under, has this very word."""
        return word in self.terms or word in self.context

    def covers(self, word: str) -> bool:
        """Whether it has the word, another word for it, or another form of it."""
        if self.names(word):
            return True
        own = SYNONYMS.get(word)
        if own and not own.isdisjoint(self.groups):
            return True
        return any(_akin(word, other) for other in self.heads.get(word[:_HEAD], ()))

    def says(self, word: str) -> bool:
        """Whether the sentence itself has the word or another word for it."""
        return word in self.terms or not groups_of(self.terms).isdisjoint(SYNONYMS.get(word, ()))


def _akin(one: str, other: str) -> bool:
    """Whether one stem is the beginning of the other, as of "deliv" and "deliveri"."""
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= _HEAD and len(longer) - len(shorter) <= 4 and longer.startswith(shorter)


@dataclass(slots=True)
class Library:
    """All that the sources say. `postings` lead from a stem to its places, `under` from a title with headings to those
    that stand under it.
    """

    passages: Sequence[Passage]
    rests: list[Rest] = field(default_factory=list[Rest])
    postings: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    under: dict[str, list[int]] = field(default_factory=dict[str, list[int]])

    @property
    def addresses(self) -> frozenset[str]:
        return frozenset[str]().union(*map(addresses_of, self.passages))

    @property
    def code(self) -> list[str]:
        """The passages with the spaces of each line made one."""
        return [
            "\n".join(" ".join(line.split()) for line in passage.text.split("\n"))
            for passage in self.passages
        ]

    def ranked(self, words: Sequence[str], more: Iterable[str] = ()) -> list[tuple[float, Rest]]:
        """The places that have most of these stems, the rarer ones counting more, with the share they have; those that
        have `more` come first among equals.
        """
        scores: defaultdict[int, float] = defaultdict(float)
        total = 0.0
        for word in words:
            found = set(self.postings.get(word, ()))
            for other in ALTERNATIVES.get(word, ()):
                found.update(self.postings.get(other, ()))
            weight = math.log1p(len(self.rests) / (1 + len(found)))
            total += weight
            for place in found:
                scores[place] += weight
            for text, places in self.under.items():
                if word in _stems_of(text):
                    for place in places:
                        scores[place] += 0.0 if place in found else 0.5 * weight
        for word in more:
            for place in self.postings.get(word, ()):
                if place in scores:
                    scores[place] += _TIE
        ordered = sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))
        return [(score / (total or 1.0), self.rests[place]) for place, score in ordered]


def library_of(passages: Sequence[Passage]) -> Library:
    library = Library(passages)
    for number, passage in enumerate(passages, 1):
        units = units_of(passage, number - 1)
        for unit in units:
            if unit.kind in {"heading", "question", "code"}:
                continue
            place = len(library.rests)
            rest = Rest(number, unit, units[: unit.index], passage, _whole_text(unit, units))
            library.rests.append(rest)
            for key in rest.terms:
                library.postings.setdefault(key, []).append(place)
            library.under.setdefault(rest.context_text, []).append(place)
    return library


def addresses_of(passage: Passage) -> frozenset[str]:
    """Those written in a passage, markup of links included, and its own."""
    found = {next(iter(valued(address).addresses), "") for address in ADDRESS.findall(passage.text)}
    phones = valued(passage.text).addresses
    return frozenset(found) | phones | (valued(passage.url).addresses if passage.url else frozenset())


@lru_cache(maxsize=2048)  # A title stands over every sentence of its page.
def _stems_of(text: str) -> frozenset[str]:
    return frozenset(stems(text))


@lru_cache(maxsize=2048)
def _title(title: str) -> str:
    return _TITLE_SPLIT.sub(" ", title)


def _whole_text(unit: Unit, units: Sequence[Unit]) -> str:
    """The text with what it cannot be understood without: the words that introduce a list, the names of columns."""
    if unit.cells and unit.header:
        pairs = zip(unit.header, unit.cells, strict=False)
        return " | ".join(f"{name} {cell}".strip() for name, cell in pairs)
    if unit.lead is not None:
        return f"{units[unit.lead].text.rstrip(':')} {unit.text}"
    return unit.text


def _asked(before: Sequence[Unit]) -> tuple[str, ...]:
    """The question right above, which says what an answer is about."""
    above = [unit for unit in before[-2:] if unit.kind == "question"]
    return tuple(unit.text for unit in above)


def _leaned_on(before: Sequence[Unit]) -> frozenset[str]:
    """What "it" and "they" stand for: the subject of the nearest sentence above that has one of its own."""
    above = [other for other in before if other.kind == "prose"][-_CHAIN:]
    for other in reversed(above):
        if not ANAPHOR.match(other.text):
            facts = facts_of(other.text)
            return facts.subject | facts.names or frozenset(facts.words[:4])
    return frozenset()
