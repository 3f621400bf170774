"""How to answer: how long, how strictly. Pure: the same input gives the same plan."""

from collections.abc import Mapping
from dataclasses import dataclass

from concierge.agents.schemas import GroundingMode
from concierge.chat.steps.receive import Received
from concierge.chat.writers.brief import AnswerBrief, Length
from concierge.intelligence.schemas import ConversationAnalysis, ResponseStyle
from concierge.knowledge.contradictions import Contradiction
from concierge.knowledge.search import Found

LENGTHS: Mapping[ResponseStyle, Length] = {"concise": "brief", "neutral": "normal", "detailed": "detailed"}
SENTENCES: Mapping[Length, int] = {"brief": 2, "normal": 3, "detailed": 6}


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """`max_sentences` bounds the prose; in strict mode an answer needs more than one document behind it.

    `escalation_suggested` is true when a person had better take over, whatever the answer.
    """

    length: Length
    max_sentences: int
    grounding_mode: GroundingMode
    escalation_suggested: bool = False

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


def decide(received: Received, analysis: ConversationAnalysis) -> AnswerPlan:
    length = wanted_length(analysis)
    return AnswerPlan(
        length,
        SENTENCES[length],
        received.agent.grounding_mode,
        escalation_suggested="escalate_to_human" in analysis.next_best_actions,
    )


def wanted_length(analysis: ConversationAnalysis) -> Length:
    """As long as the visitor wishes to read; a phone, which the analysis knows of, gets a short answer."""
    return LENGTHS[analysis.personalization_cues.response_style]
