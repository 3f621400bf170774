from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from concierge.kit.db import Base


class BillingAccount(Base):
    """One row of an organization, from the first word about its plan on. Whoever changes its plan holds it meanwhile.

    `plan` was set by an owner or an operator; without one the default holds. `customer_id` is Stripe's.
    """

    __tablename__ = "billing_accounts"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    plan: Mapped[str | None]
    customer_id: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Subscription(Base):
    """What Stripe's events told last of one subscription; `id` and `status` are Stripe's."""

    __tablename__ = "subscriptions"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    plan: Mapped[str | None]
    status: Mapped[str]
    told_at: Mapped[datetime | None]
    told_kind: Mapped[str | None]
    payment_failed_at: Mapped[datetime | None]


class BillingEvent(Base):
    """An event of Stripe that was dealt with; the same one counts once."""

    __tablename__ = "billing_events"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    outcome: Mapped[str]
    made_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())


class UsageMeter(Base):
    """How much of something was used in a period, which begins with `period_start`, a day of UTC."""

    __tablename__ = "usage_meters"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    agent: Mapped[str] = mapped_column(primary_key=True, default="")
    meter: Mapped[str] = mapped_column(primary_key=True)
    period_start: Mapped[date] = mapped_column(primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)


class BudgetPeriod(Base):
    """What was spent of a budget in an hour, a day or a month."""

    __tablename__ = "budget_periods"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    spent: Mapped[int] = mapped_column(BigInteger, default=0)


class BudgetReservation(Base):
    """What is set aside of a budget for a call under way."""

    __tablename__ = "budget_reservations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["org_id", "name", "period", "starts_at"],
            [
                "budget_periods.org_id",
                "budget_periods.name",
                "budget_periods.period",
                "budget_periods.starts_at",
            ],
        ),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime]
