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
