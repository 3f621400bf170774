from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from concierge.kit.fields import Out
from concierge.kit.pagination import Identified

TurnStatus = Literal["running", "completed", "failed"]


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """What a visitor sent, on whose behalf, and which audiences they belong to."""

    agent_id: UUID
    message: str
    conversation_id: UUID | None = None
    visitor_id: UUID | None = None
    session_context: Mapping[str, Any] = field(default_factory=dict[str, Any])
    idempotency_key: str | None = None
    audiences: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PassedStage:
    """The stage of a persona's tactics that a turn was in: whether its step was `taken`, and the matter `closed`."""

    name: str
    persona_id: str
    taken: bool = False
    closed: bool = False

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> "PassedStage | None":
        return None if stored is None else cls(**stored)


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier turn of the conversation, oldest first wherever several are given.

    `about` is the title of the first source of the reply, None where it rests on nothing.
    """

    message: str
    reply: str
    stage: PassedStage | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True)
class StartedTurn:
    """A turn whose message is stored. `is_new` is false when the same request was already made."""

    id: UUID
    conversation_id: UUID
    seq: int
    history: tuple[Exchange, ...]
    is_new: bool


@dataclass(frozen=True, slots=True)
class StoredTurn:
    id: UUID
    conversation_id: UUID
    status: TurnStatus
    reply: Mapping[str, Any] | None
    events: tuple[Mapping[str, Any], ...] | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """A turn as it was understood: `history` are the earlier messages it was read with, oldest first. `trace` is empty
    while the turn runs.
    """

    id: UUID
    message: str
    session_context: Mapping[str, Any]
    history: tuple[str, ...]
    trace: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LastTurn:
    """How a conversation stands: its newest turn, what its message was read as and what its trace says of the answer, both
    empty where it has none.
    """

    id: UUID
    conversation_id: UUID
    status: TurnStatus
    analysis: Mapping[str, Any]
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TurnStory:
    """A completed turn with the conversation up to it, oldest first: the first turn and the last few. `visitor_id` is None
    where nobody in particular asked; `replies` are as they are stored: what crossed HTTP, and a stage if there was one.
    """

    id: UUID
    conversation_id: UUID
    visitor_id: UUID | None
    seq: int
    created_at: datetime
    messages: tuple[str, ...]
    replies: tuple[Mapping[str, Any], ...]
    trace: Mapping[str, Any]


class ConversationOut(Identified):
    agent_id: UUID
    visitor_id: UUID | None
    turn_count: int
    created_at: datetime
    updated_at: datetime


class TurnOut(Identified):
    conversation_id: UUID
    agent_id: UUID
    seq: int
    status: TurnStatus
    message: str
    reply: dict[str, Any] | None
    created_at: datetime
    completed_at: datetime | None


class TraceOut(Out):
    turn_id: UUID
    trace: dict[str, Any]
    created_at: datetime


class TurnRecordOut(TurnOut):
    """A turn with all that is kept of it."""

    session_context: dict[str, Any]
    events: list[Any] | None
    trace: dict[str, Any] | None = None


class ConversationRecordOut(ConversationOut):
    """A conversation with its turns, the oldest first."""

    turns: list[TurnRecordOut]
