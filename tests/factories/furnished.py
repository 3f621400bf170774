"""An organization with one row of every kind that has an address, to try to reach from elsewhere."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from concierge.accounts.scope import Unit
from concierge.billing.budgets import Budget, Budgets
from concierge.billing.events import EventKind, Told
from concierge.billing.schemas import Meter
from concierge.entrypoints.wiring import Platform
from concierge.kit.clock import utc_now
from concierge.kit.ids import new_id
from concierge.knowledge.service.texts import text_source
from concierge.tools.repository import WebSearchRepository
from tests.customers.remembering import a_guest
from tests.factories.strategies import follow_strategy
from tests.factories.tenants import Tenant, make_tenant, sign_identity

# The same shop says two things of its car park.
PLACES = {
    "parking": "# Parking\n\nThe car park behind the depot has 40 places for visitors.\n",
    "arrival": "# Parking FAQ\n\nThe car park behind the depot has 60 places for visitors.\n",
}
RETURNS = "You have 30 days from delivery to send anything back. We collect it for free.\n"
KITCHEN = "# Staff kitchen\n\nThe kitchen behind the depot has 12 cups for the staff.\n"
QUESTION = "How many days do I have to send something back?"


@dataclass(frozen=True, slots=True)
class Furnished:
    """`ids` has a row of the tenant for the name of every path parameter there is."""

    tenant: Tenant
    ids: dict[str, UUID]
    turn: dict[str, Any]

    @property
    def marks(self) -> set[str]:
        """Texts that only this organization's own callers may ever read."""
        return {str(value) for value in self.ids.values()} | {str(self.tenant.org_id), self.tenant.email}


async def furnish(platform: Platform, client: httpx.AsyncClient) -> Furnished:
    tenant = await make_tenant(platform, client)
    source_id = await tenant.read(text_source("Returns", RETURNS))
    visitor_id = new_id()
    turn = await tenant.ask(QUESTION, visitor_id=str(visitor_id))
    ids = {
        "agent_id": tenant.agent_id,
        "pack_id": tenant.pack_id,
        "index_id": await _first(tenant, f"/knowledge/packs/{tenant.pack_id}/indexes"),
        "source_id": source_id,
        "document_id": await _first(tenant, f"/knowledge/packs/{tenant.pack_id}/documents"),
        "conversation_id": UUID(turn["conversation_id"]),
        "turn_id": UUID(turn["turn_id"]),
        "member_id": await _first(tenant, "/members"),
        "item_id": await _first(tenant, f"/knowledge/sources/{source_id}/items"),
        "key_id": await _first(tenant, "/api-keys"),
    }
    ids["contradiction_id"] = await _contradict(tenant)
    await _restrict(tenant)
    ids["faq_id"] = await _answer(tenant)
    await _guide(tenant, ids["turn_id"])
    await _approach(tenant)
    ids["persona_id"] = await _be(tenant)
    ids["customer_id"] = await _meet(tenant)
    ids["merge_id"] = await _first(tenant, f"/customers/{ids['customer_id']}/merges")
    ids |= await _remember(tenant)
    ids["rule_id"] = await _first(tenant, "/intelligence/rules")
    ids["attribute_id"] = await _first(tenant, "/intelligence/attributes")
    ids["visitor_id"] = visitor_id
    await _teach(tenant, turn, visitor_id)
    ids |= await _offer(tenant)
    await _pay(tenant)
    await _spend(tenant)
    await _search(tenant)
    ids["model_id"] = await _model(tenant)
    return Furnished(tenant, ids, turn)


async def _contradict(tenant: Tenant) -> UUID:
    """Have pages read that disagree, which an operator then lets rest."""
    await tenant.learn(**PLACES)
    await tenant.platform.contradictions.run(tenant.scope, tenant.pack_id)
    found = await _first(tenant, f"/knowledge/packs/{tenant.pack_id}/contradictions")
    response = await tenant.client.post(
        f"/api/v1/knowledge/contradictions/{found}/dismiss", headers=tenant.owner
    )
    assert response.status_code == 200, response.text
    return found


async def _answer(tenant: Tenant) -> UUID:
    """Write a question–answer pair."""
    response = await tenant.client.post(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/faqs",
        headers=tenant.owner,
        json={"question": "Who runs this shop?", "answer": f"The people of {tenant.email} run it."},
    )
    assert response.status_code == 201, response.text
    return UUID(response.json()["id"])


async def _offer(tenant: Tenant) -> dict[str, UUID]:
    """Put something of every kind into the catalogue."""
    product = {"sku": "C-1", "title": f"The chair of {tenant.email}", "category": "Chairs", "price": "129"}
    offers: dict[str, tuple[str, dict[str, Any]]] = {
        "product_id": ("products", {**product, "attributes": {"Colour": ["Sand", "Black"]}}),
        "promotion_id": ("promotions", {"title": "Chair week", "text": f"All chairs of {tenant.email}."}),
        "entry_id": (
            "entries",
            {"kind": "company", "title": "Who we are", "text": f"We are {tenant.email}."},
        ),
    }
    ids: dict[str, UUID] = {}
    for name, (path, body) in offers.items():
        response = await tenant.client.post(f"/api/v1/catalog/{path}", headers=tenant.owner, json=body)
        assert response.status_code == 201, response.text
        ids[name] = UUID(response.json()["id"])
    return ids


async def _restrict(tenant: Tenant) -> None:
    """Have a page read that an operator keeps for the staff."""
    source_id = await tenant.learn(kitchen=KITCHEN)
    document_id = await _first(tenant, f"/knowledge/sources/{source_id}/items", "document_id")
    response = await tenant.client.patch(
        f"/api/v1/knowledge/documents/{document_id}", headers=tenant.owner, json={"audience": "staff"}
    )
    assert response.status_code == 200, response.text


async def _guide(tenant: Tenant, turn_id: UUID) -> None:
    """Say how messages are read: beforehand by a rule, an attribute and a setting, afterwards by a correction."""
    values = [{"value": "trade"}, {"value": "private"}]
    rule = {"when": {"page_contains": "/outage"}, "then": {"add_topic": "outage"}}
    for method, path, body in (
        ("POST", "/attributes", {"name": "customer_kind", "values": values}),
        ("POST", "/rules", {"name": f"The rule of {tenant.email}", **rule}),
        ("PUT", "/settings", {"opens": "08:00", "closes": "20:00"}),
        ("PUT", f"/turns/{turn_id}/overrides/key_topics", {"value": ["returns", tenant.email]}),
    ):
        response = await tenant.client.request(
            method, f"/api/v1/intelligence{path}", headers=tenant.owner, json=body
        )
        assert response.is_success, response.text


async def _remember(tenant: Tenant) -> dict[str, UUID]:
    """Have two customers: one of whom something is remembered, and one who wished to be forgotten."""
    guest, gone = await a_guest(tenant), await a_guest(tenant)
    await guest.says(f"We live in Berlin. Do you know {tenant.email}?")
    await tenant.platform.memory.forget(tenant.scope, gone.customer_id)
    customer = f"/customers/{guest.customer_id}/memory"
    rule = {
        "when": {"source": "page", "any": ["/angebote"]},
        "then": [{"what": "stage", "value": "decision"}],
    }
    for method, path, body in (
        ("PUT", "/customers/memory-settings", {"days": {"event": 900}}),
        ("POST", "/customers/session-rules", {"name": f"Offers of {tenant.email}", **rule}),
        ("POST", customer, {"kind": "goal", "subject": "flat", "value": f"furnishes for {tenant.email}"}),
    ):
        response = await tenant.client.request(method, f"/api/v1{path}", headers=tenant.owner, json=body)
        assert response.is_success, response.text
    return {
        "customer_id": guest.customer_id,
        "fact_id": await _first(tenant, customer),
        "session_rule_id": await _first(tenant, "/customers/session-rules"),
    }


async def _be(tenant: Tenant) -> UUID:
    """Write a persona."""
    body = {
        "name": f"The voice of {tenant.email}"[:120],
        "system_prompt": f"You speak for {tenant.email}.",
        "tactics": {"style": "consultative", "steps": ["qualify", "value"]},
    }
    path = "/api/v1/domain-expertise/personas"
    response = await tenant.client.post(path, headers=tenant.owner, json=body)
    assert response.status_code == 201, response.text
    return UUID(response.json()["id"])


async def _approach(tenant: Tenant) -> None:
    """Say what strategies may be."""
    response = await tenant.client.put(
        "/api/v1/strategies", headers=tenant.owner, json={"vip_labels": [tenant.email[:60]]}
    )
    assert response.status_code == 200, response.text


async def _meet(tenant: Tenant) -> UUID:
    """Have somebody write as a visitor, and turn out to be a customer. Returns the customer."""
    made = await tenant.client.put(
        "/api/v1/customers", headers=tenant.owner, json={"external_id": tenant.email, "name": tenant.email}
    )
    visitor = await tenant.visitor()
    await tenant.ask_as(visitor, QUESTION)
    secret = await tenant.identity_secret()
    response = await tenant.identify(visitor, sign_identity(secret, sub=tenant.email))
    assert response.status_code == 200, response.text
    return UUID(made.json()["id"])


async def _teach(tenant: Tenant, turn: dict[str, Any], visitor_id: UUID) -> None:
    """Have a strategy followed, and its visitor pleased."""
    await follow_strategy(tenant, turn, visitor_id=visitor_id)
    path = f"/api/v1/chat/{tenant.agent_id}/conversations/{turn['conversation_id']}/rating"
    response = await tenant.client.post(path, headers=tenant.secret, json={"rating": 5})
    assert response.status_code == 200, response.text


async def _pay(tenant: Tenant) -> None:
    """Have a plan paid for, and something used of it."""
    customer, subscription = f"cus_{tenant.org_id.hex}", f"sub_{tenant.org_id.hex}"
    told = Told(
        event_id=f"evt_{tenant.org_id.hex}",
        kind=EventKind.CHECKOUT,
        made_at=utc_now(),
        org_id=tenant.org_id,
        customer_id=customer,
        subscription_id=subscription,
        status="active",
        plan="enterprise",
    )
    await tenant.platform.billing.paying.believe(told)
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        await tenant.platform.billing.usage.count(Unit(session, tenant.scope), Meter.WEB_SEARCHES, 3)


async def _model(tenant: Tenant) -> UUID:
    """Have a language model, and say who may ask it: nobody, so that no test ever does."""
    body = {
        "name": tenant.email,
        "model": "openai:qwen3",
        "key": "sk-tenant",
        "url": "https://models.invalid/v1",
    }
    made = await tenant.client.post("/api/v1/language-models", headers=tenant.owner, json=body)
    assert made.status_code == 201, made.text
    for path in ("/writing", f"/agents/{tenant.agent_id}/writing"):
        said = await tenant.client.put(f"/api/v1{path}", headers=tenant.owner, json={"models": []})
        assert said.status_code == 200, said.text
    return UUID(made.json()["id"])


async def _spend(tenant: Tenant) -> None:
    """Have something spent of a budget, and something set aside."""
    budgets, budget = Budgets(tenant.platform.db), Budget(tenant.email, "day", 10)
    await budgets.commit(tenant.scope, await budgets.reserve(tenant.scope, {budget: 1}))
    await budgets.reserve(tenant.scope, {budget: 1})


async def _search(tenant: Tenant) -> None:
    """Have a search of the web kept."""
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        kept = WebSearchRepository(session, tenant.scope)
        await kept.keep("searxng", b"key", (), utc_now(), utc_now() + timedelta(hours=1))


async def _first(tenant: Tenant, path: str, field: str = "id") -> UUID:
    response = await tenant.client.get(f"/api/v1{path}", headers=tenant.owner)
    found = response.json()
    return UUID((found if isinstance(found, list) else found["items"])[0][field])
