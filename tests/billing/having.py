"""What an organization has, over HTTP."""

from typing import Any

import httpx

from tests.factories.tenants import Tenant


async def entitlements(tenant: Tenant) -> dict[str, Any]:
    response = await tenant.client.get("/api/v1/billing/entitlements", headers=tenant.owner)
    assert response.status_code == 200, response.text
    return response.json()


async def plan_of(tenant: Tenant) -> str:
    """The plan in force, which both the route and whoever asks by feature must agree on."""
    shown = (await entitlements(tenant))["plan"]
    assert (await tenant.platform.billing.plans.of(tenant.scope)).plan == shown
    return shown


async def set_plan(tenant: Tenant, plan: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return await tenant.client.put(
        "/api/v1/billing/plan", headers=headers or tenant.owner, json={"plan": plan}
    )
