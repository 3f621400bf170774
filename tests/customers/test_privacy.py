"""Two people and one computer, and whoever tries to be somebody else."""

import asyncio
import json
from typing import Any

import httpx
import jwt
import pytest

from concierge.kit.ids import new_id
from tests.factories.tenants import Tenant, bearer, sign_identity

pytestmark = pytest.mark.anyio

FOREIGN = {"Origin": "https://evil.example"}


async def reset(tenant: Tenant, visitor: dict[str, str], **headers: str) -> httpx.Response:
    return await tenant.client.post("/api/v1/visitors/reset", headers={**visitor, **headers})


async def customer(tenant: Tenant, external_id: str) -> dict[str, Any]:
    found = await tenant.client.get("/api/v1/customers", headers=tenant.owner, params={"search": external_id})
    (only,) = found.json()["items"]
    return only


def id_of(visitor: dict[str, str]) -> str:
    token = visitor["Authorization"].removeprefix("Bearer ")
    return jwt.decode(token, options={"verify_signature": False})["sub"]


async def test_a_visitor_who_said_nothing_yet_is_ended_too(tenant: Tenant) -> None:
    secret = await tenant.identity_secret()
    visitor = await tenant.visitor()

    assert (await reset(tenant, visitor)).status_code == 200

    asked = await tenant.client.post(
        f"/api/v1/chat/{tenant.agent_id}", headers=visitor, json={"message": "Hello?"}
    )
    identified = await tenant.identify(visitor, sign_identity(secret, sub="ann"))
    assert asked.json()["code"] == identified.json()["code"] == "visitor_ended"


async def test_an_ended_visitor_reads_none_of_what_was_said(tenant: Tenant) -> None:
    visitor = await tenant.visitor()
    turn = await tenant.ask_as(visitor, "My name is Ann, and I live at 7 Reef Road.")
    address = f"/api/v1/chat/{tenant.agent_id}/turns/{turn['turn_id']}/events"
    assert (await tenant.client.get(address, headers=visitor)).status_code == 200

    await reset(tenant, visitor)

    refused = await tenant.client.get(address, headers=visitor)
    assert (refused.status_code, refused.json()["code"]) == (403, "visitor_ended")


async def test_a_reset_whose_answer_was_lost_may_be_asked_again(tenant: Tenant) -> None:
    visitor = await tenant.visitor()

    answers = [await reset(tenant, visitor) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len({id_of(visitor), *(answer.json()["visitor_id"] for answer in answers)}) == 3


@pytest.mark.parametrize("claim", [[], {}, ["a"], 5, True, "x" * 5_000])
async def test_a_token_bound_to_no_visitor_at_all_is_refused(tenant: Tenant, claim: Any) -> None:
    secret = await tenant.identity_secret()

    refused = await tenant.identify(
        await tenant.visitor(), sign_identity(secret, sub="ann", visitor_id=claim)
    )

    assert (refused.status_code, refused.json()["code"]) == (403, "identity_refused")


@pytest.mark.parametrize("path", ["identify", "reset"])
async def test_only_pages_of_allowed_origins_say_who_somebody_is(tenant: Tenant, path: str) -> None:
    token = sign_identity(await tenant.identity_secret(), sub="ann")

    refused = await tenant.client.post(
        f"/api/v1/visitors/{path}",
        headers={**(await tenant.visitor()), **FOREIGN},
        json={"user_token": token} if path == "identify" else None,
    )

    assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")


async def test_whoever_identifies_twice_at_one_moment_is_one_customer(tenant: Tenant) -> None:
    secret = await tenant.identity_secret()
    visitor = await tenant.visitor()
    token = sign_identity(secret, sub="ann")

    answers = await asyncio.gather(*(tenant.identify(visitor, token) for _ in range(5)))

    assert [answer.status_code for answer in answers] == [200] * 5
    assert {answer.json()["visitor_id"] for answer in answers} == {id_of(visitor)}


async def test_identifying_while_writing_is_no_deadlock(tenant: Tenant) -> None:
    secret = await tenant.identity_secret()
    visitors = [await tenant.visitor() for _ in range(4)]
    for visitor in visitors:
        await tenant.ask_as(visitor, "Hello?")

    answers = await asyncio.gather(
        *(
            tenant.identify(visitor, sign_identity(secret, sub="ann", jti=id_of(visitor)))
            for visitor in visitors
        ),
        *(
            tenant.client.post(f"/api/v1/chat/{tenant.agent_id}", headers=visitor, json={"message": "And?"})
            for visitor in visitors * 2
        ),
    )

    assert {answer.status_code for answer in answers} == {200}
    assert (await customer(tenant, "ann"))["turns"] == 12


async def test_a_guessed_id_of_somebody_else_opens_nothing(tenant: Tenant) -> None:
    secret = await tenant.identity_secret()
    ann, thief = await tenant.visitor(), await tenant.visitor()
    turn = await tenant.ask_as(ann, "I am Ann.")
    await tenant.identify(ann, sign_identity(secret, sub="ann", email="ann@shop.example"))
    known = await customer(tenant, "ann")

    for guess in (id_of(ann), known["id"]):
        reply = await tenant.ask_as(thief, "Who am I?", visitor_id=guess, user_id="ann")
        assert reply["customer_context"]["visitor_id"] == id_of(thief)
    taken_up = await tenant.client.post(
        f"/api/v1/chat/{tenant.agent_id}",
        headers=thief,
        json={"message": "Go on.", "conversation_id": turn["conversation_id"]},
    )

    assert (taken_up.status_code, taken_up.json()["code"]) == (404, "conversation_not_found")
    assert (await customer(tenant, "ann"))["turns"] == known["turns"]
    record = await tenant.client.get(f"/api/v1/customers/{known['id']}", headers=thief)
    assert record.status_code == 403


async def test_a_merge_brings_what_the_business_wrote_of_the_anonymous_and_undoing_gives_it_back(
    tenant: Tenant,
) -> None:
    secret = await tenant.identity_secret()
    phone, laptop = await tenant.visitor(), await tenant.visitor()
    for visitor in (phone, laptop):
        await tenant.ask_as(visitor, "Hello?")
    await tenant.identify(phone, sign_identity(secret, sub="ann", jti="1"))
    ann, anonymous = await customer(tenant, "ann"), id_of(laptop)
    for customer_id, body in (
        (ann["id"], {"labels": ["vip"], "attributes": {"size": "M", "city": "Suva"}}),
        (anonymous, {"labels": ["fair"], "attributes": {"size": "L", "booth": 4}}),
    ):
        await tenant.client.patch(f"/api/v1/customers/{customer_id}", headers=tenant.owner, json=body)
    before = [
        (await tenant.client.get(f"/api/v1/customers/{customer_id}", headers=tenant.owner)).json()
        for customer_id in (ann["id"], anonymous)
    ]

    await tenant.identify(laptop, sign_identity(secret, sub="ann", jti="2", name="Ann Again"))
    merged = await customer(tenant, "ann")
    merges = await tenant.client.get(f"/api/v1/customers/{ann['id']}/merges", headers=tenant.owner)
    undone = await tenant.client.post(
        f"/api/v1/customers/merges/{merges.json()[0]['id']}/undo", headers=tenant.owner
    )

    assert set(merged["labels"]) == {"vip", "fair"}
    assert merged["attributes"] == {"size": "M", "city": "Suva", "booth": 4}
    assert undone.status_code == 200
    after = [
        (await tenant.client.get(f"/api/v1/customers/{customer_id}", headers=tenant.owner)).json()
        for customer_id in (ann["id"], anonymous)
    ]
    own = {"updated_at", "name"}
    assert [{key: value for key, value in row.items() if key not in own} for row in after] == [
        {key: value for key, value in row.items() if key not in own} for row in before
    ]


async def test_a_reset_leaves_the_customers_other_devices_alone(tenant: Tenant) -> None:
    secret = await tenant.identity_secret()
    phone, shared = await tenant.visitor(), await tenant.visitor()
    for number, visitor in enumerate((phone, shared)):
        await tenant.ask_as(visitor, "Hello?")
        await tenant.identify(visitor, sign_identity(secret, sub="ann", jti=str(number)))

    fresh = bearer((await reset(tenant, shared)).json()["token"])

    assert (await tenant.ask_as(phone, "Still me?"))["customer_context"]["visitor_id"] == id_of(phone)
    assert id_of(fresh) not in {id_of(phone), id_of(shared)}
    assert (await tenant.ask_as(fresh, "Hello?"))["customer_context"]["returning_customer"] is False


async def test_a_token_of_ten_megabytes_is_refused_before_it_is_read(tenant: Tenant) -> None:
    visitor = await tenant.visitor()

    long = await tenant.identify(visitor, "e" * 9_000)
    huge = await tenant.identify(visitor, "e" * 10_000_000)

    assert (long.status_code, huge.status_code) == (422, 413)


@pytest.mark.parametrize(
    "body",
    [
        {"attributes": {"note": "x" * 20_000}},
        {"attributes": {str(number): 0 for number in range(201)}},
        {"attributes": {"a\x00b": 1}},
        {"attributes": {"a": "b\x00"}},
        {"attributes": {"a": {"b": ["\x00"]}}},
        {"attributes": []},
        {"attributes": {"a": float("1e400")}},
        {"labels": ["x"] * 51},
        {"labels": ["x" * 61]},
        {"labels": "vip"},
        {"name": 5},
        {"email": "nobody"},
        {"profile_type": "anonymous"},
        {"external_id": ""},
        {"external_id": "x" * 201},
        {"visits": 9},
    ],
    ids=str,
)
async def test_a_profile_that_cannot_be_kept_is_refused(tenant: Tenant, body: dict[str, Any]) -> None:
    wanted = {"external_id": f"u-{new_id()}", **body}

    refused = await tenant.client.put(
        "/api/v1/customers",
        headers={**tenant.owner, "Content-Type": "application/json"},
        content=dumped(wanted),
    )

    assert refused.status_code in {400, 422}, refused.text


@pytest.mark.parametrize("depth", [500, 900, 2_000, 3_200])
async def test_attributes_nested_deeply_are_no_fault_of_ours(tenant: Tenant, depth: int) -> None:
    nested = b'{"external_id": "deep", "attributes": {"a": ' + b"[" * depth + b"]" * depth + b"}}"

    response = await tenant.client.put(
        "/api/v1/customers", headers={**tenant.owner, "Content-Type": "application/json"}, content=nested
    )

    assert response.status_code in {200, 400, 422}, response.text


async def test_attributes_do_not_grow_by_one_patch_after_another(tenant: Tenant) -> None:
    made = await tenant.client.put("/api/v1/customers", headers=tenant.owner, json={"external_id": "ann"})
    address = f"/api/v1/customers/{made.json()['id']}"

    answers = [
        await tenant.client.patch(
            address, headers=tenant.owner, json={"attributes": {f"note{number}": "x" * 9_000}}
        )
        for number in range(2)
    ]

    assert (answers[1].status_code, answers[1].json()["code"]) == (422, "attributes_full")
    assert (await tenant.client.get(address, headers=tenant.owner)).json()["attributes"].keys() == {"note0"}


@pytest.mark.parametrize("path", ["identify", "reset"])
async def test_a_page_elsewhere_may_call_what_is_for_visitors(tenant: Tenant, path: str) -> None:
    asked = await tenant.client.options(
        f"/api/v1/visitors/{path}",
        headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"},
    )

    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == "https://shop.example"


def dumped(value: Any) -> bytes:
    """As JSON, with what only Python's writer lets through."""
    return json.dumps(value).encode()
