from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.customers.errors import CustomerNotFoundError
from concierge.customers.repository.records import RecordRepository
from concierge.customers.schemas.records import CustomerRecord, MergeRecord, VisitorRecord


class RecordService:
    """All that this room keeps of one customer: handed over, or erased."""

    def __init__(self, unit: Unit) -> None:
        self._repository = RecordRepository(unit.session, unit.scope)

    async def get(self, customer_id: UUID) -> CustomerRecord:
        """Errors: CustomerNotFoundError, also for another organization's."""
        customer = await self._repository.customer(customer_id)
        if customer is None:
            raise CustomerNotFoundError
        record = CustomerRecord.model_validate(
            {name: getattr(customer, name) for name in CustomerRecord.model_fields if hasattr(customer, name)}
        )
        visitors = await self._repository.visitors(customer_id)
        record.visitors = [VisitorRecord.model_validate(visitor) for visitor in visitors]
        merges = await self._repository.merges(customer_id)
        record.merges = [MergeRecord.model_validate(merge) for merge in merges]
        return record

    async def exported(self, customer_id: UUID) -> None:
        """Note that somebody took all of it away."""
        await self._repository.note("customer.exported", customer_id)

    async def lock(self, customer_id: UUID) -> list[UUID]:
        """Let no turn of a customer begin until the transaction ends. Returns their visitors.

        Errors: CustomerNotFoundError.
        """
        if await self._repository.customer(customer_id, lock=True) is None:
            raise CustomerNotFoundError
        return [visitor.id for visitor in await self._repository.visitors(customer_id)]

    async def erase(self, customer_id: UUID, visitor_ids: list[UUID], conversations: int) -> None:
        """Delete a customer that is locked, with their visitors, conversations, and all that hangs on these."""
        customer = await self._repository.customer(customer_id)
        if customer is None:
            raise CustomerNotFoundError
        await self._repository.erase(customer, visitor_ids)
        await self._repository.note(
            "customer.erased", customer_id, visitors=len(visitor_ids), conversations=conversations
        )
