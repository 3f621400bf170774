"""Rules of one's own over what a visit says, over HTTP."""

from typing import Any

import httpx
import pytest

from tests.factories.furnished import Furnished
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

RULE: dict[str, Any] = {
    "name": "Offers",
    "when": {"source": "page", "any": ["/angebote"]},
    "then": [{"what": "interest", "value": "pricing", "confidence": 0.9}],
}


async def call(tenant: Tenant, method: str, path: str = "", body: Any = None) -> httpx.Response:
    return await tenant.client.request(
        method, f"/api/v1/customers/session-rules{path}", headers=tenant.owner, json=body
    )


async def preview(tenant: Tenant, **context: Any) -> list[tuple[str, str, str]]:
    response = await call(tenant, "POST", "/preview", context)
    assert response.status_code == 200, response.text
    return [(one["what"], one["value"], one["rule"]) for one in response.json()["inferred"]]


async def named(tenant: Tenant, name: str) -> dict[str, Any]:
    return next(rule for rule in (await call(tenant, "GET")).json() if rule["name"] == name)


async def test_a_rule_of_ones_own_goes_before_the_built_in_ones_at_once(
    tenant: Tenant, stranger: Tenant
) -> None:
    before = await preview(tenant, current_page="/angebote/sofas")
    made = await call(tenant, "POST", "", RULE | {"when": {"source": "page", "any": ["angebote"]}})

    after = await preview(tenant, current_page="/angebote/sofas")

    assert made.status_code == 201
    assert ("interest", "offers", "page.sale") in before
    assert ("interest", "pricing", "Offers") in after
    assert ("interest", "pricing", "Offers") not in await preview(stranger, current_page="/angebote/sofas")


async def test_a_path_is_looked_for_from_its_beginning(tenant: Tenant) -> None:
    await call(tenant, "POST", "", RULE | {"when": {"source": "page", "any": ["/de/aktion"]}})

    assert ("interest", "pricing", "Offers") in await preview(tenant, current_page="/de/aktion/2")
    assert ("interest", "pricing", "Offers") not in await preview(tenant, current_page="/x/de/aktion")


async def test_a_built_in_rule_can_be_switched_off_and_on_again(tenant: Tenant, stranger: Tenant) -> None:
    rule = await named(tenant, "page.pricing")
    assert (rule["built_in"], rule["enabled"]) == (True, True)

    off = await call(tenant, "PATCH", f"/{rule['id']}", {"enabled": False})

    assert off.json()["enabled"] is False
    assert await preview(tenant, current_page="/pricing") == []
    assert await preview(stranger, current_page="/pricing") != []
    await call(tenant, "PATCH", f"/{rule['id']}", {"enabled": True})
    assert await preview(tenant, current_page="/pricing") != []


async def test_a_built_in_rule_is_neither_changed_nor_deleted(tenant: Tenant) -> None:
    rule = await named(tenant, "page.pricing")

    for method, body in (("PATCH", {"name": "Mine"}), ("DELETE", None)):
        refused = await call(tenant, method, f"/{rule['id']}", body)
        assert (refused.status_code, refused.json()["code"]) == (409, "built_in_rule")


async def test_a_rule_is_changed_and_deleted(tenant: Tenant) -> None:
    made = (await call(tenant, "POST", "", RULE)).json()
    changed = await call(
        tenant, "PATCH", f"/{made['id']}", {"then": [{"what": "stage", "value": "decision"}]}
    )

    assert changed.json()["when"] == RULE["when"]
    assert changed.json()["then"] == [{"what": "stage", "value": "decision", "confidence": 0.8}]
    assert (await call(tenant, "DELETE", f"/{made['id']}")).status_code == 204
    assert [rule for rule in (await call(tenant, "GET")).json() if not rule["built_in"]] == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"when": {"source": "page", "any": []}}, "at least 1"),
        ({"when": {"source": "cookie", "any": ["x"]}}, "'page'"),
        ({"when": {"source": "page", "any": ["x" * 101]}}, "at most 100"),
        ({"then": [{"what": "stage", "value": "buying"}]}, "awareness"),
        ({"then": [{"what": "mood", "value": "happy"}]}, "'interest'"),
        ({"then": [{"what": "interest", "value": "a"}, {"what": "interest", "value": "b"}]}, "once"),
        ({"then": []}, "at least 1"),
        ({"name": " "}, "at least 1"),
    ],
)
async def test_a_wrong_rule_is_refused_with_a_reason(
    body: dict[str, Any], reason: str, shop: Furnished
) -> None:
    refused = await call(shop.tenant, "POST", "", RULE | body)

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
    assert reason in refused.json()["detail"]


async def test_a_strangers_rule_is_not_there(tenant: Tenant, stranger: Tenant) -> None:
    made = (await call(tenant, "POST", "", RULE)).json()

    for method, body in (("PATCH", {"enabled": False}), ("DELETE", None)):
        refused = await call(stranger, method, f"/{made['id']}", body)
        assert (refused.status_code, refused.json()["code"]) == (404, "session_rule_not_found")
    assert (await named(tenant, "Offers"))["enabled"] is True
