"""What strategies may be: said for an organization, differently for one of its agents, and for nobody else."""

import httpx
import pytest

from concierge.accounts.scope import Unit
from concierge.agents.schemas.policy import StrategyPolicy
from concierge.agents.service import AgentService
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio


async def policy_of(tenant: Tenant) -> StrategyPolicy:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        return (await AgentService(Unit(session, tenant.scope)).configuration(tenant.agent_id)).policy


async def put(tenant: Tenant, path: str, body: dict[str, object]) -> httpx.Response:
    return await tenant.client.put(f"/api/v1{path}", headers=tenant.owner, json=body)


async def test_without_a_word_the_defaults_hold(tenant: Tenant) -> None:
    assert await policy_of(tenant) == StrategyPolicy()


async def test_an_agents_word_comes_before_the_organizations(tenant: Tenant) -> None:
    await put(tenant, "/strategies", {"loop_after": 5, "vip_labels": ["gold"]})
    await put(tenant, f"/agents/{tenant.agent_id}/strategy", {"loop_after": 2})
    policy = await policy_of(tenant)
    assert (policy.loop_after, policy.vip_labels, policy.assume_above) == (2, ("gold",), 0.3)


async def test_what_is_left_out_goes_back_to_what_would_hold_without(tenant: Tenant) -> None:
    await put(tenant, "/strategies", {"purchase_steps": False})
    answer = await put(tenant, f"/agents/{tenant.agent_id}/strategy", {"purchase_steps": True})
    assert answer.json()["effective"]["purchase_steps"] is True
    answer = await put(tenant, f"/agents/{tenant.agent_id}/strategy", {})
    assert answer.json()["own"]["purchase_steps"] is None
    assert answer.json()["effective"]["purchase_steps"] is False


async def test_one_organization_says_nothing_for_another(tenant: Tenant, stranger: Tenant) -> None:
    await put(tenant, "/strategies", {"loop_after": 7})
    assert (await policy_of(stranger)).loop_after == StrategyPolicy().loop_after
    answer = await put(tenant, f"/agents/{stranger.agent_id}/strategy", {"loop_after": 7})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"allowed": ["discovery"]},
        {"allowed": ["teleportation"]},
        {"discover_below": 1.5},
        {"loop_after": 1},
        {"strict_above": 0.3},
        {"strict_above": 1},
        {"brief_tokens": 900},
        {"formal_temperature": 0.9},
        {"casual_temperature": 0.2},
        {"vip_labels": ["x" * 61]},
        {"vip_labels": [str(number) for number in range(21)]},
        {"tone": "shouting"},
    ],
)
async def test_what_makes_no_sense_is_refused(tenant: Tenant, body: dict[str, object]) -> None:
    answer = await put(tenant, "/strategies", body)
    assert answer.status_code == 422
    assert await policy_of(tenant) == StrategyPolicy()
