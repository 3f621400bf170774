from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from concierge.kit.db import Base


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
