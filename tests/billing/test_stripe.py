"""Checkout and portal through Stripe's own library, against a server that answers as Stripe does."""

import asyncio
import io
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from pydantic import SecretStr

from concierge.accounts.scope import Role
from concierge.billing import stripe_api
from concierge.billing.errors import BillingSettingsError, StripeUnavailableError
from concierge.billing.payments import Purchase, create_payments
from concierge.billing.plans import plan_table
from concierge.billing.stripe_api import StripePayments
from concierge.kit.ids import new_id
from concierge.kit.logging import configure_logging
from concierge.kit.settings import Billing, Settings
from tests.accounts.people import audited, signed_in_as
from tests.billing.having import entitlements, plan_of, set_plan
from tests.billing.stripe_server import (
    KEY,
    MESSAGE,
    WEBHOOK_SECRET,
    StripeServer,
    checkout_completed,
    customer_of,
    deliver,
    settings_for,
    subscription_deleted,
)
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

PURCHASE = Purchase(new_id(), "professional", "price_professional", None, "http://x/done", "http://x/not")


async def begin(buyer: Tenant, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    body = {"plan": "professional", **body}
    return await buyer.client.post("/api/v1/billing/checkout", headers=headers or buyer.owner, json=body)


async def manage(buyer: Tenant, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    return await buyer.client.post("/api/v1/billing/portal", headers=headers or buyer.owner, json=body)


async def test_a_checkout_leads_to_a_page_at_stripe(buyer: Tenant, stripe_server: StripeServer) -> None:
    response = await begin(buyer, return_to="/settings/billing")

    assert response.status_code == 200, response.text
    assert response.json() == {"url": "https://pay.stripe.example/v1/checkout/sessions"}
    (request,) = stripe_server.requests
    page = "http://localhost:8000/settings/billing"
    assert request.form == {
        "mode": "subscription",
        "line_items[0][price]": "price_professional",
        "line_items[0][quantity]": "1",
        "client_reference_id": str(buyer.org_id),
        "metadata[org_id]": str(buyer.org_id),
        "metadata[plan]": "professional",
        "subscription_data[metadata][org_id]": str(buyer.org_id),
        "success_url": f"{page}?checkout=done",
        "cancel_url": f"{page}?checkout=cancelled",
    }
    # Asking is not paying: the plan comes with what Stripe tells.
    assert await plan_of(buyer) == "basic"


async def test_who_has_been_there_is_the_same_customer_again(
    buyer: Tenant, stripe_server: StripeServer
) -> None:
    await deliver(buyer.client, checkout_completed(buyer.org_id, at=1))
    await deliver(buyer.client, subscription_deleted(buyer.org_id, at=2))

    assert (await begin(buyer)).status_code == 200
    assert stripe_server.requests[-1].form["customer"] == customer_of(buyer.org_id)


async def test_a_customer_that_stripe_forgot_becomes_another_one(
    buyer: Tenant, stripe_server: StripeServer
) -> None:
    """As when an operator tried everything in Stripe's test mode first."""
    await deliver(buyer.client, checkout_completed(buyer.org_id, at=1))
    await deliver(buyer.client, subscription_deleted(buyer.org_id, at=2))
    stripe_server.forgotten = frozenset({customer_of(buyer.org_id)})

    portal = await manage(buyer)
    assert (portal.status_code, portal.json()["code"]) == (409, "not_subscribed")
    assert (await begin(buyer)).status_code == 200
    assert "customer" not in stripe_server.requests[-1].form
    anew = checkout_completed(buyer.org_id, at=3, customer="cus_anew", subscription="sub_anew")
    assert await deliver(buyer.client, anew) == "applied"

    assert await plan_of(buyer) == "professional"
    assert (await manage(buyer)).status_code == 200
    assert stripe_server.requests[-1].form["customer"] == "cus_anew"


async def test_nobody_buys_a_second_plan_beside_the_first(buyer: Tenant, stripe_server: StripeServer) -> None:
    await deliver(buyer.client, checkout_completed(buyer.org_id))

    response = await begin(buyer, plan="enterprise")

    assert (response.status_code, response.json()["code"]) == (409, "already_subscribed")
    assert "portal" in response.json()["detail"]
    assert stripe_server.requests == []


@pytest.mark.parametrize(("plan", "code"), [("basic", "plan_not_sold"), ("gold", "plan_unknown")])
async def test_what_is_not_sold_cannot_be_bought(
    plan: str, code: str, buyer: Tenant, stripe_server: StripeServer
) -> None:
    response = await begin(buyer, plan=plan)

    assert (response.status_code, response.json()["code"]) == (422, code)
    assert stripe_server.requests == []


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "evil",
        "/a?b=c",
        "/a#b",
        "/ä b",
        "/a\n",
        "",
    ],
)
async def test_stripe_leads_back_to_this_server_only(page: str, buyer: Tenant) -> None:
    assert (await begin(buyer, return_to=page)).status_code == 422
    assert (await manage(buyer, return_to=page)).status_code == 422


async def test_the_portal_is_for_the_customer_of_ones_own_organization(
    buyer: Tenant, other_buyer: Tenant, stripe_server: StripeServer
) -> None:
    await deliver(buyer.client, checkout_completed(buyer.org_id))

    response = await manage(buyer, return_to="/settings")
    none = await manage(other_buyer)

    assert response.json() == {"url": "https://pay.stripe.example/v1/billing_portal/sessions"}
    assert [request.form for request in stripe_server.requests] == [
        {"customer": customer_of(buyer.org_id), "return_url": "http://localhost:8000/settings"}
    ]
    assert (none.status_code, none.json()["code"]) == (409, "not_subscribed")


async def test_where_plans_are_sold_an_owner_does_not_set_them(buyer: Tenant) -> None:
    response = await set_plan(buyer, "enterprise")

    assert (response.status_code, response.json()["code"]) == (409, "plan_paid_through_stripe")
    assert "checkout" in response.json()["detail"]
    assert await plan_of(buyer) == "basic"
    assert (await entitlements(buyer))["through_stripe"]


async def test_an_operator_may_still_give_a_plan(buyer: Tenant) -> None:
    await buyer.platform.billing.plans.choose(buyer.scope, "professional")
    await deliver(buyer.client, checkout_completed(buyer.org_id, "enterprise", at=1))
    assert await plan_of(buyer) == "enterprise"
    await deliver(buyer.client, subscription_deleted(buyer.org_id, at=2))

    assert await plan_of(buyer) == "professional"
    assert [event["details"]["by"][:4] for event in await audited(buyer, "billing.plan_changed")] == [
        "evt_",
        "evt_",
        "syst",
    ]


async def test_plans_with_a_price_are_sold(buyer: Tenant) -> None:
    listed = await buyer.client.get("/api/v1/billing/plans", headers=buyer.owner)

    assert {plan["name"]: plan["sold"] for plan in listed.json()} == {
        "basic": False,
        "professional": True,
        "enterprise": True,
    }


async def test_only_an_owner_buys(buyer: Tenant, stripe_server: StripeServer) -> None:
    for role in (Role.ADMIN, Role.AGENT, Role.VIEWER):
        headers, _ = await signed_in_as(buyer, role)
        for response in (await begin(buyer, headers), await manage(buyer, headers)):
            assert (response.status_code, response.json()["permission"]) == (403, "billing:write")
    assert stripe_server.requests == []


@pytest.mark.parametrize(
    ("status", "answered", "code", "tries", "retry_after"),
    [
        (400, 502, "stripe_refused", 1, None),
        (401, 502, "stripe_refused", 1, None),
        (402, 402, "payment_declined", 1, None),
        (403, 502, "stripe_refused", 1, None),
        (404, 502, "stripe_refused", 1, None),
        (409, 503, "stripe_unavailable", 2, "30"),
        (429, 503, "stripe_unavailable", 1, "10"),
        (500, 503, "stripe_unavailable", 2, "30"),
        (503, 503, "stripe_unavailable", 2, "30"),
    ],
)
async def test_what_stripe_refuses_is_said_in_a_sentence(
    status: int,
    answered: int,
    code: str,
    tries: int,
    retry_after: str | None,
    buyer: Tenant,
    stripe_server: StripeServer,
) -> None:
    stripe_server.status = status

    response = await begin(buyer)

    assert (response.status_code, response.json()["code"]) == (answered, code)
    assert response.headers.get("retry-after") == retry_after
    assert MESSAGE not in response.text
    assert KEY not in response.text
    assert response.json()["detail"].endswith(".")
    # What is tried again carries the same key, so that Stripe begins nothing twice.
    assert len(stripe_server.requests) == tries
    assert len({request.headers["idempotency-key"] for request in stripe_server.requests}) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]", b'{"error": "text"}'])
@pytest.mark.parametrize("status", [200, 500])
async def test_an_answer_that_is_none_is_not_a_fault_of_ours(
    body: bytes, status: int, buyer: Tenant, stripe_server: StripeServer
) -> None:
    stripe_server.status, stripe_server.body = status, body

    response = await begin(buyer)

    assert response.status_code in {502, 503}
    assert response.json()["code"] in {"stripe_unavailable", "stripe_refused"}


async def test_a_wrong_key_is_for_the_operator_to_mend(stripe_server: StripeServer) -> None:
    payments = StripePayments(settings_for(stripe_server, stripe_key=SecretStr("sk_test_of_somebody_else")))

    with pytest.raises(Exception, match="CONCIERGE_BILLING__STRIPE_KEY") as refused:
        await payments.checkout(PURCHASE)

    assert "sk_test_of_somebody_else" not in str(refused.value)
    await payments.close()


async def test_stripe_is_not_waited_for_longer_than_is_allowed(stripe_server: StripeServer) -> None:
    stripe_server.delay_s = 5
    payments = StripePayments(settings_for(stripe_server), timeout_s=0.2)

    async with asyncio.timeout(4):
        with pytest.raises(StripeUnavailableError, match="Nothing was changed or charged"):
            await payments.checkout(PURCHASE)
    await payments.close()


async def test_a_server_that_is_away_is_said_to_be(stripe_server: StripeServer) -> None:
    nowhere = StripeServer(url="http://127.0.0.1:1")
    payments = StripePayments(settings_for(nowhere))

    with pytest.raises(StripeUnavailableError):
        await payments.portal("cus_1", "http://x/")
    await payments.close()
    assert stripe_server.requests == []


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that is logged at its chattiest, by the product and by the library."""
    lines = io.StringIO()
    monkeypatch.setattr(sys, "stderr", lines)
    monkeypatch.setattr(stripe_api, "logger", structlog.get_logger())
    before = structlog.get_config()
    configure_logging(Settings(data_dir=Path("unused"), log_level="debug"))
    handler = logging.StreamHandler(lines)
    logging.getLogger().addHandler(handler)
    yield lines
    logging.getLogger().removeHandler(handler)
    structlog.configure(**before)


@pytest.mark.parametrize("status", [200, 401, 402, 500])
async def test_secrets_are_in_no_line_of_the_log(
    status: int, log: io.StringIO, buyer: Tenant, stripe_server: StripeServer
) -> None:
    stripe_server.status = status

    await begin(buyer)
    await buyer.client.post(
        "/api/v1/billing/webhook", content=b"{}", headers={"Stripe-Signature": "t=1,v1=2"}
    )

    assert ("stripe did not do it" in log.getvalue()) is (status != 200)
    assert KEY not in log.getvalue()
    assert WEBHOOK_SECRET not in log.getvalue()


def test_without_a_key_there_is_no_account() -> None:
    assert create_payments(Billing(), plan_table()) is None


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"stripe_webhook_secret": None}, "CONCIERGE_BILLING__STRIPE_WEBHOOK_SECRET"),
        ({"prices": {"gold": "price_1", "basic": "price_2"}}, "names no plan by “gold”"),
    ],
)
def test_settings_that_do_not_fit_together_are_named_at_the_start(
    changes: dict[str, Any], complaint: str
) -> None:
    settings = settings_for(StripeServer(url="http://127.0.0.1:1"), **changes)

    with pytest.raises(BillingSettingsError, match=complaint) as refused:
        create_payments(settings, plan_table())

    assert KEY not in str(refused.value)


def test_without_a_key_the_library_is_not_loaded() -> None:
    script = """
import sys
from concierge.entrypoints.wiring import unconnected
from concierge.kit.settings import Settings
unconnected(Settings(secret_key="k" * 32))
print("stripe" in sys.modules, "concierge.billing.payments" in sys.modules)
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True"]


def test_without_the_library_its_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_found(_name: str) -> None: ...

    monkeypatch.setattr("concierge.billing.payments.find_spec", nothing_found)

    with pytest.raises(BillingSettingsError, match=r"pip install 'concierge\[stripe\]'"):
        create_payments(settings_for(StripeServer(url="http://127.0.0.1:1")), plan_table())


def test_settings_are_read_from_the_environment_and_hide_their_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "STRIPE_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "PRICES__PROFESSIONAL": "price_1",
        "DEFAULT_PLAN": "professional",
    }.items():
        monkeypatch.setenv(f"CONCIERGE_BILLING__{name}", value)

    settings = Settings()

    assert settings.billing.prices == {"professional": "price_1"}
    assert settings.billing.default_plan == "professional"
    assert KEY not in f"{settings!r} {settings.model_dump_json()}"
    assert WEBHOOK_SECRET not in f"{settings!r} {settings.model_dump_json()}"
