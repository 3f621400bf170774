"""One decision for a turn, from everything that is known of it. Pure: the same input gives the same strategy."""

from typing import Final

from concierge.agents.schemas.policy import StrategyPolicy
from concierge.catalog.schemas.context import ProductContext
from concierge.chat.strategy.cues import Lead
from concierge.chat.strategy.escalation import escalation_of
from concierge.chat.strategy.fallback import Situation, choose
from concierge.chat.strategy.manner import (
    depth_of,
    is_open_ended,
    next_step_of,
    opening_of,
    parameters_of,
    purchase_step_is_welcome,
    tone_of,
)
from concierge.chat.strategy.moment import Moment
from concierge.chat.strategy.schemas import Strategy
from concierge.chat.strategy.stages import stage_of
from concierge.customers.schemas.context import CustomerContext, RememberedFact
from concierge.intelligence.schemas import ConversationAnalysis

RELEVANT: Final = 0.35  # The cosine from which on a remembered fact has to do with the message.
SURE: Final = 0.6  # What is less certain is not said aloud.
SAID_ALOUD: Final = 2


def decide(
    analysis: ConversationAnalysis,
    customer: CustomerContext,
    product: ProductContext,
    policy: StrategyPolicy,
    moment: Moment,
    lead: Lead | None = None,
) -> Strategy:
    situation = Situation(analysis, customer, product, policy, moment, lead)
    choice, escalation = choose(situation), escalation_of(situation)
    reasons = choice.reasons if escalation is None else (*choice.reasons, escalation.because)
    return Strategy(
        fallback=choice.strategy,
        rule=choice.rule,
        reasons=reasons,
        tone=tone_of(situation),
        opening=opening_of(situation),
        depth=depth_of(situation),
        next_step=next_step_of(situation, choice.strategy, escalates=escalation is not None),
        purchase_step=purchase_step_is_welcome(situation),
        open_ended=is_open_ended(situation),
        parameters=parameters_of(situation),
        escalation=escalation,
        ruled=choice.ruled,
        eligible=choice.eligible,
        learned=choice.learned,
        recall=_said_aloud(situation),
        stage=stage_of(situation, escalates=escalation is not None),
    )


def _said_aloud(it: Situation) -> tuple[RememberedFact, ...]:
    """What may be mentioned: sure, to the point, and not to show off what is known."""
    if not it.policy.remember_aloud:
        return ()
    fitting = [
        fact for fact in it.customer.memories if fact.confidence >= SURE and fact.relevance >= RELEVANT
    ]
    return tuple(sorted(fitting, key=lambda fact: -fact.relevance)[:SAID_ALOUD])
