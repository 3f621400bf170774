"""Language models with an organization's own keys: sealed, tried, chosen by organization and agent, limited in cost."""

from typing import Any

import psycopg
import pytest

from concierge.entrypoints.wiring import DatabaseAddress
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

KEY = "sk-nobody-may-ever-see-this"
# No such host exists, so that nothing is reached.
MODEL = {"name": "Quick", "model": "openai:qwen3", "key": KEY, "url": "https://models.invalid/v1"}
PATH = "/api/v1/language-models"


async def add(tenant: Tenant, **changed: Any) -> dict[str, Any]:
    response = await tenant.client.post(PATH, headers=tenant.owner, json=MODEL | changed)
    assert response.status_code == 201, response.text
    return response.json()


async def put(tenant: Tenant, path: str, **said: Any) -> dict[str, Any]:
    response = await tenant.client.put(f"/api/v1{path}", headers=tenant.owner, json=said)
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_key_is_kept_sealed_and_never_shown_again(tenant: Tenant, database: DatabaseAddress) -> None:
    made = await add(tenant)
    listed = await tenant.client.get(PATH, headers=tenant.owner)

    assert KEY not in str(made) + listed.text
    conninfo = database.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(
            "SELECT sealed_key, language_models::text FROM language_models WHERE id = %s", [made["id"]]
        ).fetchall()[0]
    assert KEY.encode() not in row[0]
    assert KEY not in row[1]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"url": "http://models.invalid/v1"}, "invalid_input"),
        ({"url": "https://user:pw@models.invalid/v1"}, "invalid_input"),
        ({"url": "file:///etc/passwd"}, "invalid_input"),
        ({"model": "gpt-5"}, "invalid_input"),
        ({"model": "nobody:gpt-5"}, "language_model_unusable"),
        ({"model": "test:model"}, "language_model_unusable"),
        ({"model": "bedrock:claude"}, "language_model_unusable"),
        ({"model": "google-vertex:gemini-2.5-flash", "url": None}, "language_model_unusable"),
        ({"model": "ollama:llama3.2"}, "language_model_unusable"),
        ({"key": "sk-1\n"}, "language_model_unusable"),
        ({"key": ""}, "invalid_input"),
        ({"read_price": "-1"}, "invalid_input"),
        ({"name": "x" * 100_000}, "invalid_input"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_its_reason(
    tenant: Tenant, changed: dict[str, Any], code: str
) -> None:
    response = await tenant.client.post(PATH, headers=tenant.owner, json=MODEL | changed)

    assert (response.status_code, response.json()["code"]) == (422, code), response.text
    assert KEY not in response.text


async def test_a_model_that_cannot_be_reached_says_so_when_it_is_tried(tenant: Tenant) -> None:
    made = await add(tenant)

    tried = await tenant.client.post(f"{PATH}/{made['id']}/try", headers=tenant.owner)

    assert tried.status_code == 200, tried.text
    assert (tried.json()["works"], tried.json()["failure"]) == (False, "unavailable")
    assert "could not be reached" in tried.json()["detail"]


async def test_a_private_address_is_never_reached(tenant: Tenant) -> None:
    made = await add(tenant, url="https://127.0.0.1:8443/v1")

    tried = await tenant.client.post(f"{PATH}/{made['id']}/try", headers=tenant.owner)

    assert tried.json()["failure"] == "unavailable"


async def test_an_agent_says_what_it_wants_and_otherwise_the_organization_does(tenant: Tenant) -> None:
    big, small = await add(tenant), await add(tenant, name="Small", model="openai:small")
    own = f"/agents/{tenant.agent_id}/writing"

    await put(tenant, "/writing", models=[big["id"], small["id"]], daily_usd="5.00")
    inherited = await put(tenant, own, monthly_tokens=1_000)
    chosen = await put(tenant, own, models=[small["id"]])
    house = await put(tenant, own, models=[])

    assert inherited["asked"] == ["openai:qwen3", "openai:small"]
    assert [(own["of"], own["unit"], own["period"], own["limit"]) for own in inherited["spent"]] == [
        ("organization", "micro_dollars", "day", 5_000_000),
        ("agent", "tokens", "month", 1_000),
    ]
    assert chosen["asked"] == ["openai:small"]
    assert house["asked"] == []


async def test_a_model_that_writes_cannot_be_deleted(tenant: Tenant) -> None:
    made = await add(tenant)
    await put(tenant, "/writing", models=[made["id"]])

    refused = await tenant.client.delete(f"{PATH}/{made['id']}", headers=tenant.owner)
    await put(tenant, "/writing", models=[])
    deleted = await tenant.client.delete(f"{PATH}/{made['id']}", headers=tenant.owner)

    assert (refused.status_code, refused.json()["code"]) == (409, "language_model_in_use")
    assert deleted.status_code == 204


async def test_a_turn_goes_on_where_its_model_cannot_be_reached(tenant: Tenant) -> None:
    await tenant.learn(returns="# Returns\n\nYou have 30 days from delivery to send anything back.\n")
    made = await add(tenant)
    await put(tenant, "/writing", models=[made["id"]])

    reply = await tenant.ask("How long do I have to send something back?")

    assert "30 days" in reply["response"]


async def test_nothing_of_another_organization_can_be_used_or_seen(tenant: Tenant, stranger: Tenant) -> None:
    theirs = await add(stranger)

    for method, path, body in (
        ("GET", f"{PATH}/{theirs['id']}", None),
        ("PATCH", f"{PATH}/{theirs['id']}", {"name": "Mine"}),
        ("DELETE", f"{PATH}/{theirs['id']}", None),
        ("POST", f"{PATH}/{theirs['id']}/try", None),
        ("PUT", "/api/v1/writing", {"models": [theirs["id"]]}),
        ("GET", f"/api/v1/agents/{stranger.agent_id}/writing", None),
        ("PUT", f"/api/v1/agents/{stranger.agent_id}/writing", {"models": []}),
    ):
        response = await tenant.client.request(method, path, headers=tenant.owner, json=body)
        assert response.status_code == 404, (method, path, response.text)
    assert (await tenant.client.get(PATH, headers=tenant.owner)).json() == []


async def test_two_models_of_one_name_are_refused(tenant: Tenant, stranger: Tenant) -> None:
    await add(tenant)
    await add(stranger)

    response = await tenant.client.post(PATH, headers=tenant.owner, json=MODEL)

    assert (response.status_code, response.json()["code"]) == (409, "language_model_name_taken")
