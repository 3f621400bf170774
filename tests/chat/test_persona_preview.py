"""A persona is tried out on a message before any visitor meets it: what a model would be told, and where it would stand."""

from typing import Any

import httpx
import pytest

from concierge.agents.templates import TEMPLATES
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

PERSONAS = "/api/v1/domain-expertise/personas"


async def from_template(tenant: Tenant, name: str) -> str:
    made = await tenant.client.post(
        f"{PERSONAS}/from-template", headers=tenant.owner, json={"template_name": name}
    )
    assert made.status_code == 201, made.text
    return made.json()["id"]


async def preview(tenant: Tenant, persona_id: str, **body: Any) -> httpx.Response:
    return await tenant.client.post(f"{PERSONAS}/{persona_id}/preview", headers=tenant.owner, json=body)


async def test_a_preview_shows_the_prompt_the_stage_and_the_wordings(tenant: Tenant) -> None:
    persona_id = await from_template(tenant, "sales_representative")
    shown = (await preview(tenant, persona_id, message="Which sofa would you recommend?")).json()
    assert TEMPLATES["sales_representative"].system_prompt in shown["system_prompt"]
    assert "You don't know yet what they need it for" in shown["system_prompt"]
    assert "How we talk here" in shown["system_prompt"]
    assert (shown["stage"]["name"], shown["stage"]["held"]) == ("qualify", None)
    assert [stage["name"] for stage in shown["stages"]] == ["qualify", "value", "proof", "next_step"]
    assert all(len(stage["wordings"]) >= 3 for stage in shown["stages"])


async def test_a_preview_goes_on_from_a_stage(tenant: Tenant) -> None:
    persona_id = await from_template(tenant, "support_expert")
    begun = (await preview(tenant, persona_id, message="My bed is creaking")).json()
    on = await preview(
        tenant, persona_id, message="Only in the left corner, since last week", last_stage="diagnose"
    )
    assert begun["stage"]["name"] == "diagnose"
    assert on.json()["stage"]["name"] == "reproduce"


async def test_a_preview_stores_nothing(tenant: Tenant) -> None:
    persona_id = await from_template(tenant, "domain_guru")
    await preview(tenant, persona_id, message="Why does wood move?")
    listed = await tenant.client.get("/api/v1/conversations", headers=tenant.owner)
    versions = await tenant.client.get(f"{PERSONAS}/{persona_id}/versions", headers=tenant.owner)
    assert listed.json()["items"] == []
    assert len(versions.json()) == 1


@pytest.mark.parametrize(
    "body", [{}, {"message": " "}, {"message": "x" * 2_001}, {"message": "Hi", "stage": "qualify"}], ids=str
)
async def test_what_cannot_be_previewed_is_refused(body: dict[str, Any], tenant: Tenant) -> None:
    persona_id = await from_template(tenant, "domain_guru")
    assert (await preview(tenant, persona_id, **body)).status_code == 422


async def test_a_foreign_persona_cannot_be_tried(tenant: Tenant, stranger: Tenant) -> None:
    theirs = await from_template(stranger, "domain_guru")
    refused = await preview(tenant, theirs, message="Hi")
    assert (refused.status_code, refused.json()["code"]) == (404, "persona_not_found")
