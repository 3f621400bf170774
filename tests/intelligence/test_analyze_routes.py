"""`POST /api/v1/intelligence/analyze`: what is read, for whom, by whose rules."""

from typing import Any

import pytest

from concierge.intelligence.reading import BUILT_IN
from tests.factories.tenants import Tenant
from tests.intelligence.guiding import call, rule_with

pytestmark = pytest.mark.anyio

MESSAGE = "The blue page is there again, I'm fed up!"


async def analyzed(tenant: Tenant, text: str, **body: Any) -> dict[str, Any]:
    response = await call(tenant, "POST", "/analyze", {"text": text, **body})
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_message_is_read_in_eight_dimensions_with_its_reasons(tenant: Tenant) -> None:
    read = await analyzed(tenant, MESSAGE)

    assert set(BUILT_IN) <= read.keys()
    assert read["emotional_state"] == "frustrated"
    [reason, *_] = read["evidence"]["emotional_state"]
    assert MESSAGE[reason["start"] : reason["end"]] == "fed up"
    assert read["model_step"]["outcome"] in {"not_needed", "not_configured"}


async def test_history_and_context_count(tenant: Tenant) -> None:
    alone = await analyzed(tenant, "It happened once more.", context={"local_time": "11:00"})
    after = await analyzed(
        tenant,
        "It is not working.",
        history=["My login is not working", "Still not working"],
        context={"current_page": "/support", "local_time": "23:30"},
    )

    assert alone["urgency_level"] == "low"
    assert after["urgency_level"] in {"high", "critical"}
    assert {reason["source"] for reason in after["evidence"]["urgency_level"]} >= {"history", "context"}


async def test_each_organization_is_read_by_its_own_rules(tenant: Tenant, stranger: Tenant) -> None:
    await rule_with(
        tenant,
        when={"phrases": ["blue page"]},
        then={"dimension": "urgency_level", "raise_to": "critical"},
    )

    own, other = await analyzed(tenant, MESSAGE), await analyzed(stranger, MESSAGE)

    assert (own["urgency_level"], own["settled_by"]["urgency_level"]) == ("critical", "rule")
    assert other["urgency_level"] != "critical"


async def test_the_share_of_messages_known_already_is_told_to_each_for_itself(
    tenant: Tenant, stranger: Tenant
) -> None:
    await analyzed(tenant, MESSAGE)
    again = await analyzed(tenant, MESSAGE)

    assert again["cached"] is True
    assert (await call(tenant, "GET", "/metrics")).json() == {"hits": 1, "misses": 1, "hit_rate": 0.5}
    assert (await call(stranger, "GET", "/metrics")).json() == {"hits": 0, "misses": 0, "hit_rate": 0.0}


async def test_a_visitor_and_a_publishable_key_may_not_ask(tenant: Tenant) -> None:
    for headers in (tenant.publishable, await tenant.visitor()):
        response = await tenant.client.post(
            "/api/v1/intelligence/analyze", headers=headers, json={"text": MESSAGE}
        )
        assert response.status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": 1},
        {"text": "x" * 100_001},
        {"text": "x", "history": "no list"},
        {"text": "x", "context": []},
    ],
)
async def test_what_is_no_message_is_refused_with_its_reason(tenant: Tenant, body: dict[str, Any]) -> None:
    response = await call(tenant, "POST", "/analyze", body)

    assert response.status_code == 422
    assert response.json()["code"] == "invalid_input"
