"""The three visitors of the specification, through the whole product; and a turn that goes on without its context."""

from collections.abc import AsyncIterator

import pytest

from concierge.accounts.scope import Unit
from concierge.agents.service import AgentService
from concierge.catalog.service import ProductContexts
from concierge.chat.steps.recall import Recollection
from concierge.chat.steps.receive import Received
from concierge.conversations.schemas import StartedTurn, TurnRequest
from concierge.entrypoints.wiring import DatabaseAddress, Platform
from concierge.kit.clock import utc_now
from concierge.kit.db import Database
from concierge.kit.ids import new_id
from concierge.llm.embedders import QuestionVectors
from concierge.llm.embeddings import LocalEmbedder
from tests.conftest import SETTINGS
from tests.factories.tenants import Tenant
from tests.scenarios.visiting import Shop, opened

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def shop(database: DatabaseAddress, embedder: LocalEmbedder) -> AsyncIterator[Shop]:
    async with opened(SETTINGS, database, embedder) as shop:
        yield shop


async def test_a_stranger_on_a_phone_who_asks_for_pricing_is_asked_one_thing(shop: Shop) -> None:
    stranger = await shop.browser()
    stranger.visits(current_page="https://coconut.example/pricing", device="mobile")
    turn = await stranger.says("Hi there, what do you have for pricing?")
    assert turn.reply["fallback_strategy"] == "discovery"
    assert "$899" in turn.text
    assert turn.text.count("?") == 1
    assert turn.reply["sources"]


async def test_a_returning_buyer_with_an_order_is_helped(shop: Shop) -> None:
    buyer = await shop.browser()
    buyer.visits(current_page="https://coconut.example/", device="desktop")
    await buyer.says("Hello")
    customer = (await buyer.says("I bought a Lagoon table last month.")).customer["customer_id"]
    labelled = await shop.tenant.client.patch(
        f"/api/v1/customers/{customer}", headers=shop.tenant.secret, json={"labels": ["customer"]}
    )
    assert labelled.status_code == 200
    shop.days_later(1)
    buyer.visits(current_page="https://coconut.example/", device="desktop")
    turn = await buyer.says("I need help with my order")
    assert turn.reply["fallback_strategy"] == "helpful"
    assert turn.customer["returning"] is True
    assert not turn.strategy["purchase_step"]


async def test_a_first_hello_is_shown_the_best(shop: Shop) -> None:
    newcomer = await shop.browser()
    newcomer.visits(current_page="https://coconut.example/")
    turn = await newcomer.says("Hello")
    assert turn.reply["fallback_strategy"] == "showcase"
    assert turn.reply["sources"][0]["type"] == "product"


async def test_what_was_read_of_a_visitor_is_for_the_business(shop: Shop) -> None:
    visitor = await shop.browser()
    visitor.visits()
    seen = (await visitor.says("This is a disgrace, my table broke!")).reply["customer_context"]
    assert seen["user_intelligence"] is None
    reply = await shop.tenant.ask("This is a disgrace, my table broke!")
    read = reply["customer_context"]["user_intelligence"]
    assert read["intent_category"] in {"complaint", "problem_solving"}
    assert read["escalation_needed"] in {True, False}


async def test_a_turn_goes_on_without_what_cannot_be_had(platform: Platform, tenant: Tenant) -> None:
    gone = Database("postgresql+psycopg://nobody@localhost:1/nothing", pool_size=2)
    vectors = QuestionVectors(platform.embedders)
    recollection = Recollection(
        platform.db,
        platform.sessions,
        platform.memory_requests,
        ProductContexts(gone, vectors, utc_now),
        vectors,
        utc_now,
    )
    async with platform.db.transaction(tenant.org_id) as session:
        agent = await AgentService(Unit(session, tenant.scope)).configuration(tenant.agent_id)
    request = TurnRequest(tenant.agent_id, "Hello", session_context={"device": "mobile"})
    turn = StartedTurn(new_id(), new_id(), 1, (), is_new=True)
    recalled = await recollection.recall(Received(tenant.scope, agent, request, turn))
    await gone.close()
    assert dict(recalled.missing) == {"product": "database_unavailable"}
    assert recalled.customer.response_style == "concise"
    assert recalled.product.matches == ()
