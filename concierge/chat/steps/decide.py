"""How to answer this visitor in this turn."""

from dataclasses import dataclass, replace

from concierge.agents.schemas.policy import StrategyPolicy
from concierge.chat.steps.recall import Recalled
from concierge.chat.steps.receive import Received
from concierge.chat.strategy.cues import Lead
from concierge.chat.strategy.decide import decide as strategy_for
from concierge.chat.strategy.escalation import UNANSWERED
from concierge.chat.strategy.moment import Chooser, Moment, moment_of
from concierge.chat.strategy.schemas import Strategy
from concierge.chat.writers.brief import Outcome
from concierge.intelligence.schemas import ConversationAnalysis


@dataclass(frozen=True, slots=True)
class Decided:
    """A strategy, with all that it was decided from. `segment` is the kind of visitor that learning compares."""

    strategy: Strategy
    moment: Moment
    analysis: ConversationAnalysis
    recalled: Recalled
    segment: str

    @property
    def is_personal(self) -> bool:
        """Whether the reply differs from what somebody would get of whom nothing is known."""
        customer, strategy = self.recalled.customer, self.strategy
        return bool(
            strategy.recall
            or customer.session
            or customer.memories
            or strategy.tone != "neutral"
            or strategy.depth != "standard"
        )

    def after(self, outcome: Outcome, policy: StrategyPolicy) -> "Decided":
        """What has to be decided anew once it is known how well the answer could be given."""
        escalation = UNANSWERED.get(outcome)
        known = self.strategy.escalation
        if known is not None or escalation is None or escalation.reason not in policy.escalate_for:
            return self
        reasons = (*self.strategy.reasons, escalation.because)
        return replace(self, strategy=replace(self.strategy, escalation=escalation, reasons=reasons))


def decide(
    received: Received,
    analysis: ConversationAnalysis,
    recalled: Recalled,
    segment: str,
    draws: Chooser | None,
) -> Decided:
    history = [exchange.message for exchange in received.turn.history]
    moment = moment_of(received.request.message, history, analysis, draws)
    strategy = strategy_for(
        analysis, recalled.customer, recalled.product, received.agent.policy, moment, lead_of(received)
    )
    return Decided(strategy, moment, analysis, recalled, segment)


def lead_of(received: Received) -> Lead | None:
    """Who leads the conversation, and how far it has come; nobody where the agent answers as nobody in particular."""
    persona, history = received.agent.applied_persona, received.turn.history
    if persona is None:
        return None
    last = next((exchange.stage for exchange in reversed(history) if exchange.stage is not None), None)
    return Lead(persona, received.request.message, tuple(exchange.message for exchange in history), last)
