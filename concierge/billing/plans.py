"""What each plan holds, as data. Code asks for a feature, never for the name of a plan. Pure."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field, TypeAdapter

Item = TypeVar("Item")
UNLIMITED: Final = "unlimited"


class Feature(StrEnum):
    """What a plan may hold or lack. The file `plans.toml` says of each what it is called and who has it."""

    KNOWLEDGE_PACKS = "knowledge_packs"
    PERSONA_TEMPLATES = "persona_templates"
    CUSTOM_PERSONAS = "custom_personas"
    SITE_SEARCH = "site_search"
    WEB_SEARCH = "web_search"
    ADVANCED_ANALYTICS = "advanced_analytics"


FeatureValue = bool | Annotated[int, Field(ge=0)] | Literal["unlimited"]


def amount(value: FeatureValue) -> float:
    """How much of a feature a value gives, so that any two can be compared: none, one, some, or infinitely much."""
    return math.inf if value == UNLIMITED else float(value)


@dataclass(frozen=True, slots=True)
class Entitlements:
    """What an organization may use."""

    plan: str
    features: Mapping[Feature, FeatureValue]

    def allows(self, feature: Feature, wanted: int = 1) -> bool:
        """Whether so much of a feature is part of the plan."""
        return amount(self.features[feature]) >= wanted

    def limit(self, feature: Feature) -> int | None:
        """How much of a feature is part of the plan at most; None where there is no limit."""
        value = self.features[feature]
        return None if value == UNLIMITED else int(value)


@dataclass(frozen=True, slots=True)
class Plan:
    """`monthly_usd` is the price shown to people; what is charged is the price at Stripe."""

    name: str
    title: str
    monthly_usd: Annotated[int, Field(ge=0)]
    features: Mapping[Feature, FeatureValue]

    @property
    def entitlements(self) -> Entitlements:
        return Entitlements(self.name, self.features)


@dataclass(frozen=True, slots=True)
class PlanTable:
    """All plans, the cheapest first, and what people call the features."""

    plans: tuple[Plan, ...]
    titles: Mapping[Feature, str]

    def named(self, name: str) -> Plan | None:
        return next((plan for plan in self.plans if plan.name == name), None)

    def cheapest_with(self, feature: Feature, wanted: float = 1) -> Plan | None:
        """The cheapest plan that holds so much of a feature, if one does."""
        return next((plan for plan in self.plans if amount(plan.features[feature]) >= wanted), None)

    def next_with_more(self, entitlements: Entitlements, feature: Feature) -> Plan | None:
        """The cheapest plan that holds more of a feature than is had, if one does."""
        held = amount(entitlements.features[feature])
        return next((plan for plan in self.plans if amount(plan.features[feature]) > held), None)

    def dearest(self, names: Sequence[str]) -> Plan | None:
        """The plan of these that costs most. A name that no plan has any more counts for nothing."""
        return max(
            (plan for plan in self.plans if plan.name in names),
            key=lambda plan: plan.monthly_usd,
            default=None,
        )


def parsed(text: str) -> PlanTable:
    """Raises ValueError where a plan forgets a feature, shares its name, or costs no more than the one before it."""
    table = TypeAdapter(PlanTable).validate_python(tomllib.loads(text))
    every = set(Feature)
    for holder, features in (("titles", table.titles), *((plan.name, plan.features) for plan in table.plans)):
        if missing := every - set(features):
            raise ValueError(f"{holder} says nothing of {', '.join(sorted(missing))}")
    if len({plan.name for plan in table.plans}) < len(table.plans):
        raise ValueError("two plans have one name")
    if any(plan.monthly_usd >= dearer.monthly_usd for plan, dearer in pairwise(table.plans)):
        raise ValueError("plans stand from the cheapest to the dearest")
    return table


@cache
def plan_table() -> PlanTable:
    """The plans of this release, read once."""
    return parsed((files("concierge.billing") / "plans.toml").read_text("utf-8"))


def paused(in_order: Sequence[Item], limit: int | None) -> tuple[Item, ...]:
    """What rests after a downgrade, which deletes nothing: whatever is beyond the limit (None: no limit)."""
    return () if limit is None else tuple(in_order[limit:])
