"""The events of a turn can be followed live, late, and by several listeners."""

import asyncio

import pytest

from concierge.chat.stream import Event, LiveTurns, TurnLog
from concierge.kit.ids import new_id

pytestmark = pytest.mark.anyio


async def collected(log: TurnLog, after: int = 0) -> list[Event]:
    return [event async for event in log.follow(after)]


async def test_ids_rise_by_one() -> None:
    log = TurnLog()
    for _ in range(3):
        await log.say("message.delta", {"text": "a"})
    await log.close()

    assert [event.id for event in await collected(log)] == [1, 2, 3]


async def test_a_listener_that_comes_late_hears_everything() -> None:
    log = TurnLog()
    await log.say("turn.started", {})
    early = asyncio.create_task(collected(log))
    await asyncio.sleep(0)
    await log.say("message.delta", {"text": "b"})
    await log.close()

    assert await early == await collected(log) == log.events


async def test_a_resumed_stream_begins_after_the_last_id_it_saw() -> None:
    log = TurnLog()
    for text in "abc":
        await log.say("message.delta", {"text": text})
    await log.close()

    assert [event.data["text"] for event in await collected(log, after=2)] == ["c"]
    assert not await collected(log, after=99)


async def test_a_listener_that_leaves_does_not_disturb_the_turn() -> None:
    log = TurnLog()
    leaving = asyncio.create_task(collected(log))
    await asyncio.sleep(0)
    leaving.cancel()
    await log.say("message.delta", {"text": "still here"})
    await log.close()

    assert len(await collected(log)) == 1


async def test_a_turn_that_is_over_is_no_longer_live() -> None:
    live, turn_id = LiveTurns(), new_id()
    log = live.open(turn_id)
    assert live.get(turn_id) is log

    await live.close(turn_id)

    assert live.get(turn_id) is None
