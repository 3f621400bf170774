"""Every error is a problem (RFC 9457) with a stable code and the request's id, and tells nothing of our insides."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from concierge.entrypoints.api.app import create_app
from concierge.entrypoints.wiring import DatabaseAddress, Platform, build
from concierge.kit.ids import new_id
from concierge.kit.settings import Settings
from concierge.llm.embeddings import LocalEmbedder
from tests.conftest import SETTINGS
from tests.factories.furnished import Furnished
from tests.factories.tenants import PASSWORD

pytestmark = pytest.mark.anyio

MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}


def check_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert body.keys() >= MEMBERS
    assert body["status"] == status
    assert body["type"] == f"urn:concierge:problem:{code}"
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["title"]
    assert body["detail"].endswith(".") or status == 422
    return body


async def test_an_address_with_nothing_at_it(client: httpx.AsyncClient) -> None:
    for path in ("/nothing", "/api/v1/nothing", "/api/v2/agents", "/%00", "/%ff", "/api/v1/agents/"):
        check_problem(await client.get(path), 404, "route_not_found")


async def test_a_method_an_address_does_not_take(client: httpx.AsyncClient) -> None:
    response = await client.put("/api/v1/agents")

    check_problem(response, 405, "method_not_allowed")
    assert set(response.headers["allow"].split(", ")) >= {"GET", "POST"}


async def test_a_caller_who_is_not_signed_in(client: httpx.AsyncClient) -> None:
    check_problem(await client.get("/api/v1/agents"), 401, "unauthorized")


async def test_a_caller_who_may_not(shop: Furnished) -> None:
    response = await shop.tenant.client.get("/api/v1/members", headers=shop.tenant.secret)

    check_problem(response, 403, "permission_missing")


async def test_a_field_that_is_wrong_is_named_and_not_repeated(shop: Furnished) -> None:
    response = await shop.tenant.client.post(
        "/api/v1/agents", headers=shop.tenant.owner, json={"name": "", "slug": "Not a slug!"}
    )

    body = check_problem(response, 422, "invalid_input")
    assert [entry["field"] for entry in body["errors"]] == ["name", "slug"]
    assert "Not a slug!" not in response.text


async def test_a_body_that_says_it_is_too_large(shop: Furnished) -> None:
    response = await shop.tenant.client.post(
        "/api/v1/agents", headers=shop.tenant.owner, content=b" " * (SETTINGS.limits.body_bytes + 1)
    )

    check_problem(response, 413, "too_large")


async def test_a_body_that_turns_out_too_large(shop: Furnished) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(SETTINGS.limits.body_bytes // 1024 + 2):
            yield b" " * 1024

    response = await shop.tenant.client.post("/api/v1/agents", headers=shop.tenant.owner, content=chunks())

    check_problem(response, 413, "too_large")


async def test_a_file_that_is_too_large(shop: Furnished) -> None:
    data = b"x" * (SETTINGS.limits.upload_bytes + 1)

    response = await shop.tenant.client.post(
        f"/api/v1/knowledge/packs/{shop.tenant.pack_id}/files",
        headers=shop.tenant.owner,
        files={"file": ("large.txt", data, "text/plain")},
    )

    check_problem(response, 413, "upload_too_large")


async def test_an_upload_without_a_file(shop: Furnished) -> None:
    url = f"/api/v1/knowledge/packs/{shop.tenant.pack_id}/files"
    broken = {**shop.tenant.owner, "Content-Type": "multipart/form-data; boundary=x"}

    missing = await shop.tenant.client.post(url, headers=shop.tenant.owner, data={"other": "x"})
    garbled = await shop.tenant.client.post(url, headers=broken, content=b"no boundary here")

    check_problem(missing, 422, "invalid_input")
    assert garbled.status_code in {400, 422}
    assert garbled.json().keys() >= MEMBERS


async def test_a_fault_of_ours(platform: Platform, shop: Furnished, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("the secret plan in /srv/concierge")

    monkeypatch.setattr(type(platform.accounts.authentication), "scope_of", broken)
    page = {**shop.tenant.owner, "Origin": "https://shop.example"}

    response = await shop.tenant.client.post(
        f"/api/v1/chat/{new_id()}", headers=page, json={"message": "Hello?"}
    )

    check_problem(response, 500, "internal_error")
    assert "secret plan" not in response.text
    assert "Traceback" not in response.text
    assert response.headers["access-control-allow-origin"] == "https://shop.example"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("my-request.0001", True),
        ("short", False),
        ("x" * 65, False),
        ("with spaces", False),
        ("a\nb: c1234", False),
    ],
)
async def test_a_caller_may_name_the_request(sent: str, kept: bool, client: httpx.AsyncClient) -> None:  # noqa: FBT001  # pytest gives it by name.
    response = await client.get("/nothing", headers={"X-Request-ID": sent})

    assert (response.headers["x-request-id"] == sent) is kept
    assert response.json()["request_id"] == response.headers["x-request-id"]


@pytest.fixture
async def cut_off(embedder: LocalEmbedder, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The application with a database that is not there."""
    nowhere = f"postgresql+psycopg://nobody@/nothing?host={tmp_path}"
    settings: Settings = SETTINGS
    platform = build(settings, DatabaseAddress(nowhere, nowhere, None), embedder=embedder)
    transport = httpx.ASGITransport(create_app(platform), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client
    await platform.db.close()


async def test_a_database_that_is_gone_says_when_to_come_back(
    cut_off: httpx.AsyncClient, shop: Furnished
) -> None:
    visitor = await shop.tenant.visitor()
    chat = f"/api/v1/chat/{shop.tenant.agent_id}"
    login = {"email": "ann@shop.example", "password": PASSWORD}
    refused = [
        await cut_off.get("/readyz"),
        await cut_off.get("/api/v1/agents", headers=shop.tenant.owner),
        await cut_off.get("/api/v1/agents", headers=shop.tenant.secret),
        await cut_off.post("/api/v1/auth/login", json=login),
        await cut_off.post(chat, headers=visitor, json={"message": "Hello?"}),
        await cut_off.post(chat, headers=visitor, json={"message": "Hello?", "stream": True}),
    ]

    for response in refused:
        check_problem(response, 503, "database_unavailable")
        assert int(response.headers["retry-after"]) >= 1
        assert "postgres" not in response.text.lower()


async def test_a_process_without_a_database_is_alive(cut_off: httpx.AsyncClient) -> None:
    assert (await cut_off.get("/healthz")).status_code == 200
