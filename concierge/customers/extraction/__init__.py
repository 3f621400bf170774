"""What a message says of its writer that is worth remembering, told by patterns. Pure, and no word of it leaves the machine."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from concierge.customers.extraction.clauses import Clause, clauses
from concierge.customers.extraction.filling import filled, thing_of
from concierge.customers.extraction.patterns import Pattern, Template, patterns, words
from concierge.customers.extraction.private import is_order, is_private
from concierge.customers.facts import NewFact

MOST_FACTS: Final = 20
EARLIER_MESSAGES: Final = 4
HEDGED: Final = 0.6
# What the describing words before a thing say of it, by the rule that would say the same of it in a clause of its own.
DESCRIBING: Final = ("colour", "material", "style")

__all__ = ["NewFact", "extract", "is_order", "is_private"]


@dataclass(frozen=True, slots=True)
class Topic:
    """What is being looked for, in the writer's words and language."""

    thing: str
    language: str


def extract(message: str, history: Sequence[str] = ()) -> tuple[NewFact, ...]:
    """Return what a message states of its writer, in its order. `history` are their earlier messages, oldest first: they
    say what “it” is, and nothing else is taken from them.
    """
    topic: Topic | None = None
    for earlier in history[-EARLIER_MESSAGES:]:
        topic = _Reader(topic).read(earlier).topic
    found = _Reader(topic).read(message).found
    return tuple(found.values())[:MOST_FACTS]


class _Reader:
    def __init__(self, topic: Topic | None) -> None:
        self.topic = topic
        self.found: dict[tuple[str, str], NewFact] = {}
        self._wanted = False

    def read(self, message: str) -> "_Reader":
        for clause in clauses(message):
            self._wanted = self._wanted and clause.continues
            if not is_private(clause.text) and not is_order(clause.text):
                self._read(clause)
        return self

    def _read(self, clause: Clause) -> None:
        said = set[tuple[str, str]]()
        for pattern in patterns():
            if pattern.follows and not self._wanted:
                continue
            matches = list(pattern.found_by.finditer(clause.text))
            if not matches or (pattern.unless is not None and pattern.unless.search(clause.text)):
                continue
            for fact in (fact for match in matches for fact in self._facts(pattern, match)):
                self._keep(fact, clause, said)

    def _facts(self, pattern: Pattern, match: re.Match[str]) -> Iterator[NewFact]:
        fields = {name: text for name, text in match.groupdict().items() if text}
        if pattern.topic:
            yield from self._sought(pattern, fields.get("thing", ""))
            return
        language = pattern.language
        template = pattern.template
        if "{topic}" in template.slot:
            if self.topic is None:
                if pattern.alone is None:
                    return
                template = pattern.alone
            else:
                fields["topic"], language = self.topic.thing, self.topic.language
        if language == "de" and pattern.value_de:
            template = replace(template, value=pattern.value_de)
        yield from _worded(pattern, template, fields, language)

    def _sought(self, pattern: Pattern, text: str) -> Iterator[NewFact]:
        """What is looked for, apart from what describes it: “a grey two-seater sofa”."""
        described: dict[str, str] = {}
        for name in DESCRIBING:
            if (word := words(name).search(text)) is not None and word.end() < len(text):
                described[name] = word.group()
                text = f"{text[: word.start()]} {text[word.end() :]}"
        thing = thing_of(text)
        if thing is None:
            return
        self.topic = Topic(thing, pattern.language)
        self._wanted = True
        yield from _worded(pattern, pattern.template, {"topic": thing}, pattern.language)
        for name, word in described.items():
            rule = next(own for own in patterns() if own.id == name)
            template = rule.template
            if pattern.language == "de" and rule.value_de:
                template = replace(template, value=rule.value_de)
            yield from _worded(rule, template, {"topic": thing, name: word}, pattern.language)

    def _keep(self, fact: NewFact, clause: Clause, said: set[tuple[str, str]]) -> None:
        """What the table says first is the closer reading of a clause; a later clause has the last word."""
        key = fact.kind, fact.slot
        if key not in said:
            said.add(key)
            hedged = round(fact.confidence * HEDGED, 3) if clause.hedged else fact.confidence
            self.found[key] = replace(fact, confidence=hedged)


def _worded(
    pattern: Pattern, template: Template, fields: Mapping[str, str], language: str
) -> Iterator[NewFact]:
    worded = filled(template, fields, language)
    if worded is None or is_private(worded.value):
        return
    yield NewFact(
        kind=pattern.kind,
        subject=worded.subject,
        slot=worded.slot,
        value=worded.value,
        confidence=pattern.confidence,
        lasts=pattern.lasts,
        ends=pattern.ends,
    )
