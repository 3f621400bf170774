"""The reference readings of `cases.txt`: what careful people say of single messages."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from concierge.intelligence.schemas import ConversationAnalysis

CASES = Path(__file__).with_name("cases.txt")
ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\n")


@dataclass(frozen=True, slots=True)
class Claim:
    dimension: str
    values: tuple[str, ...]
    holds: bool

    def is_met(self, analysis: ConversationAnalysis) -> bool:
        return any(_has(analysis, self.dimension, value) for value in self.values) == self.holds

    def __str__(self) -> str:
        return f"{self.dimension}{'=' if self.holds else '!='}{'|'.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Case:
    message: str
    history: tuple[str, ...]
    context: dict[str, Any]
    claims: tuple[Claim, ...]


def cases() -> Iterator[Case]:
    for line in CASES.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield _case(line)


def failures(case: Case, analysis: ConversationAnalysis) -> Sequence[Claim]:
    return [claim for claim in case.claims if not claim.is_met(analysis)]


def _case(line: str) -> Case:
    left, _, right = line.rpartition(" => ")
    context: dict[str, Any] = {}
    if left.endswith("}") and ' {"' in left:
        left, _, told = left.partition(' {"')
        context = json.loads('{"' + told)
    history = tuple(context.pop("history", ()))
    return Case(_decoded(left), history, context, tuple(map(_claim, right.split("; "))))


def _claim(text: str) -> Claim:
    holds = "!=" not in text
    dimension, _, values = text.partition("=" if holds else "!=")
    return Claim(dimension.strip(), tuple(value.strip() for value in values.split("|")), holds)


def _decoded(text: str) -> str:
    return ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\n", text)


def _has(analysis: ConversationAnalysis, dimension: str, value: str) -> bool:
    cues = analysis.personalization_cues
    single = {
        "emotion": analysis.emotional_state,
        "urgency": analysis.urgency_level,
        "intent": analysis.intent_category,
        "technical": cues.technical_level,
        "style": cues.response_style,
        "tone": cues.communication_style,
        "language": cues.language,
    }
    if dimension in single:
        return single[dimension] == value
    phrases = {"topic": analysis.key_topics, "pain": analysis.pain_points}
    if dimension in phrases:
        return any(value.lower() in phrase.lower() for phrase in phrases[dimension])
    kinds = {
        "opportunity": [offer.kind for offer in analysis.opportunities],
        "action": list(analysis.next_best_actions),
    }
    return value in kinds[dimension]
