from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector import HalfVector
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import ForeignKey, ForeignKeyConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from concierge.kit.db import Base


class CustomerFact(Base):
    """`turn_id` is the message it came from, None where somebody wrote it down by hand."""

    __tablename__ = "customer_facts"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "customer_id"], ["customers.org_id", "customers.id"]),
        ForeignKeyConstraint(["org_id", "turn_id"], ["turns.org_id", "turns.id"]),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID]
    kind: Mapped[str]
    subject: Mapped[str]
    slot: Mapped[str]
    value: Mapped[str]
    confidence: Mapped[float]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    confirmed_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    superseded_by: Mapped[UUID | None]
    conversation_id: Mapped[UUID | None]
    turn_id: Mapped[UUID | None]
    embedding: Mapped[HalfVector | None] = mapped_column(HALFVEC(384), deferred=True, deferred_raiseload=True)


class RememberedTurn(Base):
    """A turn whose facts are stored, or that is not to be remembered."""

    __tablename__ = "remembered_turns"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "turn_id"], ["turns.org_id", "turns.id"]),
        ForeignKeyConstraint(["org_id", "customer_id"], ["customers.org_id", "customers.id"]),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID]
    at: Mapped[datetime]


class ForgottenCustomer(Base):
    """When a customer was last forgotten as a whole: no turn from before is remembered afterwards."""

    __tablename__ = "forgotten_customers"
    __table_args__ = (ForeignKeyConstraint(["org_id", "customer_id"], ["customers.org_id", "customers.id"]),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class StoredSummary(Base):
    """What a conversation was about, up to its turn number `seq`."""

    __tablename__ = "conversation_summaries"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "conversation_id"], ["conversations.org_id", "conversations.id"]),
        ForeignKeyConstraint(["org_id", "customer_id"], ["customers.org_id", "customers.id"]),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID]
    text: Mapped[str]
    seq: Mapped[int]
    at: Mapped[datetime]


class SessionRule(Base):
    """A rule of an organization's own; one that bears the id of a built-in rule only says whether that is used."""

    __tablename__ = "session_rules"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    enabled: Mapped[bool] = mapped_column(default=True)
    when: Mapped[dict[str, Any]] = mapped_column("condition")
    then: Mapped[dict[str, Any]] = mapped_column("consequence")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
