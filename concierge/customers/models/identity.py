from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from concierge.kit.db import Base


class CustomerSetting(Base):
    """`identity_secret` is encrypted; `memory` says of whom anything may be kept: off, anonymous_off, on; `memory_days` for
    how long, by kind of fact, where that is not as by default.
    """

    __tablename__ = "customer_settings"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    identity_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    user_hash_allowed: Mapped[bool] = mapped_column(default=False)
    memory: Mapped[str] = mapped_column(default="on")
    memory_days: Mapped[dict[str, Any]] = mapped_column(default=dict)


class IdentityToken(Base):
    """A signed token that was used, by its digest, and the only visitor it serves."""

    __tablename__ = "identity_tokens"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    visitor_id: Mapped[UUID]
    expires_at: Mapped[datetime]


class CustomerMerge(Base):
    """An anonymous profile that went into an identified one: what it was, and which rows moved, so that it can be undone."""

    __tablename__ = "customer_merges"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "into_customer_id"], ["customers.org_id", "customers.id"]),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    into_customer_id: Mapped[UUID]
    profile: Mapped[dict[str, Any]]
    moved: Mapped[dict[str, Any]]
    merged_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
