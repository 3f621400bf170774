"""Tokens that are expired, foreign, tampered with or forged open nothing."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.accounts.errors import TokenError
from concierge.accounts.tokens import TokenSigner, key_organization, mint_key
from concierge.kit.ids import new_id
from tests.accounts.people import who
from tests.conftest import SETTINGS
from tests.factories.furnished import Furnished
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

assert SETTINGS.secret_key is not None
KEY = SETTINGS.secret_key.get_secret_value()


def access_token(tenant: Tenant) -> str:
    return tenant.owner["Authorization"].removeprefix("Bearer ")


def claims_of(tenant: Tenant) -> dict[str, Any]:
    return jwt.decode(access_token(tenant), options={"verify_signature": False})


def unsigned(claims: dict[str, Any]) -> str:
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        + "."
    )


def tampered(tenant: Tenant) -> str:
    head, body, signature = access_token(tenant).split(".")
    claims = {**claims_of(tenant), "org": str(new_id())}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{head}.{body}.{signature}"


FORGERIES: dict[str, Callable[[Tenant], str]] = {
    "no signature": lambda tenant: unsigned(claims_of(tenant)),
    "no signature, visitor": lambda tenant: unsigned(
        {**claims_of(tenant), "aud": "visitor", "agent": str(new_id())}
    ),
    "another key": lambda tenant: jwt.encode(
        claims_of(tenant), "another-key-of-at-least-32-bytes!!", "HS256"
    ),
    "another algorithm": lambda tenant: jwt.encode(claims_of(tenant), KEY * 2, "HS512"),
    "other claims": tampered,
    "a refresh token": lambda tenant: tenant.refresh_token,
    "another issuer": lambda tenant: jwt.encode({**claims_of(tenant), "iss": "other"}, KEY, "HS256"),
    "no expiry": lambda tenant: jwt.encode(
        {name: value for name, value in claims_of(tenant).items() if name != "exp"}, KEY, "HS256"
    ),
    "two audiences": lambda tenant: jwt.encode({**claims_of(tenant), "aud": []}, KEY, "HS256"),
    "no session": lambda tenant: jwt.encode({**claims_of(tenant), "sid": None}, KEY, "HS256"),
    "no token": lambda _tenant: "....",
    "not ASCII": lambda _tenant: "ÿÿÿ.ÿÿÿ.ÿÿÿ",
    "no key": lambda _tenant: "sk_",
    "a short key": lambda _tenant: "sk_AAAA",
    "a key not in ASCII": lambda _tenant: "sk_ÿÿÿÿ",
    "a key nobody made": lambda tenant: mint_key("secret", tenant.org_id).plain,
    "a key of nobody": lambda _tenant: mint_key("secret", new_id()).plain,
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_credential_opens_nothing(
    forgery: str, shop: Furnished, client: httpx.AsyncClient
) -> None:
    credential = FORGERIES[forgery](shop.tenant).encode("latin-1")

    response = await client.get("/api/v1/me", headers={b"Authorization": b"Bearer " + credential})

    assert response.status_code == 401
    assert response.json()["code"] in {"token_invalid", "key_invalid"}
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["", "Bearer", "Basic b3duZXI6cGFzcw==", "sk_bare"])
async def test_without_a_bearer_credential_nothing_opens(header: str, client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/me", headers={"Authorization": header})

    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_an_expired_token_says_so(shop: Furnished, client: httpx.AsyncClient) -> None:
    late = {**claims_of(shop.tenant), "exp": datetime.now(UTC) - timedelta(seconds=1)}

    response = await who(client, jwt.encode(late, KEY, "HS256"))

    assert (response.status_code, response.json()["code"]) == (401, "token_expired")


async def test_a_valid_token_of_a_sign_in_that_never_was_opens_nothing(
    shop: Furnished, rival: Furnished, client: httpx.AsyncClient
) -> None:
    """Even with the server's own key, a session of one organization is none of another."""
    crossed = {**claims_of(shop.tenant), "org": str(rival.tenant.org_id)}

    response = await who(client, jwt.encode(crossed, KEY, "HS256"))

    assert (response.status_code, response.json()["code"]) == (401, "session_ended")


async def test_a_refresh_token_is_good_for_refreshing_only(
    shop: Furnished, client: httpx.AsyncClient
) -> None:
    access = access_token(shop.tenant)

    refreshed = await client.post("/api/v1/auth/refresh", json={"refresh_token": access})
    ended = await client.post("/api/v1/auth/logout", json={"refresh_token": access})

    assert (refreshed.status_code, ended.status_code) == (401, 401)


def test_a_token_expires_at_its_second() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    signer = TokenSigner("k" * 32, lambda: now)
    token, expires = signer.sign("access", {}, timedelta(minutes=15))

    assert expires == now + timedelta(minutes=15)
    later = TokenSigner("k" * 32, lambda: expires - timedelta(seconds=1))
    assert later.verify("access", token)["aud"] == "access"
    with pytest.raises(TokenError, match="expired"):
        TokenSigner("k" * 32, lambda: expires).verify("access", token)


@given(st.uuids())
def test_a_key_names_its_organization_and_is_kept_as_a_digest(org_id: UUID) -> None:
    minted = mint_key("publishable", org_id)

    assert minted.plain.startswith("pk_")
    assert key_organization(minted.plain) == org_id
    assert minted.plain.encode() not in minted.digest
    assert minted.hint != minted.plain


@given(st.binary(max_size=60))
def test_what_is_no_key_is_refused(header: bytes) -> None:
    with pytest.raises(TokenError):
        key_organization(f"sk_{header.decode('latin-1')}")
