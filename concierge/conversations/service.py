import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.conversations.errors import (
    ConversationNotFoundError,
    IdempotencyKeyReusedError,
    TurnNotFoundError,
)
from concierge.conversations.models import Conversation, Trace, Turn
from concierge.conversations.repository import ConversationRepository, NewTurn
from concierge.conversations.schemas import (
    ConversationOut,
    ConversationRecordOut,
    Exchange,
    LastTurn,
    PassedStage,
    StartedTurn,
    StoredTurn,
    TurnRecord,
    TurnRecordOut,
    TurnRequest,
    TurnStatus,
    TurnStory,
)
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id

HISTORY_TURNS = 6


class ConversationService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._scope = unit.scope
        self._repository = ConversationRepository(unit.session, unit.scope)
        self._clock = clock

    async def start_turn(self, request: TurnRequest, *, given_up_after: timedelta) -> StartedTurn:
        """Store the message before anything is done about it, so that nothing a visitor says is lost.

        Errors: ConversationNotFoundError, also for another visitor's; IdempotencyKeyReusedError;
        TurnAlreadyStartedError when the same request came in at the same moment (try again to get its turn).
        """
        key = self._key(request.idempotency_key)
        if key is not None and (earlier := await self._repository.turn_by_key(key)) is not None:
            return await self._again(earlier, request, given_up_after)
        conversation_id, seq = await self._place(request)
        history = await self._history(conversation_id) if seq > 1 else ()
        turn = NewTurn(
            id=new_id(),
            conversation_id=conversation_id,
            agent_id=request.agent_id,
            seq=seq,
            message=request.message,
            session_context=request.session_context,
            idempotency_key=key,
            request_hash=_digest(request) if key else None,
            created_at=self._clock(),
        )
        begins = request.conversation_id is None
        await self._repository.add_turn(turn, begins=begins, begins_for=request.visitor_id)
        return StartedTurn(turn.id, conversation_id, seq, history, is_new=True)

    async def finish_turn(
        self,
        turn_id: UUID,
        *,
        status: TurnStatus,
        reply: Mapping[str, Any] | None,
        events: Sequence[Mapping[str, Any]],
        trace: Mapping[str, Any],
    ) -> None:
        """Store the reply, what was streamed and the trace."""
        await self._repository.finish_turn(
            turn_id, status=status, reply=reply, events=events, trace=trace, now=self._clock()
        )

    async def turn(self, turn_id: UUID, *, agent_id: UUID) -> StoredTurn:
        """Return a turn of this agent; a visitor sees only their own. Errors: TurnNotFoundError."""
        found = await self._repository.turn(turn_id)
        if found is None or found[0].agent_id != agent_id:
            raise TurnNotFoundError
        turn, visitor_id = found
        if self._scope.actor.kind == "visitor" and visitor_id != self._scope.actor.id:
            raise TurnNotFoundError
        return StoredTurn(
            id=turn.id,
            conversation_id=turn.conversation_id,
            status=cast("TurnStatus", turn.status),
            reply=turn.reply,
            events=None if turn.events is None else tuple(turn.events),
            created_at=turn.created_at,
        )

    async def list(self, *, agent_id: UUID | None, before: UUID | None, limit: int) -> Sequence[Conversation]:
        return await self._repository.conversations(agent_id, before, limit)

    async def get(self, conversation_id: UUID) -> Conversation:
        conversation = await self._repository.conversation(conversation_id)
        if conversation is None:
            raise ConversationNotFoundError
        return conversation

    async def turns(self, conversation_id: UUID, *, before: UUID | None, limit: int) -> Sequence[Turn]:
        await self.get(conversation_id)
        return await self._repository.turns(conversation_id, before, limit)

    async def last_turns(self, conversation_ids: Sequence[UUID]) -> Sequence[LastTurn]:
        """Return the newest turn of each of these conversations that has one."""
        return await self._repository.last_turns(conversation_ids)

    async def trace(self, turn_id: UUID) -> Trace:
        trace = await self._repository.trace(turn_id)
        if trace is None:
            raise TurnNotFoundError
        return trace

    async def record(self, turn_id: UUID) -> TurnRecord:
        """Return a turn with what it was read with. Errors: TurnNotFoundError."""
        found = await self._repository.turn_and_trace(turn_id)
        if found is None:
            raise TurnNotFoundError
        turn, trace = found
        history: Sequence[str] = ()
        if turn.seq > 1:
            history = await self._repository.messages_before(turn.conversation_id, turn.seq, HISTORY_TURNS)
        return TurnRecord(turn.id, turn.message, turn.session_context, tuple(reversed(history)), trace or {})

    async def story(self, turn_id: UUID) -> TurnStory:
        """Return a completed turn with what came before it. Errors: TurnNotFoundError."""
        found = await self._repository.turn(turn_id)
        if found is None or found[0].status != "completed":
            raise TurnNotFoundError
        turn, visitor_id = found
        turns = await self._repository.turns_up_to(turn.conversation_id, turn.seq, HISTORY_TURNS)
        trace = await self._repository.trace(turn_id)
        return TurnStory(
            id=turn.id,
            conversation_id=turn.conversation_id,
            visitor_id=visitor_id,
            seq=turn.seq,
            created_at=turn.created_at,
            messages=tuple(own.message for own in turns),
            replies=tuple(own.reply or {} for own in turns),
            trace={} if trace is None else trace.trace,
        )

    async def records(
        self, visitor_ids: Collection[UUID], *, after: UUID | None, limit: int
    ) -> Sequence[ConversationRecordOut]:
        """Return conversations of these visitors with all that is kept of them, the oldest first."""
        found = await self._repository.of_visitors(visitor_ids, after, limit)
        turns: dict[UUID, list[TurnRecordOut]] = {conversation.id: [] for conversation in found}
        for turn, trace in await self._repository.turns_and_traces(turns.keys()):
            record = TurnRecordOut.model_validate(turn)
            record.trace = None if trace is None else dict(trace)
            turns[turn.conversation_id].append(record)
        return [
            ConversationRecordOut(
                **ConversationOut.model_validate(conversation).model_dump(), turns=turns[conversation.id]
            )
            for conversation in found
        ]

    async def extent(self, visitor_ids: Collection[UUID]) -> tuple[int, frozenset[UUID]]:
        """Return how many conversations these visitors have had, and which of their turns are not over."""
        running = await self._repository.running(visitor_ids)
        return await self._repository.count_of(visitor_ids), frozenset(running)

    async def _again(self, turn: Turn, request: TurnRequest, given_up_after: timedelta) -> StartedTurn:
        """Return the turn of a repeated request; one that failed, or whose process died, is begun anew."""
        if turn.request_hash != _digest(request):
            raise IdempotencyKeyReusedError
        now = self._clock()
        if not await self._repository.take_over(turn.id, given_up_before=now - given_up_after, now=now):
            return StartedTurn(turn.id, turn.conversation_id, turn.seq, (), is_new=False)
        history = await self._history(turn.conversation_id) if turn.seq > 1 else ()
        return StartedTurn(turn.id, turn.conversation_id, turn.seq, history, is_new=True)

    async def _place(self, request: TurnRequest) -> tuple[UUID, int]:
        """Find the conversation this message continues, or name a new one. Returns its id and the turn's number."""
        if request.conversation_id is None:
            return new_id(), 1
        own = self._scope.actor.id if self._scope.actor.kind == "visitor" else None
        seq = await self._repository.next_seq(request.conversation_id, request.agent_id, own)
        if seq is None:
            raise ConversationNotFoundError
        return request.conversation_id, seq

    async def _history(self, conversation_id: UUID) -> tuple[Exchange, ...]:
        turns = await self._repository.latest_turns(conversation_id, HISTORY_TURNS)
        return tuple(
            Exchange(message, reply or "", PassedStage.of(stage), about)
            for message, reply, stage, about in reversed(turns)
        )

    def _key(self, key: str | None) -> str | None:
        """Two callers may choose the same key without meaning each other."""
        return None if key is None else f"{self._scope.actor.kind}:{self._scope.actor.id}:{key}"


def _digest(request: TurnRequest) -> bytes:
    """What makes two requests the same: not the page they were sent from, which may change between attempts."""
    parts = [str(request.agent_id), str(request.conversation_id), str(request.visitor_id), request.message]
    parts += sorted(request.audiences)
    return hashlib.sha256(json.dumps(parts).encode()).digest()
