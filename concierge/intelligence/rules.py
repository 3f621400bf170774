"""An organization's rules: when a message is like this, it is read like that. Pure.

Rules change what was read in two steps. Mood, intent and urgency come first, because other dimensions are read from
them: `given` says what rules make of these, and the message is read again with it. Then `apply` does the rest.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from concierge.intelligence import attributes, reading
from concierge.intelligence.schemas import URGENCIES, Evidence, Reading, UrgencyLevel
from concierge.intelligence.schemas.control import Condition, Consequence, Guidance, Rule, said_in, units_of
from concierge.intelligence.tokens import Token
from concierge.intelligence.view import MessageView

URGENCY: Final = "urgency_level"
# What others are read from, in the order of reading: urgency itself is read from the mood and the intent.
FIRST: Final = (("emotional_state", "intent_category"), (URGENCY,))
# Between the words of a phrase there may be room, a hyphen, a quotation mark; nothing that ends a clause.
_JOINT: Final = re.compile(r"[\s\-‐–_/*'’\"“”\u00ad\u200b-\u200f\u2060\ufeff]*")
_KEPT_PHRASES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Spoken:
    """A phrase as it is looked for: its folded words, and what the operator wrote between them ("example.com")."""

    words: tuple[str, ...]
    gaps: tuple[str, ...]

    def is_joint(self, text: str, found: Sequence[Token]) -> bool:
        """Whether the words found stand in one piece."""
        return all(
            gap == own or _JOINT.fullmatch(gap)
            for gap, own in zip(_between(text, found), self.gaps, strict=True)
        )


Readings = Mapping[str, Reading[Any]]
Places = Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Held:
    """A rule that holds for a message, and why."""

    then: Consequence
    evidence: Evidence


def read_with_rules(
    view: MessageView, guidance: Guidance, settled: Readings | None = None
) -> dict[str, Reading[Any]]:
    """Read every dimension and attribute as an organization wants it; what is `settled` is taken as it is, unless a rule
    says otherwise.
    """
    known = dict(settled or {})
    judged = {name: known.get(name, own) for name, own in attributes.judge_all(guidance, view).items()}
    readings = reading.read(view, known) | judged
    # Each round settles something that was not, of three dimensions.
    while found := given(guidance.rules, view, readings):
        known |= found
        readings = reading.read(view, known) | judged
    return apply(guidance.rules, view, readings)


def given(rules: Sequence[Rule], view: MessageView, readings: Readings) -> dict[str, Reading[Any]]:
    """Return what rules make of the dimensions that others are read from, as far as that is still to be settled.

    Mood and intent come first; urgency when it was read with theirs. So read, and ask again until there is nothing.
    """
    held = list(holding(rules, view, readings))
    for names in FIRST:
        found = {name: _decided(name, held, readings[name]) for name in names}
        changed = {name: own for name, own in found.items() if own is not readings[name]}
        if changed:
            return changed
    return {}


def apply(rules: Sequence[Rule], view: MessageView, readings: Readings) -> dict[str, Reading[Any]]:
    """Return the readings as rules have them. What no rule speaks of stays as it is."""
    held = list(holding(rules, view, readings))
    return {name: _added(name, held, _decided(name, held, own)) for name, own in readings.items()}


def holding(rules: Sequence[Rule], view: MessageView, readings: Readings) -> Iterator[Held]:
    """The rules that hold, the oldest first."""
    places = _places(view.units)
    for rule in rules:
        if rule.enabled and rule.when != Condition() and _fits(rule.when, view, readings):
            span = _first_span(rule.when.phrases, view, places)
            if span is not None or not rule.when.phrases:
                start, end = span or (None, None)
                yield Held(rule.then, Evidence(f"the rule “{rule.name}”", 1.0, "rule", start, end))


def _fits(when: Condition, view: MessageView, readings: Readings) -> bool:
    """Everything but the phrases."""
    return (
        (when.page_contains is None or when.page_contains.lower() in view.surroundings.page)
        and when.intent in {None, readings["intent_category"].value}
        and when.emotion in {None, readings["emotional_state"].value}
        and when.language in {None, view.language.code}
        and (when.urgency_at_least is None or not _below(readings[URGENCY].value, when.urgency_at_least))
    )


def _below(level: UrgencyLevel, other: UrgencyLevel) -> bool:
    return URGENCIES.index(level) > URGENCIES.index(other)


def _decided(name: str, held: Sequence[Held], own: Reading[Any]) -> Reading[Any]:
    """The oldest rule that sets a dimension decides; urgency may then be raised. What a rule settled stays."""
    if own.settled_by == "rule":
        return own
    setting = [rule for rule in held if rule.then.dimension == name and rule.then.set_to is not None]
    decided = _set(own, setting[0].then.set_to, setting[0].evidence) if setting else own
    for rule in held if name == URGENCY else ():
        if rule.then.raise_to is not None and _below(decided.value, rule.then.raise_to):
            decided = _set(own, rule.then.raise_to, rule.evidence)
    return decided


def _set(own: Reading[Any], value: Any, evidence: Evidence) -> Reading[Any]:
    """What was read from the message stays beside the rule where it says the same."""
    because = (evidence, *own.evidence) if value == own.value else (evidence,)
    return Reading(value, 1.0, because, settled_by="rule")


def _added(name: str, held: Sequence[Held], own: Reading[Any]) -> Reading[Any]:
    match name:
        case "key_topics":
            return _appended(own, [(rule.then.add_topic, rule.evidence) for rule in held])
        case "pain_points":
            return _appended(own, [(rule.then.add_pain_point, rule.evidence) for rule in held])
        case "next_best_actions":
            return _put_first(own, [(rule.then.add_action, rule.evidence) for rule in held])
        case _:
            return own


def _appended(own: Reading[Any], wanted: Sequence[tuple[str | None, Evidence]]) -> Reading[Any]:
    values, evidence = list(own.value), list[Evidence]()
    for phrase, because in wanted:
        if phrase is not None and phrase.casefold() not in {value.casefold() for value in values}:
            values.append(phrase)
            evidence.append(because)
    return _joined(own, tuple(values), evidence)


def _put_first(own: Reading[Any], wanted: Sequence[tuple[str | None, Evidence]]) -> Reading[Any]:
    first: dict[str, Evidence] = {}
    for action, because in wanted:
        if action is not None:
            first.setdefault(action, because)
    return _joined(own, tuple(dict.fromkeys([*first, *own.value])), list(first.values()))


def _joined(own: Reading[Any], values: tuple[str, ...], evidence: Sequence[Evidence]) -> Reading[Any]:
    """The rest of the list is as sure as it was."""
    if values == own.value:
        return own
    return Reading(values, own.confidence, (*evidence, *own.evidence), own.scores, settled_by="rule")


def _places(words: Sequence[Token]) -> Places:
    """Where each word stands, so that thousands of phrases are looked up and not searched for."""
    places: dict[str, list[int]] = {}
    for place, word in enumerate(words):
        places.setdefault(word.text, []).append(place)
    return places


def _first_span(phrases: Sequence[str], view: MessageView, places: Places) -> tuple[int, int] | None:
    """The characters of the first phrase in the message, the longer of two that begin together."""
    spans = [span for phrase in phrases if (span := _span(_spoken(phrase), view, places))]
    return min(spans, key=lambda span: (span[0], -span[1])) if spans else None


def _span(phrase: Spoken, view: MessageView, places: Places) -> tuple[int, int] | None:
    for place in places.get(phrase.words[0], ()) if phrase.words else ():
        found = view.units[place : place + len(phrase.words)]
        if tuple(word.text for word in found) == phrase.words and phrase.is_joint(view.text, found):
            return found[0].start, found[-1].end
    return None


@lru_cache(_KEPT_PHRASES)
def _spoken(phrase: str) -> Spoken:
    return Spoken(said_in(phrase), tuple(_between(phrase, units_of(phrase))))


def _between(text: str, words: Sequence[Token]) -> Iterator[str]:
    for before, after in pairwise(words):
        yield text[before.end : after.start]
