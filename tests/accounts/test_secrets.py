"""Passwords, keys and tokens appear in no log line and in no error, whatever goes wrong."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import structlog

from concierge.entrypoints.api import problems
from concierge.entrypoints.api.app import create_app
from concierge.entrypoints.wiring import Platform
from concierge.kit.logging import configure_logging
from concierge.kit.settings import Settings
from tests.accounts.people import new_email, secrets_in
from tests.factories.furnished import Furnished
from tests.factories.tenants import PASSWORD

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[True, False], ids=["json", "console"])
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything the product logs, as an operator would read it."""
    lines = io.StringIO()
    monkeypatch.setattr(sys, "stderr", lines)
    # A logger keeps the configuration of its first use, so these tests take a new one.
    monkeypatch.setattr(problems, "logger", structlog.get_logger())
    before = structlog.get_config()
    configure_logging(Settings(data_dir=Path("unused"), log_json=request.param, log_level="debug"))
    yield lines
    structlog.configure(**before)


async def test_a_request_that_fails_inside_keeps_its_secrets(
    log: io.StringIO, platform: Platform, shop: Furnished, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_arguments: object, **_options: object) -> None:
        raise RuntimeError(f"cannot work with {shop.tenant.secret} and {shop.tenant.refresh_token}")

    monkeypatch.setattr(type(platform.accounts.sign_in), "login", broken)
    transport = httpx.ASGITransport(create_app(platform), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.post(
            "/api/v1/auth/login",
            headers=shop.tenant.owner,
            json={"email": new_email(), "password": PASSWORD},
        )

    assert response.status_code == 500
    assert "request failed" in log.getvalue()
    assert response.headers["x-request-id"] in log.getvalue()
    for text in (log.getvalue(), response.text):
        assert PASSWORD not in text
        assert secrets_in(text) == []


async def test_a_statement_that_fails_keeps_its_parameters(
    log: io.StringIO, platform: Platform, shop: Furnished, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL's complaint is logged, the row it was about is not: it holds the password's hash."""

    def unstorable(_name: str) -> str:
        return "\x00"

    monkeypatch.setattr("concierge.accounts.service.sign_in._slug", unstorable)
    transport = httpx.ASGITransport(create_app(platform), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.post(
            "/api/v1/auth/sign-up",
            json={
                "organization": "Unmistakable Organization",
                "name": "Ann",
                "email": new_email(),
                "password": PASSWORD,
            },
        )

    assert shop.tenant.org_id
    assert response.status_code == 500
    assert "request failed" in log.getvalue()
    assert "Unmistakable Organization" not in log.getvalue()
    assert secrets_in(log.getvalue()) == []
