"""Corrections of single readings: who may make them, what is kept with them, and how they leave as labels."""

import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

import httpx
import pytest

from concierge.accounts.scope import Role, Unit
from concierge.conversations.service import ConversationService
from concierge.intelligence.schemas import ConversationAnalysis, Opportunity, PersonalizationCues
from concierge.intelligence.service import corrections
from concierge.kit.ids import new_id
from tests.accounts.people import signed_in_as
from tests.factories.tenants import Tenant
from tests.intelligence.guiding import attribute_with, call, told

pytestmark = pytest.mark.anyio

ANALYSIS = ConversationAnalysis(
    emotional_state="neutral",
    urgency_level="low",
    intent_category="exploration",
    key_topics=("sofas",),
    pain_points=(),
    opportunities=(Opportunity("offer_demo", "show me", 0, 7),),
    next_best_actions=("answer",),
    personalization_cues=PersonalizationCues("beginner", "neutral", "casual", "en"),
    confidence_score=0.7,
    confidence={"emotional_state": 0.61, "opportunities": 0.5, "customer_kind": 0.3},
    evidence={},
    settled_by={},
    attributes={"customer_kind": "private"},
)
CONTEXT = {"current_page": "https://shop.example/sofas", "device": "mobile", "utm": {}}


async def turn_of(tenant: Tenant, message: str = "Show me sofas", **body: Any) -> str:
    return (await tenant.ask(message, **body))["turn_id"]


async def read_turn(tenant: Tenant, analysis: ConversationAnalysis | None = ANALYSIS, **body: Any) -> str:
    """A turn in whose trace an analysis stands."""
    turn_id = await turn_of(tenant, **body)
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        service = ConversationService(Unit(session, tenant.scope))
        await service.finish_turn(
            UUID(turn_id),
            status="completed",
            reply={"response": "Here."},
            events=[],
            trace={"analysis": asdict(analysis)} if analysis else {},
        )
    return turn_id


async def correct(
    tenant: Tenant, turn_id: object, dimension: str, value: Any, *, note: str = "", **headers: Any
) -> httpx.Response:
    path = f"/turns/{turn_id}/overrides/{dimension}"
    return await call(tenant, "PUT", path, {"value": value, "note": note}, **headers)


async def labels(tenant: Tenant, **headers: Any) -> list[dict[str, Any]]:
    response = await call(tenant, "GET", "/labels", **headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in response.text.splitlines()]


async def test_a_correction_stands_beside_what_was_read(tenant: Tenant) -> None:
    turn_id = await read_turn(tenant)

    made = await correct(tenant, turn_id, "emotional_state", "excited", note="They can't wait.")

    assert made.status_code == 200, made.text
    me = (await tenant.client.get("/api/v1/me", headers=tenant.owner)).json()["actor_id"]
    assert {name: value for name, value in made.json().items() if name != "at"} == {
        "turn_id": turn_id,
        "dimension": "emotional_state",
        "value": "excited",
        "note": "They can't wait.",
        "read": "neutral",
        "confidence": pytest.approx(0.61),
        "by": f"member:{me}",
    }
    assert (await call(tenant, "GET", f"/turns/{turn_id}/overrides")).json() == [made.json()]


@pytest.mark.parametrize(
    ("dimension", "value", "read"),
    [
        ("emotional_state", "neutral", "neutral"),
        ("urgency_level", "critical", "low"),
        ("intent_category", "purchase_intent", "exploration"),
        ("key_topics", ["leather sofas", "delivery"], ["sofas"]),
        ("key_topics", [], ["sofas"]),
        ("pain_points", ["too expensive"], []),
        ("opportunities", ["upsell"], ["offer_demo"]),
        ("next_best_actions", ["share_link", "answer"], ["answer"]),
        (
            "personalization_cues",
            {"technical_level": "expert", "language": "de"},
            {
                "technical_level": "beginner",
                "response_style": "neutral",
                "communication_style": "casual",
                "language": "en",
            },
        ),
        ("customer_kind", "trade", "private"),
        ("customer_kind", "unknown", "private"),
    ],
)
async def test_every_dimension_can_be_corrected(
    dimension: str, value: Any, read: Any, tenant: Tenant
) -> None:
    await attribute_with(tenant)
    turn_id = await read_turn(tenant)

    made = await correct(tenant, turn_id, dimension, value)

    assert made.status_code == 200, made.text
    assert (made.json()["value"], made.json()["read"]) == (value, read)


@pytest.mark.parametrize(
    ("dimension", "value", "code", "named"),
    [
        ("mood", "happy", "dimension_unknown", "next_best_actions"),
        ("confidence_score", "1", "dimension_unknown", "emotional_state"),
        ("customer_kind", "trade", "dimension_unknown", "emotional_state"),
        ("emotional_state", "sad", "value_not_allowed", "frustrated, excited"),
        ("emotional_state", ["happy"], "value_not_allowed", "frustrated, excited"),
        ("urgency_level", "happy", "value_not_allowed", "critical, high"),
        ("key_topics", "sofas", "value_not_allowed", "a list"),
        ("opportunities", ["sell"], "value_not_allowed", "offer_demo, upsell"),
        ("next_best_actions", ["answer", "dance"], "value_not_allowed", "answer, ask_for_detail"),
        ("personalization_cues", "expert", "value_not_allowed", "technical_level"),
        ("personalization_cues", {}, "value_not_allowed", "technical_level"),
        ("personalization_cues", {"technical_level": "god"}, "invalid_input", "beginner"),
        ("personalization_cues", {"height": "tall"}, "invalid_input", "height"),
        ("key_topics", ["x" * 101], "invalid_input", "100"),
        ("key_topics", [f"topic {n}" for n in range(21)], "invalid_input", "20"),
        ("emotional_state", 7, "invalid_input", "string"),
        ("emotional_state", None, "invalid_input", "string"),
        ("Mood!", "happy", "invalid_input", "pattern"),
    ],
)
async def test_a_correction_that_means_nothing_is_refused_with_a_reason(
    dimension: str, value: Any, code: str, named: str, tenant: Tenant
) -> None:
    turn_id = await turn_of(tenant)

    refused = await correct(tenant, turn_id, dimension, value)

    assert told(refused) == (422, code)
    assert named in refused.text
    assert (await call(tenant, "GET", f"/turns/{turn_id}/overrides")).json() == []


async def test_a_later_correction_takes_the_place_of_an_earlier_one(tenant: Tenant) -> None:
    turn_id = await read_turn(tenant)
    await correct(tenant, turn_id, "emotional_state", "excited")
    other = await correct(tenant, turn_id, "urgency_level", "high")

    last = await correct(tenant, turn_id, "emotional_state", "happy")

    assert (await call(tenant, "GET", f"/turns/{turn_id}/overrides")).json() == [other.json(), last.json()]
    assert [label["corrected"] for label in await labels(tenant)] == ["high", "happy"]


async def test_a_correction_can_be_taken_back(tenant: Tenant) -> None:
    turn_id = await read_turn(tenant)
    await correct(tenant, turn_id, "emotional_state", "excited")
    path = f"/turns/{turn_id}/overrides/emotional_state"

    assert (await call(tenant, "DELETE", path)).status_code == 204
    assert told(await call(tenant, "DELETE", path)) == (404, "override_not_found")
    assert (await call(tenant, "GET", f"/turns/{turn_id}/overrides")).json() == []
    assert await labels(tenant) == []


async def test_a_label_holds_all_that_the_reading_was_made_from(tenant: Tenant) -> None:
    first = await tenant.ask("Hello there")
    conversation = {"conversation_id": first["conversation_id"]}
    await tenant.ask("I look for a sofa", **conversation)
    turn_id = await read_turn(tenant, message="Show me leather", session_context=CONTEXT, **conversation)
    await tenant.ask("And chairs?", **conversation)

    await correct(tenant, turn_id, "emotional_state", "excited")

    (label,) = await labels(tenant)
    assert set(label) == {
        *("text", "history", "context", "dimension"),
        *("read", "confidence", "corrected", "by", "at"),
    }
    assert (label["text"], label["history"]) == ("Show me leather", ["Hello there", "I look for a sofa"])
    assert label["context"] == CONTEXT
    assert (label["read"], label["corrected"]) == ("neutral", "excited")


async def test_a_turn_without_an_analysis_is_a_label_too(tenant: Tenant) -> None:
    turn_id = await read_turn(tenant, None)

    made = await correct(tenant, turn_id, "emotional_state", "excited")

    assert (made.json()["read"], made.json()["confidence"]) == (None, None)
    assert [label["read"] for label in await labels(tenant)] == [None]


async def test_labels_come_portion_by_portion_the_newest_last(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrections, "PORTION", 2)
    turn_id = await read_turn(tenant)
    values = {"emotional_state": "happy", "urgency_level": "high", "intent_category": "comparison"}
    for more in ({}, {"key_topics": ["a"]}, {"pain_points": ["b"]}):
        values |= more
        for dimension, value in values.items():
            await correct(tenant, turn_id, dimension, value)

        found = await labels(tenant)

        assert [label["dimension"] for label in found] == list(values)
        assert [label["at"] for label in found] == sorted(label["at"] for label in found)


async def test_a_line_is_a_line_whatever_was_written(tenant: Tenant) -> None:
    message = 'Two\nlines, "quotes", \u2028 and 😀'
    turn_id = await turn_of(tenant, message)
    await correct(tenant, turn_id, "key_topics", ["a\u2028b"])

    response = await call(tenant, "GET", "/labels")

    (line, rest) = response.content.split(b"\n")
    assert (json.loads(line)["text"], rest) == (message, b"")


async def test_labels_go_with_the_turn_they_are_of(tenant: Tenant) -> None:
    turn_id = await read_turn(tenant)
    await correct(tenant, turn_id, "emotional_state", "excited")

    erased = await tenant.client.delete(f"/api/v1/agents/{tenant.agent_id}", headers=tenant.owner)

    assert erased.status_code == 204
    assert await labels(tenant) == []


async def test_a_strangers_turn_is_not_there(tenant: Tenant, stranger: Tenant) -> None:
    turn_id = await read_turn(tenant)
    await correct(tenant, turn_id, "emotional_state", "excited")

    for unknown in (turn_id, new_id()):
        path = f"/turns/{unknown}/overrides"
        for dimension in ("emotional_state", "no_such"):
            refused = await correct(stranger, unknown, dimension, "happy")
            assert told(refused) == (404, "turn_not_found")
        assert told(await call(stranger, "GET", path)) == (404, "turn_not_found")
        assert told(await call(stranger, "DELETE", f"{path}/emotional_state")) == (404, "turn_not_found")
    assert await labels(stranger) == []
    assert len(await labels(tenant)) == 1


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
async def test_who_works_with_visitors_may_correct(role: Role, tenant: Tenant) -> None:
    headers, member = await signed_in_as(tenant, role)
    turn_id = await turn_of(tenant)

    made = await correct(tenant, turn_id, "emotional_state", "happy", **headers)

    assert (made.status_code, made.json()["by"]) == (200, f"member:{member['user_id']}")


async def test_a_viewer_sees_corrections_and_makes_none(tenant: Tenant) -> None:
    headers, _ = await signed_in_as(tenant, Role.VIEWER)
    turn_id = await turn_of(tenant)
    await correct(tenant, turn_id, "emotional_state", "happy")
    path = f"/turns/{turn_id}/overrides"

    refused = await correct(tenant, turn_id, "emotional_state", "angry", **headers)
    taken_back = await call(tenant, "DELETE", f"{path}/emotional_state", **headers)

    assert told(refused) == told(taken_back) == (403, "permission_missing")
    assert [own["value"] for own in (await call(tenant, "GET", path, **headers)).json()] == ["happy"]
    assert len(await labels(tenant, **headers)) == 1


@pytest.mark.parametrize("who", ["visitor", "publishable"])
async def test_a_visitor_has_nothing_to_do_with_it(who: str, tenant: Tenant) -> None:
    headers = await tenant.visitor() if who == "visitor" else tenant.publishable
    turn_id = await turn_of(tenant)

    refused = [
        await correct(tenant, turn_id, "emotional_state", "happy", **headers),
        await call(tenant, "GET", f"/turns/{turn_id}/overrides", **headers),
        await call(tenant, "GET", "/labels", **headers),
        await call(tenant, "GET", "/rules", **headers),
    ]

    assert [response.status_code for response in refused] == [403] * 4
