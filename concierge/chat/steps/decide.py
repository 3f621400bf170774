"""How to answer: how long, how strictly. Pure: the same input gives the same plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from concierge.agents.schemas import GroundingMode
from concierge.chat.steps.receive import Received
from concierge.chat.writers.brief import AnswerBrief, Length
from concierge.knowledge.contradictions import Contradiction
from concierge.knowledge.search import Found

SENTENCES: Mapping[Length, int] = {"brief": 2, "normal": 3, "detailed": 6}


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """`max_sentences` bounds the prose; in strict mode an answer needs more than one document behind it."""

    length: Length
    max_sentences: int
    grounding_mode: GroundingMode

    def brief(
        self,
        received: Received,
        found: Found,
        contradictions: tuple[Contradiction, ...],
    ) -> AnswerBrief:
        return AnswerBrief(
            question=received.request.message,
            question_vector=found.vector,
            idf=found.idf,
            passages=found.passages,
            max_sentences=self.max_sentences,
            length=self.length,
            turn=received.turn.seq - 1,
            agent_name=received.agent.name,
            contradictions=contradictions,
            lead=found.lead,
            pair=found.pair,
        )


def decide(received: Received) -> AnswerPlan:
    length = wanted_length(received.request.session_context)
    return AnswerPlan(length, SENTENCES[length], received.agent.grounding_mode)


def wanted_length(session_context: Mapping[str, Any]) -> Length:
    """A phone gets a short answer."""
    return "brief" if session_context.get("device") == "mobile" else "normal"
