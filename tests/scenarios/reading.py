"""Reads the conversations of `intelligence_conversations.yaml` turn by turn, and tells what is not as expected."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from concierge.intelligence.reading import analyse
from concierge.intelligence.schemas import URGENCIES, ConversationAnalysis
from concierge.intelligence.view import MessageView, Surroundings
from concierge.llm.minilm import MiniLM

CONVERSATIONS = Path(__file__).with_name("intelligence_conversations.yaml")
COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "lower": operator.lt,
    "higher": operator.gt,
    "not_lower": operator.ge,
    "not_higher": operator.le,
}
LISTS = ("key_topics", "pain_points", "opportunities", "next_best_actions")


@dataclass(frozen=True, slots=True)
class Read:
    """A visitor's message, in its place, and what was read in it."""

    message: str
    spec: Mapping[str, Any]
    history: tuple[str, ...]
    context: Mapping[str, Any]
    analysis: ConversationAnalysis


def conversations() -> list[Mapping[str, Any]]:
    return yaml.safe_load(CONVERSATIONS.read_text("utf-8"))


def read_turns(model: MiniLM, conversation: Mapping[str, Any]) -> list[Read]:
    context: dict[str, Any] = {}
    history: list[str] = []
    turns: list[Read] = []
    for spec in conversation["turns"]:
        message = " ".join(spec["message"].split())
        context = {**context, **spec.get("context", {})}
        turns.append(_read(model, message, spec, tuple(history), context))
        history.append(message)
    return turns


def varied(model: MiniLM, last: Read, variation: Mapping[str, Any]) -> Read:
    history = () if variation.get("history") == "none" else last.history
    context = {**last.context, **variation.get("context", {})}
    return _read(model, last.message, variation, history, context)


def problems(turns: Sequence[Read], place: int) -> Iterator[str]:
    own = turns[place]
    yield from _unmet(own)
    yield from _unseen_evidence(own)
    for dimension, earlier in own.spec.get("more_confident_than", {}).items():
        before = turns[earlier - 1].analysis.confidence[dimension]
        after = own.analysis.confidence[dimension]
        if not after > before:
            yield f"{dimension}: {after} is not surer than turn {earlier}, {before}"


def problems_of_variation(last: Read, other: Read) -> Iterator[str]:
    expect = dict(other.spec.get("expect", {}))
    urgency = expect.get("urgency_level")
    if isinstance(urgency, str) and urgency in COMPARED:
        del expect["urgency_level"]
        before, after = _rank(last.analysis), _rank(other.analysis)
        if not COMPARED[urgency](after, before):
            yield f"urgency {other.analysis.urgency_level} is not {urgency} ({last.analysis.urgency_level})"
    yield from _unmet(Read(other.message, {**other.spec, "expect": expect}, (), {}, other.analysis))
    for dimension, wanted in other.spec.get("confidence", {}).items():
        before, after = last.analysis.confidence[dimension], other.analysis.confidence[dimension]
        if not COMPARED[wanted](after, before):
            yield f"{dimension}: confidence {after} is not {wanted} than {before}"


def _read(
    model: MiniLM, message: str, spec: Mapping[str, Any], history: tuple[str, ...], context: Mapping[str, Any]
) -> Read:
    view = MessageView(message, model.embed([message])[0], history, Surroundings.of(context))
    return Read(message, spec, history, context, analyse(view))


def _rank(analysis: ConversationAnalysis) -> int:
    return -URGENCIES.index(analysis.urgency_level)


def _unmet(own: Read) -> Iterator[str]:
    for name, wanted in own.spec.get("expect", {}).items():
        yield from _missing(own.analysis, name, wanted)
    for name, unwanted in own.spec.get("unexpected", {}).items():
        for value in _listed(unwanted):
            if _found(own.analysis, name, value):
                yield f"{name}: {value} was not expected"


def _missing(analysis: ConversationAnalysis, name: str, wanted: Any) -> Iterator[str]:
    if name == "personalization_cues":
        for cue, values in wanted.items():
            if (read := getattr(analysis.personalization_cues, cue)) not in _listed(values):
                yield f"{cue}: {read} instead of {values}"
    elif name in LISTS:
        for entry in _listed(wanted):
            if not any(_found(analysis, name, value) for value in _listed(entry)):
                yield f"{name}: nothing of {entry} in {_shown(analysis, name)}"
    elif (read := getattr(analysis, name)) not in _listed(wanted):
        yield f"{name}: {read} instead of {wanted}"


def _unseen_evidence(own: Read) -> Iterator[str]:
    for name, wanted in own.spec.get("evidence", {}).items():
        spans = [
            own.message[reason.start : reason.end].lower()
            for reason in own.analysis.evidence[name]
            if reason.start is not None
        ]
        # A phrase that is part of the words counts as they do: it is what decided.
        words = [value.lower() for value in _listed(wanted)]
        if not any(word in span or span in word for word in words for span in spans):
            yield f"{name}: the evidence {spans} holds nothing of {wanted}"


def _found(analysis: ConversationAnalysis, name: str, value: str) -> bool:
    if name in {"key_topics", "pain_points"}:
        return any(str(value).lower() in phrase.lower() for phrase in getattr(analysis, name))
    return value in _shown(analysis, name)


def _shown(analysis: ConversationAnalysis, name: str) -> list[str]:
    value = getattr(analysis, name)
    if isinstance(value, str):
        return [value]
    return [str(getattr(entry, "kind", entry)) for entry in value]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
