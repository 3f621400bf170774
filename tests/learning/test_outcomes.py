"""What visitors and businesses say of conversations: taken from whom it concerns, and counted exactly once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from concierge.accounts.scope import TenantScope, Unit
from concierge.entrypoints.wiring import Platform
from concierge.kit.ids import new_id
from concierge.learning.repository import LearningRepository
from concierge.learning.service import OutcomeService, ReportService
from tests.factories.strategies import follow_strategy
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

TODAY = datetime.now(UTC).date()


async def say(tenant: Tenant, path: str, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
    return await tenant.client.post(f"/api/v1{path}", headers=headers or tenant.secret, json=body)


async def thumbs(
    tenant: Tenant, turn: dict[str, Any], direction: str, headers: dict[str, str] | None = None
) -> httpx.Response:
    path = f"/chat/{tenant.agent_id}/turns/{turn['turn_id']}/feedback"
    return await say(tenant, path, {"thumbs": direction}, headers)


async def rate(
    tenant: Tenant, turn: dict[str, Any], rating: int, headers: dict[str, str] | None = None
) -> httpx.Response:
    path = f"/chat/{tenant.agent_id}/conversations/{turn['conversation_id']}/rating"
    return await say(tenant, path, {"rating": rating}, headers)


async def counted(tenant: Tenant) -> dict[str, tuple[float, float]]:
    """Successes and failures by strategy, as they are counted."""
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        row = await LearningRepository(session, tenant.scope).learned(TODAY)
    return {own.strategy: (round(own.successes, 6), round(own.failures, 6)) for own in row.counts}


async def counted_anew(tenant: Tenant) -> dict[str, tuple[float, float]]:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        await ReportService(Unit(session, tenant.scope)).count_anew()
    return await counted(tenant)


async def followed(tenant: Tenant, strategy: Any = "showcase", **more: Any) -> dict[str, Any]:
    """A turn that followed a strategy."""
    turn = await tenant.ask("Hello?", **more)
    await follow_strategy(tenant, turn, strategy)
    return turn


async def test_a_thumb_is_counted_and_a_change_of_mind_takes_its_place(tenant: Tenant) -> None:
    turn = await followed(tenant)

    first = await thumbs(tenant, turn, "up")
    assert await counted(tenant) == {"showcase": (0.9, 0.1)}
    second = await thumbs(tenant, turn, "down")

    assert await counted(tenant) == {"showcase": (0.1, 0.9)}
    assert (first.json()["kind"], second.json()["kind"]) == ("thumbs_up", "thumbs_down")
    assert first.json()["id"] == second.json()["id"]


async def test_a_rating_weighs_more_than_a_thumb_whenever_it_is_given(tenant: Tenant) -> None:
    turn = await followed(tenant)

    await rate(tenant, turn, 5)
    await thumbs(tenant, turn, "down")

    assert await counted(tenant) == {"showcase": (1, 0)}


async def test_the_turns_of_a_conversation_share_in_its_end(tenant: Tenant) -> None:
    first = await followed(tenant, "discovery")
    await followed(tenant, "showcase", conversation_id=first["conversation_id"])

    await rate(tenant, first, 5)

    assert await counted(tenant) == {"discovery": (0.333333, 0), "showcase": (0.666667, 0)}


async def test_a_visitor_speaks_of_their_own_conversation_and_of_no_other(tenant: Tenant) -> None:
    me, another = await tenant.visitor(), await tenant.visitor()
    asked = await say(tenant, f"/chat/{tenant.agent_id}", {"message": "Hello?"}, me)
    turn = asked.json()
    await follow_strategy(tenant, turn)

    for answer, code in (
        (await thumbs(tenant, turn, "down", another), "turn_not_found"),
        (await rate(tenant, turn, 1, another), "conversation_not_found"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert await counted(tenant) == {}
    assert (await thumbs(tenant, turn, "up", me)).status_code == 200
    assert (await rate(tenant, turn, 4, me)).json()["value"] == 4
    assert await counted(tenant) == {"showcase": (0.75, 0.25)}


async def test_a_turn_is_not_there_under_another_agent(tenant: Tenant) -> None:
    turn = await followed(tenant)
    made = await say(tenant, "/agents", {"name": "Ben"}, tenant.owner)
    visitor = await tenant.visitor()
    elsewhere = f"/chat/{made.json()['id']}"

    for headers, codes in (
        (tenant.secret, ("turn_not_found", "conversation_not_found")),
        (visitor, ("agent_not_found", "agent_not_found")),
    ):
        fed = await say(tenant, f"{elsewhere}/turns/{turn['turn_id']}/feedback", {"thumbs": "up"}, headers)
        rated = await say(
            tenant, f"{elsewhere}/conversations/{turn['conversation_id']}/rating", {"rating": 5}, headers
        )
        assert (fed.json()["code"], rated.json()["code"]) == codes


async def test_another_organization_can_say_nothing_of_it(tenant: Tenant, stranger: Tenant) -> None:
    turn = await followed(tenant)

    for agent_id in (tenant.agent_id, stranger.agent_id):
        fed = await say(
            stranger,
            f"/chat/{agent_id}/turns/{turn['turn_id']}/feedback",
            {"thumbs": "down"},
            stranger.secret,
        )
        assert (fed.status_code, fed.json()["code"]) == (404, "turn_not_found")
    assert await counted(tenant) == await counted(stranger) == {}


@pytest.mark.parametrize("rating", [0, 6, 4.5, None])
async def test_a_rating_is_from_one_to_five(rating: Any, tenant: Tenant) -> None:
    turn = await followed(tenant)

    assert (await rate(tenant, turn, rating)).status_code == 422


async def test_an_event_told_twice_counts_once(tenant: Tenant) -> None:
    turn = await followed(tenant)
    order = {
        "id": "order-7",
        "name": "order placed",
        "value": 129.5,
        "conversation_id": turn["conversation_id"],
    }

    first, second = await say(tenant, "/learning/events", order), await say(tenant, "/learning/events", order)
    other = await say(tenant, "/learning/events", {**order, "value": 130})

    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert (other.status_code, other.json()["code"]) == (409, "event_id_reused")
    assert await counted(tenant) == {"showcase": (1, 0)}


async def test_an_event_of_a_visitor_is_of_their_latest_conversation(tenant: Tenant) -> None:
    visitor_id = new_id()
    for days, strategy in ((40, "assumption"), (3, "discovery"), (1, "exploration")):
        turn = await tenant.ask("Hello?", visitor_id=str(visitor_id))
        at = datetime.now(UTC) - timedelta(days=days)
        await follow_strategy(tenant, turn, strategy, visitor_id=visitor_id, at=at)  # pyright: ignore[reportArgumentType]  # Names of strategies.

    told = await say(tenant, "/learning/events", {"id": "order-8", "visitor_id": str(visitor_id)})
    unknown = await say(tenant, "/learning/events", {"id": "order-9", "visitor_id": str(new_id())})

    assert told.json()["conversation_id"] == turn["conversation_id"]
    assert unknown.json()["conversation_id"] is None
    assert list(await counted(tenant)) == ["exploration"]


async def test_an_event_says_whose_it_is(tenant: Tenant) -> None:
    assert (await say(tenant, "/learning/events", {"id": "order-1"})).status_code == 422


async def test_a_handover_is_noted_by_whoever_hands_over(tenant: Tenant) -> None:
    turn = await followed(tenant)
    for _ in range(2):
        async with tenant.platform.db.transaction(tenant.org_id) as session:
            outcomes = OutcomeService(Unit(session, tenant.scope))
            await outcomes.conclude(UUID(turn["conversation_id"]), "handed_over", UUID(turn["turn_id"]))

    assert await counted(tenant) == {"showcase": (0.3, 0.7)}


async def test_counts_are_exact_however_many_speak_at_once(tenant: Tenant) -> None:
    """Everybody changes their mind, at the same moment as everybody else."""
    turns = [await followed(tenant, strategy) for strategy in ("discovery", "showcase") * 4]
    shared = [
        await followed(tenant, "assumption", conversation_id=turns[0]["conversation_id"]) for _ in range(2)
    ]
    said = [(turn, direction) for turn in (*turns, *shared) for direction in ("up", "down", "up")]

    answers = await asyncio.gather(*(thumbs(tenant, turn, direction) for turn, direction in said))
    ratings = await asyncio.gather(*(rate(tenant, turns[0], rating) for rating in (1, 2, 3, 5)))

    assert {answer.status_code for answer in (*answers, *ratings)} == {200}
    kept = await counted(tenant)
    assert kept == await counted_anew(tenant)
    assert sum(sum(own) for own in kept.values()) == pytest.approx(8, abs=1e-4)


async def test_an_event_told_many_times_at_once_counts_once(tenant: Tenant) -> None:
    turn = await followed(tenant)
    order = {"id": "order-1", "conversation_id": turn["conversation_id"]}

    answers = await asyncio.gather(*(say(tenant, "/learning/events", order) for _ in range(6)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await counted(tenant) == {"showcase": (1, 0)}


async def test_a_turn_answered_anew_is_the_same_use(tenant: Tenant) -> None:
    turn = await followed(tenant)
    await follow_strategy(tenant, turn, "discovery", again=True)

    await rate(tenant, turn, 5)

    assert await counted(tenant) == {"showcase": (1, 0)}


async def test_what_was_counted_fades_with_age(tenant: Tenant) -> None:
    turn = await tenant.ask("Hello?")
    await follow_strategy(tenant, turn, at=datetime.now(UTC) - timedelta(days=60))
    await rate(tenant, turn, 5)

    assert await counted(tenant) == {"showcase": (0.5, 0)}


async def test_silent_conversations_are_judged_by_their_last_turn(tenant: Tenant, platform: Platform) -> None:
    """Nothing is known of what was asked, so it stays unanswered."""
    long_ago = datetime.now(UTC) - timedelta(hours=30)
    abandoned, recent = await tenant.ask("How tall is the lighthouse?"), await tenant.ask("And how wide?")
    thanked = await tenant.ask("Thank you so much, that was very helpful!")
    for turn, strategy, at in (
        (abandoned, "showcase", long_ago),
        (thanked, "discovery", long_ago),
        (recent, "assumption", None),
    ):
        await follow_strategy(tenant, turn, strategy, at=at)  # pyright: ignore[reportArgumentType]  # Names of strategies.

    runs = [await platform.judgement.run(TenantScope(tenant.org_id)) for _ in range(2)]

    assert runs == [2, 0]
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        kept = [
            await LearningRepository(session, tenant.scope).outcomes_of(UUID(turn["conversation_id"]))
            for turn in (abandoned, thanked, recent)
        ]
    assert [[own.kind for own in outcomes] for outcomes in kept] == [["abandoned"], ["resolved"], []]
