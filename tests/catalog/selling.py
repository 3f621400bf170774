"""Shops with something to sell, and what they say to a visitor on a day."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx

from concierge.accounts.scope import PUBLIC, Audiences, Unit
from concierge.catalog.schemas.context import ProductContext
from concierge.catalog.service import ProductContexts
from concierge.entrypoints.demo.offers import load_catalog
from concierge.llm.embedders import QuestionVectors
from tests.factories.tenants import Tenant

TODAY = date(2026, 11, 26)


@dataclass(slots=True)
class Now:
    """A clock that is set by hand."""

    at: datetime = datetime(2026, 11, 26, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True)
class Shop:
    tenant: Tenant
    contexts: ProductContexts
    now: Now

    @classmethod
    def of(cls, tenant: Tenant) -> "Shop":
        now = Now()
        platform = tenant.platform
        contexts = ProductContexts(platform.db, QuestionVectors(platform.embedders), now)
        return cls(tenant, contexts, now)

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.tenant.client.request(
            method, f"/api/v1/catalog{path}", headers=self.tenant.owner, json=body
        )

    async def add(self, path: str, **body: Any) -> UUID:
        response = await self.call("POST", f"/{path}", body)
        assert response.status_code == 201, response.text
        return UUID(response.json()["id"])

    async def product(self, sku: str, title: str, price: str | None = None, **body: Any) -> UUID:
        return await self.add("products", sku=sku, title=title, price=price, **body)

    async def asked(
        self, message: str, *, audiences: Audiences = PUBLIC, today: date | None = None
    ) -> ProductContext:
        return await self.contexts.of(self.tenant.scope, message, audiences=audiences, today=today)

    async def titles(self, message: str, **more: Any) -> list[str]:
        return [entry.title for entry in (await self.asked(message, **more)).matches]

    async def furnish(self) -> None:
        """Load the demo shop's catalogue."""
        async with self.tenant.platform.db.transaction(self.tenant.org_id) as session:
            await load_catalog(Unit(session, self.tenant.scope), self.tenant.platform.catalog)
