"""What is remembered, over HTTP: for operators, and for the visitors themselves."""

from typing import Any

import httpx
import pytest

from concierge.accounts.scope import Unit
from concierge.customers.service import MemoryView
from tests.customers.remembering import DAY, NOON, Guest, a_guest
from tests.factories.tenants import Tenant, bearer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def guest(tenant: Tenant) -> Guest:
    return await a_guest(tenant)


async def own(guest: Guest) -> dict[str, str]:
    """Headers of the token of a visitor."""
    token, _ = guest.tenant.platform.accounts.authentication.visitor_token(
        guest.tenant.org_id, guest.tenant.agent_id, guest.visitor_id, None, ()
    )
    return bearer(token)


async def call(
    tenant: Tenant, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> httpx.Response:
    return await tenant.client.request(method, f"/api/v1{path}", headers=headers or tenant.owner, json=body)


async def remembered(guest: Guest, **params: Any) -> list[dict[str, Any]]:
    path = f"/api/v1/customers/{guest.customer_id}/memory"
    response = await guest.tenant.client.get(path, headers=guest.tenant.owner, params=params)
    assert response.status_code == 200, response.text
    return response.json()["items"]


FACT = {"kind": "preference", "subject": "Sofa", "value": "wants a sofa under $900"}


async def test_an_operator_adds_and_changes_and_nothing_is_overwritten(guest: Guest) -> None:
    path = f"/customers/{guest.customer_id}/memory"
    added = await call(guest.tenant, "POST", path, FACT)
    again = await call(guest.tenant, "POST", path, FACT | {"subject": "sofa", "value": "wants no sofa"})
    changed = await call(guest.tenant, "PATCH", f"{path}/{again.json()['id']}", {"value": "wants a red sofa"})

    assert (added.status_code, changed.status_code) == (201, 200)
    assert [fact["value"] for fact in await remembered(guest)] == ["wants a red sofa"]
    assert [fact["value"] for fact in await remembered(guest, history=True)] == [
        "wants a red sofa",
        "wants no sofa",
        "wants a sofa under $900",
    ]


async def test_what_is_closed_cannot_be_changed(guest: Guest) -> None:
    path = f"/customers/{guest.customer_id}/memory"
    added = await call(guest.tenant, "POST", path, FACT)
    await call(guest.tenant, "POST", path, FACT | {"value": "wants no sofa"})

    refused = await call(guest.tenant, "PATCH", f"{path}/{added.json()['id']}", {"value": "x"})

    assert (refused.status_code, refused.json()["code"]) == (404, "fact_not_found")


async def test_an_operator_erases_one_and_all(guest: Guest) -> None:
    await guest.says("We are vegan. I live in Berlin. We have two cats.")
    path = f"/customers/{guest.customer_id}/memory"
    (first, *_) = await remembered(guest)

    assert (await call(guest.tenant, "DELETE", f"{path}/{first['id']}")).status_code == 204
    assert len(await remembered(guest)) == 2
    assert (await call(guest.tenant, "DELETE", path)).status_code == 204
    assert await remembered(guest, history=True) == []


async def test_pages_follow_each_other(guest: Guest) -> None:
    await guest.says("We are vegan. I live in Berlin. We have two cats.")
    path = f"/api/v1/customers/{guest.customer_id}/memory"
    first = (await guest.tenant.client.get(path, headers=guest.tenant.owner, params={"limit": 2})).json()

    second = await remembered(guest, cursor=first["next_cursor"])

    assert (len(first["items"]), len(second)) == (2, 1)


async def test_a_stranger_sees_and_changes_nothing(guest: Guest, stranger: Tenant) -> None:
    await guest.says("We are vegan.")
    path = f"/customers/{guest.customer_id}/memory"
    (fact,) = await remembered(guest)

    for method, address, body in (
        ("GET", path, None),
        ("POST", path, FACT),
        ("PATCH", f"{path}/{fact['id']}", {"value": "x"}),
        ("DELETE", f"{path}/{fact['id']}", None),
        ("DELETE", path, None),
    ):
        assert (await call(stranger, method, address, body)).status_code == 404
    assert await remembered(guest) == [fact]


async def test_a_fact_is_only_there_under_its_own_customer(guest: Guest) -> None:
    await guest.says("We are vegan.")
    (fact,) = await remembered(guest)
    other = await a_guest(guest.tenant)
    address = f"/customers/{other.customer_id}/memory/{fact['id']}"

    assert (await call(guest.tenant, "PATCH", address, {"value": "x"})).status_code == 404
    assert (await call(guest.tenant, "DELETE", address)).status_code == 404


async def test_a_visitor_sees_corrects_and_erases_what_is_remembered_of_them(guest: Guest) -> None:
    await guest.says("I live in Berlin. We are vegan.")
    headers = await own(guest)
    seen = (await call(guest.tenant, "GET", "/memory", headers=headers)).json()["items"]
    home = next(fact for fact in seen if "Berlin" in fact["value"])
    diet = next(fact for fact in seen if "vegan" in fact["value"])

    right = await call(guest.tenant, "PATCH", f"/memory/{home['id']}", {"value": "lives in Hamburg"}, headers)
    gone = await call(guest.tenant, "DELETE", f"/memory/{diet['id']}", headers=headers)

    assert (right.json()["value"], gone.status_code) == ("lives in Hamburg", 204)
    assert await guest.history() == [("lives in Hamburg", True)]
    assert (await call(guest.tenant, "DELETE", "/memory", headers=headers)).status_code == 204
    assert await guest.history() == []


async def test_a_visitor_sees_and_touches_nobody_elses(guest: Guest, stranger: Tenant) -> None:
    await guest.says("I live in Berlin.")
    (fact,) = await remembered(guest)
    for other in (await a_guest(guest.tenant), await a_guest(stranger)):
        headers = await own(other)
        assert (await call(other.tenant, "GET", "/memory", headers=headers)).json()["items"] == []
        changed = await call(other.tenant, "PATCH", f"/memory/{fact['id']}", {"value": "x"}, headers)
        erased = await call(other.tenant, "DELETE", f"/memory/{fact['id']}", headers=headers)
        assert (changed.status_code, erased.status_code) == (404, 404)
        assert (await call(other.tenant, "DELETE", "/memory", headers=headers)).status_code == 204
    assert await remembered(guest) == [fact]


async def test_of_a_member_nothing_is_remembered(guest: Guest) -> None:
    await guest.says("I live in Berlin.")
    (fact,) = await remembered(guest)

    assert (await call(guest.tenant, "GET", "/memory")).json()["items"] == []
    assert (await call(guest.tenant, "DELETE", f"/memory/{fact['id']}")).status_code == 404


async def test_consent_and_lifetimes_are_an_organizations_own(tenant: Tenant, stranger: Tenant) -> None:
    wanted = {"memory": "anonymous_off", "days": {"problem": 10}}

    assert (await call(tenant, "PUT", "/customers/memory-settings", wanted)).json() == wanted
    assert (await call(tenant, "GET", "/customers/memory-settings")).json() == wanted
    assert (await call(stranger, "GET", "/customers/memory-settings")).json() == {"memory": "on", "days": {}}


@pytest.mark.parametrize(
    "body", [{"memory": "sometimes"}, {"days": {"mood": 3}}, {"days": {"goal": 0}}, {"days": {"goal": 3_651}}]
)
async def test_wrong_settings_are_refused(body: dict[str, Any], tenant: Tenant) -> None:
    assert (await call(tenant, "PUT", "/customers/memory-settings", body)).status_code == 422


async def test_a_turn_defers_its_memory_only_where_somebody_may_be_remembered(guest: Guest) -> None:
    platform, org_id = guest.tenant.platform, guest.tenant.org_id

    async def jobs() -> int:
        async with platform.db.transaction(org_id) as session:
            rows = await session.info["driver"].execute(
                "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'remember' AND args->>'org_id' = %s",
                [str(org_id)],
            )
            return (await rows.fetchall())[0][0]

    assert await jobs() == 0
    await guest.tenant.ask("Hello?", visitor_id=str(guest.visitor_id))
    assert await jobs() == 1
    await guest.tenant.ask("Hello?")
    assert await jobs() == 1
    await call(guest.tenant, "PUT", "/customers/memory-settings", {"memory": "anonymous_off"})
    await guest.tenant.ask("Hello?", visitor_id=str(guest.visitor_id))
    assert await jobs() == 1


async def test_export_holds_facts_and_summaries(guest: Guest) -> None:
    await guest.says("I live in Berlin. Do you ship there?")
    await guest.says("I moved to Hamburg.", at=NOON + DAY)

    async with guest.tenant.platform.db.transaction(guest.tenant.org_id) as session:
        export = await MemoryView(Unit(session, guest.tenant.scope)).export(guest.customer_id)

    assert {fact["value"] for fact in export.facts} == {"lives in Berlin", "lives in Hamburg"}
    assert any("Do you ship there?" in summary["text"] for summary in export.summaries)
