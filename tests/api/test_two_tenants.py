"""Nobody sees or touches anything of another organization, on any route, nor learns that it exists."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
import pytest

from concierge.kit.ids import new_id
from tests.api.operations import BODIES, Operation, operations
from tests.factories.furnished import Furnished
from tests.factories.tenants import PASSWORD

pytestmark = pytest.mark.anyio

OPERATIONS = operations()
ADDRESSED = [operation for operation in OPERATIONS if operation.parameters]
LISTS = [operation for operation in OPERATIONS if operation.method == "GET" and not operation.parameters]
# Every field of a body that names a row, and the test below that gives it a foreign one.
NAMING_FIELDS = {
    "create_agent.pack_ids": "test_an_agent_cannot_answer_from_a_foreign_pack",
    "change_agent.pack_ids": "test_an_agent_cannot_answer_from_a_foreign_pack",
    "change_domain_expertise.persona_id": "test_an_agent_cannot_become_a_foreign_persona",
    "change_domain_expertise.pack_ids": "test_an_agent_cannot_answer_from_a_foreign_pack",
    "search_knowledge.pack_ids": "test_a_foreign_pack_is_not_searched",
    "create_visitor_token.agent_id": "test_a_publishable_key_opens_only_its_own_agents",
    "chat.conversation_id": "test_a_foreign_conversation_cannot_be_continued",
    "chat.visitor_id": "test_a_visitor_id_is_only_a_name_within_the_organization",
    "tell_event.conversation_id": "test_an_event_of_a_foreign_conversation_is_refused",
    "tell_event.visitor_id": "test_an_event_of_a_foreign_visitor_is_of_no_conversation",
    "login.org_id": "test_nobody_signs_in_to_a_foreign_organization",
}


def names(operation: Operation) -> str:
    return operation.name


def said(response: httpx.Response, ids: Mapping[str, UUID]) -> dict[str, Any]:
    """What an answer says, without what must differ between two requests for two addresses."""
    body = {name: value for name, value in response.json().items() if name != "request_id"}
    assert not any(str(value) in response.text for value in ids.values())
    return {"status": response.status_code, **body}


def test_every_route_has_a_valid_body_to_try_it_with() -> None:
    assert {operation.name for operation in OPERATIONS if operation.has_body} == set(BODIES)


@pytest.mark.parametrize("operation", ADDRESSED, ids=names)
async def test_a_foreign_row_is_like_one_that_does_not_exist(
    operation: Operation, shop: Furnished, rival: Furnished
) -> None:
    nowhere = {name: new_id() for name in operation.parameters}

    foreign = await operation.call(rival.tenant.client, rival.tenant.owner, shop.ids)
    unknown = await operation.call(rival.tenant.client, rival.tenant.owner, nowhere)

    assert foreign.status_code == 404
    assert foreign.json()["code"].endswith("_not_found")
    assert said(foreign, shop.ids) == said(unknown, nowhere)


@pytest.mark.parametrize("operation", ADDRESSED, ids=names)
async def test_a_foreign_row_is_not_there_for_a_key_either(
    operation: Operation, shop: Furnished, rival: Furnished
) -> None:
    response = await operation.call(rival.tenant.client, rival.tenant.secret, shop.ids)

    # A key cannot manage members and keys at all; everything else is not there.
    forbidden = operation.path.startswith(("/api/v1/members", "/api/v1/api-keys"))
    assert response.status_code == (403 if forbidden else 404)


@pytest.mark.parametrize("operation", LISTS, ids=names)
async def test_a_list_shows_only_rows_of_its_own(
    operation: Operation, shop: Furnished, rival: Furnished
) -> None:
    mine = await operation.call(shop.tenant.client, shop.tenant.owner, {})
    theirs = await operation.call(rival.tenant.client, rival.tenant.owner, {})

    assert mine.status_code == theirs.status_code == 200
    assert not any(mark in theirs.text for mark in shop.marks)


async def test_what_strangers_tried_changed_nothing(shop: Furnished, rival: Furnished) -> None:
    for operation in ADDRESSED:
        await operation.call(rival.tenant.client, rival.tenant.owner, shop.ids)

    readable = [operation for operation in ADDRESSED if operation.method == "GET"]
    answers = [await read.call(shop.tenant.client, shop.tenant.owner, shop.ids) for read in readable]
    agent = await shop.tenant.client.get(f"/api/v1/agents/{shop.tenant.agent_id}", headers=shop.tenant.owner)

    assert {answer.status_code for answer in answers} == {200}
    assert (agent.json()["name"], agent.json()["version"]) == ("Ada", 1)


async def test_a_filter_by_a_foreign_agent_finds_nothing(shop: Furnished, rival: Furnished) -> None:
    response = await rival.tenant.client.get(
        "/api/v1/conversations", headers=rival.tenant.owner, params={"agent_id": str(shop.tenant.agent_id)}
    )

    assert response.json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("path", ["/conversations", "/audit-log"])
async def test_a_foreign_cursor_shows_only_rows_of_its_own(
    path: str, shop: Furnished, rival: Furnished
) -> None:
    response = await rival.tenant.client.get(
        f"/api/v1{path}", headers=rival.tenant.owner, params={"cursor": str(shop.ids["turn_id"])}
    )

    assert response.status_code == 200
    assert not any(mark in response.text for mark in shop.marks)


def test_every_field_that_names_a_row_is_tried_with_a_foreign_one() -> None:
    naming = {
        f"{operation.name}.{name}"
        for operation in OPERATIONS
        for name, schema in operation.body_schema.get("properties", {}).items()
        if "'format': 'uuid'" in str(schema)
    }

    assert naming == set(NAMING_FIELDS)
    assert set(NAMING_FIELDS.values()) <= set(globals())


async def test_an_agent_cannot_answer_from_a_foreign_pack(shop: Furnished, rival: Furnished) -> None:
    for pack_id in (shop.tenant.pack_id, new_id()):
        body = {"name": "Spy", "slug": "spy", "pack_ids": [str(pack_id)]}
        made = await rival.tenant.client.post("/api/v1/agents", headers=rival.tenant.owner, json=body)
        changed = await rival.tenant.client.patch(
            f"/api/v1/agents/{rival.tenant.agent_id}",
            headers=rival.tenant.owner,
            json={"pack_ids": [str(pack_id)]},
        )

        expert = await rival.tenant.client.patch(
            f"/api/v1/domain-expertise/agents/{rival.tenant.agent_id}/domain-expertise",
            headers=rival.tenant.owner,
            json={"pack_ids": [str(pack_id)]},
        )

        for refused in (made, changed, expert):
            assert (refused.status_code, refused.json()["code"]) == (404, "knowledge_pack_not_found")


async def test_an_agent_cannot_become_a_foreign_persona(shop: Furnished, rival: Furnished) -> None:
    for persona_id in (shop.ids["persona_id"], new_id()):
        response = await rival.tenant.client.patch(
            f"/api/v1/domain-expertise/agents/{rival.tenant.agent_id}/domain-expertise",
            headers=rival.tenant.owner,
            json={"persona_id": str(persona_id)},
        )

        assert (response.status_code, response.json()["code"]) == (404, "persona_not_found")


async def test_a_foreign_pack_is_not_searched(shop: Furnished, rival: Furnished) -> None:
    for pack_id in (shop.tenant.pack_id, new_id()):
        response = await rival.tenant.client.post(
            "/api/v1/knowledge/search",
            headers=rival.tenant.owner,
            json={"query": "Hello?", "pack_ids": [str(rival.tenant.pack_id), str(pack_id)]},
        )

        assert (response.status_code, response.json()["code"]) == (404, "knowledge_pack_not_found")


async def test_a_search_finds_only_passages_of_ones_own(shop: Furnished, rival: Furnished) -> None:
    for body in ({"query": "Hello?", "explain": True}, {"query": "note document knowledge"}):
        mine = await shop.tenant.client.post(
            "/api/v1/knowledge/search", headers=shop.tenant.secret, json=body
        )
        theirs = await rival.tenant.client.post(
            "/api/v1/knowledge/search", headers=rival.tenant.secret, json=body
        )

        assert mine.json()["passages"]
        assert mine.status_code == theirs.status_code == 200
        assert not any(mark in theirs.text for mark in shop.marks)


async def test_a_publishable_key_opens_only_its_own_agents(shop: Furnished, rival: Furnished) -> None:
    for agent_id in (shop.tenant.agent_id, new_id()):
        response = await rival.tenant.client.post(
            "/api/v1/visitors/token", headers=rival.tenant.publishable, json={"agent_id": str(agent_id)}
        )

        assert (response.status_code, response.json()["code"]) == (404, "agent_not_found")


async def test_a_foreign_visitor_token_does_not_make_the_same_visitor(
    shop: Furnished, rival: Furnished
) -> None:
    theirs = (await shop.tenant.visitor())["Authorization"].removeprefix("Bearer ")
    renewed = await shop.tenant.client.post(
        "/api/v1/visitors/token",
        headers=shop.tenant.publishable,
        json={"agent_id": str(shop.tenant.agent_id), "token": theirs},
    )

    response = await rival.tenant.client.post(
        "/api/v1/visitors/token",
        headers=rival.tenant.publishable,
        json={"agent_id": str(rival.tenant.agent_id), "token": theirs},
    )

    assert response.status_code == 200
    assert response.json()["visitor_id"] != renewed.json()["visitor_id"]


async def test_a_foreign_conversation_cannot_be_continued(shop: Furnished, rival: Furnished) -> None:
    for conversation_id in (shop.ids["conversation_id"], new_id()):
        response = await rival.tenant.client.post(
            f"/api/v1/chat/{rival.tenant.agent_id}",
            headers=rival.tenant.secret,
            json={"message": "Go on.", "conversation_id": str(conversation_id)},
        )

        assert (response.status_code, response.json()["code"]) == (404, "conversation_not_found")


async def test_a_visitor_id_is_only_a_name_within_the_organization(shop: Furnished, rival: Furnished) -> None:
    visitor_id = str(new_id())
    mine = await shop.tenant.ask("Hello?", visitor_id=visitor_id)

    theirs = await rival.tenant.ask("Hello?", visitor_id=visitor_id)

    conversation = await rival.tenant.client.get(
        f"/api/v1/conversations/{theirs['conversation_id']}", headers=rival.tenant.owner
    )
    assert mine["conversation_id"] != theirs["conversation_id"]
    assert conversation.json()["turn_count"] == 1


async def test_a_foreign_turn_is_not_there_under_an_agent_of_ones_own(
    shop: Furnished, rival: Furnished
) -> None:
    for turn_id in (shop.ids["turn_id"], new_id()):
        response = await rival.tenant.client.get(
            f"/api/v1/chat/{rival.tenant.agent_id}/turns/{turn_id}/events", headers=rival.tenant.secret
        )

        assert (response.status_code, response.json()["code"]) == (404, "turn_not_found")


async def test_nobody_signs_in_to_a_foreign_organization(shop: Furnished, rival: Furnished) -> None:
    for org_id in (shop.tenant.org_id, new_id()):
        response = await rival.tenant.client.post(
            "/api/v1/auth/login",
            json={"email": rival.tenant.email, "password": PASSWORD, "org_id": str(org_id)},
        )

        assert (response.status_code, response.json()["code"]) == (401, "wrong_credentials")


async def test_a_foreign_visitor_cannot_talk_to_an_agent(shop: Furnished, rival: Furnished) -> None:
    visitor = await rival.tenant.visitor()

    response = await rival.tenant.client.post(
        f"/api/v1/chat/{shop.tenant.agent_id}", headers=visitor, json={"message": "Hello?"}
    )

    assert (response.status_code, response.json()["code"]) == (404, "agent_not_found")


async def test_an_event_of_a_foreign_conversation_is_refused(shop: Furnished, rival: Furnished) -> None:
    for conversation_id in (shop.ids["conversation_id"], new_id()):
        response = await rival.tenant.client.post(
            "/api/v1/learning/events",
            headers=rival.tenant.secret,
            json={"id": f"order-{conversation_id}", "conversation_id": str(conversation_id)},
        )

        assert (response.status_code, response.json()["code"]) == (404, "conversation_not_found")


async def test_an_event_of_a_foreign_visitor_is_of_no_conversation(shop: Furnished, rival: Furnished) -> None:
    response = await rival.tenant.client.post(
        "/api/v1/learning/events",
        headers=rival.tenant.secret,
        json={"id": "order-of-a-stranger", "visitor_id": str(shop.ids["visitor_id"])},
    )

    assert (response.status_code, response.json()["conversation_id"]) == (201, None)
