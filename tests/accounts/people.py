"""People over HTTP: sign them up, sign them in, add them to an organization."""

import re
from typing import Any

import httpx

from concierge.accounts.scope import Role
from concierge.kit.ids import new_id
from tests.factories.tenants import PASSWORD, Tenant, bearer

WEAK = "too short"


def new_email() -> str:
    return f"person-{new_id()}@shop.example"


async def sign_up(client: httpx.AsyncClient, **changes: str) -> httpx.Response:
    body = {"organization": "Shop", "name": "Ann", "email": new_email(), "password": PASSWORD, **changes}
    return await client.post("/api/v1/auth/sign-up", json=body)


async def log_in(client: httpx.AsyncClient, email: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/v1/auth/login", json={"email": email, "password": password})


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/api/v1/auth/refresh", json={"refresh_token": token})


async def who(client: httpx.AsyncClient, access_token: str) -> httpx.Response:
    return await client.get("/api/v1/me", headers=bearer(access_token))


async def add_member(
    tenant: Tenant, role: Role, headers: dict[str, str] | None = None, **changes: str
) -> httpx.Response:
    body = {"email": new_email(), "name": "Bob", "role": role, "password": PASSWORD, **changes}
    return await tenant.client.post("/api/v1/members", headers=headers or tenant.owner, json=body)


async def signed_in_as(tenant: Tenant, role: Role) -> tuple[dict[str, str], dict[str, Any]]:
    """Add a member of a role. Returns the headers of their session, and the member."""
    added = await add_member(tenant, role)
    assert added.status_code == 201, added.text
    pair = await log_in(tenant.client, added.json()["email"])
    return bearer(pair.json()["access_token"]), added.json()


async def audited(tenant: Tenant, action: str) -> list[dict[str, Any]]:
    log = await tenant.client.get("/api/v1/audit-log", headers=tenant.owner, params={"limit": 200})
    return [event for event in log.json()["items"] if event["action"] == action]


def told(response: httpx.Response) -> dict[str, Any]:
    """A problem without what differs between any two requests."""
    return {name: value for name, value in response.json().items() if name != "request_id"}


def secrets_in(text: str) -> list[str]:
    """What looks like a key, a token or a password's hash."""
    return re.findall(r"[sp]k_[\w-]{12,}|eyJ[\w-]+\.[\w-]+\.[\w-]*|\$argon2\S+", text)
