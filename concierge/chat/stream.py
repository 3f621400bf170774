"""The events of a turn: numbered, followed live by whoever listens, kept so that a broken stream can be resumed."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

EventType = Literal[
    "turn.started", "status", "message.delta", "citation", "handoff", "message.completed", "error", "ping"
]


@dataclass(frozen=True, slots=True)
class Event:
    """`id` rises by one from 1 within a turn."""

    id: int
    type: EventType
    data: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {"id": self.id, "type": self.type, "data": dict(self.data)}


def stored_events(rows: Sequence[Mapping[str, Any]]) -> list[Event]:
    return [Event(row["id"], row["type"], row["data"]) for row in rows]


class TurnLog:
    """What a running turn has said so far; any number of listeners, none of them needed."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._closed = False
        self._news = asyncio.Condition()

    async def say(self, event_type: EventType, data: Mapping[str, Any]) -> None:
        self.events.append(Event(len(self.events) + 1, event_type, data))
        await self._wake()

    async def close(self) -> None:
        self._closed = True
        await self._wake()

    async def follow(self, after: int = 0) -> AsyncIterator[Event]:
        """Yield the events after the given id, those already said first, until the turn is over."""
        position = after
        while True:
            while position < len(self.events):
                yield self.events[position]
                position += 1
            if self._closed:
                return
            async with self._news:
                while not self._closed and position >= len(self.events):
                    await self._news.wait()

    async def _wake(self) -> None:
        async with self._news:
            self._news.notify_all()


class LiveTurns:
    """The turns under way in this process; the database has those that are over."""

    def __init__(self) -> None:
        self._logs: dict[UUID, TurnLog] = {}

    def open(self, turn_id: UUID) -> TurnLog:
        log = self._logs[turn_id] = TurnLog()
        return log

    def get(self, turn_id: UUID) -> TurnLog | None:
        return self._logs.get(turn_id)

    async def close(self, turn_id: UUID) -> None:
        log = self._logs.pop(turn_id, None)
        if log is not None:
            await log.close()
