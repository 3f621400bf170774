"""What a chat request may be, who may send it from where, and what a wrong one is told."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest

from concierge.kit.ids import new_id
from tests.conftest import SETTINGS
from tests.factories.furnished import QUESTION, Furnished
from tests.factories.tenants import Tenant, bearer

pytestmark = pytest.mark.anyio

ALLOWED = "https://shop.example"
FOREIGN = "https://evil.example"
JSON = {"Content-Type": "application/json"}


async def send(shop: Furnished, content: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    return await shop.tenant.client.post(
        f"/api/v1/chat/{shop.tenant.agent_id}",
        headers={**shop.tenant.secret, **JSON, **(headers or {})},
        content=content,
    )


def encoded(message: Any, **more: Any) -> bytes:
    return json.dumps({"message": message, **more}).encode()


WRONG: dict[str, tuple[bytes, int, str]] = {
    "empty": (encoded(""), 422, "message_empty"),
    "blank": (encoded(" \n\t\u00a0\u2003 "), 422, "message_empty"),
    "one character too long": (encoded("x" * 20_001), 422, "message_too_long"),
    "NUL": (encoded("a\x00b"), 422, "invalid_input"),
    "half a surrogate pair": (rb'{"message": "\ud800"}', 422, "invalid_input"),
    "surrogates swapped": (rb'{"message": "\udc00\ud800"}', 422, "invalid_input"),
    "surrogate in a key": (
        rb'{"message": "a", "session_context": {"utm": {"\ud800": "b"}}}',
        422,
        "invalid_input",
    ),
    "broken UTF-8": (b'{"message": "\xff\xfe"}', 400, "bad_request"),
    "broken JSON": (b'{"message": ', 400, "invalid_json"),
    "no JSON": (b"message=hello", 400, "invalid_json"),
    "nothing": (b"", 422, "invalid_input"),
    "null": (b"null", 422, "invalid_input"),
    "a list": (b'["hello"]', 422, "invalid_input"),
    "a number": (encoded(5), 422, "invalid_input"),
    "no message": (b'{"stream": true}', 422, "invalid_input"),
    "a broken conversation": (encoded("a", conversation_id="x"), 422, "invalid_input"),
    "a broken stream": (encoded("a", stream="perhaps"), 422, "invalid_input"),
    "a broken context": (encoded("a", session_context=[]), 422, "invalid_input"),
    "an unknown device": (encoded("a", session_context={"device": "toaster"}), 422, "invalid_input"),
    "NUL in the context": (encoded("a", session_context={"language": "\x00"}), 422, "invalid_input"),
    "a long page": (encoded("a", session_context={"current_page": "x" * 2_001}), 422, "invalid_input"),
    "many marks": (
        encoded("a", session_context={"utm": {str(n): "" for n in range(21)}}),
        422,
        "invalid_input",
    ),
    "deep": (b'{"message":' + b"[" * 50_000, 400, "invalid_json"),
    "a huge number": (b'{"message": ' + b"9" * 5_000 + b"}", 422, "invalid_input"),
    "no such conversation": (encoded("a", conversation_id=str(new_id())), 404, "conversation_not_found"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_message_is_refused_with_a_reason(wrong: str, shop: Furnished) -> None:
    content, status, code = WRONG[wrong]

    response = await send(shop, content)

    if wrong in {"a huge number", "deep"}:  # The parser may give up on either ground.
        assert response.status_code in {400, 422}
        assert response.json()["code"] in {"invalid_json", "bad_request", "invalid_input"}
    else:
        assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert len(response.json()["detail"]) > 10


@pytest.mark.parametrize(
    "message",
    [
        "x" * 20_000,
        "\U0001f469\u200d\U0001f467 \u05e9\u05dc\u05d5\u05dd \u202ertl\u202c e\u0301",
        "'; DROP TABLE turns; --",
        "%s %(x)s {0} \\",
    ],
    ids=["longest", "any script", "SQL", "formats"],
)
async def test_any_text_is_answered(message: str, shop: Furnished) -> None:
    response = await send(shop, encoded(message))

    assert response.status_code == 200
    stored = await shop.tenant.client.get(
        f"/api/v1/conversations/{response.json()['conversation_id']}/turns", headers=shop.tenant.owner
    )
    assert stored.json()["items"][0]["message"] == message


@pytest.mark.parametrize("agent_id", ["nonsense", "%00", "../agents", "1" * 5_000])
async def test_what_is_no_id_of_an_agent_is_refused(agent_id: str, shop: Furnished) -> None:
    response = await shop.tenant.client.post(
        f"/api/v1/chat/{agent_id}", headers=shop.tenant.secret, json={"message": "Hello?"}
    )

    assert response.status_code in {404, 405, 422}
    assert response.headers["content-type"] == "application/problem+json"


async def test_an_unknown_agent_is_not_found(shop: Furnished) -> None:
    response = await shop.tenant.client.post(
        f"/api/v1/chat/{new_id()}", headers=shop.tenant.secret, json={"message": "Hello?"}
    )

    assert (response.status_code, response.json()["code"]) == (404, "agent_not_found")


async def make_agent(tenant: Tenant, **body: Any) -> str:
    made = await tenant.client.post(
        "/api/v1/agents",
        headers=tenant.owner,
        json={"name": "Ben", "pack_ids": [str(tenant.pack_id)], **body},
    )
    assert made.status_code == 201, made.text
    return made.json()["id"]


async def visitor_of(tenant: Tenant, agent_id: str, **headers: str) -> httpx.Response:
    return await tenant.client.post(
        "/api/v1/visitors/token", headers={**tenant.publishable, **headers}, json={"agent_id": agent_id}
    )


async def test_a_visitor_talks_to_the_agent_of_their_token_only(shop: Furnished) -> None:
    other = await make_agent(shop.tenant)
    visitor = await shop.tenant.visitor()

    response = await shop.tenant.client.post(
        f"/api/v1/chat/{other}", headers=visitor, json={"message": "Hello?"}
    )

    assert (response.status_code, response.json()["code"]) == (404, "agent_not_found")


async def test_an_expired_visitor_is_told_so(shop: Furnished) -> None:
    assert SETTINGS.secret_key is not None
    key = SETTINGS.secret_key.get_secret_value()
    token = (await shop.tenant.visitor())["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    claims["exp"] = datetime.now(UTC) - timedelta(seconds=1)

    response = await shop.tenant.client.post(
        f"/api/v1/chat/{shop.tenant.agent_id}",
        headers=bearer(jwt.encode(claims, key, "HS256")),
        json={"message": "Hello?"},
    )

    assert (response.status_code, response.json()["code"]) == (401, "token_expired")


async def test_a_visitor_stays_the_same_with_their_earlier_token(shop: Furnished) -> None:
    agent_id = str(shop.tenant.agent_id)
    first = (await visitor_of(shop.tenant, agent_id)).json()
    body = {"agent_id": agent_id, "token": first["token"]}

    again = await shop.tenant.client.post(
        "/api/v1/visitors/token", headers=shop.tenant.publishable, json=body
    )
    forged = await shop.tenant.client.post(
        "/api/v1/visitors/token", headers=shop.tenant.publishable, json={**body, "token": "forged"}
    )

    assert again.json()["visitor_id"] == first["visitor_id"] != forged.json()["visitor_id"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (ALLOWED, 200),
        (ALLOWED.upper(), 200),
        ("http://localhost:8000", 200),
        ("http://127.0.0.1:8000", 200),
        (None, 200),
        (FOREIGN, 403),
        ("http://shop.example", 403),
        ("https://shop.example:8443", 403),
        ("https://shop.example.evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
async def test_only_pages_of_allowed_origins_get_a_visitor_and_an_answer(
    origin: str | None, status: int, shop: Furnished
) -> None:
    agent_id = await make_agent(shop.tenant, allowed_origins=[ALLOWED])
    visitor = bearer((await visitor_of(shop.tenant, agent_id)).json()["token"])
    header = {} if origin is None else {"Origin": origin}

    token = await visitor_of(shop.tenant, agent_id, **header)
    chat = await shop.tenant.client.post(
        f"/api/v1/chat/{agent_id}", headers={**visitor, **header}, json={"message": "Hello?"}
    )

    started = await shop.tenant.client.post(
        f"/api/v1/chat/{agent_id}", headers=visitor, json={"message": "Hello?"}
    )
    resumed = await shop.tenant.client.get(
        f"/api/v1/chat/{agent_id}/turns/{started.json()['turn_id']}/events", headers={**visitor, **header}
    )

    assert (token.status_code, chat.status_code, resumed.status_code) == (status, status, status)
    if status == 403:
        assert token.json()["code"] == chat.json()["code"] == "origin_not_allowed"


@pytest.mark.parametrize("origin", [ALLOWED, FOREIGN])
async def test_a_browser_may_ask_before_it_sends(origin: str, shop: Furnished) -> None:
    response = await shop.tenant.client.options(
        f"/api/v1/chat/{shop.tenant.agent_id}",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,last-event-id",
        },
    )

    allowed = response.headers["access-control-allow-headers"].split(", ")
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == origin
    assert {"authorization", "content-type", "idempotency-key", "last-event-id"} <= set(allowed)
    assert "access-control-allow-credentials" not in response.headers


async def test_a_page_can_read_why_it_was_refused(shop: Furnished) -> None:
    url = f"/api/v1/chat/{shop.tenant.agent_id}"
    page = {"Origin": FOREIGN, **JSON}
    client = shop.tenant.client
    refusals = [
        await client.post(url, headers=page, json={"message": "Hello?"}),
        await client.post(url, headers={**page, **shop.tenant.secret}, content=b"{"),
        await client.post(url, headers={**page, **shop.tenant.secret}, content=b" " * 300_000),
        await client.post(
            f"/api/v1/chat/{new_id()}", headers={**page, **shop.tenant.secret}, json={"message": "a"}
        ),
        await client.put(url, headers=page),
    ]

    assert [refusal.status_code for refusal in refusals] == [401, 400, 413, 404, 405]
    for refusal in refusals:
        assert refusal.headers["access-control-allow-origin"] == FOREIGN
        assert "Origin" in refusal.headers["vary"]
        assert refusal.json()["request_id"] == refusal.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/agents", "/me", "/auth/login"])
async def test_the_rest_of_the_api_is_closed_to_other_pages(path: str, shop: Furnished) -> None:
    response = await shop.tenant.client.get(
        f"/api/v1{path}", headers={**shop.tenant.owner, "Origin": FOREIGN}
    )

    assert "access-control-allow-origin" not in response.headers


async def test_another_visitors_conversation_and_turn_do_not_exist(shop: Furnished) -> None:
    url = f"/api/v1/chat/{shop.tenant.agent_id}"
    first, second = await shop.tenant.visitor(), await shop.tenant.visitor()
    theirs = (await shop.tenant.client.post(url, headers=first, json={"message": QUESTION})).json()

    continued = await shop.tenant.client.post(
        url, headers=second, json={"message": "And?", "conversation_id": theirs["conversation_id"]}
    )
    watched = await shop.tenant.client.get(f"{url}/turns/{theirs['turn_id']}/events", headers=second)
    own = await shop.tenant.client.get(f"{url}/turns/{theirs['turn_id']}/events", headers=first)

    assert (continued.status_code, continued.json()["code"]) == (404, "conversation_not_found")
    assert (watched.status_code, watched.json()["code"]) == (404, "turn_not_found")
    assert own.status_code == 200


async def test_a_visitor_is_who_their_token_says(shop: Furnished) -> None:
    visitor = await shop.tenant.visitor()
    url = f"/api/v1/chat/{shop.tenant.agent_id}"

    reply = await shop.tenant.client.post(
        url, headers=visitor, json={"message": "Hello?", "visitor_id": str(new_id())}
    )

    token = visitor["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert reply.json()["customer_context"]["visitor_id"] == claims["sub"]
