"""Readings to try rules on, and views of messages."""

from typing import Any

from concierge.intelligence.schemas import Evidence, PersonalizationCues, Reading
from concierge.intelligence.schemas.control import Condition, Consequence, Rule
from concierge.intelligence.view import MessageView, Surroundings

READ: dict[str, Any] = {
    "emotional_state": "neutral",
    "urgency_level": "medium",
    "intent_category": "information_seeking",
    "key_topics": ("returns",),
    "pain_points": (),
    "opportunities": (),
    "next_best_actions": ("answer", "share_link"),
    "personalization_cues": PersonalizationCues("beginner", "neutral", "neutral", "en"),
    "customer_kind": "private",
}
READ_EVIDENCE = Evidence("so it was read", 0.4)


def readings(**values: Any) -> dict[str, Reading[Any]]:
    """What was read of a message, by an attribute too; `values` are those that matter to a test."""
    return {name: Reading(value, 0.6, (READ_EVIDENCE,)) for name, value in {**READ, **values}.items()}


def view(text: str, page: str = "", **more: Any) -> MessageView:
    return MessageView(text, surroundings=Surroundings(page=page), **more)


def rule(when: Condition, name: str = "A rule", *, enabled: bool = True, **then: Any) -> Rule:
    return Rule(name, when, Consequence(**then), enabled)


def phrases(*said: str) -> Condition:
    return Condition(phrases=said)
