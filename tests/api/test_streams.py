"""A reply as events: in order, resumable wherever it broke off, the same as the reply in one piece."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from concierge.chat.stream import TurnLog
from concierge.chat.writers.brief import AnswerBrief, WriterEvent
from concierge.chat.writers.house import HouseWriter
from concierge.kit.errors import UnavailableError
from tests.factories.furnished import QUESTION, Furnished

pytestmark = pytest.mark.anyio

Frame = dict[str, Any]


def frames(text: str) -> list[Frame]:
    """Read server-sent events as a browser would."""
    found: list[Frame] = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if fields:
            found.append(
                {"id": int(fields["id"]), "event": fields["event"], "data": json.loads(fields["data"])}
            )
    return found


async def stream(shop: Furnished, message: str = QUESTION, **headers: str) -> list[Frame]:
    response = await shop.tenant.client.post(
        f"/api/v1/chat/{shop.tenant.agent_id}",
        headers={**shop.tenant.secret, **headers},
        json={"message": message, "stream": True},
    )
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    return frames(response.text)


async def resume(shop: Furnished, turn_id: str, after: int | None) -> httpx.Response:
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    return await shop.tenant.client.get(
        f"/api/v1/chat/{shop.tenant.agent_id}/turns/{turn_id}/events",
        headers={**shop.tenant.secret, **headers},
    )


async def test_events_are_numbered_and_end_with_the_whole_reply(shop: Furnished) -> None:
    events = await stream(shop)

    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["event"] == "turn.started"
    assert [event["event"] for event in events].count("message.completed") == 1
    completed = events[-1]["data"]
    said = "".join(event["data"]["text"] for event in events if event["event"] == "message.delta")
    assert said.strip() == completed["response"]
    assert completed["turn_id"] == events[0]["data"]["turn_id"]
    numbers = [event["data"]["number"] for event in events if event["event"] == "citation"]
    assert numbers == [source["number"] for source in completed["sources"]] != []


async def test_the_reply_in_one_piece_is_the_reply_in_events(shop: Furnished) -> None:
    whole = await shop.tenant.ask(QUESTION)
    streamed = (await stream(shop))[-1]["data"]

    own = {"conversation_id", "turn_id"}
    assert {name: whole[name] for name in whole.keys() - own} == {
        name: streamed[name] for name in streamed.keys() - own
    }


async def test_a_stream_is_taken_up_after_any_event(shop: Furnished) -> None:
    events = await stream(shop)
    turn_id = events[0]["data"]["turn_id"]

    for after in (None, 0, 1, len(events) // 2, len(events) - 1, len(events)):
        resumed = frames((await resume(shop, turn_id, after)).text)
        assert resumed == events[after or 0 :]


async def test_an_event_that_never_was_resumes_with_nothing(shop: Furnished) -> None:
    turn_id = (await stream(shop))[0]["data"]["turn_id"]

    assert frames((await resume(shop, turn_id, 10**30)).text) == []


@pytest.mark.parametrize("last", ["x", "-1", "1.5"])
async def test_what_is_no_event_id_is_refused(last: str, shop: Furnished) -> None:
    response = await shop.tenant.client.get(
        f"/api/v1/chat/{shop.tenant.agent_id}/turns/{shop.ids['turn_id']}/events",
        headers={**shop.tenant.secret, "Last-Event-ID": last},
    )

    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")


@pytest.fixture
async def halted(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[asyncio.Event, asyncio.Event]]:
    """A writer that waits before it writes: events `reached` and `go_on`."""
    reached, go_on = asyncio.Event(), asyncio.Event()
    written = HouseWriter.stream

    async def waiting(self: HouseWriter, brief: AnswerBrief) -> AsyncIterator[WriterEvent]:
        reached.set()
        await go_on.wait()
        async for event in written(self, brief):
            yield event

    monkeypatch.setattr(HouseWriter, "stream", waiting)
    yield reached, go_on
    go_on.set()


async def test_a_running_turn_is_followed_from_where_it_broke_off(
    shop: Furnished, halted: tuple[asyncio.Event, asyncio.Event]
) -> None:
    reached, go_on = halted
    first = asyncio.create_task(stream(shop))
    await reached.wait()
    listed = await shop.tenant.client.get("/api/v1/conversations", headers=shop.tenant.owner)
    conversation_id = listed.json()["items"][0]["id"]
    turns = await shop.tenant.client.get(
        f"/api/v1/conversations/{conversation_id}/turns", headers=shop.tenant.owner
    )
    turn_id = turns.json()["items"][0]["id"]

    second = asyncio.create_task(resume(shop, turn_id, 1))
    await asyncio.sleep(0.05)
    go_on.set()

    events = await first
    assert events[0]["data"]["turn_id"] == turn_id
    assert frames((await second).text) == events[1:]


async def test_an_id_ahead_of_a_running_turn_waits_for_its_end() -> None:
    """A listener who claims to have heard more than was said must not keep the server busy."""
    log = TurnLog()
    await log.say("status", {})

    async def heard() -> list[int]:
        return [event.id async for event in log.follow(after=3)]

    listening = asyncio.create_task(heard())
    for _ in range(3):
        await asyncio.sleep(0)
        await log.say("status", {})
    await log.close()

    assert await asyncio.wait_for(listening, 2) == [4]


async def test_a_turn_that_a_stopping_server_cuts_off_is_closed_and_can_be_asked_again(
    shop: Furnished, halted: tuple[asyncio.Event, asyncio.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("concierge.chat.turn.DRAIN_SECONDS", 0.01)
    reached, go_on = halted
    listening = asyncio.create_task(stream(shop, **{"Idempotency-Key": "one"}))
    await reached.wait()
    await shop.tenant.platform.chat.drain()

    assert (await listening)[-1]["event"] == "error"
    go_on.set()
    assert (await stream(shop, **{"Idempotency-Key": "one"}))[-1]["event"] == "message.completed"


async def test_a_stream_followed_in_another_process_ends_with_an_error_when_the_database_goes(
    shop: Furnished, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn_id = (await stream(shop))[0]["data"]["turn_id"]
    service = shop.tenant.platform.chat

    async def gone(*_: object) -> None:
        raise UnavailableError("The database did not answer.", code="database_unavailable")

    monkeypatch.setattr(service, "_stored", gone)
    events = frames((await resume(shop, turn_id, 2)).text)

    assert [(event["id"], event["event"], event["data"]["code"]) for event in events] == [
        (3, "error", "database_unavailable")
    ]


async def test_a_turn_nobody_listens_to_is_stored_all_the_same(
    shop: Furnished, halted: tuple[asyncio.Event, asyncio.Event]
) -> None:
    reached, go_on = halted
    listening = asyncio.create_task(stream(shop))
    await reached.wait()
    listening.cancel()
    go_on.set()
    await shop.tenant.platform.chat.drain()

    listed = await shop.tenant.client.get("/api/v1/conversations", headers=shop.tenant.owner)
    turns = await shop.tenant.client.get(
        f"/api/v1/conversations/{listed.json()['items'][0]['id']}/turns", headers=shop.tenant.owner
    )
    (turn,) = turns.json()["items"]
    assert turn["status"] == "completed"
    assert "30 days" in turn["reply"]["response"]
