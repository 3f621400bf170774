"""What a language model is asked about a message that the local reading is not sure of: one question for all of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any, Final

from pydantic import BaseModel, Field

from concierge.intelligence.schemas import (
    CommunicationStyle,
    EmotionalState,
    Evidence,
    IntentCategory,
    PersonalizationCues,
    Reading,
    ResponseStyle,
    TechnicalLevel,
    UrgencyLevel,
)
from concierge.intelligence.schemas.control import Attribute
from concierge.intelligence.view import MessageView

# Below this a reading is worth asking about; above it the local one stands, at no cost.
UNSURE: Final = 0.55
SETTLED_CONFIDENCE: Final = 0.8
SHOWN_HISTORY: Final = 6
LONGEST_SHOWN: Final = 4_000
SAID: Final = Evidence("the language model says so", 1.0, "model")
QUESTIONS: Final[Mapping[str, str]] = {
    "emotional_state": "emotional_state: how does the writer feel?",
    "urgency_level": "urgency_level: how soon must it be dealt with? critical: now, or harm is done; low: whenever",
    "intent_category": "intent_category: what does the writer want?",
    "personalization_cues": "technical_level, response_style, communication_style: how should they be spoken with?",
}


class Settled(BaseModel):
    """The form a model fills in. `words` are quotes from the message by the name of the field they decided."""

    emotional_state: EmotionalState | None = None
    urgency_level: UrgencyLevel | None = None
    intent_category: IntentCategory | None = None
    technical_level: TechnicalLevel | None = None
    response_style: ResponseStyle | None = None
    communication_style: CommunicationStyle | None = None
    words: dict[str, str] = Field(default_factory=dict[str, str])
    attributes: dict[str, str] = Field(default_factory=dict[str, str])


def unsure(readings: Mapping[str, Reading[Any]], attributes: Sequence[Attribute] = ()) -> list[str]:
    """The dimensions and attributes worth asking about; what a rule has set is sure."""
    names = [*QUESTIONS, *(attribute.name for attribute in attributes)]
    return [
        name for name in names if readings[name].confidence < UNSURE and readings[name].settled_by == "local"
    ]


def instructions(names: Collection[str], attributes: Sequence[Attribute] = ()) -> str:
    questions = [f"- {QUESTIONS[name]}" for name in QUESTIONS if name in names]
    questions += [_question(attribute) for attribute in attributes if attribute.name in names]
    return _prompt().replace("{questions}", "\n".join(questions))


@cache
def _prompt() -> str:
    return (files("concierge.intelligence") / "prompts" / "settle.md").read_text("utf-8")


def _question(attribute: Attribute) -> str:
    """What an operator calls an attribute and its values is theirs to say; the model is held to the values."""
    values = "; ".join(value.text for value in attribute.values)
    return f"- attributes.{attribute.name}: {attribute.description or attribute.name}. One of: {values}"


def shown(view: MessageView) -> str:
    """The message and what came before it, as data."""
    lines: list[str] = []
    if view.history:
        lines += ["Earlier messages of the same visitor:"]
        lines += [f"- {text[: LONGEST_SHOWN // SHOWN_HISTORY]}" for text in view.history[-SHOWN_HISTORY:]]
    if view.surroundings.page:
        lines.append(f"Written on the page: {view.surroundings.page[:200]}")
    return "\n".join([*lines, "-----", view.text[:LONGEST_SHOWN].replace("-----", "- - -"), "-----"])


def settled_readings(
    view: MessageView,
    settled: Settled,
    asked: Collection[str],
    local: Mapping[str, Reading[Any]],
    attributes: Sequence[Attribute] = (),
) -> dict[str, Reading[Any]]:
    """What a model's answer settles; a field it left empty, or that nobody asked for, leaves the local reading."""
    found: dict[str, Reading[Any]] = {}
    for attribute in attributes:
        value = settled.attributes.get(attribute.name)
        if attribute.name in asked and value in {own.value for own in attribute.values}:
            found[attribute.name] = Reading(value, SETTLED_CONFIDENCE, (SAID,), {}, settled_by="llm")
    for name in QUESTIONS:
        if name not in asked:
            continue
        if name == "personalization_cues":
            found |= _personalization(view, settled, local[name])
        elif (value := getattr(settled, name)) is not None:
            found[name] = Reading(
                value, SETTLED_CONFIDENCE, tuple(_quoted(view, settled, name)), {}, settled_by="llm"
            )
    return found


def _personalization(
    view: MessageView, settled: Settled, local: Reading[PersonalizationCues]
) -> dict[str, Reading[PersonalizationCues]]:
    own = local.value
    parts = ("technical_level", "response_style", "communication_style")
    if all(getattr(settled, part) is None for part in parts):
        return {}
    cues = PersonalizationCues(
        settled.technical_level or own.technical_level,
        settled.response_style or own.response_style,
        settled.communication_style or own.communication_style,
        own.language,
    )
    evidence = tuple(quote for part in parts for quote in _quoted(view, settled, part))
    return {"personalization_cues": Reading(cues, SETTLED_CONFIDENCE, evidence, {}, settled_by="llm")}


def _quoted(view: MessageView, settled: Settled, name: str) -> Iterator[Evidence]:
    """The words a model says decided it, where they stand in the message; words that do not are left out."""
    words = settled.words.get(name, "").strip()
    start = view.text.lower().find(words.lower()) if words else -1
    if start >= 0:
        yield replace(SAID, start=start, end=start + len(words))
    else:
        yield SAID
