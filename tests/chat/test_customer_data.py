"""Everything that is kept of a customer: handed over whole, and erased so that no word of it is left anywhere."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from psycopg import sql

from concierge.accounts.scope import Unit
from concierge.chat.schemas import ChatIn
from concierge.customers.models import Customer, CustomerMerge, IdentityToken
from concierge.customers.service import ArrivalService
from concierge.entrypoints.wiring import DatabaseAddress
from concierge.intelligence.analyst import Message
from concierge.kit.clock import utc_now
from concierge.kit.ids import new_id
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

MARK = "Zanzibar-Quokka-4711"
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
"""


async def arrived(tenant: Tenant, visitor_id: UUID | None = None) -> UUID:
    """Have a visitor, whose anonymous customer bears the same id."""
    visitor_id = visitor_id or new_id()
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        arrivals = ArrivalService(Unit(session, tenant.scope))
        known = await arrivals.arrive(visitor_id, tenant.agent_id, f"https://shop.example/{MARK}")
    assert known.customer_id == visitor_id
    return visitor_id


async def described(tenant: Tenant, customer_id: UUID, mark: str) -> None:
    """Write the mark into every column of a profile, and into what else names a customer."""
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        customer = await session.get_one(Customer, (tenant.org_id, customer_id))
        customer.external_id, customer.email, customer.name = f"id-{mark}", f"{mark}@shop.example", mark
        customer.labels, customer.attributes = [mark], {"note": {mark: [mark]}}
        customer.traits, customer.profile_type = {"style": mark}, "identified"
        session.add(
            IdentityToken(
                org_id=tenant.org_id, digest=mark.encode(), visitor_id=customer_id, expires_at=utc_now()
            )
        )
        session.add(merge(tenant, into=customer_id, profile={"id": str(new_id()), "name": mark}))


def merge(tenant: Tenant, *, into: UUID, profile: dict[str, Any]) -> CustomerMerge:
    return CustomerMerge(
        org_id=tenant.org_id,
        id=new_id(),
        into_customer_id=into,
        profile=profile,
        moved={},
        merged_at=utc_now(),
    )


async def talked(tenant: Tenant, visitor_id: UUID, mark: str) -> dict[str, Any]:
    """Have a conversation of two turns. Returns the first reply."""
    first = await tenant.ask(
        f"Hello, I am {mark}. What is {mark}?",
        visitor_id=str(visitor_id),
        session_context={"current_page": f"https://shop.example/{mark}", "utm": {"campaign": mark}},
    )
    await tenant.ask(f"And {mark}?", visitor_id=str(visitor_id), conversation_id=first["conversation_id"])
    return first


async def known_customer(tenant: Tenant, mark: str = MARK) -> UUID:
    """A customer with a row of every kind, the mark in each, and one correction of what was read."""
    customer_id = await arrived(tenant)
    await talked(tenant, customer_id, mark)
    first = await talked(tenant, customer_id, mark)
    corrected = await tenant.client.put(
        f"/api/v1/intelligence/turns/{first['turn_id']}/overrides/key_topics",
        headers=tenant.owner,
        json={"value": [mark.lower()], "note": mark},
    )
    assert corrected.status_code == 200, corrected.text
    await described(tenant, customer_id, mark)
    return customer_id


def places_of(database: DatabaseAddress, mark: str) -> Sequence[str]:
    """The tables where a text stands, in any column of any type, as it is or as bytes."""
    conninfo = database.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    found: list[str] = []
    with psycopg.connect(conninfo) as connection:
        for (name,) in connection.execute(TABLES.encode()).fetchall():
            query = sql.SQL("SELECT count(*) FROM {table} t WHERE t::text ILIKE ANY (%s)").format(
                table=sql.Identifier(name)
            )
            row = connection.execute(query, [[f"%{mark}%", f"%{mark.encode().hex()}%"]]).fetchone()
            if row is not None and row[0]:
                found.append(name)
    return sorted(found)


def rows_with(database: DatabaseAddress, text: str) -> dict[str, str]:
    """A digest for each table of its rows in which a text stands."""
    conninfo = database.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    digests: dict[str, str] = {}
    with psycopg.connect(conninfo) as connection:
        for (name,) in connection.execute(TABLES.encode()).fetchall():
            query = sql.SQL(
                "SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t WHERE t::text ILIKE %s"
            ).format(table=sql.Identifier(name))
            row = connection.execute(query, [f"%{text}%"]).fetchone()
            if row is not None and row[0]:
                digests[name] = row[0]
    return digests


async def erase(tenant: Tenant, customer_id: UUID, headers: dict[str, str] | None = None) -> httpx.Response:
    return await tenant.client.delete(
        f"/api/v1/customers/{customer_id}", headers=tenant.owner if headers is None else headers
    )


async def test_no_word_of_an_erased_customer_is_left_in_any_table(
    tenant: Tenant, database: DatabaseAddress
) -> None:
    customer_id = await known_customer(tenant)
    before = set(places_of(database, MARK))
    assert before >= {
        "customers",
        "customer_merges",
        "identity_tokens",
        "turns",
        "traces",
        "intelligence_overrides",
    }

    assert (await erase(tenant, customer_id)).status_code == 204

    assert places_of(database, MARK) == []
    # The log says that it was done, by whom, and of which id: nothing about the person.
    assert places_of(database, str(customer_id)) == ["audit_events"]


async def test_everybody_else_stays_as_they_were(
    tenant: Tenant, stranger: Tenant, database: DatabaseAddress
) -> None:
    customer_id = await known_customer(tenant)
    await known_customer(tenant, "Somebody-Else")
    await known_customer(stranger, "Somebody-Elsewhere")
    colleague, elsewhere = rows_with(database, "Somebody-Else"), rows_with(database, str(stranger.org_id))
    assert set(colleague) >= {"customers", "customer_merges", "turns", "traces", "intelligence_overrides"}

    assert (await erase(tenant, customer_id)).status_code == 204

    assert rows_with(database, "Somebody-Else") == colleague
    assert rows_with(database, str(stranger.org_id)) == elsewhere


async def test_a_profile_that_was_taken_back_from_a_merge_is_erased_from_there_too(
    tenant: Tenant, database: DatabaseAddress
) -> None:
    into, restored = await arrived(tenant), await arrived(tenant)
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        session.add(merge(tenant, into=into, profile={"id": str(restored), "name": "Wombat-0815"}))

    await erase(tenant, restored)

    assert places_of(database, "Wombat-0815") == []
    assert (await tenant.client.get(f"/api/v1/customers/{into}/export", headers=tenant.owner)).is_success


async def test_this_process_remembers_no_reading_of_what_was_erased(tenant: Tenant) -> None:
    customer_id = await arrived(tenant)
    message = Message(f"Is {MARK} for sale?")
    analyst = tenant.platform.analyst
    await analyst.read(tenant.scope, message)
    assert (await analyst.read(tenant.scope, message)).cached

    await erase(tenant, customer_id)

    assert not (await analyst.read(tenant.scope, message)).cached


async def test_another_organization_keeps_its_readings(tenant: Tenant, stranger: Tenant) -> None:
    message = Message("Is it for sale?")
    await tenant.platform.analyst.read(stranger.scope, message)

    await erase(tenant, await arrived(tenant))

    assert (await tenant.platform.analyst.read(stranger.scope, message)).cached


async def test_a_turn_that_runs_while_its_customer_is_erased_leaves_nothing(
    tenant: Tenant, database: DatabaseAddress
) -> None:
    customer_id = await arrived(tenant)
    chat = tenant.platform.chat
    turn_id = await chat.begin(
        tenant.scope, tenant.agent_id, ChatIn(message=f"Numbat-0042 and {MARK}?", visitor_id=customer_id)
    )

    assert (await erase(tenant, customer_id)).status_code == 204
    events = [event async for event in chat.follow(tenant.scope, tenant.agent_id, turn_id)]
    await asyncio.sleep(0)

    assert events[-1].type == "error"
    assert places_of(database, "Numbat-0042") == []


async def test_the_export_holds_all_that_is_kept(tenant: Tenant) -> None:
    customer_id = await known_customer(tenant)

    response = await tenant.client.get(f"/api/v1/customers/{customer_id}/export", headers=tenant.owner)

    assert response.status_code == 200
    assert response.headers["content-disposition"].endswith(f'"customer-{customer_id}.json"')
    told = response.json()
    assert (told["customer"]["name"], told["customer"]["labels"]) == (MARK, [MARK])
    assert [visitor["id"] for visitor in told["customer"]["visitors"]] == [str(customer_id)]
    assert told["customer"]["merges"][0]["profile"]["name"] == MARK
    assert [len(conversation["turns"]) for conversation in told["conversations"]] == [2, 2]
    turn = told["conversations"][1]["turns"][0]
    assert (turn["message"], turn["seq"]) == (f"Hello, I am {MARK}. What is {MARK}?", 1)
    assert turn["session_context"]["utm"] == {"campaign": MARK}
    assert turn["reply"]["turn_id"] == turn["trace"].get("turn_id", turn["id"]) == turn["id"]
    assert told["conversations"][1]["corrections"][0]["note"] == MARK


async def test_an_export_of_many_conversations_has_each_once(tenant: Tenant) -> None:
    customer_id = await arrived(tenant)
    asked = [await tenant.ask("Hello?", visitor_id=str(customer_id)) for _ in range(41)]

    response = await tenant.client.get(f"/api/v1/customers/{customer_id}/export", headers=tenant.owner)

    told = [conversation["id"] for conversation in response.json()["conversations"]]
    assert told == [reply["conversation_id"] for reply in asked]


async def test_taking_and_erasing_are_in_the_audit_log(tenant: Tenant) -> None:
    customer_id = await known_customer(tenant)
    await tenant.client.get(f"/api/v1/customers/{customer_id}/export", headers=tenant.owner)
    await erase(tenant, customer_id)

    log = (await tenant.client.get("/api/v1/audit-log", headers=tenant.owner)).json()["items"]

    noted = [(event["action"], event["subject"]) for event in log][:2]
    assert noted == [("customer.erased", str(customer_id)), ("customer.exported", str(customer_id))]
    assert log[0]["details"] == {"visitors": 1, "conversations": 2}


async def test_nobody_takes_or_erases_a_foreign_customer(tenant: Tenant, stranger: Tenant) -> None:
    customer_id = await known_customer(tenant)

    for wanted in (customer_id, new_id()):
        taken = await stranger.client.get(f"/api/v1/customers/{wanted}/export", headers=stranger.owner)
        erased = await erase(stranger, wanted)
        assert (taken.status_code, taken.json()["code"]) == (404, "customer_not_found")
        assert (erased.status_code, erased.json()["code"]) == (404, "customer_not_found")
    export = await tenant.client.get(f"/api/v1/customers/{customer_id}/export", headers=tenant.owner)
    assert len(export.json()["conversations"]) == 2


async def test_a_visitor_may_neither_take_nor_erase(tenant: Tenant) -> None:
    customer_id = await known_customer(tenant)
    visitor = await tenant.visitor()

    taken = await tenant.client.get(f"/api/v1/customers/{customer_id}/export", headers=visitor)
    erased = await erase(tenant, customer_id, headers=visitor)

    assert (taken.status_code, erased.status_code) == (403, 403)


async def test_a_key_that_may_not_read_conversations_cannot_take_them_with_a_customer(tenant: Tenant) -> None:
    customer_id = await arrived(tenant)
    made = await tenant.client.post(
        "/api/v1/api-keys",
        headers=tenant.owner,
        json={"kind": "secret", "name": "crm", "scopes": ["customers:read"]},
    )
    key = {"Authorization": f"Bearer {made.json()['key']}"}

    taken = await tenant.client.get(f"/api/v1/customers/{customer_id}/export", headers=key)

    assert (taken.status_code, taken.json()["permission"]) == (403, "conversations:read")


async def test_who_was_erased_may_come_again_as_somebody_new(tenant: Tenant) -> None:
    visitor_id = await known_customer(tenant)
    await erase(tenant, visitor_id)

    await arrived(tenant, visitor_id)

    told = (await tenant.client.get(f"/api/v1/customers/{visitor_id}/export", headers=tenant.owner)).json()
    assert (told["customer"]["profile_type"], told["customer"]["visits"]) == ("anonymous", 1)
    assert (told["customer"]["name"], told["conversations"]) == (None, [])
