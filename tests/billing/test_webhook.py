"""Events are believed when Stripe signed them, once each, for the organization they are about and no other."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
import stripe as library

from concierge.entrypoints.wiring import Platform
from concierge.kit.ids import new_id
from tests.accounts.people import audited
from tests.billing.having import entitlements, plan_of
from tests.billing.stripe_server import (
    WEBHOOK_SECRET,
    checkout_completed,
    deliver,
    event,
    payment_failed,
    send,
    signed,
    subscription_deleted,
    subscription_updated,
)
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

PATH = "/api/v1/billing/webhook"


async def changes(tenant: Tenant) -> list[tuple[str, str]]:
    events = await audited(tenant, "billing.plan_changed")
    return [(found["details"]["from"], found["details"]["to"]) for found in reversed(events)]


async def test_a_purchase_gives_the_plan_at_once(buyer: Tenant) -> None:
    assert await plan_of(buyer) == "basic"
    bought = checkout_completed(buyer.org_id)

    assert await deliver(buyer.client, bought) == "applied"

    assert await plan_of(buyer) == "professional"
    (noted,) = await audited(buyer, "billing.plan_changed")
    assert noted["details"] == {"from": "basic", "to": "professional", "by": bought["id"]}
    assert (noted["actor_kind"], noted["actor_id"]) == ("system", None)
    shown = await entitlements(buyer)
    assert shown["through_stripe"]
    assert shown["subscriptions"] == [{"plan": "professional", "status": "active", "payment_is_late": False}]


async def test_a_subscription_is_followed_to_its_end(buyer: Tenant) -> None:
    org_id = buyer.org_id
    for told, plan in (
        (checkout_completed(org_id, at=1), "professional"),
        (subscription_updated(org_id, "price_enterprise", at=2), "enterprise"),
        (payment_failed(org_id, at=3), "enterprise"),
        (subscription_updated(org_id, "price_enterprise", at=4, status="past_due"), "enterprise"),
        (subscription_updated(org_id, "price_professional", at=5), "professional"),
        (subscription_updated(org_id, "price_professional", at=6, status="unpaid"), "basic"),
        (subscription_updated(org_id, "price_professional", at=7), "professional"),
        (subscription_deleted(org_id, at=8), "basic"),
    ):
        assert await deliver(buyer.client, told) == "applied"
        assert await plan_of(buyer) == plan

    assert len(await changes(buyer)) == 6


async def test_a_late_payment_is_shown(buyer: Tenant) -> None:
    await deliver(buyer.client, checkout_completed(buyer.org_id, at=1))
    await deliver(buyer.client, payment_failed(buyer.org_id, at=2))

    assert [held["payment_is_late"] for held in (await entitlements(buyer))["subscriptions"]] == [True]


async def test_an_event_that_is_replayed_counts_once(buyer: Tenant) -> None:
    bought, ended = checkout_completed(buyer.org_id, at=1), subscription_deleted(buyer.org_id, at=2)
    assert await deliver(buyer.client, bought) == "applied"
    assert await deliver(buyer.client, ended) == "applied"

    assert await deliver(buyer.client, bought) == "known"
    assert await deliver(buyer.client, ended) == "known"
    assert await plan_of(buyer) == "basic"


async def test_the_same_event_sent_five_times_at_once_counts_once(buyer: Tenant) -> None:
    bought = checkout_completed(buyer.org_id)

    outcomes = await asyncio.gather(*(deliver(buyer.client, bought) for _ in range(5)))

    assert sorted(outcomes) == ["applied", "known", "known", "known", "known"]
    assert await changes(buyer) == [("basic", "professional")]


async def test_an_older_event_never_undoes_a_newer_one(buyer: Tenant) -> None:
    await deliver(buyer.client, subscription_updated(buyer.org_id, "price_enterprise", at=9))

    assert await deliver(buyer.client, checkout_completed(buyer.org_id, at=1)) == "late"
    assert await deliver(buyer.client, subscription_updated(buyer.org_id, at=8)) == "late"
    assert await plan_of(buyer) == "enterprise"


async def test_events_at_once_end_as_they_would_in_order(buyer: Tenant) -> None:
    prices = ["price_professional", "price_enterprise"] * 4
    events = [subscription_updated(buyer.org_id, price, at=at) for at, price in enumerate(prices)]

    await asyncio.gather(*(deliver(buyer.client, told) for told in reversed(events)))

    assert await plan_of(buyer) == "enterprise"
    noted = await changes(buyer)
    assert [before for before, _ in noted[1:]] == [now for _, now in noted[:-1]]


async def test_the_end_of_a_subscription_does_not_end_the_one_after_it(buyer: Tenant) -> None:
    org_id = buyer.org_id
    await deliver(buyer.client, checkout_completed(org_id, at=1))
    # The first one ends after the second was bought, and is told of before it.
    assert await deliver(buyer.client, subscription_deleted(org_id, at=9)) == "applied"
    second = checkout_completed(org_id, "enterprise", at=8, subscription="sub_second")
    assert await deliver(buyer.client, second) == "applied"

    assert await plan_of(buyer) == "enterprise"


async def test_an_event_about_one_organization_changes_no_other(buyer: Tenant, other_buyer: Tenant) -> None:
    await deliver(buyer.client, checkout_completed(buyer.org_id, "enterprise"))

    assert (await plan_of(buyer), await plan_of(other_buyer)) == ("enterprise", "basic")
    assert (await entitlements(other_buyer))["subscriptions"] == []


async def test_an_event_of_another_customer_is_not_taken_for_ones_own(
    buyer: Tenant, other_buyer: Tenant
) -> None:
    await deliver(buyer.client, checkout_completed(buyer.org_id, at=1))
    await deliver(other_buyer.client, checkout_completed(other_buyer.org_id, "enterprise", at=1))
    theirs = subscription_deleted(other_buyer.org_id, at=2, metadata={"org_id": str(buyer.org_id)})
    gift = checkout_completed(
        other_buyer.org_id, at=2, metadata={"org_id": str(buyer.org_id), "plan": "enterprise"}
    )

    assert await deliver(buyer.client, theirs) == "foreign"
    assert await deliver(buyer.client, gift) == "foreign"

    assert (await plan_of(buyer), await plan_of(other_buyer)) == ("professional", "enterprise")


async def test_an_event_of_another_installation_is_acknowledged_and_passed_over(buyer: Tenant) -> None:
    assert await deliver(buyer.client, checkout_completed(new_id())) == "foreign"


async def test_an_event_of_a_kind_that_does_not_matter_is_acknowledged(buyer: Tenant) -> None:
    assert await deliver(buyer.client, event("charge.refunded", {"id": "ch_1"}, 1)) == "ignored"
    assert await plan_of(buyer) == "basic"


async def test_an_event_with_an_unknown_price_is_sent_again_until_the_price_is_named(buyer: Tenant) -> None:
    told = subscription_updated(buyer.org_id, "price_gold")
    for _ in range(2):
        response = await send(buyer.client, told)
        assert (response.status_code, response.json()["code"]) == (422, "price_unknown")

    told["data"]["object"]["items"]["data"][0]["price"]["id"] = "price_enterprise"
    assert await deliver(buyer.client, told) == "applied"


async def refused(client: httpx.AsyncClient, body: str | bytes, signature: str | bytes | None) -> None:
    headers = {} if signature is None else {"Stripe-Signature": signature}
    response = await client.post(PATH, content=body, headers=headers)  # pyright: ignore[reportArgumentType]  # Bytes are a header as well.

    assert (response.status_code, response.json()["code"]) == (400, "signature_invalid")
    assert response.json()["detail"] == "This does not carry a valid and recent signature of Stripe."


async def test_an_event_without_a_valid_signature_is_refused(buyer: Tenant) -> None:
    body = json.dumps(checkout_completed(buyer.org_id, "enterprise"))
    good = signed(body)
    stamp, scheme = good.split(",")
    for signature in (
        None,
        "",
        "nonsense",
        "t=,v1=",
        stamp,
        scheme,
        f"{stamp},v0={scheme.removeprefix('v1=')}",
        f"t={int(time.time()) + 60},{scheme}",
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        f"{stamp},v1=ü".encode("latin-1"),
        signed(body, secret="whsec_somebody_elses"),
        signed(body + " "),
    ):
        await refused(buyer.client, body, signature)
    await refused(buyer.client, body + " ", good)
    await refused(buyer.client, b"\xff\xfe", good)

    assert await plan_of(buyer) == "basic"
    assert await changes(buyer) == []


@pytest.mark.parametrize("body", ["", "[", "{}", "[]", '"event"', "null"])
async def test_a_signed_body_that_is_no_event_is_refused(body: str, buyer: Tenant) -> None:
    response = await buyer.client.post(PATH, content=body, headers={"Stripe-Signature": signed(body)})

    assert response.status_code in {400, 422}
    assert response.json()["code"] in {"signature_invalid", "event_unreadable"}


async def test_a_signature_is_good_for_five_minutes(buyer: Tenant) -> None:
    body = json.dumps(checkout_completed(buyer.org_id))
    await refused(buyer.client, body, signed(body, age_s=library.Webhook.DEFAULT_TOLERANCE + 5))

    late = await buyer.client.post(PATH, content=body, headers={"Stripe-Signature": signed(body, age_s=200)})
    assert late.json() == {"outcome": "applied"}


async def test_a_bearer_token_is_no_signature(buyer: Tenant) -> None:
    body = json.dumps(checkout_completed(buyer.org_id))

    response = await buyer.client.post(PATH, content=body, headers=buyer.owner)

    assert (response.status_code, response.json()["code"]) == (400, "signature_invalid")


async def test_the_secret_is_in_no_answer(buyer: Tenant, selling: Platform) -> None:
    response = await buyer.client.post(PATH, content=b"{}", headers={"Stripe-Signature": "t=1,v1=2"})

    assert WEBHOOK_SECRET not in response.text
    assert WEBHOOK_SECRET not in repr(selling.settings)


async def test_nothing_of_a_card_is_kept(buyer: Tenant) -> None:
    """What an event holds beyond the plan is read by nobody and stored nowhere."""
    details: Any = {"card": {"last4": "4242", "fingerprint": "fp-unmistakable"}, "email": "cleo@shop.example"}
    await deliver(buyer.client, checkout_completed(buyer.org_id, payment_method_details=details))

    async with buyer.platform.db.transaction(buyer.org_id) as session:
        connection = await session.connection()
        for table in ("billing_accounts", "subscriptions", "billing_events", "audit_events"):
            found = await connection.exec_driver_sql(f"SELECT to_jsonb(t)::text FROM {table} t")  # noqa: S608  # A name of this test.
            text = " ".join(row[0] for row in found)
            assert text
            assert not any(word in text for word in ("4242", "unmistakable", "cleo@"))
