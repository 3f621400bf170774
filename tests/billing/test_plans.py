"""What each plan holds, and what somebody is told who wants more."""

import math
from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from concierge.billing.errors import BillingSettingsError, EntitlementRequiredError, PlanUnknownError
from concierge.billing.events import Standing, Subscribed
from concierge.billing.plans import Feature, FeatureValue, amount, parsed, paused, plan_table
from concierge.billing.service import Plans
from concierge.entrypoints.wiring import Platform

BASIC, PROFESSIONAL, ENTERPRISE = "basic", "professional", "enterprise"
# The table of the specification, written out a second time: feature, and its value in each plan.
HELD: Mapping[Feature, Mapping[str, FeatureValue]] = {
    Feature.KNOWLEDGE_PACKS: {BASIC: 1, PROFESSIONAL: 1, ENTERPRISE: "unlimited"},
    Feature.PERSONA_TEMPLATES: {BASIC: False, PROFESSIONAL: True, ENTERPRISE: True},
    Feature.CUSTOM_PERSONAS: {BASIC: False, PROFESSIONAL: False, ENTERPRISE: True},
    Feature.SITE_SEARCH: {BASIC: False, PROFESSIONAL: True, ENTERPRISE: True},
    Feature.WEB_SEARCH: {BASIC: False, PROFESSIONAL: False, ENTERPRISE: True},
    Feature.ADVANCED_ANALYTICS: {BASIC: False, PROFESSIONAL: False, ENTERPRISE: True},
}
CHEAPEST = {
    Feature.KNOWLEDGE_PACKS: BASIC,
    Feature.PERSONA_TEMPLATES: PROFESSIONAL,
    Feature.CUSTOM_PERSONAS: ENTERPRISE,
    Feature.SITE_SEARCH: PROFESSIONAL,
    Feature.WEB_SEARCH: ENTERPRISE,
    Feature.ADVANCED_ANALYTICS: ENTERPRISE,
}
FEATURES = "\n".join(f"{feature} = false" for feature in Feature)
TITLES = "[titles]\n" + "".join(f'{feature} = "{feature}"\n' for feature in Feature)


def written(name: str, price: Any, features: str = FEATURES) -> str:
    return (
        f'[[plans]]\nname = "{name}"\ntitle = "A plan"\nmonthly_usd = {price}\n[plans.features]\n{features}\n'
    )


@pytest.fixture
def plans(platform: Platform) -> Plans:
    return platform.billing.plans


def test_the_plans_cost_what_was_said() -> None:
    assert [(plan.name, plan.monthly_usd) for plan in plan_table().plans] == [
        (BASIC, 0),
        (PROFESSIONAL, 49),
        (ENTERPRISE, 149),
    ]


@pytest.mark.parametrize("feature", Feature)
@pytest.mark.parametrize("plan", [BASIC, PROFESSIONAL, ENTERPRISE])
def test_each_plan_holds_what_was_said_of_it(plan: str, feature: Feature, plans: Plans) -> None:
    expected = HELD[feature][plan]
    entitlements = plans.named(plan).entitlements

    assert entitlements.plan == plan
    assert entitlements.features[feature] == expected
    assert type(entitlements.features[feature]) is type(expected)
    assert entitlements.allows(feature) is bool(expected)
    assert entitlements.limit(feature) == (None if expected == "unlimited" else int(expected))


@pytest.mark.parametrize("feature", Feature)
@pytest.mark.parametrize("plan", [BASIC, PROFESSIONAL, ENTERPRISE])
def test_a_feature_that_is_lacking_is_refused_with_the_plan_that_has_it(
    plan: str, feature: Feature, plans: Plans
) -> None:
    entitlements = plans.named(plan).entitlements
    if HELD[feature][plan]:
        plans.require(entitlements, feature)
        return

    with pytest.raises(EntitlementRequiredError) as refused:
        plans.require(entitlements, feature)

    error, better = refused.value, plans.named(CHEAPEST[feature])
    assert (error.status, error.code) == (403, "entitlement_required")
    assert error.extra == {"feature": feature, "plan": better.name}
    assert error.detail == (
        f"Your plan, {plans.named(plan).title}, does not include {plans.table.titles[feature]}. "
        f"The plan {better.title} does."
    )


@pytest.mark.parametrize("plan", [BASIC, PROFESSIONAL])
def test_more_than_the_limit_is_refused_with_the_plan_that_allows_more(plan: str, plans: Plans) -> None:
    entitlements = plans.named(plan).entitlements
    plans.require(entitlements, Feature.KNOWLEDGE_PACKS, 1)

    with pytest.raises(EntitlementRequiredError) as refused:
        plans.require(entitlements, Feature.KNOWLEDGE_PACKS, 2)

    assert refused.value.extra == {"feature": "knowledge_packs", "plan": ENTERPRISE}
    assert "has a limit of 1 for knowledge packs for each agent. The plan Enterprise has no limit." in str(
        refused.value
    )


def test_without_a_limit_there_may_be_any_number(plans: Plans) -> None:
    plans.require(plans.named(ENTERPRISE).entitlements, Feature.KNOWLEDGE_PACKS, 1_000_000)


def test_where_no_plan_has_so_much_none_is_named(platform: Platform) -> None:
    table = parsed(TITLES + written("only", 0, FEATURES.replace("site_search = false", "site_search = 3")))
    plans = Plans(platform.db, table, "only")
    entitlements = table.plans[0].entitlements

    for feature, sentence in (
        (Feature.SITE_SEARCH, "has a limit of 3 for site_search. No plan allows more."),
        (Feature.WEB_SEARCH, "does not include web_search. No plan does."),
    ):
        with pytest.raises(EntitlementRequiredError) as refused:
            plans.require(entitlements, feature, 4)
        assert refused.value.extra == {"feature": feature, "plan": None}
        assert sentence in str(refused.value)


@pytest.mark.parametrize("feature", Feature)
def test_a_plan_knows_the_next_one_that_has_more(feature: Feature, plans: Plans) -> None:
    for plan in plans.table.plans:
        held = amount(HELD[feature][plan.name])
        more = [name for name, value in HELD[feature].items() if amount(value) > held]
        found = plans.table.next_with_more(plan.entitlements, feature)

        assert (found.name if found else None) == next(iter(more), None)


def test_values_can_be_compared() -> None:
    assert [amount(value) for value in (False, True, 0, 7, "unlimited")] == [0, 1, 0, 7, math.inf]


def test_entitlements_cannot_be_changed(plans: Plans) -> None:
    with pytest.raises(FrozenInstanceError):
        plans.named(BASIC).entitlements.plan = ENTERPRISE  # pyright: ignore[reportAttributeAccessIssue]  # That is the point.


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (TITLES + written("one", 0, "knowledge_packs = 1"), "one says nothing of advanced_analytics"),
        ("[titles]\n" + written("one", 0), "titles says nothing of"),
        (TITLES + written("one", 0) + written("one", 1), "one name"),
        (TITLES + written("one", 5) + written("two", 5), "cheapest to the dearest"),
        (TITLES + written("one", 5) + written("two", 1), "cheapest to the dearest"),
        (TITLES + written("one", 0, FEATURES + "\nflying = true"), "flying"),
        (
            TITLES + written("one", 0, FEATURES.replace("web_search = false", 'web_search = "many"')),
            "unlimited",
        ),
        (TITLES + written("one", 0, FEATURES.replace("web_search = false", "web_search = -1")), "web_search"),
        (TITLES + written("one", -5), "greater than or equal to 0"),
    ],
)
def test_a_table_that_forgets_or_contradicts_something_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parsed(text)


def test_a_default_that_is_no_plan_is_said_at_the_start(platform: Platform) -> None:
    with pytest.raises(BillingSettingsError, match="CONCIERGE_BILLING__DEFAULT_PLAN names no plan: “gold”"):
        Plans(platform.db, plan_table(), "gold")


def test_a_plan_that_is_not_there_is_named_with_those_that_are(plans: Plans) -> None:
    with pytest.raises(
        PlanUnknownError, match=r"no plan “gold”\. The plans are: basic, professional, enterprise"
    ):
        plans.named("gold")


@pytest.mark.parametrize(
    ("chosen", "subscriptions", "in_force"),
    [
        (None, {}, BASIC),
        (PROFESSIONAL, {}, PROFESSIONAL),
        ("gone from the table", {}, BASIC),
        (None, {PROFESSIONAL: "active"}, PROFESSIONAL),
        (None, {PROFESSIONAL: "trialing"}, PROFESSIONAL),
        (None, {PROFESSIONAL: "past_due"}, PROFESSIONAL),
        (None, {PROFESSIONAL: "incomplete"}, BASIC),
        (None, {PROFESSIONAL: "incomplete_expired"}, BASIC),
        (None, {PROFESSIONAL: "unpaid"}, BASIC),
        (None, {PROFESSIONAL: "paused"}, BASIC),
        (None, {PROFESSIONAL: "canceled"}, BASIC),
        (None, {PROFESSIONAL: "active", ENTERPRISE: "canceled"}, PROFESSIONAL),
        (None, {PROFESSIONAL: "canceled", ENTERPRISE: "active"}, ENTERPRISE),
        (BASIC, {PROFESSIONAL: "active", ENTERPRISE: "active"}, ENTERPRISE),
        (ENTERPRISE, {PROFESSIONAL: "active"}, ENTERPRISE),
        (None, {"gone from the table": "active"}, BASIC),
    ],
)
def test_the_dearest_plan_there_is_a_reason_for_is_in_force(
    chosen: str | None, subscriptions: Mapping[str, str], in_force: str, platform: Platform
) -> None:
    plans = Plans(platform.db, plan_table(), BASIC)
    held = tuple(Subscribed(f"sub_{plan}", plan, status) for plan, status in subscriptions.items())

    assert plans.in_force(Standing(chosen, None, held)).name == in_force


@pytest.mark.parametrize(
    ("limit", "resting"), [(None, ()), (5, ()), (3, ()), (2, ("c",)), (1, ("b", "c")), (0, ("a", "b", "c"))]
)
def test_after_a_downgrade_what_is_beyond_the_limit_rests(
    limit: int | None, resting: tuple[str, ...]
) -> None:
    assert paused(["a", "b", "c"], limit) == resting
