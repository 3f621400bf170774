"""What a turn knows of what was learned: nothing too early, nothing after it was turned off, and never too old."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, text

from concierge.entrypoints.wiring import Platform
from concierge.kit.clock import utc_now
from concierge.kit.ids import new_id
from concierge.kit.lately import LIFETIME_S
from concierge.learning.models import StrategyCount
from concierge.learning.service import Judgement, Learning
from concierge.learning.service.draws import JUDGED_EVERY_S
from tests.factories.strategies import SEGMENT, follow_strategy
from tests.factories.tenants import Tenant
from tests.intelligence.test_guidance import Moving, connections

pytestmark = pytest.mark.anyio


async def call(tenant: Tenant, method: str, path: str = "", body: Any = None) -> httpx.Response:
    return await tenant.client.request(method, f"/api/v1/learning{path}", headers=tenant.owner, json=body)


async def teach(tenant: Tenant, went: Mapping[str, tuple[float, float]]) -> None:
    """Have an organization counted so many successes and failures of strategies, where the rules chose discovery."""
    rows = [
        {
            "org_id": tenant.org_id,
            "segment": SEGMENT,
            "rule": "discovery",
            "strategy": strategy,
            "day": utc_now().date(),
            "successes": successes,
            "failures": failures,
        }
        for strategy, (successes, failures) in went.items()
    ]
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        await session.execute(insert(StrategyCount), rows)


JUDGING = text(
    "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'learning.judge' AND args ->> 'org_id' = :org_id"
)
ENOUGH = {"discovery": (40.0, 60.0), "showcase": (75.0, 25.0)}


def another(platform: Platform, clock: Moving) -> Learning:
    """The learning of another process on the same database."""
    return Learning(platform.db, Judgement(platform.db), now=clock)


async def test_nothing_is_drawn_before_enough_outcomes_are_known(tenant: Tenant, platform: Platform) -> None:
    await teach(tenant, {"discovery": (100, 99)})
    clock = Moving()
    learning = another(platform, clock)

    assert await learning.draws(tenant.scope, SEGMENT, new_id()) is None
    assert (await call(tenant, "GET")).json()["outcomes_missing"] == 1
    await teach(tenant, {"showcase": (1, 0)})
    clock.seconds += LIFETIME_S
    assert await learning.draws(tenant.scope, SEGMENT, new_id()) is not None


async def test_what_was_learned_is_followed_and_the_same_turn_draws_the_same(
    tenant: Tenant, platform: Platform
) -> None:
    await teach(tenant, ENOUGH)
    choices: list[str] = []
    for _ in range(40):
        draws = await platform.learning.draws(tenant.scope, SEGMENT, new_id())
        assert draws is not None
        choice = draws.choose("discovery", ("discovery", "showcase", "exploration"))
        assert draws.choose("discovery", ("exploration", "showcase", "discovery")) == choice
        choices.append(choice.strategy)

    assert choices.count("showcase") > 30


async def test_a_turn_costs_one_statement_or_none(tenant: Tenant, platform: Platform) -> None:
    clock = Moving()
    learning = another(platform, clock)
    await learning.draws(tenant.scope, SEGMENT, new_id())

    with connections(platform) as none:
        for _ in range(5):
            await learning.draws(tenant.scope, SEGMENT, new_id())
    clock.seconds += LIFETIME_S
    with connections(platform) as one:
        await learning.draws(tenant.scope, SEGMENT, new_id())

    assert (len(none), len(one)) == (0, 1)


async def test_turns_have_silent_conversations_looked_at(tenant: Tenant, platform: Platform) -> None:
    clock = Moving()
    learning = another(platform, clock)

    async def waiting() -> int:
        async with platform.db.transaction(tenant.org_id) as session:
            found = await session.execute(JUDGING, {"org_id": str(tenant.org_id)})
            return found.scalar_one()

    for seconds in (0.0, LIFETIME_S, JUDGED_EVERY_S):
        clock.seconds += seconds
        await learning.draws(tenant.scope, SEGMENT, new_id())

        assert await waiting() == 2  # One at once, one for when the conversations of now are silent.


async def test_another_organization_learns_nothing_of_it(
    tenant: Tenant, stranger: Tenant, platform: Platform
) -> None:
    await teach(tenant, ENOUGH)

    assert await platform.learning.draws(stranger.scope, SEGMENT, new_id()) is None
    assert (await call(stranger, "GET")).json()["outcomes"] == 0


async def test_learning_is_turned_off_at_once_here_and_soon_elsewhere(
    tenant: Tenant, platform: Platform
) -> None:
    await teach(tenant, ENOUGH)
    clock = Moving()
    elsewhere = another(platform, clock)
    for learning in (platform.learning, elsewhere):
        assert await learning.draws(tenant.scope, SEGMENT, new_id()) is not None

    changed = await call(tenant, "PUT", "/settings", {"enabled": False})

    assert changed.json()["min_outcomes"] == 200
    assert (await call(tenant, "GET", "/settings")).json() == changed.json()
    assert await platform.learning.draws(tenant.scope, SEGMENT, new_id()) is None
    assert await elsewhere.draws(tenant.scope, SEGMENT, new_id()) is not None
    clock.seconds += LIFETIME_S
    assert await elsewhere.draws(tenant.scope, SEGMENT, new_id()) is None


async def test_a_reset_forgets_and_is_written_down(tenant: Tenant, platform: Platform) -> None:
    await teach(tenant, ENOUGH)
    turn = await tenant.ask("Hello?")
    await follow_strategy(tenant, turn)
    path = f"/api/v1/chat/{tenant.agent_id}/conversations/{turn['conversation_id']}/rating"
    await tenant.client.post(path, headers=tenant.secret, json={"rating": 5})
    assert await platform.learning.draws(tenant.scope, SEGMENT, new_id()) is not None

    assert (await call(tenant, "POST", "/reset")).status_code == 204

    assert await platform.learning.draws(tenant.scope, SEGMENT, new_id()) is None
    # Whoever changes their mind about a conversation of before teaches nothing any more.
    await tenant.client.post(path, headers=tenant.secret, json={"rating": 1})
    report = (await call(tenant, "GET")).json()
    assert (report["outcomes"], report["segments"]) == (0, [])
    assert report["reset_at"] is not None
    audit = await tenant.client.get("/api/v1/audit-log", headers=tenant.owner)
    assert "learning.reset" in [entry["action"] for entry in audit.json()["items"]]


async def test_the_report_says_what_was_followed_and_how_it_went(tenant: Tenant) -> None:
    for strategy, explored in (("discovery", False), ("showcase", True), ("showcase", False)):
        turn = await tenant.ask("Hello?")
        await follow_strategy(tenant, turn, strategy, explored=explored)  # pyright: ignore[reportArgumentType]  # Names of strategies.
    await teach(tenant, {"discovery": (60.0, 40.0), "showcase": (20.0, 90.0)})

    report = (await call(tenant, "GET")).json()

    assert (report["active"], report["outcomes"], report["outcomes_missing"]) == (True, 210, 0)
    (segment,) = report["segments"]
    assert (segment["segment"], segment["uses"]) == (SEGMENT, 3)
    rule, rival = segment["strategies"]
    assert (rule["strategy"], rule["leads"], rule["ruled_out"]) == ("discovery", True, False)
    assert (rival["strategy"], rival["leads"], rival["ruled_out"]) == ("showcase", False, True)
    assert (rival["uses"], rival["explored"], rival["explored_share"]) == (2, 1, 0.5)
    assert rival["low"] < rival["mean"] < rival["high"] < rule["mean"]


@pytest.mark.parametrize(
    "wrong",
    [{"floor": 1}, {"explore_share": 0.9}, {"half_life_days": 0}, {"min_outcomes": 1}, {"enabled": "maybe"}],
    ids=str,
)
async def test_settings_are_refused_that_would_do_harm(wrong: dict[str, Any], tenant: Tenant) -> None:
    assert (await call(tenant, "PUT", "/settings", wrong)).status_code == 422
    assert (await call(tenant, "GET", "/settings")).json()["explore_share"] == 0.1
