"""Signing up, signing in, staying signed in, and signing out."""

import asyncio
from time import perf_counter

import httpx
import pytest

from concierge.kit.ids import new_id
from tests.accounts.people import WEAK, audited, log_in, new_email, refresh, sign_up, told, who
from tests.factories.tenants import PASSWORD, Tenant

pytestmark = pytest.mark.anyio


async def test_signing_up_makes_an_organization_and_signs_its_owner_in(client: httpx.AsyncClient) -> None:
    response = await sign_up(client, organization="Café Übersee & Co.")

    pair = response.json()
    me = (await who(client, pair["access_token"])).json()
    assert response.status_code == 201
    assert (me["organization"]["id"], me["role"]) == (pair["org_id"], "owner")
    assert me["organization"]["name"] == "Café Übersee & Co."
    assert me["organization"]["slug"].startswith("caf-bersee-co-")


async def test_an_email_address_has_one_account_in_any_spelling(client: httpx.AsyncClient) -> None:
    email = new_email()
    await sign_up(client, email=email)

    for spelling in (email, email.upper(), email.replace("shop", "SHOP")):
        response = await sign_up(client, email=spelling)
        assert (response.status_code, response.json()["code"]) == (409, "email_taken")
    assert (await log_in(client, email.upper())).status_code == 200


async def test_of_two_sign_ups_at_once_one_succeeds(client: httpx.AsyncClient) -> None:
    email = new_email()

    answers = await asyncio.gather(sign_up(client, email=email), sign_up(client, email=email))

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "email_taken"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": WEAK},
        {"password": "x" * 257},
        {"password": "nul\x00nul\x00nul"},
        {"email": "no address"},
        {"email": "a\x00b@shop.example"},
        {"email": f"{'x' * 250}@shop.example"},
        {"organization": "   "},
        {"organization": "x" * 121},
        {"name": "NUL\x00"},
    ],
    ids=lambda wrong: f"{next(iter(wrong))}-{len(next(iter(wrong.values())))}",
)
async def test_what_cannot_be_an_account_is_refused_by_field(
    wrong: dict[str, str], client: httpx.AsyncClient
) -> None:
    response = await sign_up(client, **wrong)

    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")
    assert [entry["field"] for entry in response.json()["errors"]] == list(wrong)
    assert next(iter(wrong.values())) not in response.text


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    wrong = await log_in(client, tenant.email, "not the password")
    unknown = await log_in(client, new_email(), "not the password")

    assert wrong.status_code == unknown.status_code == 401
    assert told(wrong) == told(unknown)
    assert told(wrong)["code"] == "wrong_credentials"


async def test_an_unknown_address_costs_about_the_same_time(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    async def seconds(email: str) -> float:
        began = perf_counter()
        await log_in(client, email, "not the password")
        return perf_counter() - began

    await seconds(new_email())
    wrong, unknown = [], []
    for _ in range(3):
        wrong.append(await seconds(tenant.email))
        unknown.append(await seconds(new_email()))

    # Without a decoy an unknown address would be answered ten times as fast.
    assert min(unknown) > 0.4 * min(wrong)


async def test_a_failed_login_is_on_record(client: httpx.AsyncClient, tenant: Tenant) -> None:
    response = await log_in(client, tenant.email, "not the password")

    (event,) = await audited(tenant, "login.failed")
    assert event["request_id"] == response.headers["x-request-id"]
    assert event["ip"] == "127.0.0.1"


async def test_a_login_is_on_record(client: httpx.AsyncClient, tenant: Tenant) -> None:
    pair = (await log_in(client, tenant.email)).json()

    (event,) = await audited(tenant, "login.succeeded")
    assert (event["actor_kind"], event["actor_id"]) == ("member", pair["user_id"])


async def test_a_refresh_token_is_traded_for_new_tokens(client: httpx.AsyncClient, tenant: Tenant) -> None:
    first = (await refresh(client, tenant.refresh_token)).json()
    second = (await refresh(client, first["refresh_token"])).json()

    assert len({tenant.refresh_token, first["refresh_token"], second["refresh_token"]}) == 3
    assert (await who(client, second["access_token"])).status_code == 200


async def test_a_refresh_token_used_twice_ends_the_whole_sign_in(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    newest = (await refresh(client, tenant.refresh_token)).json()
    other_browser = (await log_in(client, tenant.email)).json()

    reused = await refresh(client, tenant.refresh_token)
    after = await refresh(client, newest["refresh_token"])
    access = await who(client, newest["access_token"])

    assert (reused.status_code, reused.json()["code"]) == (401, "refresh_token_reused")
    assert (after.status_code, after.json()["code"]) == (401, "session_ended")
    assert (access.status_code, access.json()["code"]) == (401, "session_ended")
    assert (await who(client, other_browser["access_token"])).status_code == 200


async def test_reuse_of_a_refresh_token_is_on_record_once(client: httpx.AsyncClient, tenant: Tenant) -> None:
    await refresh(client, tenant.refresh_token)
    reused = [await refresh(client, tenant.refresh_token) for _ in range(2)]

    signed_in = await log_in(client, tenant.email)
    log = await client.get(
        "/api/v1/audit-log", headers={"Authorization": f"Bearer {signed_in.json()['access_token']}"}
    )
    events = [event for event in log.json()["items"] if event["action"] == "session.reuse_detected"]
    assert [event["request_id"] for event in events] == [reused[0].headers["x-request-id"]]


async def test_of_two_refreshes_at_once_one_succeeds_and_the_sign_in_ends(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    answers = await asyncio.gather(*(refresh(client, tenant.refresh_token) for _ in range(2)))

    assert sorted(answer.status_code for answer in answers) == [200, 401]
    winner = next(answer for answer in answers if answer.status_code == 200).json()
    assert (await refresh(client, winner["refresh_token"])).status_code == 401


async def test_logging_out_ends_the_sign_in_and_may_be_repeated(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    access = tenant.owner["Authorization"].removeprefix("Bearer ")

    for _ in range(2):
        ended = await client.post("/api/v1/auth/logout", json={"refresh_token": tenant.refresh_token})
        assert ended.status_code == 204
    assert (await who(client, access)).json()["code"] == "session_ended"
    assert (await refresh(client, tenant.refresh_token)).json()["code"] == "session_ended"


async def test_a_person_signs_in_to_the_organization_they_name(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    body = {"email": tenant.email, "password": PASSWORD}

    own = await client.post("/api/v1/auth/login", json={**body, "org_id": str(tenant.org_id)})
    other = await client.post("/api/v1/auth/login", json={**body, "org_id": str(new_id())})

    assert own.json()["org_id"] == str(tenant.org_id)
    assert (other.status_code, other.json()["code"]) == (401, "wrong_credentials")
