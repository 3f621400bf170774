from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, or_, select

from concierge.accounts.scope import TenantScope
from concierge.accounts.service.audit import audit_event
from concierge.customers.models import Customer, CustomerMerge, IdentityToken, Visitor
from concierge.kit.db import Session
from concierge.kit.jobs import withdraw_locked


class RecordRepository:
    """All rows of one customer."""

    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def customer(self, customer_id: UUID, *, lock: bool = False) -> Customer | None:
        """Return a customer; with `lock` nobody else changes or uses them until the transaction ends."""
        query = select(Customer).where(Customer.org_id == self._scope.org_id, Customer.id == customer_id)
        return await self._session.scalar(query.with_for_update() if lock else query)

    async def visitors(self, customer_id: UUID) -> Sequence[Visitor]:
        query = select(Visitor).where(
            Visitor.org_id == self._scope.org_id, Visitor.customer_id == customer_id
        )
        return (await self._session.scalars(query.order_by(Visitor.id))).all()

    async def merges(self, customer_id: UUID) -> Sequence[CustomerMerge]:
        """Return merges into a customer, and those of them into somebody else that were undone."""
        query = select(CustomerMerge).where(
            CustomerMerge.org_id == self._scope.org_id,
            or_(
                CustomerMerge.into_customer_id == customer_id,
                CustomerMerge.profile["id"].astext == str(customer_id),
            ),
        )
        return (await self._session.scalars(query.order_by(CustomerMerge.id))).all()

    async def erase(self, customer: Customer, visitor_ids: Collection[UUID]) -> None:
        """Delete a customer. What hangs on them goes by itself; what only names them is deleted here."""
        await self._session.execute(
            delete(CustomerMerge).where(
                CustomerMerge.org_id == self._scope.org_id,
                CustomerMerge.profile["id"].astext == str(customer.id),
            )
        )
        await self._session.execute(
            delete(IdentityToken).where(
                IdentityToken.org_id == self._scope.org_id, IdentityToken.visitor_id.in_(visitor_ids)
            )
        )
        await withdraw_locked(self._session, str(customer.id))
        await self._session.delete(customer)
        await self._session.flush()

    async def note(self, action: str, customer_id: UUID, **counts: int) -> None:
        """Leave a line in the audit log, which outlives the customer and so says nothing about them."""
        self._session.add(audit_event(self._scope, action, subject=customer_id, details=counts))
        await self._session.flush()
