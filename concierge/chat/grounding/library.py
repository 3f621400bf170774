"""The passages as they are looked up: their sentences, items and rows, what each stands under, and which words lead there."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from concierge.chat.grounding.facts import VERB, Facts, facts_of, groups_of
from concierge.chat.grounding.schemas import Evidence
from concierge.chat.grounding.values import ADDRESS, valued
from concierge.chat.grounding.vocabulary import SYNONYMS, stems
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
_TITLE_SPLIT = re.compile(r"[-_/]")


@dataclass(frozen=True, slots=True)
class Rest:
    """One sentence, item or row of a source that a sentence may rest on. `context` are the stems it stands under."""

    source: int
    unit: Unit
    before: tuple[Unit, ...]
    title: str
    start: int
    end: int
    quote: str
    text: str
    context: frozenset[str]
    groups: frozenset[int]
    context_text: str
    addresses: frozenset[str]
    leans: bool

    @property
    def facts(self) -> Facts:
        return facts_of(self.text)

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.source, self.start, self.end, self.quote)

    def names(self, word: str) -> bool:
        """Whether the sentence itself, or what it stands under, has this very word."""
        return word in self.facts.terms or word in self.context

    def covers(self, word: str) -> bool:
        """Whether it has the word, another word for it, or another form of it."""
        if self.names(word):
            return True
        own = SYNONYMS.get(word)
        if own and not own.isdisjoint(self.facts.groups | self.groups):
            return True
        return any(_akin(word, other) for other in self.facts.terms) or any(
            _akin(word, other) for other in self.context
        )

    def says(self, word: str) -> bool:
        """Whether the sentence itself has the word or another word for it."""
        own = SYNONYMS.get(word, frozenset())
        return word in self.facts.terms or not own.isdisjoint(self.facts.groups)


@lru_cache(maxsize=16384)
def _akin(one: str, other: str) -> bool:
    """Whether one stem is the beginning of the other, as of "deliv" and "deliveri"."""
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= 5 and len(longer) - len(shorter) <= 4 and longer.startswith(shorter)


@dataclass(slots=True)
class Library:
    """All that the sources say. `postings` lead from a stem, or a group of words that mean the same, to its places."""

    passages: Sequence[Passage]
    rests: list[Rest] = field(default_factory=list[Rest])
    postings: dict[str | int, list[int]] = field(default_factory=dict[str | int, list[int]])
    under: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    code: list[str] = field(default_factory=list[str])
    addresses: frozenset[str] = frozenset()

    def ranked(self, words: Sequence[str]) -> list[tuple[float, Rest]]:
        """The places that have most of these stems, the rarer ones counting more, with the share they have."""
        scores: defaultdict[int, float] = defaultdict(float)
        total = 0.0
        for word in words:
            found = set(self.postings.get(word, ()))
            for group in SYNONYMS.get(word, ()):
                found.update(self.postings.get(group, ()))
            weight = math.log1p(len(self.rests) / (1 + len(found)))
            total += weight
            for place in found:
                scores[place] += weight
            for place in self.under.get(word, ()):
                if place not in found:
                    scores[place] += 0.5 * weight
        ordered = sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))
        return [(score / (total or 1.0), self.rests[place]) for place, score in ordered]


def library_of(passages: Sequence[Passage]) -> Library:
    library = Library(passages)
    addresses = set[str]()
    for number, passage in enumerate(passages, 1):
        own = _addresses(passage)
        addresses |= own
        units = units_of(passage, number - 1)
        library.code.append("\n".join(" ".join(line.split()) for line in passage.text.split("\n")))
        for rest in _rests(passage, number, units, own):
            place = len(library.rests)
            library.rests.append(rest)
            facts = rest.facts
            for key in (*facts.terms, *facts.groups):
                library.postings.setdefault(key, []).append(place)
            for key in rest.context - facts.terms:
                library.under.setdefault(key, []).append(place)
    library.addresses = frozenset(addresses)
    return library


def _addresses(passage: Passage) -> frozenset[str]:
    """Those written in a passage, markup of links included, and its own."""
    found = {next(iter(valued(address).addresses), "") for address in ADDRESS.findall(passage.text)}
    return frozenset(found) | (valued(passage.url).addresses if passage.url else frozenset())


def _rests(passage: Passage, number: int, units: Sequence[Unit], addresses: frozenset[str]) -> Iterator[Rest]:
    for unit in units:
        if unit.kind in {"heading", "question", "code"}:
            continue
        before = tuple(units[: unit.index])
        title = _TITLE_SPLIT.sub(" ", passage.title)
        context_text = " | ".join((title, *unit.headings, *_asked(before)))
        leans = unit.kind == "prose" and bool(PRONOUN.match(unit.text) or not unit.whole)
        context = frozenset(stems(context_text))
        if leans or (unit.kind == "prose" and ANAPHOR.match(unit.text)):
            context |= _leaned_on(unit, before)
        start, end = unit.start - passage.start, unit.end - passage.start
        yield Rest(
            source=number,
            unit=unit,
            before=before,
            title=passage.title,
            start=start,
            end=end,
            quote=passage.text[start:end],
            text=_whole_text(unit, units),
            context=context,
            groups=groups_of(context),
            context_text=context_text,
            addresses=addresses | facts_of(unit.text).valued.addresses,
            leans=leans,
        )


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


def _leaned_on(unit: Unit, before: Sequence[Unit]) -> frozenset[str]:
    """What "it" and "they" stand for: the subject of the nearest sentence above that has one of its own."""
    above = [other for other in before if other.kind == "prose"][-_CHAIN:]
    for other in reversed(above):
        if not ANAPHOR.match(other.text):
            facts = facts_of(other.text)
            return facts.subject | facts.names or frozenset(facts.words[:4])
    return frozenset()
