"""A strategy is decided by a table, the same way every time, within what an organization allows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.agents.schemas.policy import FALLBACKS, FallbackStrategy, StrategyPolicy
from concierge.catalog.schemas.context import ProductContext, Promotion
from concierge.chat.strategy.decide import decide
from concierge.chat.strategy.moment import Moment, is_greeting, moment_of
from concierge.chat.strategy.schemas import Strategy
from concierge.customers.schemas.context import CustomerContext, RememberedFact
from concierge.intelligence.schemas import (
    EMOTIONS,
    INTENTS,
    URGENCIES,
    CommunicationStyle,
    ConversationAnalysis,
    PersonalizationCues,
    ResponseStyle,
    TechnicalLevel,
)
from concierge.kit.clock import utc_now
from concierge.learning.schemas.strategies import Choice

CALM = ConversationAnalysis(
    "neutral",
    "low",
    "information_seeking",
    (),
    (),
    (),
    ("answer",),
    PersonalizationCues("intermediate", "neutral", "neutral", "en"),
    0.8,
    {},
    {},
    {},
)
KNOWN = CustomerContext(profile_type="identified", returning=True, confidence_score=0.7)
OFFER = Promotion(UUID(int=1), "Autumn", "Free delivery.", "", None, None)
SHOWING = ProductContext(promotions=(OFFER,))


def decided(
    analysis: ConversationAnalysis = CALM,
    customer: CustomerContext = KNOWN,
    product: ProductContext = SHOWING,
    policy: StrategyPolicy | None = None,
    moment: Moment | None = None,
) -> Strategy:
    return decide(analysis, customer, product, policy or StrategyPolicy(), moment or Moment())


def read_as(**changes: Any) -> ConversationAnalysis:
    cues = {name: changes.pop(name) for name in PersonalizationCues.__slots__ if name in changes}
    return replace(CALM, **changes, personalization_cues=replace(CALM.personalization_cues, **cues))


analyses = st.builds(
    read_as,
    emotional_state=st.sampled_from(EMOTIONS),
    urgency_level=st.sampled_from(URGENCIES),
    intent_category=st.sampled_from(INTENTS),
    pain_points=st.sampled_from([(), ("wobbles",)]),
    technical_level=st.sampled_from(get_args(TechnicalLevel)),
    response_style=st.sampled_from(get_args(ResponseStyle)),
    communication_style=st.sampled_from(get_args(CommunicationStyle)),
)
customers = st.builds(
    CustomerContext, returning=st.booleans(), confidence_score=st.floats(0, 1), labels=st.sampled_from([frozenset(), frozenset({"vip"})])
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Learned:
    """Chooses what has the highest value, as somebody who has learned nothing of the others does."""

    values: Mapping[FallbackStrategy, float]

    def choose(self, rule: FallbackStrategy, eligible: Collection[FallbackStrategy]) -> Choice:
        best = rule
        for name in eligible:
            if self.values.get(name, 0) > self.values.get(best, 0):
                best = name
        return Choice(best, explored=False, values=self.values)


draws = st.none() | st.builds(Learned, st.dictionaries(st.sampled_from(FALLBACKS), st.floats(0, 1)))
moments = st.builds(
    Moment, st.booleans(), st.booleans(), st.booleans(), st.integers(0, 5), st.integers(1, 9), draws
)


@given(analyses, customers, moments)
def test_the_same_input_gives_the_same_strategy(
    analysis: ConversationAnalysis, customer: CustomerContext, moment: Moment
) -> None:
    assert decided(analysis, customer, moment=moment) == decided(analysis, customer, moment=moment)


@given(analyses, customers, moments)
def test_nobody_in_trouble_or_anger_is_experimented_with_or_sold_to(
    analysis: ConversationAnalysis, customer: CustomerContext, moment: Moment
) -> None:
    strategy = decided(analysis, customer, moment=moment)
    in_trouble = analysis.pain_points or analysis.intent_category in {"complaint", "support_request"}
    told = in_trouble and not moment.is_greeting
    if told:
        assert strategy.fallback == "helpful"
    if told or analysis.emotional_state == "angry" or analysis.urgency_level == "critical":
        assert strategy.learned is None
    if in_trouble or analysis.emotional_state in {"angry", "frustrated", "worried"}:
        assert not strategy.purchase_step
        assert strategy.next_step != "offer_purchase"


@given(analyses, customers, moments, st.sets(st.sampled_from(["discovery", "assumption", "showcase"])))
def test_only_what_is_allowed_is_done(
    analysis: ConversationAnalysis, customer: CustomerContext, moment: Moment, allowed: set[FallbackStrategy]
) -> None:
    policy = StrategyPolicy(allowed=(*allowed, "exploration", "helpful"), purchase_steps=False)
    strategy = decided(analysis, customer, policy=policy, moment=moment)
    assert strategy.fallback in policy.allowed
    assert set(strategy.eligible) <= set(policy.allowed)
    assert not strategy.purchase_step


@given(analyses, customers, moments)
def test_parameters_keep_the_bounds_of_style_and_length(
    analysis: ConversationAnalysis, customer: CustomerContext, moment: Moment
) -> None:
    cues, held = analysis.personalization_cues, decided(analysis, customer, moment=moment).parameters
    assert cues.communication_style != "formal" or held.temperature <= 0.5
    assert cues.communication_style != "casual" or held.temperature >= 0.8
    assert cues.response_style != "concise" or held.max_tokens <= 300
    assert cues.response_style != "detailed" or held.max_tokens >= 800
    assert held.api_examples == (cues.technical_level == "expert")


def test_what_was_learned_is_followed_only_among_what_fits() -> None:
    drawn = Learned({"exploration": 0.2, "discovery": 0.6, "assumption": 0.9})
    strategy = decided(moment=Moment(draws=drawn))
    assert (strategy.fallback, strategy.ruled, strategy.rule) == ("discovery", "exploration", "open")
    assert any("Learned" in reason for reason in strategy.reasons)


def test_nothing_is_shown_where_there_is_nothing_to_show() -> None:
    drawn = Learned({"exploration": 0.1, "showcase": 0.9})
    assert decided(moment=Moment(draws=drawn)).fallback == "showcase"
    assert decided(product=ProductContext(), moment=Moment(draws=drawn)).fallback == "exploration"


def test_every_escalation_has_its_reason_and_can_be_switched_off() -> None:
    angry = read_as(emotional_state="angry", intent_category="complaint")
    escalation = decided(angry).escalation
    assert escalation is not None
    assert escalation.reason == "anger"
    assert decided(angry).next_step == "offer_human"
    assert decided(angry, policy=StrategyPolicy(escalate_for=())).escalation is None


def test_a_person_asked_for_comes_before_every_other_reason() -> None:
    angry = read_as(emotional_state="angry", intent_category="complaint", urgency_level="critical")
    escalation = decided(angry, moment=Moment(asks_for_person=True, unresolved=5)).escalation
    assert escalation is not None
    assert escalation.reason == "customer_request"


def test_a_fact_is_said_aloud_when_it_is_sure_and_to_the_point() -> None:
    def fact(number: int, confidence: float, relevance: float) -> RememberedFact:
        return RememberedFact(
            UUID(int=number), "preference", "sofa", "wants a sofa", confidence, utc_now(), relevance
        )

    known = replace(
        KNOWN, memories=(fact(1, 0.9, 0.1), fact(2, 0.3, 0.9), fact(3, 0.9, 0.5), fact(4, 0.9, 0.8))
    )
    assert [own.id.int for own in decided(customer=known).recall] == [4, 3]
    assert decided(customer=known, policy=StrategyPolicy(remember_aloud=False)).recall == ()


@pytest.mark.parametrize(
    "text", ["Hello", "hi there!", "Good morning everyone", "Hallo 👋", "Hey, hi!", "¡Hola!"]
)
def test_a_greeting_is_known(text: str) -> None:
    assert is_greeting(text)


@pytest.mark.parametrize(
    "text", ["Hi there, what do you have for pricing?", "Hello sofa", "", "??", "Hi, my order", "hello " * 20]
)
def test_what_says_more_is_no_greeting(text: str) -> None:
    assert not is_greeting(text)


def test_trouble_told_again_is_counted_until_a_message_without_any() -> None:
    analysis = read_as(intent_category="problem_solving")
    history = ["The door doesn't work", "Thanks!", "It is still not working", "The drawer is broken as well"]
    assert moment_of("Still not working.", history, analysis, None).unresolved == 3
    assert moment_of("Lovely, thanks.", history, CALM, None).unresolved == 0
