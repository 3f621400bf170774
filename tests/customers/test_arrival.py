"""A visitor arrives: one customer, however many messages come at once, and a visit for each time they come back."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from concierge.accounts.scope import Unit
from concierge.customers.errors import VisitorEndedError
from concierge.customers.schemas.known import KnownCustomer
from concierge.customers.service import ArrivalService
from concierge.entrypoints.wiring import DatabaseAddress
from concierge.kit.ids import new_id
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def arrives(
    tenant: Tenant, visitor_id: UUID, *, after: timedelta = timedelta(), page: str | None = None
) -> KnownCustomer:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        arrivals = ArrivalService(Unit(session, tenant.scope), lambda: MORNING + after)
        return await arrivals.arrive(visitor_id, tenant.agent_id, page)


async def test_who_comes_back_within_half_an_hour_is_still_on_the_same_visit(tenant: Tenant) -> None:
    visitor_id = new_id()
    first = await arrives(tenant, visitor_id)
    soon = await arrives(tenant, visitor_id, after=timedelta(minutes=30))
    later = await arrives(tenant, visitor_id, after=timedelta(minutes=60, seconds=1))

    assert [known.visits for known in (first, soon, later)] == [1, 1, 2]
    assert [known.turns for known in (first, soon, later)] == [1, 2, 3]
    assert [known.previous_visit_at for known in (first, soon, later)] == [
        None,
        None,
        MORNING + timedelta(minutes=30),
    ]


async def test_five_first_messages_at_once_make_one_customer(tenant: Tenant) -> None:
    visitor_id = new_id()

    known = await asyncio.gather(*(arrives(tenant, visitor_id) for _ in range(5)))

    assert {customer.customer_id for customer in known} == {visitor_id}
    assert sorted(customer.turns for customer in known) == [1, 2, 3, 4, 5]


async def test_one_id_is_two_people_in_two_organizations(tenant: Tenant, stranger: Tenant) -> None:
    visitor_id = new_id()
    await arrives(tenant, visitor_id)

    theirs = await arrives(stranger, visitor_id)

    assert (theirs.turns, theirs.visits) == (1, 1)


async def test_an_ended_visitor_does_not_arrive_and_counts_for_nothing(tenant: Tenant) -> None:
    visitor = await tenant.visitor()
    reply = await tenant.ask_as(visitor, "Hello?")
    visitor_id = UUID(reply["customer_context"]["visitor_id"])
    await tenant.client.post("/api/v1/visitors/reset", headers=visitor)

    with pytest.raises(VisitorEndedError):
        await arrives(tenant, visitor_id)

    found = await tenant.client.get(f"/api/v1/customers/{visitor_id}", headers=tenant.owner)
    assert (found.json()["turns"], found.json()["visits"]) == (1, 1)


async def test_the_identity_secret_does_not_stand_in_the_database(
    tenant: Tenant, database: DatabaseAddress
) -> None:
    secret = await tenant.identity_secret()

    conninfo = database.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(conninfo) as connection:
        (stored,) = connection.execute(
            "SELECT identity_secret FROM customer_settings WHERE org_id = %s", [tenant.org_id]
        ).fetchone() or (None,)
        log = connection.execute(
            "SELECT action, details::text FROM audit_events WHERE org_id = %s", [tenant.org_id]
        ).fetchall()
    shown = await tenant.client.get("/api/v1/customers/settings", headers=tenant.owner)

    assert stored is not None
    assert secret.encode() not in stored
    assert "identity_secret.rotated" in {action for action, _ in log}
    assert not any(secret in details for _, details in log)
    assert secret not in shown.text
