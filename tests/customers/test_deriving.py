"""What follows from a profile: how engaged somebody is, how far on their way, and how well they are known."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.customers.deriving import Evidence, confidence_of, engagement_of, journey_of, profile_of
from concierge.customers.knowing import Sources, context_of
from concierge.customers.schemas.context import Inferred, RememberedFact
from concierge.customers.schemas.known import KnownCustomer
from concierge.kit.clock import utc_now

NOW = utc_now()
STRANGER = KnownCustomer(
    customer_id=UUID(int=1),
    profile_type="anonymous",
    external_id=None,
    email=None,
    name=None,
    labels=frozenset(),
    attributes={},
    traits={},
    visits=1,
    turns=1,
    conversions=0,
    satisfaction=None,
    created_at=NOW,
    previous_visit_at=None,
    memory="on",
)
BUYER = replace(STRANGER, profile_type="identified", conversions=1, visits=2, previous_visit_at=NOW)
PRICING = Inferred("stage", "consideration", 0.6, "page", "pricing")
CHECKOUT = Inferred("stage", "decision", 0.8, "page", "checkout")
PHONE = Inferred("response_style", "concise", 0.7, "device", "mobile")
HELP = Inferred("need", "problem_solving", 0.8, "page", "help")


def evidence(known: KnownCustomer | None = STRANGER, *session: Inferred, facts: int = 0) -> Evidence:
    return Evidence(known, session, facts, NOW)


def sureness(known: KnownCustomer | None, *session: Inferred, facts: int = 0) -> float:
    return confidence_of(evidence(known, *session, facts=facts)).value


known_customers = st.builds(
    replace,
    st.just(STRANGER),
    profile_type=st.sampled_from(["anonymous", "identified", "registered"]),
    visits=st.integers(1, 50),
    turns=st.integers(1, 500),
    conversions=st.integers(0, 5),
    satisfaction=st.none() | st.floats(0, 1),
    labels=st.sampled_from([frozenset[str](), frozenset({"vip"})]),
)


@given(known_customers, st.integers(0, 50))
def test_the_more_is_known_the_surer_and_never_certain(known: KnownCustomer, facts: int) -> None:
    confidence = sureness(known, PRICING, facts=facts)
    assert 0 < confidence < 1
    assert confidence <= sureness(known, PRICING, PHONE, facts=facts + 1)
    assert confidence <= sureness(replace(known, visits=known.visits + 1), PRICING, facts=facts)


def test_nobody_is_known_by_a_page_and_a_phone() -> None:
    assert sureness(None) == 0
    assert sureness(STRANGER, PRICING, PHONE, HELP, CHECKOUT) < 0.2


def test_a_buyer_who_comes_back_is_known_well() -> None:
    assert sureness(BUYER, facts=3) > 0.6


@pytest.mark.parametrize(
    ("known", "level"),
    [
        (STRANGER, "new"),
        (replace(STRANGER, visits=2), "casual"),
        (replace(STRANGER, visits=4), "engaged"),
        (replace(STRANGER, visits=9), "highly_engaged"),
        (BUYER, "engaged"),
        (replace(BUYER, visits=4), "highly_engaged"),
        (replace(BUYER, previous_visit_at=NOW - timedelta(days=200)), "casual"),
    ],
)
def test_engagement_grows_with_visits_and_fades_with_time(known: KnownCustomer, level: str) -> None:
    rule = engagement_of(evidence(known))
    assert (rule.value, bool(rule.name)) == (level, True)


@pytest.mark.parametrize(
    ("known", "session", "stage"),
    [
        (STRANGER, (), "awareness"),
        (STRANGER, (PRICING,), "consideration"),
        (STRANGER, (PRICING, CHECKOUT), "decision"),
        (replace(STRANGER, visits=2), (), "consideration"),
        (replace(STRANGER, visits=2), (HELP,), "awareness"),
        (BUYER, (), "retention"),
        (BUYER, (CHECKOUT,), "decision"),
        (replace(BUYER, visits=6, satisfaction=1.0), (), "advocacy"),
        (replace(BUYER, visits=6, satisfaction=0.5), (), "retention"),
    ],
)
def test_the_journey_goes_by_the_page_and_by_what_was_bought(
    known: KnownCustomer, session: tuple[Inferred, ...], stage: str
) -> None:
    assert journey_of(evidence(known, *session)).value == stage


@pytest.mark.parametrize(
    ("attributes", "has_bought"),
    [
        ({"orders": 3}, True),
        ({"order_count": "2"}, True),
        ({"past_purchases": ["Palma sofa"]}, True),
        ({"last_purchase": {"at": "2026-01-02"}}, True),
        ({"total_spent": 0.01}, True),
        ({"orders": 0}, False),
        ({"orders": "0"}, False),
        ({"last_order": "Never "}, False),
        ({"past_purchases": []}, False),
        ({"orders": None, "lifetime_value": False}, False),
        ({"favourite": "sofa"}, False),
    ],
)
def test_what_the_business_writes_of_purchases_counts(
    attributes: dict[str, Any],
    has_bought: bool,  # noqa: FBT001  # A column of the table above.
) -> None:
    stage = journey_of(evidence(replace(STRANGER, attributes=attributes))).value
    assert (stage == "retention") is has_bought


@given(known_customers, st.integers(0, 50))
def test_every_field_has_one_rule_that_set_it(known: KnownCustomer, facts: int) -> None:
    seen = evidence(known, PRICING, facts=facts)
    assert profile_of(seen).value == known.profile_type
    for rule in (profile_of(seen), engagement_of(seen), journey_of(seen), confidence_of(seen)):
        assert rule.name
        assert rule.holds(seen)


def test_somebody_anonymous_who_returns_is_known_in_part() -> None:
    returning = replace(STRANGER, visits=2, previous_visit_at=NOW)
    assert 0.3 < sureness(returning, PRICING, facts=3) < 0.6


def test_a_context_says_where_everything_is_from() -> None:
    fact = RememberedFact(UUID(int=2), "goal", "flat", "is furnishing a flat", 0.9, NOW)
    known = replace(BUYER, email="ann@example.com")
    traits = {"technical_level": "expert", "response_style": "detailed"}
    context = context_of(Sources(UUID(int=3), known, (PHONE, PRICING), NOW, (fact,), traits=traits))

    assert context.goals == ("is furnishing a flat",)
    assert (context.technical_level, context.response_style) == ("expert", "concise")
    assert context.data_sources["technical_level"] == "traits"
    assert context.data_sources["response_style"] == "device"
    assert context.data_sources["goals"] == "memory"
    assert context.data_sources["email"] == "profile"
    assert "name" not in context.data_sources
    assert context.rules == {
        "profile_type": "the business's server vouched for them",
        "engagement_level": "has bought",
        "journey_stage": "has bought",
        "confidence_score": "vouched for, has bought, came back, remembered, session ×2",
    }


def test_of_nobody_known_there_is_only_the_session() -> None:
    context = context_of(Sources(None, None, (PRICING,), NOW))
    assert (context.profile_type, context.returning, context.memory_allowed) == ("unknown", False, False)
    assert context.journey_stage == "consideration"


@pytest.mark.parametrize(
    ("consent", "profile", "allowed"),
    [
        ("off", "registered", False),
        ("anonymous_off", "anonymous", False),
        ("anonymous_off", "identified", True),
        ("on", "anonymous", True),
    ],
)
def test_memory_goes_by_the_organizations_consent(consent: str, profile: str, allowed: bool) -> None:  # noqa: FBT001  # A column of the table above.
    known = replace(STRANGER, memory=consent, profile_type=profile)  # pyright: ignore[reportArgumentType]  # As above.
    assert known.memory_allowed is allowed
