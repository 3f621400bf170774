"""Two pages disagree: the visitor hears the better one's word, since when it holds, or that a person should confirm it."""

import pytest

from concierge.knowledge.schemas import NewItem, NewSource
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

THIRTY = "# Returns\n\nYou have 30 days from delivery to return a product. We collect it for free.\n"
FOURTEEN = THIRTY.replace("30", "14").replace("We collect it for free.", "Shoes must be unworn.")
QUESTION = "How many days do I have to return a product?"


async def learn(tenant: Tenant, name: str, text: str, *, authoritative: bool = False) -> None:
    item = NewItem(f"{name}.md", text.encode())
    await tenant.read(NewSource("folder", name, name, [item], authoritative=authoritative))


async def test_the_authoritative_page_is_believed(tenant: Tenant) -> None:
    await learn(tenant, "shop", THIRTY)
    await learn(tenant, "terms", FOURTEEN, authoritative=True)

    reply = await tenant.ask(QUESTION)

    assert "14 days" in reply["response"]
    assert "30 days" not in reply["response"]
    assert not reply["escalation_suggested"]


async def test_the_newer_page_is_believed_and_its_date_is_said(tenant: Tenant) -> None:
    await learn(tenant, "old", f"---\ndate: 2024-03-01\n---\n\n{THIRTY}")
    await learn(tenant, "new", f"---\ndate: 2026-05-03\n---\n\n{FOURTEEN}")

    reply = await tenant.ask(QUESTION)

    assert "14 days" in reply["response"]
    assert "30 days" not in reply["response"]
    assert "3 May 2026" in reply["response"]


async def test_where_neither_is_better_a_person_is_to_confirm(tenant: Tenant) -> None:
    await learn(tenant, "one", THIRTY)
    await learn(tenant, "two", FOURTEEN)

    reply = await tenant.ask(QUESTION)
    trace = await tenant.client.get(f"/api/v1/turns/{reply['turn_id']}/trace", headers=tenant.owner)

    assert "colleague" in reply["response"]
    assert reply["escalation_suggested"]
    assert reply["confidence_score"] <= 0.5
    (found,) = trace.json()["trace"]["contradictions"]
    assert {found["valid"]["text"][:16], found["other"]["text"][:16]} == {
        "You have 30 days",
        "You have 14 days",
    }
    assert found["settled"] is False
