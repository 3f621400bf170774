"""The people of an organization: who may add, change and remove whom."""

import asyncio

import httpx
import pytest

from concierge.accounts.scope import Role
from tests.accounts.people import add_member, audited, log_in, new_email, sign_up, signed_in_as, who
from tests.factories.tenants import PASSWORD, Tenant, bearer

pytestmark = pytest.mark.anyio


async def members_of(tenant: Tenant) -> dict[str, str]:
    """Return everybody's role by e-mail address."""
    listed = await tenant.client.get("/api/v1/members", headers=tenant.owner)
    return {member["email"]: member["role"] for member in listed.json()}


async def owner_member_id(tenant: Tenant) -> str:
    listed = await tenant.client.get("/api/v1/members", headers=tenant.owner)
    return next(member["id"] for member in listed.json() if member["email"] == tenant.email)


async def change_role(tenant: Tenant, member_id: str, role: Role, headers: dict[str, str]) -> httpx.Response:
    return await tenant.client.patch(f"/api/v1/members/{member_id}", headers=headers, json={"role": role})


async def remove(tenant: Tenant, member_id: str, headers: dict[str, str]) -> httpx.Response:
    return await tenant.client.delete(f"/api/v1/members/{member_id}", headers=headers)


async def test_a_member_added_can_sign_in_with_their_role(tenant: Tenant) -> None:
    headers, member = await signed_in_as(tenant, Role.VIEWER)

    me = (await tenant.client.get("/api/v1/me", headers=headers)).json()

    assert (me["role"], me["organization"]["id"]) == ("viewer", str(tenant.org_id))
    assert await members_of(tenant) == {tenant.email: "owner", member["email"]: "viewer"}


async def test_somebody_already_here_is_not_added_again(tenant: Tenant) -> None:
    email = new_email()
    await add_member(tenant, Role.VIEWER, email=email)

    again = await add_member(tenant, Role.ADMIN, email=email.upper())

    assert (again.status_code, again.json()["code"]) == (409, "already_member")
    assert (await members_of(tenant))[email] == "viewer"


async def test_somebody_with_an_account_is_added_only_with_their_own_password(
    tenant: Tenant, client: httpx.AsyncClient
) -> None:
    """Otherwise whoever made the account first, with a password they chose, could enter every later organization."""
    email = new_email()
    await sign_up(client, email=email, name="Secret Name")

    refused = await add_member(tenant, Role.ADMIN, email=email, password="what the admin chose")
    assert (refused.status_code, refused.json()["code"]) == (409, "email_taken")
    assert "Secret Name" not in refused.text
    assert email not in await members_of(tenant)

    added = await add_member(tenant, Role.ADMIN, email=email, password=PASSWORD)
    assert added.status_code == 201
    signed_in = await client.post(
        "/api/v1/auth/login", json={"email": email, "password": PASSWORD, "org_id": str(tenant.org_id)}
    )
    assert signed_in.json()["org_id"] == str(tenant.org_id)


async def test_of_two_additions_at_once_one_succeeds(tenant: Tenant) -> None:
    email = new_email()

    answers = await asyncio.gather(*(add_member(tenant, Role.VIEWER, email=email) for _ in range(2)))

    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_the_last_owner_stays(tenant: Tenant) -> None:
    member_id = await owner_member_id(tenant)

    demoted = await change_role(tenant, member_id, Role.ADMIN, tenant.owner)
    removed = await remove(tenant, member_id, tenant.owner)

    assert (demoted.status_code, demoted.json()["code"]) == (409, "last_owner")
    assert (removed.status_code, removed.json()["code"]) == (409, "last_owner")
    assert (await members_of(tenant))[tenant.email] == "owner"


async def test_two_owners_cannot_demote_each_other_at_once(tenant: Tenant) -> None:
    other_headers, other = await signed_in_as(tenant, Role.OWNER)
    member_id = await owner_member_id(tenant)

    answers = await asyncio.gather(
        change_role(tenant, other["id"], Role.ADMIN, tenant.owner),
        change_role(tenant, member_id, Role.ADMIN, other_headers),
    )

    assert min(answer.status_code for answer in answers) == 200
    headers = tenant.owner if answers[0].status_code == 200 else other_headers
    listed = (await tenant.client.get("/api/v1/members", headers=headers)).json()
    assert [member["role"] for member in listed].count("owner") == 1


async def test_an_admin_can_neither_make_nor_change_nor_remove_an_owner(tenant: Tenant) -> None:
    admin, member = await signed_in_as(tenant, Role.ADMIN)
    owner_id = await owner_member_id(tenant)

    answers = [
        await add_member(tenant, Role.OWNER, admin),
        await change_role(tenant, member["id"], Role.OWNER, admin),
        await change_role(tenant, owner_id, Role.VIEWER, admin),
        await remove(tenant, owner_id, admin),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "owner_only")] * 4
    assert await members_of(tenant) == {tenant.email: "owner", member["email"]: "admin"}


async def test_an_admin_manages_everybody_else(tenant: Tenant) -> None:
    admin, _ = await signed_in_as(tenant, Role.ADMIN)
    _, viewer = await signed_in_as(tenant, Role.VIEWER)

    changed = await change_role(tenant, viewer["id"], Role.AGENT, admin)
    removed = await remove(tenant, viewer["id"], admin)

    assert (changed.status_code, changed.json()["role"], removed.status_code) == (200, "agent", 204)


async def test_a_changed_role_counts_at_once(tenant: Tenant) -> None:
    headers, member = await signed_in_as(tenant, Role.ADMIN)
    assert (await tenant.client.get("/api/v1/members", headers=headers)).status_code == 200

    await change_role(tenant, member["id"], Role.VIEWER, tenant.owner)

    assert (await tenant.client.get("/api/v1/members", headers=headers)).status_code == 403


async def test_a_removed_member_is_out_at_once(tenant: Tenant) -> None:
    headers, member = await signed_in_as(tenant, Role.ADMIN)

    await remove(tenant, member["id"], tenant.owner)

    assert (await tenant.client.get("/api/v1/me", headers=headers)).json()["code"] == "session_ended"
    assert (await log_in(tenant.client, member["email"])).json()["code"] == "wrong_credentials"


async def test_an_owner_may_leave_when_another_stays(tenant: Tenant) -> None:
    await signed_in_as(tenant, Role.OWNER)

    left = await remove(tenant, await owner_member_id(tenant), tenant.owner)

    assert left.status_code == 204
    assert (await who(tenant.client, tenant.owner["Authorization"][7:])).status_code == 401


async def test_changes_of_members_are_on_record(tenant: Tenant) -> None:
    added = await add_member(tenant, Role.VIEWER)
    member_id = added.json()["id"]
    changed = await change_role(tenant, member_id, Role.AGENT, tenant.owner)
    removed = await remove(tenant, member_id, tenant.owner)

    for response, action, details in (
        (added, "member.added", {"role": "viewer"}),
        (changed, "member.role_changed", {"from": "viewer", "to": "agent"}),
        (removed, "member.removed", {}),
    ):
        (event,) = await audited(tenant, action)
        assert event["subject"] == member_id
        assert event["details"] == details
        assert event["actor_kind"] == "member"
        assert event["request_id"] == response.headers["x-request-id"]
        assert event["ip"] == "127.0.0.1"


@pytest.mark.parametrize("role", ["root", "", None, 1])
async def test_there_are_only_four_roles(role: object, tenant: Tenant) -> None:
    response = await tenant.client.patch(
        f"/api/v1/members/{await owner_member_id(tenant)}",
        headers=bearer(tenant.owner["Authorization"][7:]),
        json={"role": role},
    )

    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")
