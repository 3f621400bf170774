"""Who a visitor is: what the business's server signed counts, and nothing a page says."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest

from concierge.agents.schemas import AgentIn
from concierge.kit.clock import utc_now
from concierge.kit.ids import new_id
from tests.factories.tenants import Tenant, bearer, sign_identity

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Business:
    tenant: Tenant
    secret: str

    async def arrives(self, message: str = "Hello") -> dict[str, str]:
        visitor = await self.tenant.visitor()
        await self.tenant.ask_as(visitor, message)
        return visitor

    async def vouch(self, visitor: dict[str, str], user: str, **claims: Any) -> dict[str, str]:
        """Have a visitor identified. Returns the headers to go on with."""
        token = sign_identity(self.secret, sub=user, jti=str(new_id()), **claims)
        response = await self.tenant.identify(visitor, token)
        assert response.status_code == 200, response.text
        return bearer(response.json()["token"])

    async def customer_of(self, visitor: dict[str, str]) -> dict[str, Any]:
        reply = await self.tenant.ask_as(visitor, "Hello again")
        trace = await self.get(f"/turns/{reply['turn_id']}/trace")
        return trace["trace"]["customer"]

    async def get(self, path: str, expected: int = 200, **query: Any) -> Any:
        response = await self.tenant.client.get(f"/api/v1{path}", headers=self.tenant.owner, params=query)
        assert response.status_code == expected, response.text
        return response.json()


@pytest.fixture
async def business(tenant: Tenant) -> Business:
    return Business(tenant, await tenant.identity_secret())


def visitor_id(headers: dict[str, str]) -> str:
    token = headers["Authorization"].removeprefix("Bearer ")
    return jwt.decode(token, options={"verify_signature": False})["sub"]


async def test_a_first_message_makes_an_anonymous_customer(business: Business) -> None:
    visitor = await business.arrives()
    customer = await business.customer_of(visitor)
    assert (customer["profile_type"], customer["returning"]) == ("anonymous", False)
    stored = await business.get(f"/customers/{customer['customer_id']}")
    assert (stored["turns"], stored["visits"]) == (2, 1)


async def test_an_anonymous_customer_becomes_the_one_the_server_names(business: Business) -> None:
    visitor = await business.arrives()
    before = await business.customer_of(visitor)
    await business.vouch(visitor, "u-1", email="ann@example.com", name="Ann")
    after = await business.customer_of(visitor)
    assert after["customer_id"] == before["customer_id"]
    assert (after["profile_type"], after["email"], after["name"]) == ("identified", "ann@example.com", "Ann")


async def test_what_was_done_before_becomes_part_of_a_known_profile_once(business: Business) -> None:
    phone, laptop = await business.arrives(), await business.arrives()
    await business.vouch(phone, "u-1")
    known = await business.customer_of(phone)
    await business.vouch(laptop, "u-1")
    await business.vouch(laptop, "u-1")
    assert (await business.customer_of(laptop))["customer_id"] == known["customer_id"]
    merges = await business.get(f"/customers/{known['customer_id']}/merges")
    assert len(merges) == 1
    assert (await business.get(f"/customers/{known['customer_id']}"))["turns"] == 4


async def test_a_merge_can_be_undone_for_a_month(business: Business) -> None:
    phone, laptop = await business.arrives(), await business.arrives()
    await business.vouch(phone, "u-1")
    known = await business.customer_of(phone)
    await business.vouch(laptop, "u-1")
    (merge,) = await business.get(f"/customers/{known['customer_id']}/merges")
    client, owner = business.tenant.client, business.tenant.owner
    undone = await client.post(f"/api/v1/customers/merges/{merge['id']}/undo", headers=owner)
    assert undone.status_code == 200
    again = await client.post(f"/api/v1/customers/merges/{merge['id']}/undo", headers=owner)
    assert (again.status_code, again.json()["code"]) == (404, "merge_not_found")
    anonymous = await business.customer_of(laptop)
    assert anonymous["customer_id"] == visitor_id(laptop)
    assert anonymous["profile_type"] == "anonymous"
    assert (await business.customer_of(phone))["customer_id"] == known["customer_id"]


async def test_on_a_shared_computer_nothing_of_the_one_goes_to_the_other(business: Business) -> None:
    browser = await business.arrives()
    await business.vouch(browser, "ann", email="ann@example.com")
    fresh = await business.vouch(browser, "bob")
    assert visitor_id(fresh) != visitor_id(browser)
    bob = await business.customer_of(fresh)
    ann = await business.customer_of(browser)
    assert (bob["email"], ann["email"]) == (None, "ann@example.com")
    assert bob["customer_id"] != ann["customer_id"]
    assert await business.get(f"/customers/{bob['customer_id']}/merges") == []


async def test_after_a_reset_the_former_visitor_cannot_go_on(business: Business) -> None:
    tenant = business.tenant
    browser = await business.arrives()
    await business.vouch(browser, "ann", email="ann@example.com")
    reset = await tenant.client.post("/api/v1/visitors/reset", headers=browser)
    fresh = bearer(reset.json()["token"])
    assert (await business.customer_of(fresh))["profile_type"] == "anonymous"

    message = {"message": "Who am I?"}
    refused = await tenant.client.post(f"/api/v1/chat/{tenant.agent_id}", headers=browser, json=message)
    assert (refused.status_code, refused.json()["code"]) == (403, "visitor_ended")
    refused = await tenant.identify(browser, sign_identity(business.secret, sub="ann"))
    assert refused.json()["code"] == "visitor_ended"
    renewed = await tenant.client.post(
        "/api/v1/visitors/token",
        headers=tenant.publishable,
        json={"agent_id": str(tenant.agent_id), "token": browser["Authorization"].removeprefix("Bearer ")},
    )
    assert renewed.json()["visitor_id"] != visitor_id(browser)


async def test_a_token_serves_one_visitor_only(business: Business) -> None:
    token = sign_identity(business.secret, sub="ann")
    ann, thief = await business.arrives(), await business.arrives()
    assert (await business.tenant.identify(ann, token)).status_code == 200
    assert (await business.tenant.identify(ann, token)).status_code == 200
    replayed = await business.tenant.identify(thief, token)
    assert (replayed.status_code, replayed.json()["code"]) == (403, "identity_token_used")
    assert (await business.customer_of(thief))["profile_type"] == "anonymous"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": utc_now() - timedelta(hours=1)}, "expired"),
        ({"exp": utc_now() + timedelta(days=3)}, "too long"),
        ({"exp": "soon"}, ""),
        ({"exp": 1e300}, ""),
        ({"sub": ""}, "1 to 200"),
        ({"sub": "x" * 201}, "1 to 200"),
        ({"sub": "a\x00b"}, "1 to 200"),
        ({"visitor_id": str(new_id())}, "another visitor"),
    ],
)
async def test_a_token_that_does_not_fit_is_refused(
    business: Business, claims: dict[str, Any], why: str
) -> None:
    visitor = await business.arrives()
    token = sign_identity(business.secret, **{"sub": "ann", **claims})
    refused = await business.tenant.identify(visitor, token)
    assert (refused.status_code, refused.json()["code"]) == (403, "identity_refused")
    assert why in refused.json()["detail"]
    assert (await business.customer_of(visitor))["profile_type"] == "anonymous"


@pytest.mark.parametrize("algorithm", ["none", "HS512"])
async def test_a_token_signed_otherwise_is_refused(business: Business, algorithm: str) -> None:
    claims = {"sub": "ann", "exp": utc_now() + timedelta(hours=1)}
    token = jwt.encode(claims, "" if algorithm == "none" else business.secret * 2, algorithm=algorithm)
    refused = await business.tenant.identify(await business.arrives(), token)
    assert refused.json()["code"] == "identity_refused"


async def test_another_organizations_signature_says_nothing_here(
    business: Business, stranger: Tenant
) -> None:
    token = sign_identity(await stranger.identity_secret(), sub="ann")
    refused = await business.tenant.identify(await business.arrives(), token)
    assert refused.json()["code"] == "identity_refused"


async def test_a_new_secret_makes_the_former_worthless(business: Business) -> None:
    await business.tenant.identity_secret()
    refused = await business.tenant.identify(
        await business.arrives(), sign_identity(business.secret, sub="ann")
    )
    assert refused.json()["code"] == "identity_refused"


async def test_without_a_secret_nobody_can_be_identified(tenant: Tenant) -> None:
    refused = await tenant.identify(await tenant.visitor(), sign_identity("x" * 40, sub="ann"))
    assert (refused.status_code, refused.json()["code"]) == (409, "identity_secret_missing")


async def test_a_hash_counts_only_where_the_business_allows_it(business: Business) -> None:
    tenant, visitor = business.tenant, await business.arrives()
    made = hmac.new(business.secret.encode(), b"ann", hashlib.sha256).hexdigest()

    async def by_hash(user_hash: str) -> httpx.Response:
        body = {"user_id": "ann", "user_hash": user_hash}
        return await tenant.client.post("/api/v1/visitors/identify", headers=visitor, json=body)

    assert (await by_hash(made)).json()["code"] == "user_hash_not_allowed"
    await tenant.client.patch(
        "/api/v1/customers/settings", headers=tenant.owner, json={"user_hash_allowed": True}
    )
    assert (await by_hash("0" * 64)).json()["code"] == "identity_refused"
    assert (await by_hash("é")).json()["code"] == "identity_refused"
    assert (await by_hash(made.upper())).status_code == 200
    assert (await business.customer_of(visitor))["profile_type"] == "identified"


async def test_a_user_id_from_a_page_says_nothing(business: Business) -> None:
    tenant, ann = business.tenant, await business.arrives()
    await business.vouch(ann, "ann", email="ann@example.com")
    visitor = await tenant.visitor()
    reply = await tenant.ask_as(visitor, "Hello", user_id="ann", visitor_id=visitor_id(ann))
    assert reply["customer_context"]["visitor_id"] == visitor_id(visitor)
    assert (await business.customer_of(visitor))["profile_type"] == "anonymous"


async def test_a_secret_key_speaks_for_its_own_customers(business: Business) -> None:
    ann = await business.arrives()
    await business.vouch(ann, "ann", email="ann@example.com")
    reply = await business.tenant.ask("Hello", user_id="ann")
    trace = await business.get(f"/turns/{reply['turn_id']}/trace")
    assert trace["trace"]["customer"]["email"] == "ann@example.com"
    again = await business.tenant.ask("Hello", user_id="ann")
    assert again["customer_context"]["visitor_id"] == reply["customer_context"]["visitor_id"]


async def test_a_visitor_of_one_agent_is_nobody_to_another(business: Business) -> None:
    tenant, visitor = business.tenant, await business.arrives()
    made = await tenant.client.post(
        "/api/v1/agents", headers=tenant.owner, json=AgentIn(name="Other").model_dump(mode="json")
    )
    refused = await tenant.client.post(
        f"/api/v1/chat/{made.json()['id']}", headers=visitor, json={"message": "Hello"}
    )
    assert refused.status_code == 404


async def test_only_a_visitors_own_token_can_identify(business: Business) -> None:
    token = sign_identity(business.secret, sub="ann")
    refused = await business.tenant.identify(business.tenant.secret, token)
    assert (refused.status_code, refused.json()["code"]) == (409, "visitor_needed")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"user_token": "x", "user_id": "ann", "user_hash": "00"},
        {"user_id": "ann"},
        {"user_hash": "00"},
        {"user_token": "x" * 8_193},
        {"user_token": 7},
    ],
)
async def test_half_a_proof_is_none(business: Business, body: dict[str, Any]) -> None:
    response = await business.tenant.client.post(
        "/api/v1/visitors/identify", headers=await business.tenant.visitor(), json=body
    )
    assert response.status_code == 422


async def test_a_customer_of_another_organization_is_not_there(business: Business, stranger: Tenant) -> None:
    customer = UUID((await business.customer_of(await business.arrives()))["customer_id"])
    for method, path, body in (
        ("GET", f"/customers/{customer}", None),
        ("PATCH", f"/customers/{customer}", {"name": "Mine"}),
        ("GET", f"/customers/{customer}/merges", None),
    ):
        response = await stranger.client.request(method, f"/api/v1{path}", headers=stranger.owner, json=body)
        assert response.status_code == 404
    assert (await stranger.client.get("/api/v1/customers", headers=stranger.owner)).json()["items"] == []


async def test_what_the_business_says_of_a_customer_holds(business: Business) -> None:
    tenant = business.tenant

    async def put(body: dict[str, Any]) -> dict[str, Any]:
        response = await tenant.client.put("/api/v1/customers", headers=tenant.secret, json=body)
        assert response.status_code == 200, response.text
        return response.json()

    made = await put({"external_id": "u-9", "name": "Ann", "attributes": {"plan": "plus", "seats": 3}})
    assert made["profile_type"] == "registered"
    again = await put({"external_id": "u-9", "labels": ["vip"], "attributes": {"seats": None}})
    assert (again["id"], again["name"], again["labels"]) == (made["id"], "Ann", ["vip"])
    assert again["attributes"] == {"plan": "plus"}
    found = await business.get("/customers", search="AN", profile_type="registered")
    assert [customer["id"] for customer in found["items"]] == [made["id"]]
    assert (await business.get("/customers", search="%"))["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"external_id": ""},
        {"external_id": "u", "attributes": {"big": "x" * 20_000}},
        {"external_id": "u", "attributes": {"nul": "\x00"}},
        {"external_id": "u", "labels": ["x"] * 51},
        {"external_id": "u", "email": "nobody"},
        {"external_id": "u", "profile_type": "anonymous"},
        {"external_id": "u", "visits": 7},
    ],
)
async def test_what_no_customer_can_be_is_refused(tenant: Tenant, body: dict[str, Any]) -> None:
    response = await tenant.client.put("/api/v1/customers", headers=tenant.owner, json=body)
    assert response.status_code == 422


async def test_an_anonymous_customer_cannot_be_called_identified(business: Business) -> None:
    customer = await business.customer_of(await business.arrives())
    response = await business.tenant.client.patch(
        f"/api/v1/customers/{customer['customer_id']}",
        headers=business.tenant.owner,
        json={"profile_type": "identified"},
    )
    assert response.json()["code"] == "profile_type_needs_id"
