from collections.abc import Sequence
from typing import Any
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.customers.errors import AnonymousIdError, AttributesFullError, CustomerNotFoundError
from concierge.customers.models import Customer, CustomerMerge
from concierge.customers.repository.customers import CustomerRepository
from concierge.customers.schemas.customers import CustomerIn, CustomerPatch, fits
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id


class CustomerService:
    """Customers, as those who work with them see and change them."""

    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._repository = CustomerRepository(unit.session, unit.scope)
        self._clock = clock

    async def list(
        self, *, profile_type: str | None, search: str | None, before: UUID | None, limit: int
    ) -> Sequence[Customer]:
        return await self._repository.list(
            profile_type=profile_type, search=search, before=before, limit=limit
        )

    async def get(self, customer_id: UUID) -> Customer:
        """Errors: CustomerNotFoundError, also for another organization's."""
        return self._there(await self._repository.get(customer_id))

    async def put(self, wanted: CustomerIn) -> Customer:
        """Have a customer of this external id be as the business says."""
        customer = await self._repository.made(new_id(), wanted.external_id, self._clock())
        await self._set(customer, wanted.model_dump(exclude={"external_id"}, exclude_none=True))
        return customer

    async def change(self, customer_id: UUID, patch: CustomerPatch) -> Customer:
        """Errors: CustomerNotFoundError, AnonymousIdError."""
        customer = self._there(await self._repository.get(customer_id, to_change=True))
        if patch.profile_type is not None and customer.external_id is None:
            raise AnonymousIdError
        await self._set(customer, patch.model_dump(exclude_none=True))
        return customer

    async def merges(self, customer_id: UUID) -> Sequence[CustomerMerge]:
        await self.get(customer_id)
        return await self._repository.merges(customer_id)

    async def _set(self, customer: Customer, values: dict[str, Any]) -> None:
        attributes = values.pop("attributes", None)
        if attributes is not None:
            merged = {**customer.attributes, **attributes}
            customer.attributes = {name: value for name, value in merged.items() if value is not None}
            if not fits(customer.attributes):
                raise AttributesFullError
        for name, value in values.items():
            setattr(customer, name, value)
        customer.updated_at = self._clock()
        await self._repository.flush()

    @staticmethod
    def _there(customer: Customer | None) -> Customer:
        if customer is None:
            raise CustomerNotFoundError
        return customer
