"""A shop whose clock can be turned, and a visitor who comes back to it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from concierge.accounts.scope import Unit
from concierge.entrypoints.api.app import create_app
from concierge.entrypoints.demo.load import demo_documents
from concierge.entrypoints.demo.offers import load_catalog
from concierge.entrypoints.wiring import DatabaseAddress, Platform, build
from concierge.kit.ids import new_id
from concierge.kit.settings import Settings
from concierge.llm.embeddings import Embedder
from tests.factories.tenants import Tenant, bearer, make_tenant, sign_identity

# Within the dates of the shop's offers.
BEGIN = datetime(2026, 11, 10, 18, 30, tzinfo=UTC)


@dataclass(slots=True)
class SimulatedClock:
    now: datetime = BEGIN

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said, and everything that was known and decided for it."""

    reply: dict[str, Any]
    trace: dict[str, Any]

    @property
    def text(self) -> str:
        return self.reply["response"]

    @property
    def customer(self) -> dict[str, Any]:
        return self.trace["customer"]

    @property
    def strategy(self) -> dict[str, Any]:
        return self.trace["strategy"]

    @property
    def remembered(self) -> list[str]:
        return [fact["value"] for fact in self.customer["memories"]]


@dataclass(slots=True)
class Browser:
    """One device of somebody; each visit begins a new conversation."""

    shop: "Shop"
    headers: dict[str, str]
    context: dict[str, Any] = field(default_factory=dict[str, Any])
    conversation_id: str | None = None

    def visits(self, **context: Any) -> None:
        local = self.shop.clock.now.isoformat(timespec="seconds")
        self.context, self.conversation_id = {"local_time": local, **context}, None

    async def says(self, message: str) -> Turn:
        """Write, and wait until it is remembered."""
        going_on = {"conversation_id": self.conversation_id} if self.conversation_id else {}
        reply = await self.shop.tenant.ask_as(self.headers, message, session_context=self.context, **going_on)
        self.conversation_id = reply["conversation_id"]
        tenant = self.shop.tenant
        await tenant.platform.remembering.run(tenant.scope, UUID(reply["turn_id"]))
        trace = await tenant.client.get(f"/api/v1/turns/{reply['turn_id']}/trace", headers=tenant.secret)
        assert trace.status_code == 200, trace.text
        self.shop.clock.now += timedelta(minutes=1)
        return Turn(reply, trace.json()["trace"])

    async def is_identified(self, user: str, **claims: Any) -> None:
        token = sign_identity(self.shop.secret, sub=user, jti=str(new_id()), **self.shop.expiry(), **claims)
        response = await self.shop.tenant.identify(self.headers, token)
        assert response.status_code == 200, response.text
        self.headers = bearer(response.json()["token"])

    async def memory(self) -> list[dict[str, Any]]:
        response = await self.shop.tenant.client.get("/api/v1/memory", headers=self.headers)
        assert response.status_code == 200, response.text
        return response.json()["items"]


@dataclass(slots=True)
class Shop:
    tenant: Tenant
    clock: SimulatedClock
    secret: str

    def expiry(self) -> dict[str, Any]:
        return {"exp": self.clock.now + timedelta(hours=1)}

    async def browser(self) -> Browser:
        return Browser(self, await self.tenant.visitor())

    def days_later(self, days: int) -> None:
        self.clock.now += timedelta(days=days)


@asynccontextmanager
async def opened(settings: Settings, database: DatabaseAddress, embedder: Embedder) -> AsyncGenerator[Shop]:
    """The furniture shop of the demo, with its documents and its catalogue."""
    clock = SimulatedClock()
    platform = build(settings, database, embedder=embedder, clock=clock)
    transport = httpx.ASGITransport(create_app(platform), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        tenant = await make_tenant(platform, client)
        await tenant.read(demo_documents())
        await _stock(platform, tenant)
        yield Shop(tenant, clock, await tenant.identity_secret())
    await platform.close()


async def _stock(platform: Platform, tenant: Tenant) -> None:
    async with platform.db.transaction(tenant.org_id) as session:
        await load_catalog(Unit(session, tenant.scope), platform.catalog)
