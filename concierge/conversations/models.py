from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from concierge.kit.db import Base


class Conversation(Base):
    __tablename__ = "conversations"
    __table_args__ = (ForeignKeyConstraint(["org_id", "agent_id"], ["agents.org_id", "agents.id"]),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    agent_id: Mapped[UUID]
    visitor_id: Mapped[UUID | None]
    turn_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Turn(Base):
    """One message and its reply. `events` is what was streamed, so that a broken stream can be resumed."""

    __tablename__ = "turns"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "conversation_id"], ["conversations.org_id", "conversations.id"]),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID]
    agent_id: Mapped[UUID]
    seq: Mapped[int]
    status: Mapped[str] = mapped_column(default="running")
    message: Mapped[str]
    session_context: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reply: Mapped[dict[str, Any] | None]
    events: Mapped[list[Any] | None]
    idempotency_key: Mapped[str | None]
    request_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    completed_at: Mapped[datetime | None]


class Trace(Base):
    """Everything a turn did and why, by step."""

    __tablename__ = "traces"
    __table_args__ = (ForeignKeyConstraint(["org_id", "turn_id"], ["turns.org_id", "turns.id"]),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID] = mapped_column(primary_key=True)
    trace: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
