from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from concierge.kit.db import Base


class StrategyUseRow(Base):
    """A turn that followed a strategy, and what it was credited with once its conversation had an outcome."""

    __tablename__ = "strategy_uses"
    __table_args__ = (ForeignKeyConstraint(["org_id", "turn_id"], ["turns.org_id", "turns.id"]),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID]
    agent_id: Mapped[UUID]
    visitor_id: Mapped[UUID | None]
    segment: Mapped[str]
    rule: Mapped[str]
    strategy: Mapped[str]
    explored: Mapped[bool]
    success: Mapped[float] = mapped_column(default=0.0)
    failure: Mapped[float] = mapped_column(default=0.0)
    at: Mapped[datetime]


class Outcome(Base):
    """How a conversation ended, by one witness. What is said `once` takes the place of what was said before."""

    __tablename__ = "outcomes"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "conversation_id"], ["conversations.org_id", "conversations.id"]),
        ForeignKeyConstraint(["org_id", "turn_id"], ["turns.org_id", "turns.id"]),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID | None]
    turn_id: Mapped[UUID | None]
    visitor_id: Mapped[UUID | None]
    kind: Mapped[str]
    value: Mapped[float] = mapped_column(default=0.0)
    name: Mapped[str] = mapped_column(default="")
    comment: Mapped[str] = mapped_column(default="")
    source: Mapped[str]
    once: Mapped[str]
    at: Mapped[datetime]


class StrategyCount(Base):
    """The credits of a day's uses, added up: what `strategy_uses` holds, at hand."""

    __tablename__ = "strategy_counts"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    segment: Mapped[str] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    strategy: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    successes: Mapped[float] = mapped_column(default=0.0)
    failures: Mapped[float] = mapped_column(default=0.0)


class LearningSetting(Base):
    """One row of an organization, from its first outcome on. Whoever changes counts holds it meanwhile."""

    __tablename__ = "learning_settings"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    min_outcomes: Mapped[int] = mapped_column(default=200)
    floor: Mapped[float] = mapped_column(default=0.95)
    explore_share: Mapped[float] = mapped_column(default=0.1)
    half_life_days: Mapped[float] = mapped_column(default=60.0)
    reset_at: Mapped[datetime | None]
    judged_until: Mapped[datetime | None]
