"""How many SQL statements a request costs: a bound that does not grow with the number of rows."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from concierge.entrypoints.wiring import Platform
from tests.api.operations import Operation, operations
from tests.factories.furnished import QUESTION, Furnished
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

READS = [operation for operation in operations() if operation.method == "GET"]
# To know the caller costs two (whose rows, the sign-in), to open the request's transaction one more.
AUTHENTICATION = 3
MOST: dict[str, int] = {
    "is_alive": 0,
    "is_ready": 1,
    "me": AUTHENTICATION + 1,
    "list_members": AUTHENTICATION + 1,
    "list_api_keys": AUTHENTICATION + 1,
    "read_audit_log": AUTHENTICATION + 1,
    "list_plans": AUTHENTICATION,
    "get_entitlements": AUTHENTICATION + 2,
    "list_agents": AUTHENTICATION + 1,
    "get_agent": AUTHENTICATION + 1,
    "get_agent_strategy": AUTHENTICATION + 2,
    "get_strategy_defaults": AUTHENTICATION + 1,
    "list_language_models": AUTHENTICATION + 1,
    "get_language_model": AUTHENTICATION + 1,
    "get_writing": AUTHENTICATION + 5,
    "get_agent_writing": AUTHENTICATION + 6,
    "list_personas": AUTHENTICATION + 1,
    "list_persona_templates": AUTHENTICATION,
    "get_persona": AUTHENTICATION + 1,
    "list_persona_versions": AUTHENTICATION + 2,
    "list_customers": AUTHENTICATION + 1,
    "get_customer": AUTHENTICATION + 1,
    "get_customer_settings": AUTHENTICATION + 1,
    "list_merges": AUTHENTICATION + 2,
    "list_packs": AUTHENTICATION + 1,
    "get_pack": AUTHENTICATION + 1,
    "list_documents": AUTHENTICATION + 2,
    "get_document": AUTHENTICATION + 1,
    "list_sources": AUTHENTICATION + 3,
    "get_source": AUTHENTICATION + 2,
    "list_items": AUTHENTICATION + 2,
    "list_syncs": AUTHENTICATION + 2,
    "watch_source": AUTHENTICATION + 4,
    "export_pack": AUTHENTICATION + 6,
    "list_knowledge_packs": AUTHENTICATION + 1,
    "get_source_text": AUTHENTICATION + 4,
    "list_faqs": AUTHENTICATION + 2,
    "get_faq": AUTHENTICATION + 1,
    "list_contradictions": AUTHENTICATION + 3,
    "list_indexes": AUTHENTICATION + 3,
    "export_customer": AUTHENTICATION + 8,
    "list_conversations": AUTHENTICATION + 1,
    "get_conversation": AUTHENTICATION + 1,
    "list_turns": AUTHENTICATION + 2,
    "get_trace": AUTHENTICATION + 1,
    "resume_turn": AUTHENTICATION + 3,
    "read_intelligence_metrics": AUTHENTICATION,
    "list_intelligence_rules": AUTHENTICATION + 1,
    "list_intelligence_attributes": AUTHENTICATION + 1,
    "get_intelligence_settings": AUTHENTICATION + 1,
    "list_overrides": AUTHENTICATION + 3,
    "export_labels": AUTHENTICATION + 1,
    "read_learning": AUTHENTICATION + 1,
    "get_learning_settings": AUTHENTICATION + 1,
    "list_session_rules": AUTHENTICATION + 1,
    "get_memory_settings": AUTHENTICATION + 1,
    "list_memory": AUTHENTICATION + 2,
    "list_own_memory": AUTHENTICATION + 3,
    "list_products": AUTHENTICATION + 3,
    "get_product": AUTHENTICATION + 3,
    "list_featured_products": AUTHENTICATION + 3,
    "list_promotions": AUTHENTICATION + 2,
    "get_promotion": AUTHENTICATION + 2,
    "list_entries": AUTHENTICATION + 1,
    "get_entry": AUTHENTICATION + 1,
    "get_catalog_settings": AUTHENTICATION + 2,
}


@contextmanager
def counted(platform: Platform) -> Generator[list[str]]:
    """Collect the statements that are sent meanwhile."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engine = platform.db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_every_route_that_reads_has_a_bound() -> None:
    assert set(MOST) == {operation.name for operation in READS}


@pytest.fixture(scope="module")
async def crowded(shop: Furnished) -> Furnished:
    """More than one of everything, so that a statement for each row would show."""
    tenant = shop.tenant
    for number in range(3):
        await tenant.learn(**{f"note{number}": f"# Note {number}\n\nThis is note number {number}.\n"})
        await tenant.ask(QUESTION, conversation_id=str(shop.ids["conversation_id"]))
        body = {"name": f"Agent {number}", "pack_ids": [str(tenant.pack_id)]}
        await tenant.client.post("/api/v1/agents", headers=tenant.owner, json=body)
        await tenant.client.post(
            "/api/v1/knowledge/packs", headers=tenant.owner, json={"name": f"Pack {number}"}
        )
    return shop


@pytest.mark.parametrize("operation", READS, ids=lambda operation: operation.name)
async def test_reading_costs_a_fixed_number_of_statements(
    operation: Operation, crowded: Furnished, platform: Platform
) -> None:
    with counted(platform) as statements:
        response = await operation.call(crowded.tenant.client, crowded.tenant.owner, crowded.ids)

    assert response.status_code == 200
    assert len(statements) <= MOST[operation.name], "\n".join(statements)


async def test_a_turn_costs_a_fixed_number_of_statements(crowded: Furnished, platform: Platform) -> None:
    for most, more in ((13, {}), (14, {"conversation_id": str(crowded.ids["conversation_id"])})):
        with counted(platform) as statements:
            reply = await crowded.tenant.ask(QUESTION, **more)

        assert "30 days" in reply["response"]
        assert len(statements) <= most, "\n".join(statements)


async def test_a_longer_conversation_costs_no_more(tenant: Tenant, platform: Platform) -> None:
    conversation_id = (await tenant.ask("Hello?"))["conversation_id"]
    costs: list[int] = []
    for _ in range(4):
        with counted(platform) as statements:
            await tenant.ask("And now?", conversation_id=conversation_id)
        costs.append(len(statements))

    assert len(set(costs)) == 1
