"""An operator at work over HTTP."""

from typing import Any

import httpx

from tests.factories.tenants import Tenant

RULE: dict[str, Any] = {
    "name": "Outages",
    "when": {"phrases": ["is down", "outage"], "page_contains": "/status"},
    "then": {"dimension": "urgency_level", "raise_to": "critical"},
}
ATTRIBUTE: dict[str, Any] = {
    "name": "customer_kind",
    "description": "Who is asking?",
    "values": [
        {"value": "trade", "description": "buys to sell again", "phrases": ["my shop", "wholesale"]},
        {"value": "private", "description": "buys for the home"},
    ],
}


async def call(tenant: Tenant, method: str, path: str, body: Any = None, **headers: Any) -> httpx.Response:
    return await tenant.client.request(
        method, f"/api/v1/intelligence{path}", headers=headers or tenant.owner, json=body
    )


async def made(tenant: Tenant, path: str, body: Any) -> dict[str, Any]:
    response = await call(tenant, "POST", path, body)
    assert response.status_code == 201, response.text
    return response.json()


async def rule_with(tenant: Tenant, **changes: Any) -> dict[str, Any]:
    return await made(tenant, "/rules", {**RULE, **changes})


async def attribute_with(tenant: Tenant, **changes: Any) -> dict[str, Any]:
    return await made(tenant, "/attributes", {**ATTRIBUTE, **changes})


def told(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]
