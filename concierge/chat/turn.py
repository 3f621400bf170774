"""A turn from the outside: begin it once, follow it from anywhere, get its reply; it runs whether anyone listens."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import structlog

from concierge.accounts.scope import TenantScope, Unit
from concierge.chat.errors import TurnFailedError
from concierge.chat.pipeline import Pipeline
from concierge.chat.schemas import ChatIn
from concierge.chat.steps.receive import Received, Reception
from concierge.chat.stream import Event, LiveTurns, TurnLog, stored_events
from concierge.conversations.schemas import StoredTurn
from concierge.conversations.service import ConversationService
from concierge.customers.errors import VisitorEndedError
from concierge.customers.service import ArrivalService
from concierge.kit.db import Database
from concierge.kit.errors import ConciergeError, UnavailableError

logger = structlog.get_logger(__name__)

POLL_SECONDS = 0.2
DRAIN_SECONDS = 3.0
LAST_WORDS_SECONDS = 2.0  # Longest that a turn given up on may take to be stored as failed.
# A turn that failed is noted even when the database is away for a moment.
NOTE_ATTEMPTS = 5


class ChatService:
    def __init__(self, db: Database, reception: Reception, pipeline: Pipeline, turn_seconds: float) -> None:
        self._db = db
        self._reception = reception
        self._pipeline = pipeline
        self._live = LiveTurns()
        self._turn_seconds = turn_seconds
        self._running: set[asyncio.Task[None]] = set()

    async def begin(
        self,
        scope: TenantScope,
        agent_id: UUID,
        body: ChatIn,
        *,
        idempotency_key: str | None = None,
        origin: str | None = None,
    ) -> UUID:
        """Store the message and start answering it. Returns the turn: an earlier one for a repeated key."""
        received = await self._reception.receive(
            scope,
            agent_id,
            body,
            idempotency_key=idempotency_key,
            origin=origin,
            given_up_after=timedelta(seconds=self._turn_seconds),
        )
        if received.turn.is_new:
            log = self._live.open(received.turn.id)
            task = asyncio.create_task(self._run(received, log), name=str(received.turn.id))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return received.turn.id

    async def check(
        self, scope: TenantScope, agent_id: UUID, turn_id: UUID, *, origin: str | None = None
    ) -> None:
        """Errors: TurnNotFoundError, also for another visitor's turn; VisitorEndedError; AgentNotFoundError;
        OriginNotAllowedError.
        """
        actor = scope.actor
        async with self._db.transaction(scope.org_id) as session:
            unit = Unit(session, scope)
            await self._reception.admit(unit, agent_id, origin)
            if actor.kind == "visitor" and actor.id and await ArrivalService(unit).has_ended(actor.id):
                raise VisitorEndedError
            await ConversationService(unit).turn(turn_id, agent_id=agent_id)

    async def follow(
        self, scope: TenantScope, agent_id: UUID, turn_id: UUID, *, after: int = 0
    ) -> AsyncGenerator[Event]:
        """Yield a turn's events after the given id: live in the process that runs it, from the database elsewhere.

        What was read of the visitor is for callers who may speak for the business, not for the visitor's browser.
        """
        async for event in self._events(scope, agent_id, turn_id, after):
            yield event.with_insight() if scope.actor.is_believed else event

    async def _events(
        self, scope: TenantScope, agent_id: UUID, turn_id: UUID, after: int
    ) -> AsyncGenerator[Event]:
        log = self._live.get(turn_id)
        if log is not None:
            async for event in log.follow(after):
                yield event
            return
        try:
            events = await self._stored_events(scope, agent_id, turn_id)
        except ConciergeError as error:
            events = [Event(after + 1, "error", _described(error))]
        for event in events:
            if event.id > after:
                yield event

    async def reply(self, scope: TenantScope, agent_id: UUID, turn_id: UUID) -> Mapping[str, Any]:
        """Wait for a turn's reply, in the shape of `ChatOut`. Errors: what the turn failed with."""
        async for event in self.follow(scope, agent_id, turn_id):
            if event.type == "message.completed":
                return event.data
            if event.type == "error":
                raise _failure(event.data)
        raise TurnFailedError

    async def give_up(self, turn_ids: Collection[UUID]) -> None:
        """Stop answering messages that were erased; whoever listens is told that it failed."""
        names = {str(turn_id) for turn_id in turn_ids}
        given_up = [task for task in self._running if task.get_name() in names]
        for task in given_up:
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)

    async def drain(self) -> None:
        """Let the turns under way end, before the process does; give up those that take too long."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=DRAIN_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, received: Received, log: TurnLog) -> None:
        try:
            async with asyncio.timeout(self._turn_seconds):
                await self._pipeline.answer(received, log)
        except asyncio.CancelledError:
            # The process ends: who asked is told, and may ask another one. A database that is held up may not hold it up.
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_SECONDS):
                    await self._fail(received, log, TurnFailedError())
            raise
        except Exception as error:  # noqa: BLE001  # Whatever went wrong, listeners are told and the turn is closed.
            await self._fail(received, log, error)
        finally:
            await self._live.close(received.turn.id)

    async def _fail(self, received: Received, log: TurnLog, error: Exception) -> None:
        problem = error if isinstance(error, ConciergeError) else TurnFailedError()
        logger.warning(
            "turn failed", turn_id=str(received.turn.id), code=problem.code, exc_info=problem is not error
        )
        await log.say("error", _described(problem))
        for attempt in range(NOTE_ATTEMPTS):
            try:
                return await self._pipeline.note_failure(received, log, problem)
            except UnavailableError:
                await asyncio.sleep(2**attempt / 4)
        return None

    async def _stored_events(self, scope: TenantScope, agent_id: UUID, turn_id: UUID) -> list[Event]:
        deadline = monotonic() + self._turn_seconds
        while monotonic() < deadline:
            turn = await self._stored(scope, agent_id, turn_id)
            if turn.events is not None:
                return stored_events(turn.events)
            await asyncio.sleep(POLL_SECONDS)
        raise TurnFailedError

    async def _stored(self, scope: TenantScope, agent_id: UUID, turn_id: UUID) -> StoredTurn:
        async with self._db.transaction(scope.org_id) as session:
            return await ConversationService(Unit(session, scope)).turn(turn_id, agent_id=agent_id)


def _described(error: ConciergeError) -> dict[str, Any]:
    return {
        "status": error.status,
        "code": error.code,
        "title": error.title,
        "detail": error.detail,
        "request_id": structlog.contextvars.get_contextvars().get("request_id"),
    }


def _failure(data: Mapping[str, Any]) -> ConciergeError:
    """Make again the error an event told of."""
    if data["status"] == UnavailableError.status:
        return UnavailableError(data["detail"], code=data["code"])
    error = ConciergeError(data["detail"], code=data["code"])
    error.status, error.title = data["status"], data["title"]
    return error
