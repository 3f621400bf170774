"""What Stripe tells changes what is held in one way only, however often and in whatever order it arrives. Pure."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.billing.errors import EventUnreadableError, PriceUnknownError
from concierge.billing.events import EventKind, Outcome, Standing, Subscribed, Told, after, read
from concierge.billing.plans import plan_table
from tests.billing import stripe_server as stripe
from tests.billing.stripe_server import PRICES

ORG = UUID("01936b2e-0000-7000-8000-000000000001")
START = datetime(2026, 11, 1, tzinfo=UTC)


def told(kind: EventKind, second: int, status: str = "active", plan: str | None = "professional") -> Told:
    at = START + timedelta(seconds=second)
    return Told(f"evt_{kind}_{second}", kind, at, ORG, "cus_1", "sub_1", status, plan)


BOUGHT = told(EventKind.CHECKOUT, 0)
STARTED = told(EventKind.UPDATED, 0)
UPGRADED = told(EventKind.UPDATED, 10, plan="enterprise")
FAILED = told(EventKind.PAYMENT_FAILED, 11, "incomplete", None)
LATE = told(EventKind.UPDATED, 12, "past_due", "enterprise")
PAID = told(EventKind.UPDATED, 20, "active", "enterprise")
ENDED = told(EventKind.DELETED, 30, "canceled", "enterprise")
LIFE = (BOUGHT, STARTED, UPGRADED, FAILED, LATE, PAID, ENDED)


def held_after(events: Sequence[Told]) -> Subscribed | None:
    held: Subscribed | None = None
    for event in events:
        changed = after(held, event)
        held = held if isinstance(changed, Outcome) else changed
    return held


def plan_after(events: Sequence[Told]) -> str:
    """The plan that is paid for; the free one where none is."""
    held = held_after(events)
    return Standing(None, None, (held,) if held else ()).plan_names("basic")[-1]


@pytest.mark.parametrize("length", range(1, len(LIFE) + 1))
def test_a_life_of_a_subscription_is_followed(length: int) -> None:
    plans = ["professional", "professional", "enterprise", "enterprise", "enterprise", "enterprise", "basic"]

    assert plan_after(LIFE[:length]) == plans[length - 1]


@pytest.mark.parametrize("length", range(1, len(LIFE) + 1))
def test_in_whatever_order_events_come_the_end_is_the_same(length: int) -> None:
    in_order = held_after(LIFE[:length])
    assert in_order is not None

    for order in permutations(LIFE[:length]):
        found = held_after(order)
        assert found is not None
        assert (found.status, found.told_at, found.is_live) == (
            in_order.status,
            in_order.told_at,
            in_order.is_live,
        )
        assert found.payment_is_late == in_order.payment_is_late
        assert plan_after(order) == plan_after(LIFE[:length])


KINDS = st.sampled_from(
    [(EventKind.CHECKOUT, "active"), (EventKind.CHECKOUT, "incomplete"), (EventKind.DELETED, "canceled")]
    + [(EventKind.PAYMENT_FAILED, "incomplete")]
    + [(EventKind.UPDATED, status) for status in ("active", "trialing", "past_due", "unpaid", "paused")]
)


@given(
    st.lists(st.tuples(KINDS, st.sampled_from(["professional", "enterprise"])), min_size=1, max_size=7),
    st.randoms(use_true_random=False),
)
def test_repeated_and_shuffled_events_end_as_they_would_in_order(events: Any, chance: Any) -> None:
    lived = [
        told(kind, second, status, None if kind is EventKind.PAYMENT_FAILED else plan)
        for second, ((kind, status), plan) in enumerate(events)
    ]
    # Nothing comes after the end of a subscription.
    ends = [place for place, event in enumerate(lived) if event.kind is EventKind.DELETED]
    lived = lived[: ends[0] + 1] if ends else lived
    arriving = lived + chance.sample(lived, chance.randint(0, len(lived)))
    chance.shuffle(arriving)

    assert plan_after(arriving) == plan_after(lived)


def test_a_subscription_that_ended_is_never_taken_up_again() -> None:
    for again in (told(EventKind.UPDATED, 99), told(EventKind.CHECKOUT, 99)):
        assert after(held_after([BOUGHT, ENDED]), again) is Outcome.LATE


def test_the_end_may_be_told_before_the_beginning() -> None:
    assert plan_after([ENDED, BOUGHT, STARTED]) == "basic"


def test_a_failed_payment_takes_nothing_away_until_stripe_gives_up() -> None:
    held = held_after([BOUGHT, FAILED])

    assert held is not None
    assert (held.is_live, held.payment_is_late, plan_after([BOUGHT, FAILED])) == (True, True, "professional")
    gave_up = told(EventKind.UPDATED, 40, "unpaid")
    assert plan_after([BOUGHT, FAILED, gave_up]) == "basic"


def test_a_failed_payment_does_not_make_a_change_of_plan_come_too_late() -> None:
    assert plan_after([BOUGHT, FAILED, UPGRADED]) == "enterprise"


def test_a_payment_that_went_through_later_is_late_no_longer() -> None:
    for order in permutations((BOUGHT, FAILED, PAID)):
        held = held_after(order)
        assert held is not None
        assert not held.payment_is_late


def test_a_first_payment_that_failed_gives_nothing() -> None:
    held = held_after([FAILED])

    assert held is not None
    assert (held.is_live, held.payment_is_late) == (False, False)


def test_of_two_events_in_the_same_second_the_subscription_itself_has_the_last_word() -> None:
    pending = told(EventKind.UPDATED, 0, "incomplete")
    for order in ((BOUGHT, pending), (pending, BOUGHT)):
        assert plan_after(order) == "basic"


# Reading what Stripe sends.


def reading(event: dict[str, Any]) -> Told | None:
    return read(json.dumps(event).encode(), PRICES, plan_table())


def test_a_checkout_says_who_bought_what() -> None:
    event = stripe.checkout_completed(ORG, "enterprise", at=7)

    found = reading(event)

    assert found == Told(
        event_id=event["id"],
        kind=EventKind.CHECKOUT,
        made_at=datetime.fromtimestamp(1_790_000_007, UTC),
        org_id=ORG,
        customer_id=stripe.customer_of(ORG),
        subscription_id=stripe.subscription_of(ORG),
        status="active",
        plan="enterprise",
    )


@pytest.mark.parametrize(
    ("paid", "status"), [("paid", "active"), ("no_payment_required", "active"), ("unpaid", "incomplete")]
)
def test_a_checkout_whose_payment_takes_days_gives_nothing_yet(paid: str, status: str) -> None:
    found = reading(stripe.checkout_completed(ORG, paid=paid))

    assert found is not None
    assert found.status == status


def test_a_subscription_says_its_plan_by_its_price() -> None:
    for price, plan in (("price_professional", "professional"), ("price_enterprise", "enterprise")):
        found = reading(stripe.subscription_updated(ORG, price))
        assert found is not None
        assert (found.plan, found.status) == (plan, "active")


def test_a_live_subscription_to_an_unknown_price_is_asked_for_again() -> None:
    with pytest.raises(PriceUnknownError, match="No plan has the price price_gold") as refused:
        reading(stripe.subscription_updated(ORG, "price_gold"))

    assert "CONCIERGE_BILLING__PRICES" in refused.value.detail
    ended = reading(stripe.subscription_deleted(ORG, "price_gold"))
    assert ended is not None
    assert (ended.status, ended.plan) == ("canceled", None)


def test_a_failed_payment_says_of_which_subscription() -> None:
    found = reading(stripe.payment_failed(ORG))

    assert found is not None
    assert (found.kind, found.subscription_id) == (EventKind.PAYMENT_FAILED, stripe.subscription_of(ORG))


@pytest.mark.parametrize(
    "event",
    [
        stripe.event("customer.created", {"id": "cus_1"}, 1),
        stripe.event("invoice.paid", {"id": "in_1", "anything": [1, 2]}, 1),
        stripe.checkout_completed(ORG, mode="payment", subscription=None),
        stripe.checkout_completed(ORG, metadata={}),
        stripe.checkout_completed(ORG, metadata=None),
        stripe.checkout_completed(ORG, subscription=None),
        stripe.checkout_completed(ORG, customer=None),
        stripe.checkout_completed(ORG, "a plan of something else"),
        stripe.checkout_completed("not an id"),
        stripe.subscription_updated(ORG, metadata={"org_id": "7"}),
        stripe.subscription_updated(ORG, "price_of_something_else", metadata={}),
        stripe.payment_failed(ORG, parent=None),
        stripe.payment_failed(ORG, parent={"type": "quote_details", "subscription_details": None}),
    ],
    ids=lambda event: event["type"],
)
def test_what_else_the_account_sells_is_passed_over(event: dict[str, Any]) -> None:
    assert reading(event) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"id": "evt_1", "type": "customer.subscription.updated"}',
        json.dumps(stripe.event("customer.subscription.updated", {"id": "sub_1"}, 1)).encode(),
        json.dumps(stripe.subscription_updated(ORG, items={"data": [{"plan": "old"}]})).encode(),
    ],
)
def test_an_event_of_another_form_is_refused_in_a_sentence(body: bytes) -> None:
    with pytest.raises(EventUnreadableError, match="another form than expected"):
        read(body, PRICES, plan_table())
