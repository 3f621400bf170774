"""A visitor's message becomes a reply with sources that prove it."""

import pytest

from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

RETURNS = """# Returns

You have 30 days from delivery to send anything back. We collect it for free.

# Shipping

We deliver to Norway within five working days.
"""


async def test_an_answer_quotes_its_document_exactly(tenant: Tenant) -> None:
    await tenant.learn(returns=RETURNS)

    reply = await tenant.ask("How many days do I have to send something back?")

    assert "30 days" in reply["response"]
    source = reply["sources"][0]
    document = await tenant.client.get(
        f"/api/v1/knowledge/documents/{source['document_id']}", headers=tenant.owner
    )
    text = document.json()["text"]
    assert text[source["start"] : source["end"]] == source["quote"]


async def test_how_sure_an_answer_must_be_in_strict_mode_is_its_operators_word(
    tenant: Tenant, stranger: Tenant
) -> None:
    for own in (tenant, stranger):
        source = await own.learn(returns=RETURNS)
        for method, path, body in (
            ("PATCH", f"/knowledge/sources/{source}", {"authoritative": True}),
            ("PATCH", f"/agents/{own.agent_id}", {"grounding_mode": "strict"}),
        ):
            said = await own.client.request(method, f"/api/v1{path}", headers=own.owner, json=body)
            assert said.is_success, said.text
    question = "Do you deliver to Norway?"
    usual = await outcome(stranger, question)

    said = await tenant.client.put(
        f"/api/v1/agents/{tenant.agent_id}/strategy", headers=tenant.owner, json={"strict_above": 0.95}
    )

    assert said.json()["effective"]["strict_above"] == 0.95
    assert await outcome(tenant, question) == ("partial", usual[1])
    assert usual[0] == "answered"
    assert 0.5 < usual[1] < 0.95
    assert await outcome(stranger, question) == usual


async def outcome(tenant: Tenant, question: str) -> tuple[str, float]:
    """What the answer counts as, and how sure it is."""
    reply = await tenant.ask(question)
    trace = await tenant.client.get(f"/api/v1/turns/{reply['turn_id']}/trace", headers=tenant.secret)
    answer = trace.json()["trace"]["answer"]
    return answer["outcome"], answer["confidence"]
