"""All dimensions of one message, read in order and put together. Pure, but for what the artefact says."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from concierge.intelligence.dimensions import dimensions
from concierge.intelligence.schemas import ConversationAnalysis, Reading
from concierge.intelligence.view import MessageView

BUILT_IN: Final = (
    *("emotional_state", "urgency_level", "intent_category", "key_topics"),
    *("pain_points", "opportunities", "next_best_actions", "personalization_cues"),
)
# How much each dimension counts for the confidence of the whole: the first three decide what is done.
SHARES: Final = dict(zip(BUILT_IN, (3.0, 2.0, 3.0, 1.0, 1.0, 1.0, 1.0, 1.0), strict=True))
WORDLESS_CONFIDENCE: Final = 0.5


def read(view: MessageView, given: Mapping[str, Reading[Any]] | None = None) -> dict[str, Reading[Any]]:
    """Return every dimension's reading; one that is `given` is taken as it is, and the others build on it."""
    readings: dict[str, Reading[Any]] = {}
    for dimension in dimensions():
        known = (given or {}).get(dimension.name)
        readings[dimension.name] = known or _bounded(view, dimension.read(view, readings))
    return readings


def _bounded(view: MessageView, reading: Reading[Any]) -> Reading[Any]:
    """A message without a word says hardly anything for sure."""
    if view.words or reading.confidence <= WORDLESS_CONFIDENCE:
        return reading
    return replace(reading, confidence=WORDLESS_CONFIDENCE)


def analysis_of(readings: Mapping[str, Reading[Any]]) -> ConversationAnalysis:
    """What is not one of the eight dimensions stands among the attributes."""
    values: dict[str, Any] = {name: readings[name].value for name in BUILT_IN}
    return ConversationAnalysis(
        **values,
        confidence_score=_overall(readings),
        confidence={name: reading.confidence for name, reading in readings.items()},
        evidence={name: reading.evidence for name, reading in readings.items()},
        settled_by={name: reading.settled_by for name, reading in readings.items()},
        attributes={name: str(reading.value) for name, reading in readings.items() if name not in BUILT_IN},
    )


def analyse(view: MessageView) -> ConversationAnalysis:
    return analysis_of(read(view))


def _overall(readings: Mapping[str, Reading[Any]]) -> float:
    total = sum(SHARES[name] * readings[name].confidence for name in BUILT_IN)
    return round(total / sum(SHARES.values()), 4)
