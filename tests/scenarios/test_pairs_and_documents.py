"""A shop wrote down an answer to one question: it is given to whoever asks that, and to nobody else."""

from typing import Any

import httpx
import pytest

from concierge.entrypoints.wiring import Platform
from tests.factories.tenants import Tenant, make_tenant

pytestmark = pytest.mark.anyio

# The page says otherwise than the pairs, as pages do that nobody has brought up to date.
PAGE = """# Delivery

We deliver to Germany, Austria and Norway. Delivery to Norway costs 79 dollars. Delivery to Austria costs 39 dollars.

Delivery takes 4 weeks. On Sundays we deliver nothing.

# Returns

You have 14 days to return a sofa. A mattress cannot be returned once it is unpacked.
"""
PAIRS = {
    "How much does delivery to Norway cost?": "Delivery to Norway is free until the end of the year.",
    "How long do I have to return a sofa?": "You have 60 days. Keep the box.",
    "Can I pay by invoice?": "Yes, from the second order on.",
}


@pytest.fixture(scope="module")
async def shop(platform: Platform, client: httpx.AsyncClient) -> Tenant:
    shop = await make_tenant(platform, client)
    await shop.learn(delivery=PAGE)
    for question, answer in PAIRS.items():
        response = await client.post(
            f"/api/v1/knowledge/packs/{shop.pack_id}/faqs",
            headers=shop.owner,
            json={"question": question, "answer": answer},
        )
        assert response.status_code == 201, response.text
    return shop


def said_by(reply: dict[str, Any]) -> set[str]:
    return {source["type"] for source in reply["sources"]}


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("How much does delivery to Norway cost?", "Delivery to Norway is free until the end of the year [1]."),
        ("what does shipping to norway cost", "Delivery to Norway is free until the end of the year [1]."),
        ("Hi! What are the delivery charges to Norway?", "Delivery to Norway is free until the end of the year [1]."),
        ("How many days do I have to send a sofa back?", "You have 60 days. Keep the box [1]."),
        ("Is it possible to pay by invoice?", "Yes, from the second order on [1]."),
    ],
)  # fmt: skip
async def test_a_pair_beats_a_document_that_says_otherwise(shop: Tenant, asked: str, answer: str) -> None:
    reply = await shop.ask(asked)

    assert reply["response"] == answer
    assert said_by(reply) == {"faq"}
    assert not reply["escalation_suggested"]
    assert reply["confidence_score"] >= 0.9


@pytest.mark.parametrize(
    ("asked", "holds", "holds_not"),
    [
        ("How much does delivery to Austria cost?", "39", "free"),
        ("How long does delivery take?", "4 weeks", "60 days"),
        ("Can a mattress be returned once it is unpacked?", "cannot be returned", "60 days. Keep the box"),
    ],
)
async def test_a_question_that_is_only_near_is_answered_from_the_documents(
    shop: Tenant, asked: str, holds: str, holds_not: str
) -> None:
    reply = await shop.ask(asked)

    assert holds in reply["response"]
    assert holds_not not in reply["response"]
    assert "pack" in said_by(reply)


async def test_what_goes_on_from_a_pair_is_another_question(shop: Tenant) -> None:
    first = await shop.ask("How much does delivery to Norway cost?")

    second = await shop.ask("And to Austria?", conversation_id=first["conversation_id"])

    assert "free" in first["response"]
    assert "free" not in second["response"]
    assert "39" in second["response"]
