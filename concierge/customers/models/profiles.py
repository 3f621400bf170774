from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from concierge.kit.db import Base


class Customer(Base):
    """The profile behind one or more visitors. `external_id` is the business's own name for the person."""

    __tablename__ = "customers"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    profile_type: Mapped[str] = mapped_column(default="anonymous")
    external_id: Mapped[str | None]
    email: Mapped[str | None]
    name: Mapped[str | None]
    labels: Mapped[list[str]] = mapped_column(default=list)
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    traits: Mapped[dict[str, Any]] = mapped_column(default=dict)
    visits: Mapped[int] = mapped_column(default=1)
    turns: Mapped[int] = mapped_column(default=0)
    conversions: Mapped[int] = mapped_column(default=0)
    satisfaction: Mapped[float | None]
    last_page: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    previous_visit_at: Mapped[datetime | None]


class Visitor(Base):
    """A browser, or whoever a secret key speaks for. One that was ended may not go on."""

    __tablename__ = "visitors"
    __table_args__ = (ForeignKeyConstraint(["org_id", "customer_id"], ["customers.org_id", "customers.id"]),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID]
    agent_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]
