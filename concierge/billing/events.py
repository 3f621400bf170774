"""What Stripe tells of subscriptions, and what each word changes. Events come late, twice and out of order. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ValidationError

from concierge.billing.errors import EventUnreadableError, PriceUnknownError
from concierge.billing.plans import PlanTable

ORG_ID: Final = "org_id"
PLAN: Final = "plan"
CANCELED: Final = "canceled"
# While a payment is only late, Stripe tries again for some days and tells when it gives up.
LIVE: Final = frozenset({"active", "trialing", "past_due"})
# A checkout that is complete gives the plan at once, unless the payment itself takes days; then Stripe tells later.
PAID: Final = frozenset({"paid", "no_payment_required"})


class EventKind(StrEnum):
    """The events that matter; the endpoint at Stripe is to send these."""

    CHECKOUT = "checkout.session.completed"
    PAYMENT_FAILED = "invoice.payment_failed"
    UPDATED = "customer.subscription.updated"
    DELETED = "customer.subscription.deleted"


# Stripe dates an event to the second. Of two in the same second the one that says more has the last word.
WEIGHT: Final[Mapping[EventKind, int]] = {kind: place for place, kind in enumerate(EventKind)}


class Outcome(StrEnum):
    """What became of an event: it changed something, came too late to, came again, or concerns nobody here."""

    APPLIED = "applied"
    LATE = "late"
    KNOWN = "known"
    FOREIGN = "foreign"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Told:
    """One event about one subscription. `plan` is None where the event does not say one."""

    event_id: str
    kind: EventKind
    made_at: datetime
    org_id: UUID
    customer_id: str
    subscription_id: str
    status: str
    plan: str | None


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What is held of one subscription. `told_at` and `told_kind` are those of the event with the last word."""

    id: str
    plan: str | None
    status: str
    told_at: datetime | None = None
    told_kind: EventKind | None = None
    payment_failed_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def payment_is_late(self) -> bool:
        """Whether the last attempt to charge failed, as far as is known."""
        if not self.is_live:
            return False
        failed, told = self.payment_failed_at, self.told_at
        return self.status == "past_due" or (failed is not None and (told is None or failed >= told))


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is held of an organization: the plan that was set for it, and its subscriptions."""

    chosen: str | None = None
    customer_id: str | None = None
    subscriptions: Sequence[Subscribed] = ()

    def plan_names(self, default: str) -> tuple[str, ...]:
        """Every plan there is a reason for; the dearest of them is in force.

        Each subscription speaks for itself, so that of two that overlap the end of one cannot take the other's plan.
        """
        paid = (held.plan for held in self.subscriptions if held.is_live)
        return (self.chosen or default, *(plan for plan in paid if plan is not None))

    @property
    def is_subscribed(self) -> bool:
        return any(held.is_live for held in self.subscriptions)

    def concerns(self, told: Told) -> bool:
        """Whether an event is about this organization: of its customer, or of the one it becomes by a new purchase."""
        if self.customer_id in {None, told.customer_id}:
            return True
        return told.kind is EventKind.CHECKOUT and not self.is_subscribed

    def subscription(self, subscription_id: str) -> Subscribed | None:
        return next((held for held in self.subscriptions if held.id == subscription_id), None)


def after(held: Subscribed | None, told: Told) -> Subscribed | Outcome:
    """What is held of a subscription once it is told an event, or why it tells nothing new."""
    if told.kind is EventKind.PAYMENT_FAILED:
        # Kept apart: it says nothing of the plan, so it must not make an event about that come too late.
        known = held or Subscribed(told.subscription_id, None, told.status)
        if known.payment_failed_at is not None and told.made_at <= known.payment_failed_at:
            return Outcome.LATE
        return replace(known, payment_failed_at=told.made_at)
    if held is None:
        return Subscribed(told.subscription_id, told.plan, told.status, told.made_at, told.kind)
    # A subscription that ended is never taken up again; who comes back has a new one.
    if held.status == CANCELED or _is_older(told, held):
        return Outcome.LATE
    return replace(
        held,
        plan=told.plan or held.plan,
        status=told.status,
        told_at=told.made_at,
        told_kind=told.kind,
    )


def _is_older(told: Told, held: Subscribed) -> bool:
    if held.told_at is None or held.told_kind is None:
        return False
    return (told.made_at, WEIGHT[told.kind]) < (held.told_at, WEIGHT[held.told_kind])


class _Data(BaseModel):
    object: dict[str, Any]


class _Event(BaseModel):
    id: str
    type: str
    created: int
    data: _Data


class _Session(BaseModel):
    mode: str
    payment_status: str
    customer: str | None = None
    subscription: str | None = None
    metadata: dict[str, str] | None = None


class _Price(BaseModel):
    id: str


class _Item(BaseModel):
    price: _Price


class _Items(BaseModel):
    data: list[_Item]


class _Subscription(BaseModel):
    id: str
    customer: str
    status: str
    items: _Items
    metadata: dict[str, str] | None = None


class _SubscriptionDetails(BaseModel):
    subscription: str
    metadata: dict[str, str] | None = None


class _Parent(BaseModel):
    subscription_details: _SubscriptionDetails | None = None


class _Invoice(BaseModel):
    customer: str | None = None
    parent: _Parent | None = None


def read(body: bytes, prices: Mapping[str, str], table: PlanTable) -> Told | None:
    """Read an event whose signature was checked. `prices` are Stripe's ids by the name of the plan they charge for.

    None where it is of no kind that matters here, or does not carry the id of an organization: a Stripe account may
    sell other things as well. Errors: EventUnreadableError; PriceUnknownError for a live subscription to a price that
    the settings do not name, so that Stripe sends the event again until they do.
    """
    try:
        event = _Event.model_validate_json(body)
        if event.type not in set(EventKind):
            return None
        return _READERS[EventKind(event.type)](event, {price: plan for plan, price in prices.items()}, table)
    except ValidationError as error:
        raise EventUnreadableError from error


def _checkout(event: _Event, _plans: Mapping[str, str], table: PlanTable) -> Told | None:
    session = _Session.model_validate(event.data.object)
    plan = table.named((session.metadata or {}).get(PLAN, ""))
    if session.mode != "subscription" or plan is None:
        return None
    return _told(
        event,
        metadata=session.metadata,
        customer=session.customer,
        subscription=session.subscription,
        status="active" if session.payment_status in PAID else "incomplete",
        plan=plan.name,
    )


def _subscription(event: _Event, plans: Mapping[str, str], _table: PlanTable) -> Told | None:
    found = _Subscription.model_validate(event.data.object)
    deleted = event.type == EventKind.DELETED
    told = _told(
        event,
        metadata=found.metadata,
        customer=found.customer,
        subscription=found.id,
        status=CANCELED if deleted else found.status,
        plan=next((plans[item.price.id] for item in found.items.data if item.price.id in plans), None),
    )
    if told is not None and told.plan is None and told.status in LIVE:
        raise PriceUnknownError(sorted(item.price.id for item in found.items.data))
    return told


def _payment_failed(event: _Event, _plans: Mapping[str, str], _table: PlanTable) -> Told | None:
    invoice = _Invoice.model_validate(event.data.object)
    details = invoice.parent.subscription_details if invoice.parent else None
    if details is None:
        return None
    return _told(
        event,
        metadata=details.metadata,
        customer=invoice.customer,
        subscription=details.subscription,
        status="incomplete",
        plan=None,
    )


_READERS: Final[Mapping[EventKind, Callable[[_Event, Mapping[str, str], PlanTable], Told | None]]] = {
    EventKind.CHECKOUT: _checkout,
    EventKind.UPDATED: _subscription,
    EventKind.DELETED: _subscription,
    EventKind.PAYMENT_FAILED: _payment_failed,
}


def _told(
    event: _Event,
    *,
    metadata: Mapping[str, str] | None,
    customer: str | None,
    subscription: str | None,
    status: str,
    plan: str | None,
) -> Told | None:
    """The event, where it says of whom it is."""
    org_id = _as_id((metadata or {}).get(ORG_ID, ""))
    if org_id is None or customer is None or subscription is None:
        return None
    made_at = datetime.fromtimestamp(event.created, UTC)
    return Told(
        event.id, EventKind(event.type), made_at, org_id, customer, subscription, status=status, plan=plan
    )


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
