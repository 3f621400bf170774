"""The events of a turn: numbered, followed live by whoever listens, kept so that a broken stream can be resumed."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

EventType = Literal[
    "turn.started", "status", "message.delta", "citation", "handoff", "message.completed", "error", "ping"
]


@dataclass(frozen=True, slots=True)
class Event:
    """`id` rises by one from 1 within a turn. `insight` is what only the business itself may see of the customer's context."""

    id: int
    type: EventType
    data: Mapping[str, Any]
    insight: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_dict(self) -> dict[str, Any]:
        """As it is stored, for nobody outside to see."""
        own = {"id": self.id, "type": self.type, "data": dict(self.data)}
        return {**own, "insight": dict(self.insight)} if self.insight else own

    def with_insight(self) -> "Event":
        """As the business sees it."""
        if not self.insight:
            return self
        context = {**self.data.get("customer_context", {}), **self.insight}
        return Event(self.id, self.type, {**self.data, "customer_context": context})


def stored_events(rows: Sequence[Mapping[str, Any]]) -> list[Event]:
    return [Event(row["id"], row["type"], row["data"], row.get("insight", {})) for row in rows]


class TurnLog:
    """What a running turn has said so far; any number of listeners, none of them needed."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._closed = False
        self._news = asyncio.Condition()

    async def say(
        self, event_type: EventType, data: Mapping[str, Any], insight: Mapping[str, Any] | None = None
    ) -> None:
        self.events.append(Event(len(self.events) + 1, event_type, data, insight or {}))
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
