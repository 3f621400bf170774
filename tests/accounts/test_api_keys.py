"""API keys: shown once, kept as a digest, limited to their scopes, revocable at once."""

from typing import Any

import httpx
import psycopg
import pytest

from concierge.entrypoints.wiring import DatabaseAddress
from tests.accounts.people import audited
from tests.factories.tenants import Tenant, bearer

pytestmark = pytest.mark.anyio


async def make_key(tenant: Tenant, **body: Any) -> httpx.Response:
    content = {"kind": "secret", "name": "Backend", **body}
    return await tenant.client.post("/api/v1/api-keys", headers=tenant.owner, json=content)


async def listed(tenant: Tenant, key_id: str) -> dict[str, Any]:
    keys = (await tenant.client.get("/api/v1/api-keys", headers=tenant.owner)).json()
    return next(key for key in keys if key["id"] == key_id)


async def test_a_key_is_shown_once_and_kept_as_a_digest(tenant: Tenant, database: DatabaseAddress) -> None:
    made = (await make_key(tenant)).json()

    assert made["key"].startswith("sk_")
    shown = await tenant.client.get("/api/v1/api-keys", headers=tenant.owner)
    assert made["key"] not in shown.text
    assert (await listed(tenant, made["id"]))["hint"] == f"sk_…{made['key'][-4:]}"
    conninfo = database.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(conninfo) as connection:
        kept = connection.execute("SELECT k::text FROM api_keys k WHERE id = %s", [made["id"]]).fetchone()
    assert kept is not None
    assert made["key"] not in kept[0]


async def test_a_key_has_the_scopes_it_was_given_and_no_other(tenant: Tenant) -> None:
    made = (await make_key(tenant, scopes=["agents:read"])).json()
    headers = bearer(made["key"])

    allowed = await tenant.client.get("/api/v1/agents", headers=headers)
    refused = await tenant.client.get("/api/v1/conversations", headers=headers)

    assert made["scopes"] == ["agents:read"]
    assert allowed.status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")
    assert refused.json()["permission"] == "conversations:read"


@pytest.mark.parametrize(
    ("kind", "scope"),
    [
        ("secret", "members:manage"),
        ("secret", "keys:manage"),
        ("publishable", "chat"),
        ("publishable", "agents:read"),
    ],
)
async def test_a_key_cannot_be_given_more_than_its_kind_may_have(
    kind: str, scope: str, tenant: Tenant
) -> None:
    response = await make_key(tenant, kind=kind, scopes=[scope])

    assert (response.status_code, response.json()["code"]) == (422, "scope_not_allowed")


async def test_a_key_without_scopes_opens_nothing(tenant: Tenant) -> None:
    made = (await make_key(tenant, scopes=[])).json()

    for path in ("/api/v1/me", "/api/v1/agents", "/api/v1/conversations"):
        assert (await tenant.client.get(path, headers=bearer(made["key"]))).status_code == 403


async def test_a_revoked_key_opens_nothing_from_then_on(tenant: Tenant) -> None:
    made = (await make_key(tenant)).json()
    assert (await tenant.client.get("/api/v1/agents", headers=bearer(made["key"]))).status_code == 200

    for _ in range(2):
        revoked = await tenant.client.delete(f"/api/v1/api-keys/{made['id']}", headers=tenant.owner)
        assert revoked.status_code == 204

    refused = await tenant.client.get("/api/v1/agents", headers=bearer(made["key"]))
    assert (refused.status_code, refused.json()["code"]) == (401, "key_invalid")
    assert (await listed(tenant, made["id"]))["revoked_at"] is not None
    assert len(await audited(tenant, "key.revoked")) == 1


async def test_a_key_knows_when_it_was_last_used(tenant: Tenant) -> None:
    made = (await make_key(tenant)).json()
    assert (await listed(tenant, made["id"]))["last_used_at"] is None

    await tenant.client.get("/api/v1/agents", headers=bearer(made["key"]))

    used = (await listed(tenant, made["id"]))["last_used_at"]
    assert used >= made["created_at"]


async def test_a_publishable_key_gets_visitor_tokens_and_nothing_else(tenant: Tenant) -> None:
    token = await tenant.client.post(
        "/api/v1/visitors/token", headers=tenant.publishable, json={"agent_id": str(tenant.agent_id)}
    )
    chat = await tenant.client.post(
        f"/api/v1/chat/{tenant.agent_id}", headers=tenant.publishable, json={"message": "Hello?"}
    )
    me = await tenant.client.get("/api/v1/me", headers=tenant.publishable)

    assert token.status_code == 200
    assert (chat.status_code, me.status_code) == (403, 403)


async def test_making_a_key_is_on_record_without_the_key(tenant: Tenant) -> None:
    response = await make_key(tenant)

    event = next(
        event for event in await audited(tenant, "key.created") if event["subject"] == response.json()["id"]
    )
    assert event["details"] == {"kind": "secret"}
    assert event["request_id"] == response.headers["x-request-id"]
    assert response.json()["key"] not in str(event)


async def test_the_audit_log_is_read_page_by_page_newest_first(tenant: Tenant) -> None:
    for _ in range(3):
        await make_key(tenant)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        parameters = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await tenant.client.get("/api/v1/audit-log", headers=tenant.owner, params=parameters)).json()
        seen += [event["id"] for event in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) >= 6
    assert seen == sorted(seen, reverse=True)
