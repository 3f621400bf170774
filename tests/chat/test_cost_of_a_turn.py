"""How many statements a turn sends, whichever layer sends them: with everything that is known of a visitor, at most 14."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg
import pytest

from tests.factories.furnished import QUESTION
from tests.factories.tenants import Tenant, sign_identity

pytestmark = pytest.mark.anyio

MOST = 14
# What opens and ends a transaction is no statement of its own: it travels with the first, or is a commit.
FRAMES = ("BEGIN", "COMMIT", "ROLLBACK")


@contextmanager
def sent() -> Generator[list[str]]:
    """Collect what goes through the driver."""
    statements: list[str] = []
    execute = psycopg.AsyncCursor.execute

    async def noted(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        text = str(query)
        if not text.lstrip().upper().startswith(FRAMES):
            statements.append(" ".join(text.split())[:90])
        return await execute(self, query, *arguments, **options)

    with patch.object(psycopg.AsyncCursor, "execute", noted):
        yield statements


async def test_a_turn_of_a_known_visitor_costs_at_most_fourteen_statements(tenant: Tenant) -> None:
    await tenant.learn(returns="# Returns\n\nYou have 30 days from delivery to send anything back.\n")
    product = {"sku": "palma", "title": "Palma sofa", "price": "899", "currency": "USD", "category": "Sofas"}
    stocked = await tenant.client.post("/api/v1/catalog/products", headers=tenant.owner, json=product)
    assert stocked.status_code == 201, stocked.text
    visitor = await tenant.visitor()
    first = await tenant.ask_as(
        visitor, "I want a sofa under $900.", session_context={"current_page": "https://shop.example/pricing"}
    )
    secret = await tenant.identity_secret()
    await tenant.identify(visitor, sign_identity(secret, sub="ann"))
    await tenant.ask_as(visitor, QUESTION, conversation_id=first["conversation_id"])

    with sent() as statements:
        await tenant.ask_as(visitor, QUESTION, conversation_id=first["conversation_id"])
        await tenant.platform.chat.drain()

    assert 8 <= len(statements) <= MOST, statements
