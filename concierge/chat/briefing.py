"""Everything a writer is given, put together from what the steps of a turn found. Pure."""

from dataclasses import replace

from concierge.chat.evidence import Evidence
from concierge.chat.following import is_asked
from concierge.chat.steps.decide import Decided
from concierge.chat.steps.receive import Received
from concierge.chat.strategy.fallback import TROUBLED
from concierge.chat.sums import Sum
from concierge.chat.writers.brief import AnswerBrief
from concierge.knowledge.context import leans
from concierge.knowledge.contradictions import Contradiction
from concierge.knowledge.search import Found


def brief_of(
    received: Received,
    found: Found,
    evidence: Evidence,
    contradictions: tuple[Contradiction, ...],
    decided: Decided,
    sum_asked: Sum | None = None,
) -> AnswerBrief:
    parameters, customer = decided.strategy.parameters, decided.recalled.customer
    if not received.agent.policy.remember_aloud:
        customer = replace(customer, memories=())
    return AnswerBrief(
        question=received.request.message,
        meant=received.meant,
        trouble=_trouble(decided),
        about=_about(received),
        language=decided.analysis.personalization_cues.language,
        question_vector=found.vector,
        idf=found.idf,
        passages=evidence.passages,
        max_sentences=parameters.max_sentences,
        length=parameters.length,
        turn=received.turn.seq - 1,
        agent_name=received.agent.name,
        contradictions=contradictions,
        lead=evidence.lead,
        pair=evidence.pair,
        strategy=decided.strategy,
        customer=customer,
        products=decided.recalled.product,
        said=tuple(exchange.reply for exchange in received.turn.history),
        grounding=received.agent.grounding_mode,
        strict_above=received.agent.policy.strict_above,
        sum=sum_asked,
    )


def _trouble(decided: Decided) -> tuple[str, ...]:
    """What hurts somebody who needs help; a question that is asked calmly tells of nothing."""
    if decided.strategy.rule != TROUBLED:
        return ()
    return tuple(told for told in decided.analysis.pain_points if not is_asked(told))


def _about(received: Received) -> str | None:
    history = received.turn.history
    return history[-1].about if history and leans(received.request.message) else None
