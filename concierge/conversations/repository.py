from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, cast
from uuid import UUID

from psycopg import errors
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from concierge.accounts.scope import TenantScope
from concierge.conversations.errors import TurnAlreadyStartedError
from concierge.conversations.models import Conversation, Trace, Turn
from concierge.conversations.schemas import LastTurn, TurnStatus
from concierge.kit.db import Session, fetch, jsonb

ADD_CONVERSATION: LiteralString = """
WITH conversation AS (
    INSERT INTO conversations (org_id, id, agent_id, visitor_id, turn_count, created_at, updated_at)
    VALUES (%(org_id)b, %(conversation_id)b, %(agent_id)b, %(visitor_id)b, 1, %(created_at)b, %(created_at)b)
)
"""

ADD_TURN: LiteralString = """
INSERT INTO turns (org_id, id, conversation_id, agent_id, seq, status, message, session_context, idempotency_key,
                   request_hash, created_at)
VALUES (%(org_id)b, %(id)b, %(conversation_id)b, %(agent_id)b, %(seq)b, 'running', %(message)b,
        %(session_context)b, %(idempotency_key)b, %(request_hash)b, %(created_at)b)
"""

# A turn that was erased while it ran leaves no trace either.
FINISH_TURN: LiteralString = """
WITH finished AS (
    UPDATE turns SET status = %(status)b, reply = %(reply)b, events = %(events)b, completed_at = %(now)b
    WHERE org_id = %(org_id)b AND id = %(turn_id)b
    RETURNING org_id, id
)
INSERT INTO traces (org_id, turn_id, trace, created_at)
SELECT org_id, id, %(trace)b, %(now)b FROM finished
ON CONFLICT (org_id, turn_id) DO UPDATE SET trace = excluded.trace, created_at = excluded.created_at
"""


@dataclass(frozen=True, slots=True)
class NewTurn:
    id: UUID
    conversation_id: UUID
    agent_id: UUID
    seq: int
    message: str
    session_context: Mapping[str, Any]
    idempotency_key: str | None
    request_hash: bytes | None
    created_at: datetime


class ConversationRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def next_seq(self, conversation_id: UUID, agent_id: UUID, visitor_id: UUID | None) -> int | None:
        """Take the next number in a conversation of this agent and visitor; None when there is none such."""
        query = (
            update(Conversation)
            .where(
                Conversation.org_id == self._scope.org_id,
                Conversation.id == conversation_id,
                Conversation.agent_id == agent_id,
            )
            .values(turn_count=Conversation.turn_count + 1, updated_at=func.now())
            .returning(Conversation.turn_count)
        )
        if visitor_id is not None:
            query = query.where(Conversation.visitor_id == visitor_id)
        return await self._session.scalar(query)

    async def add_turn(self, turn: NewTurn, *, begins_for: UUID | None = None, begins: bool) -> None:
        """Add a turn, and with `begins` the conversation it begins, for a visitor if there is one.

        Errors: TurnAlreadyStartedError when its idempotency key was taken meanwhile.
        """
        parameters = {
            **{name: getattr(turn, name) for name in NewTurn.__slots__},
            "org_id": self._scope.org_id,
            "session_context": jsonb(turn.session_context),
            "visitor_id": begins_for,
        }
        try:
            await fetch(self._session, ADD_CONVERSATION + ADD_TURN if begins else ADD_TURN, parameters)
        except errors.UniqueViolation as error:
            raise TurnAlreadyStartedError from error

    async def turn_by_key(self, idempotency_key: str) -> Turn | None:
        return await self._session.scalar(
            select(Turn).where(Turn.org_id == self._scope.org_id, Turn.idempotency_key == idempotency_key)
        )

    async def turn(self, turn_id: UUID) -> tuple[Turn, UUID | None] | None:
        """Return a turn and the visitor of its conversation."""
        row = (
            await self._session.execute(
                select(Turn, Conversation.visitor_id)
                .join(
                    Conversation,
                    (Conversation.org_id == Turn.org_id) & (Conversation.id == Turn.conversation_id),
                )
                .where(Turn.org_id == self._scope.org_id, Turn.id == turn_id)
            )
        ).first()
        return (row[0], row[1]) if row else None

    async def finish_turn(
        self,
        turn_id: UUID,
        *,
        status: str,
        reply: Mapping[str, Any] | None,
        events: Sequence[Mapping[str, Any]],
        trace: Mapping[str, Any],
        now: datetime,
    ) -> None:
        await fetch(
            self._session,
            FINISH_TURN,
            {
                "org_id": self._scope.org_id,
                "turn_id": turn_id,
                "status": status,
                "reply": None if reply is None else jsonb(reply),
                "events": jsonb(events),
                "trace": jsonb(trace),
                "now": now,
            },
        )

    async def take_over(self, turn_id: UUID, *, given_up_before: datetime, now: datetime) -> bool:
        """Begin anew a turn that failed or has been running since before `given_up_before`; one caller succeeds."""
        stale = (Turn.status == "running") & (Turn.created_at < given_up_before)
        taken = await self._session.scalar(
            update(Turn)
            .where(Turn.org_id == self._scope.org_id, Turn.id == turn_id, (Turn.status == "failed") | stale)
            .values(status="running", events=None, created_at=now)
            .returning(Turn.id)
        )
        return taken is not None

    async def trace(self, turn_id: UUID) -> Trace | None:
        return await self._session.scalar(
            select(Trace).where(Trace.org_id == self._scope.org_id, Trace.turn_id == turn_id)
        )

    async def turn_and_trace(self, turn_id: UUID) -> tuple[Turn, Mapping[str, Any] | None] | None:
        """Return a turn and its trace, if it has one yet."""
        row = (
            await self._session.execute(
                select(Turn, Trace.trace)
                .outerjoin(Trace, (Trace.org_id == Turn.org_id) & (Trace.turn_id == Turn.id))
                .where(Turn.org_id == self._scope.org_id, Turn.id == turn_id)
            )
        ).first()
        return (row[0], row[1]) if row else None

    async def turns_up_to(self, conversation_id: UUID, seq: int, limit: int) -> Sequence[Turn]:
        """Return the first and the last completed turns of a conversation up to one, oldest first."""
        query = select(Turn).where(
            Turn.org_id == self._scope.org_id,
            Turn.conversation_id == conversation_id,
            Turn.status == "completed",
            Turn.seq <= seq,
            (Turn.seq > seq - limit) | (Turn.seq == 1),
        )
        return (await self._session.scalars(query.order_by(Turn.seq))).all()

    async def messages_before(self, conversation_id: UUID, seq: int, limit: int) -> Sequence[str]:
        """Return the messages of the completed turns before one, newest first."""
        found = await self._session.scalars(
            select(Turn.message)
            .where(
                Turn.org_id == self._scope.org_id,
                Turn.conversation_id == conversation_id,
                Turn.status == "completed",
                Turn.seq < seq,
            )
            .order_by(Turn.seq.desc())
            .limit(limit)
        )
        return found.all()

    async def latest_turns(
        self, conversation_id: UUID, limit: int
    ) -> Sequence[tuple[str, str | None, Mapping[str, Any] | None, str | None]]:
        """Return message, reply text, stage and title of the first source of the newest completed turns, newest first."""
        source = Turn.reply["sources"][0]["title"].astext
        rows = await self._session.execute(
            select(Turn.message, Turn.reply["response"].astext, Turn.reply["stage"], source)
            .where(
                Turn.org_id == self._scope.org_id,
                Turn.conversation_id == conversation_id,
                Turn.status == "completed",
            )
            .order_by(Turn.seq.desc())
            .limit(limit)
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    async def last_turns(self, conversation_ids: Sequence[UUID]) -> Sequence[LastTurn]:
        rows = await self._session.execute(
            select(Turn.id, Turn.conversation_id, Turn.status, Trace.trace["analysis"], Trace.trace["answer"])
            .outerjoin(Trace, (Trace.org_id == Turn.org_id) & (Trace.turn_id == Turn.id))
            .where(Turn.org_id == self._scope.org_id, Turn.conversation_id.in_(conversation_ids))
            .ext(distinct_on(Turn.conversation_id))
            .order_by(Turn.conversation_id, Turn.seq.desc())
        )
        return [
            LastTurn(row[0], row[1], cast("TurnStatus", row[2]), row[3] or {}, row[4] or {}) for row in rows
        ]

    async def conversations(
        self, agent_id: UUID | None, before: UUID | None, limit: int
    ) -> Sequence[Conversation]:
        query = select(Conversation).where(Conversation.org_id == self._scope.org_id)
        if agent_id is not None:
            query = query.where(Conversation.agent_id == agent_id)
        if before is not None:
            query = query.where(Conversation.id < before)
        return (await self._session.scalars(query.order_by(Conversation.id.desc()).limit(limit))).all()

    async def conversation(self, conversation_id: UUID) -> Conversation | None:
        return await self._session.scalar(
            select(Conversation).where(
                Conversation.org_id == self._scope.org_id, Conversation.id == conversation_id
            )
        )

    async def turns(self, conversation_id: UUID, before: UUID | None, limit: int) -> Sequence[Turn]:
        query = select(Turn).where(Turn.org_id == self._scope.org_id, Turn.conversation_id == conversation_id)
        if before is not None:
            query = query.where(Turn.id < before)
        return (await self._session.scalars(query.order_by(Turn.id.desc()).limit(limit))).all()

    async def of_visitors(
        self, visitor_ids: Collection[UUID], after: UUID | None, limit: int
    ) -> Sequence[Conversation]:
        """Return conversations of these visitors, the oldest first."""
        query = select(Conversation).where(
            Conversation.org_id == self._scope.org_id, Conversation.visitor_id.in_(visitor_ids)
        )
        if after is not None:
            query = query.where(Conversation.id > after)
        return (await self._session.scalars(query.order_by(Conversation.id).limit(limit))).all()

    async def turns_and_traces(
        self, conversation_ids: Collection[UUID]
    ) -> Sequence[tuple[Turn, Mapping[str, Any] | None]]:
        """Return all turns of conversations with their traces, the oldest first."""
        rows = await self._session.execute(
            select(Turn, Trace.trace)
            .outerjoin(Trace, (Trace.org_id == Turn.org_id) & (Trace.turn_id == Turn.id))
            .where(Turn.org_id == self._scope.org_id, Turn.conversation_id.in_(conversation_ids))
            .order_by(Turn.conversation_id, Turn.seq)
        )
        return [(row[0], row[1]) for row in rows]

    async def running(self, visitor_ids: Collection[UUID]) -> Sequence[UUID]:
        """Return the turns of these visitors that are not over."""
        found = await self._session.scalars(
            select(Turn.id)
            .join(
                Conversation,
                (Conversation.org_id == Turn.org_id) & (Conversation.id == Turn.conversation_id),
            )
            .where(
                Turn.org_id == self._scope.org_id,
                Turn.status == "running",
                Conversation.visitor_id.in_(visitor_ids),
            )
        )
        return found.all()

    async def count_of(self, visitor_ids: Collection[UUID]) -> int:
        query = select(func.count()).where(
            Conversation.org_id == self._scope.org_id, Conversation.visitor_id.in_(visitor_ids)
        )
        return await self._session.scalar(query) or 0
