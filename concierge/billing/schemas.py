"""What crosses HTTP about plans, and what is counted."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from concierge.billing.events import Outcome
from concierge.billing.plans import Feature, FeatureValue
from concierge.kit.fields import PlainText

# The name of a plan, as `GET /billing/plans` lists them.
PlanName = Annotated[str, StringConstraints(min_length=1, max_length=40), PlainText]
# A page of this server, without host or query.
PagePath = Annotated[str, StringConstraints(max_length=200, pattern=r"^/(?:[\w.-]+/?)*$")]


class Meter(StrEnum):
    """What is counted for each month. Money is in millionths of a US dollar."""

    TURNS = "turns"
    TOKENS_IN = "tokens_in"
    TOKENS_OUT = "tokens_out"
    MICRO_DOLLARS = "micro_dollars"
    WEB_SEARCHES = "web_searches"


class FeatureOut(BaseModel):
    """A value is true or false, the most there may be, or `unlimited`."""

    feature: Feature
    title: str
    value: FeatureValue


class PlanOut(BaseModel):
    """`sold` says whether the checkout sells it."""

    name: str
    title: str
    monthly_usd: int
    sold: bool
    features: list[FeatureOut]


class LackOut(FeatureOut):
    """What there could be more of, and the cheapest plan that has more."""

    plan: str
    plan_title: str
    plan_value: FeatureValue


class SubscriptionOut(BaseModel):
    """One that is paid for through Stripe; `status` is Stripe's."""

    plan: str | None
    status: str
    payment_is_late: bool


class UsageOut(BaseModel):
    """What was used since the first of the month, in UTC."""

    since: date
    amounts: dict[Meter, int]


class EntitlementsOut(BaseModel):
    """`through_stripe` says how a plan is changed here: by checkout and portal, or else by an owner."""

    plan: str
    title: str
    monthly_usd: int
    through_stripe: bool
    features: list[FeatureOut]
    lacking: list[LackOut]
    subscriptions: list[SubscriptionOut]
    usage: UsageOut


class PlanIn(BaseModel):
    plan: PlanName


class PortalIn(BaseModel):
    """`return_to` is the page of this server that Stripe leads back to."""

    return_to: PagePath = "/"


class CheckoutIn(PortalIn):
    """Stripe leads back with `?checkout=done` or `?checkout=cancelled`."""

    plan: PlanName


class LinkOut(BaseModel):
    """A page at Stripe to send the browser to."""

    url: str


class EventOut(BaseModel):
    """What became of an event, for whoever looks at it in Stripe's dashboard."""

    outcome: Annotated[Outcome, Field(description="applied, late, known, foreign or ignored.")]
