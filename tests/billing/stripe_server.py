"""A server on this machine that answers as Stripe's API does, and what Stripe sends by itself: signed events."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import httpx
import stripe
from pydantic import HttpUrl, SecretStr

from concierge.kit.ids import new_id
from concierge.kit.settings import Billing

KEY = "sk_test_51AKeyThatNobodyMaySee0123456789"
WEBHOOK_SECRET = "whsec_aSecretThatNobodyMaySee0123456789"
PRICES = {"professional": "price_professional", "enterprise": "price_enterprise"}
PLAN_OF = {price: plan for plan, price in PRICES.items()}
# What Stripe says by status: its kinds of error, and a message that holds what must stay here.
ERROR_KINDS = {401: "invalid_request_error", 402: "card_error", 429: "invalid_request_error"}
MESSAGE = f"Something about {KEY} that only a programmer understands."


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    headers: Mapping[str, str]
    form: Mapping[str, str]


@dataclass(slots=True)
class StripeServer:
    """`status` is what it answers everything with, `delay_s` how long it takes; `body` replaces what it says.

    It does not know the customers in `forgotten`.
    """

    url: str = ""
    status: int = 200
    delay_s: float = 0.0
    body: bytes | None = None
    forgotten: frozenset[str] = frozenset()
    requests: list[Request] = field(default_factory=list[Request])

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _request(reader)
        self.requests.append(request)
        if self.delay_s:
            # Until then, or until whoever asked has left.
            with suppress(TimeoutError):
                await asyncio.wait_for(reader.read(), self.delay_s)
        status, body = self._answer(request)
        head = f"HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nRequest-Id: req_1\r\n"
        writer.write(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def _answer(self, request: Request) -> tuple[int, bytes]:
        status = 401 if request.headers["authorization"] != f"Bearer {KEY}" else self.status
        if self.body is not None:
            return status, self.body
        if request.form.get("customer") in self.forgotten:
            unknown = {"type": "invalid_request_error", "code": "resource_missing", "param": "customer"}
            return 400, json.dumps({"error": {**unknown, "message": "No such customer"}}).encode()
        if status != 200:
            kind = ERROR_KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")
            return status, json.dumps({"error": {"type": kind, "message": MESSAGE}}).encode()
        session = {"id": "s_1", "livemode": False, "url": f"https://pay.stripe.example{request.path}"}
        name = "checkout.session" if request.path == "/v1/checkout/sessions" else "billing_portal.session"
        return 200, json.dumps({"object": name, **session}).encode()


@asynccontextmanager
async def standing_in() -> AsyncGenerator[StripeServer]:
    server = StripeServer()
    async with await asyncio.start_server(server.handle, "127.0.0.1", 0) as listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server


def settings_for(server: StripeServer, **changes: Any) -> Billing:
    settings = Billing(
        stripe_key=SecretStr(KEY),
        stripe_webhook_secret=SecretStr(WEBHOOK_SECRET),
        stripe_url=HttpUrl(server.url),
        prices=PRICES,
    )
    return settings.model_copy(update=changes)


async def _request(reader: asyncio.StreamReader) -> Request:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    form = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(first.split(" ")[1], headers, dict(parse_qsl(form.decode())))


# What Stripe sends. Events are dated by seconds, as Stripe's are.


def checkout_completed(
    org_id: UUID | str, plan: str = "professional", *, at: int = 100, paid: str = "paid", **changes: Any
) -> dict[str, Any]:
    session = {
        "id": "cs_1",
        "object": "checkout.session",
        "mode": "subscription",
        "payment_status": paid,
        "customer": customer_of(org_id),
        "subscription": subscription_of(org_id),
        "client_reference_id": str(org_id),
        "metadata": {"org_id": str(org_id), "plan": plan},
    }
    return event("checkout.session.completed", {**session, **changes}, at)


def subscription_updated(
    org_id: UUID | str, price: str = "price_professional", *, at: int = 100, **changes: Any
) -> dict[str, Any]:
    return event("customer.subscription.updated", _subscription(org_id, price, **changes), at)


def subscription_deleted(
    org_id: UUID | str, price: str = "price_professional", *, at: int = 100, **changes: Any
) -> dict[str, Any]:
    return event(
        "customer.subscription.deleted", _subscription(org_id, price, status="canceled", **changes), at
    )


def payment_failed(org_id: UUID | str, *, at: int = 100, **changes: Any) -> dict[str, Any]:
    details = {"subscription": subscription_of(org_id), "metadata": {"org_id": str(org_id)}}
    invoice = {
        "id": "in_1",
        "object": "invoice",
        "customer": customer_of(org_id),
        "parent": {"type": "subscription_details", "subscription_details": details},
    }
    return event("invoice.payment_failed", {**invoice, **changes}, at)


def event(kind: str, row: Mapping[str, Any], at: int) -> dict[str, Any]:
    return {
        "id": f"evt_{new_id().hex}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "type": kind,
        "created": 1_790_000_000 + at,
        "livemode": False,
        "data": {"object": dict(row)},
    }


def _subscription(org_id: UUID | str, price: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": subscription_of(org_id),
        "object": "subscription",
        "customer": customer_of(org_id),
        "status": "active",
        "items": {"object": "list", "data": [{"id": "si_1", "price": {"id": price, "object": "price"}}]},
        "metadata": {"org_id": str(org_id)},
        **changes,
    }


def customer_of(org_id: UUID | str) -> str:
    return f"cus_{str(org_id)[-8:]}"


def subscription_of(org_id: UUID | str) -> str:
    return f"sub_{str(org_id)[-8:]}"


def signed(body: str, *, secret: str = WEBHOOK_SECRET, age_s: int = 0) -> str:
    """The header that Stripe's own library makes for a body."""
    return stripe.WebhookSignature.generate_signature_header(body, secret, int(time.time()) - age_s)


async def send(client: httpx.AsyncClient, told: Mapping[str, Any]) -> httpx.Response:
    """Deliver an event as Stripe does."""
    body = json.dumps(told)
    headers = {"Stripe-Signature": signed(body), "Content-Type": "application/json"}
    return await client.post("/api/v1/billing/webhook", content=body, headers=headers)


async def deliver(client: httpx.AsyncClient, told: Mapping[str, Any]) -> str:
    """Deliver an event. Returns what became of it."""
    response = await send(client, told)
    assert response.status_code == 200, response.text
    return response.json()["outcome"]
