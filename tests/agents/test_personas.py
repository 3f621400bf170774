"""Who an agent is: taken from a template or written anew, changed with every version kept, and given to agents."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from concierge.accounts.scope import Unit
from concierge.agents.schemas import AgentConfiguration
from concierge.agents.service import AgentService, personas
from concierge.agents.templates import STAGES, TEMPLATES, Template
from concierge.kit.ids import new_id
from tests.chat.test_cost_of_a_turn import sent
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

PERSONAS = "/api/v1/domain-expertise/personas"
BARISTA: Mapping[str, Any] = {
    "name": "Barista",
    "system_prompt": "You pull shots and know your beans.",
    "tactics": {
        "style": "warm",
        "steps": ["qualify", {"name": "taste", "guidance": "Ask how they drink it."}, "next_step"],
    },
    "communication_style": {"tone": "casual", "technical_depth": "simple", "response_length": "concise"},
    "response_patterns": {"taste": ["How do you drink it?"]},
}
ORDERS = {
    "sales_representative": ["qualify", "value", "proof", "next_step"],
    "solutions_engineer": ["assess", "architecture", "tradeoffs", "implementation"],
    "support_expert": ["diagnose", "reproduce", "resolve", "prevent"],
    "domain_guru": ["orient", "insight", "tips", "resources"],
}


async def call(
    tenant: Tenant, method: str, path: str = "", body: Mapping[str, Any] | None = None
) -> httpx.Response:
    return await tenant.client.request(method, f"{PERSONAS}{path}", headers=tenant.owner, json=body)


async def barista(tenant: Tenant, **changed: Any) -> dict[str, Any]:
    made = await call(tenant, "POST", body={**BARISTA, **changed})
    assert made.status_code == 201, made.text
    return made.json()


async def expertise(tenant: Tenant, agent_id: object = None, **body: Any) -> httpx.Response:
    path = f"/api/v1/domain-expertise/agents/{agent_id or tenant.agent_id}/domain-expertise"
    return await tenant.client.patch(path, headers=tenant.owner, json=body)


async def configuration(tenant: Tenant) -> AgentConfiguration:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        return await AgentService(Unit(session, tenant.scope)).configuration(tenant.agent_id)


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_every_stage_of_a_template_has_a_goal_a_cue_and_three_ways_to_say_it(template: Template) -> None:
    stages = template.tactics.stages
    assert [stage.name for stage in stages] == ORDERS[template.template_name]
    for place, stage in enumerate(stages):
        assert stage.goal
        assert len(set(stage.wordings)) >= 3 or len(set(stage.leads)) >= 3
        assert stage.reached or place == 0
        assert stage.left or place == len(stages) - 1
        for wording in stage.wordings:
            assert wording.count("?") == 1
            assert wording.endswith("?")
        for lead in stage.leads:
            assert lead.count("{fact}") + lead.count("{title}") == 1
            assert "?" not in lead


def test_no_two_templates_call_different_stages_by_one_name() -> None:
    assert len(STAGES) == sum(len(template.tactics.stages) for template in TEMPLATES.values()) == 16


async def test_the_templates_are_those_of_the_product(tenant: Tenant) -> None:
    found = (await call(tenant, "GET", "/templates")).json()
    assert {
        entry["template_name"]: [step["name"] for step in entry["tactics"]["steps"]] for entry in found
    } == ORDERS
    assert [entry["tactics"]["style"] for entry in found] == [
        "consultative",
        "technical",
        "systematic",
        "educational",
    ]
    assert all(entry["is_built_in"] for entry in found)
    sales = found[0]
    assert (sales["communication_style"]["tone"], sales["communication_style"]["response_length"]) == (
        "executive",
        "concise",
    )
    assert [stage["name"] for stage in sales["stages"]] == ORDERS["sales_representative"]


async def test_a_persona_from_a_template_is_built_in_until_it_says_something_else(tenant: Tenant) -> None:
    made = await call(tenant, "POST", "/from-template", {"template_name": "support_expert"})
    assert made.status_code == 201, made.text
    persona = made.json()
    assert (persona["name"], persona["template_name"], persona["is_built_in"]) == (
        "Support Expert",
        "support_expert",
        True,
    )
    renamed = await call(tenant, "PATCH", f"/{persona['id']}", {"name": "Sam"})
    assert renamed.json()["is_built_in"] is True
    changed = await call(tenant, "PATCH", f"/{persona['id']}", {"communication_style": {"tone": "warm"}})
    assert changed.json()["is_built_in"] is False
    assert changed.json()["template_name"] == "support_expert"


async def test_an_unknown_template_is_not_found_and_the_known_ones_are_named(tenant: Tenant) -> None:
    refused = await call(tenant, "POST", "/from-template", {"template_name": "wizard"})
    assert (refused.status_code, refused.json()["code"]) == (404, "persona_template_not_found")
    assert all(name in refused.json()["detail"] for name in TEMPLATES)


async def test_a_persona_of_ones_own_may_mix_known_stages_with_own_ones(tenant: Tenant) -> None:
    made = await barista(tenant)
    assert [step["name"] for step in made["tactics"]["steps"]] == ["qualify", "taste", "next_step"]
    assert (made["version"], made["is_built_in"], made["template_name"]) == (1, False, None)
    assert (await call(tenant, "GET", f"/{made['id']}")).json() == made
    assert (await call(tenant, "GET")).json() == [made]


async def test_unknown_tactics_are_refused_and_the_known_ones_named(tenant: Tenant) -> None:
    tactics = {"style": "warm", "steps": ["qualify", "hypnotise"]}
    persona = await barista(tenant)
    for refused in (
        await call(tenant, "POST", body={**BARISTA, "name": "Other", "tactics": tactics}),
        await call(tenant, "PATCH", f"/{persona['id']}", {"tactics": tactics}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (422, "tactics_unknown")
        assert "“hypnotise”" in refused.json()["detail"]
        assert all(name in refused.json()["detail"] for name in STAGES)


@pytest.mark.parametrize(
    "changed",
    [
        {"system_prompt": "x" * 8_001},
        {"system_prompt": "x" * 100_000},
        {"system_prompt": "<p> </p>"},
        {"system_prompt": "zero\0"},
        {"system_prompt": ""},
        {"name": ""},
        {"name": "x" * 121},
        {"tactics": {"style": "warm", "steps": []}},
        {"tactics": {"style": "warm", "steps": ["qualify", "qualify"]}},
        {"tactics": {"style": "warm", "steps": ["Qualify"]}},
        {"tactics": {"style": "warm", "steps": [f"step_{letter}" for letter in "abcdefghi"]}},
        {"tactics": {"style": "warm", "steps": [{"name": "taste", "guidance": "x" * 501}]}},
        {"communication_style": {"tone": "sarcastic"}},
        {"response_patterns": {"taste": ["Hot? Or cold?"]}},
        {"response_patterns": {"taste": ["Hot or cold? Tell me."]}},
        {"response_patterns": {"taste": ["How?"] * 11}},
        {"unheard_of": True},
    ],
    ids=str,
)
async def test_what_makes_no_sense_is_refused(changed: dict[str, Any], tenant: Tenant) -> None:
    refused = await call(tenant, "POST", body={**BARISTA, **changed})
    assert refused.status_code == 422, refused.text
    assert (await call(tenant, "GET")).json() == []


async def test_markup_and_what_nobody_sees_is_cleaned_away(tenant: Tenant) -> None:
    made = await barista(
        tenant,
        name="<b>Bari\u200bsta</b>",
        system_prompt="<script>alert(1)</script><p>You pull\x07 shots.</p><p>If a &lt; b, say so.</p>",
        response_patterns={"taste": ["<i>How</i> do you drink it?"]},
    )
    assert made["name"] == "Barista"
    assert made["system_prompt"] == "You pull shots.\n\nIf a < b, say so."
    assert made["response_patterns"] == {"taste": ["How do you drink it?"]}


async def test_a_name_is_taken_once(tenant: Tenant) -> None:
    persona, _other = await barista(tenant), await barista(tenant, name="Other")
    for refused in (
        await call(tenant, "POST", body=BARISTA),
        await call(tenant, "PATCH", f"/{persona['id']}", {"name": "Other"}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "persona_name_taken")


async def test_every_change_keeps_how_it_was(tenant: Tenant) -> None:
    persona = await barista(tenant)
    path = f"/{persona['id']}"
    second = await call(tenant, "PATCH", path, {"system_prompt": "You roast."})
    third = await call(tenant, "PATCH", path, {"name": "Roaster"})
    same = await call(tenant, "PATCH", path, {"name": "Roaster"})
    assert [answer.json()["version"] for answer in (second, third, same)] == [2, 3, 3]
    versions = (await call(tenant, "GET", f"{path}/versions")).json()
    assert [(entry["version"], entry["name"], entry["system_prompt"]) for entry in versions] == [
        (3, "Roaster", "You roast."),
        (2, "Barista", "You roast."),
        (1, "Barista", BARISTA["system_prompt"]),
    ]


async def test_restoring_makes_a_new_version_of_an_old_one(tenant: Tenant) -> None:
    persona = await barista(tenant)
    path = f"/{persona['id']}"
    await call(tenant, "PATCH", path, {"system_prompt": "You roast.", "response_patterns": {}})
    restored = (await call(tenant, "POST", f"{path}/versions/1/restore")).json()
    assert restored["version"] == 3
    for name in ("name", "system_prompt", "tactics", "communication_style", "response_patterns"):
        assert restored[name] == persona[name]
    assert len((await call(tenant, "GET", f"{path}/versions")).json()) == 3
    missing = await call(tenant, "POST", f"{path}/versions/9/restore")
    assert (missing.status_code, missing.json()["code"]) == (404, "persona_version_not_found")


async def test_an_old_name_that_is_taken_meanwhile_cannot_be_restored(tenant: Tenant) -> None:
    persona = await barista(tenant)
    await call(tenant, "PATCH", f"/{persona['id']}", {"name": "Roaster"})
    await barista(tenant)
    refused = await call(tenant, "POST", f"/{persona['id']}/versions/1/restore")
    assert (refused.status_code, refused.json()["code"]) == (409, "persona_name_taken")


async def test_changes_at_the_same_moment_make_a_version_each(tenant: Tenant) -> None:
    path = f"/{(await barista(tenant))['id']}"
    answers = await asyncio.gather(
        *(call(tenant, "PATCH", path, {"system_prompt": f"You roast {n} beans."}) for n in range(4))
    )
    assert sorted(answer.json()["version"] for answer in answers) == [2, 3, 4, 5]


async def test_a_persona_is_given_or_deleted_but_never_both(tenant: Tenant) -> None:
    for number in range(4):
        persona = await barista(tenant, name=f"Barista {number}")
        given, deleted = await asyncio.gather(
            expertise(tenant, persona_id=persona["id"]), call(tenant, "DELETE", f"/{persona['id']}")
        )
        assert (given.status_code, deleted.status_code) in {(200, 409), (404, 204)}
        await expertise(tenant, persona_id=None)


async def test_a_persona_in_use_stays_and_its_agents_are_named(tenant: Tenant) -> None:
    persona = await barista(tenant)
    assert (await expertise(tenant, persona_id=persona["id"])).status_code == 200
    refused = await call(tenant, "DELETE", f"/{persona['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "persona_in_use")
    assert "“Ada”" in refused.json()["detail"]
    assert (await expertise(tenant, persona_id=None)).json()["persona_id"] is None
    assert (await call(tenant, "DELETE", f"/{persona['id']}")).status_code == 204
    assert (await call(tenant, "GET", f"/{persona['id']}")).status_code == 404


async def test_there_is_a_most_of_personas(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personas, "MOST_PERSONAS", 2)
    await barista(tenant)
    await call(tenant, "POST", "/from-template", {"template_name": "domain_guru"})
    for refused in (
        await call(tenant, "POST", body={**BARISTA, "name": "Third"}),
        await call(tenant, "POST", "/from-template", {"template_name": "support_expert"}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many_personas")


async def test_all_of_expertise_is_off_until_somebody_says_otherwise(tenant: Tenant) -> None:
    agent = (await tenant.client.get(f"/api/v1/agents/{tenant.agent_id}", headers=tenant.owner)).json()
    assert agent["tool_policy"] == {"web_search": False, "site_search": [], "code_exec": False}
    assert (agent["persona_id"], agent["domain_expertise_enabled"]) == (None, False)
    known = await configuration(tenant)
    assert (known.persona, known.expertise, known.tools.web_search) == (None, False, False)


async def test_an_agent_is_made_an_expert_piece_by_piece(tenant: Tenant) -> None:
    persona = await barista(tenant)
    sites = ["https://Docs.example.com/guide", "docs.example.com", "help.example.org"]
    await expertise(tenant, persona_id=persona["id"], tool_policy={"site_search": sites})
    agent = (
        await expertise(
            tenant,
            domain_expertise_enabled=True,
            grounding_mode="strict",
            pack_ids=[str(tenant.pack_id)],
            tool_policy={"web_search": True},
        )
    ).json()
    assert agent["persona_id"] == persona["id"]
    assert agent["tool_policy"] == {
        "web_search": True,
        "site_search": ["docs.example.com", "help.example.org"],
        "code_exec": False,
    }
    assert (agent["grounding_mode"], agent["domain_expertise_enabled"], agent["version"]) == (
        "strict",
        True,
        3,
    )


@pytest.mark.parametrize(
    "body",
    [
        {"tool_policy": {"site_search": ["not a host"]}},
        {"tool_policy": {"site_search": ["*"]}},
        {"tool_policy": {"rocket": True}},
        {"grounding_mode": "loose"},
        {"persona": "Barista"},
    ],
    ids=str,
)
async def test_what_is_no_expertise_is_refused(body: dict[str, Any], tenant: Tenant) -> None:
    assert (await expertise(tenant, **body)).status_code == 422


async def test_a_turn_reads_who_it_answers_as_in_one_statement(tenant: Tenant) -> None:
    persona = await barista(tenant)
    await expertise(tenant, persona_id=persona["id"], tool_policy={"code_exec": True})
    with sent() as statements:
        known = await configuration(tenant)
    assert len(statements) == 1
    assert known.persona is not None
    assert known.applied_persona is None
    assert known.tools.code_exec
    assert known.persona.manner.tone == "casual"
    qualify, taste, order = known.persona.tactics.stages
    assert (qualify.step, order.step) == ("ask_need", "offer_purchase")
    assert (taste.step, taste.guidance, taste.wordings) == (
        "custom",
        "Ask how they drink it.",
        ("How do you drink it?",),
    )
    await expertise(tenant, domain_expertise_enabled=True)
    assert (await configuration(tenant)).applied_persona == known.persona


async def test_a_persona_of_another_organization_is_not_there(tenant: Tenant, stranger: Tenant) -> None:
    theirs = await barista(stranger)
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "Mine"}),
        ("DELETE", "", None),
        ("GET", "/versions", None),
        ("POST", "/versions/1/restore", None),
    ):
        refused = await call(tenant, method, f"/{theirs['id']}{path}", body)
        assert (refused.status_code, refused.json()["code"]) == (404, "persona_not_found")
    for persona_id in (theirs["id"], str(new_id())):
        refused = await expertise(tenant, persona_id=persona_id)
        assert (refused.status_code, refused.json()["code"]) == (404, "persona_not_found")
    assert (await expertise(tenant, agent_id=stranger.agent_id)).status_code == 404
    assert (await call(tenant, "GET")).json() == []
    assert (await call(stranger, "GET")).json() == [theirs]
