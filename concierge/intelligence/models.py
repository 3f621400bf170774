from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from concierge.kit.db import Base


class IntelligenceRule(Base):
    __tablename__ = "intelligence_rules"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    enabled: Mapped[bool] = mapped_column(default=True)
    when: Mapped[dict[str, Any]] = mapped_column("condition")
    then: Mapped[dict[str, Any]] = mapped_column("consequence")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class IntelligenceAttribute(Base):
    __tablename__ = "intelligence_attributes"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    values: Mapped[list[Any]] = mapped_column("choices")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class IntelligenceSetting(Base):
    """One row of an organization, from its first change on. Whoever changes rules or attributes holds it meanwhile."""

    __tablename__ = "intelligence_settings"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    opens: Mapped[str] = mapped_column(default="09:00")
    closes: Mapped[str] = mapped_column(default="18:00")
    llm_allowed: Mapped[bool] = mapped_column(default=True)


class ReadingOverride(Base):
    """What a person says was right, with all that the reading was made from."""

    __tablename__ = "intelligence_overrides"
    __table_args__ = (ForeignKeyConstraint(["org_id", "turn_id"], ["turns.org_id", "turns.id"]),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID]
    dimension: Mapped[str]
    message: Mapped[str]
    history: Mapped[list[Any]]
    context: Mapped[dict[str, Any]]
    read: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    confidence: Mapped[float | None]
    corrected: Mapped[Any] = mapped_column(JSONB)
    note: Mapped[str] = mapped_column(default="")
    by_kind: Mapped[str]
    by_id: Mapped[UUID | None]
    at: Mapped[datetime]
