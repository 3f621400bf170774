"""One `Idempotency-Key`, one turn: however often and however fast the request is repeated."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from concierge.chat.writers.brief import AnswerBrief, WriterEvent
from concierge.chat.writers.house import HouseWriter
from concierge.kit.ids import new_id
from tests.factories.furnished import QUESTION
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio


async def ask(tenant: Tenant, key: str, message: str = QUESTION, **body: Any) -> httpx.Response:
    return await tenant.client.post(
        f"/api/v1/chat/{tenant.agent_id}",
        headers={**tenant.secret, "Idempotency-Key": key},
        json={"message": message, **body},
    )


async def turns_of(tenant: Tenant) -> int:
    listed = await tenant.client.get("/api/v1/conversations", headers=tenant.owner)
    return sum(conversation["turn_count"] for conversation in listed.json()["items"])


async def test_the_same_request_twice_is_one_turn_with_one_reply(tenant: Tenant) -> None:
    first, second = await ask(tenant, "key-1"), await ask(tenant, "key-1")

    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert await turns_of(tenant) == 1


@pytest.mark.parametrize("continued", [False, True])
async def test_the_same_request_at_the_same_moment_is_one_turn(continued: bool, tenant: Tenant) -> None:  # noqa: FBT001  # pytest gives it by name.
    body: dict[str, str] = {}
    if continued:
        body["conversation_id"] = (await tenant.ask("Hello?"))["conversation_id"]

    answers = await asyncio.gather(*(ask(tenant, "key-1", **body) for _ in range(5)))

    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({answer.json()["turn_id"] for answer in answers}) == 1
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert await turns_of(tenant) == (2 if continued else 1)


async def test_a_repeated_request_may_ask_for_events_instead(tenant: Tenant) -> None:
    reply = (await ask(tenant, "key-1")).json()

    events = await ask(tenant, "key-1", stream=True)

    assert events.headers["content-type"].startswith("text/event-stream")
    assert reply["turn_id"] in events.text
    assert await turns_of(tenant) == 1


async def test_a_key_is_good_for_one_request_only(tenant: Tenant) -> None:
    conversation_id = (await ask(tenant, "key-1")).json()["conversation_id"]

    for changed in (
        {"message": "Something else?"},
        {"conversation_id": conversation_id},
        {"visitor_id": str(new_id())},
    ):
        response = await ask(tenant, "key-1", **changed)
        assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_key_is_not_good_for_another_agent(tenant: Tenant) -> None:
    await ask(tenant, "key-1")
    made = await tenant.client.post("/api/v1/agents", headers=tenant.owner, json={"name": "Ben"})

    response = await tenant.client.post(
        f"/api/v1/chat/{made.json()['id']}",
        headers={**tenant.secret, "Idempotency-Key": "key-1"},
        json={"message": QUESTION},
    )

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")


async def test_two_visitors_may_choose_the_same_key(tenant: Tenant) -> None:
    replies: list[dict[str, Any]] = []
    for headers in (await tenant.visitor(), await tenant.visitor(), tenant.secret):
        response = await tenant.client.post(
            f"/api/v1/chat/{tenant.agent_id}",
            headers={**headers, "Idempotency-Key": "key-1"},
            json={"message": QUESTION},
        )
        replies.append(response.json())

    assert len({reply["turn_id"] for reply in replies}) == 3


async def test_a_turn_that_failed_is_begun_anew_with_the_same_key(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(_self: HouseWriter, _brief: AnswerBrief) -> AsyncIterator[WriterEvent]:
        raise RuntimeError("the writer broke")
        yield

    with monkeypatch.context() as broken:
        broken.setattr(HouseWriter, "stream", failing)
        failed = await ask(tenant, "key-1")
    answered = await ask(tenant, "key-1")

    assert (failed.status_code, failed.json()["code"]) == (503, "turn_failed")
    assert failed.headers["retry-after"].isdigit()
    assert "broke" not in failed.text
    assert answered.status_code == 200
    assert await turns_of(tenant) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "nul\x00nul"])
async def test_what_is_no_key_is_refused(key: str, tenant: Tenant) -> None:
    response = await ask(tenant, key)

    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")
