from datetime import timedelta
from typing import Final
from uuid import UUID, uuid5

from concierge.accounts.scope import Unit
from concierge.customers.errors import VisitorEndedError
from concierge.customers.repository.customers import CustomerRepository
from concierge.customers.repository.profiles import ProfileRepository
from concierge.customers.schemas.known import KnownCustomer
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id

# Who was away for longer comes back for another visit.
VISIT_ENDS_AFTER: Final = timedelta(minutes=30)
SPOKEN_FOR: Final = "spoken-for:"


class ArrivalService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._repository = ProfileRepository(unit.session, unit.scope)
        self._customers = CustomerRepository(unit.session, unit.scope)
        self._org_id = unit.scope.org_id
        self._clock = clock

    async def arrive(self, visitor_id: UUID, agent_id: UUID, page: str | None) -> KnownCustomer:
        """Know who writes, whoever it is: somebody new becomes an anonymous customer. One statement, two for who may not go on.

        Errors: VisitorEndedError.
        """
        now = self._clock()
        # Whose customer became part of another just now is found there the second time.
        for _ in range(2):
            known = await self._repository.arrive(
                visitor_id, agent_id, page, now=now, visit_began_before=now - VISIT_ENDS_AFTER
            )
            if known is not None:
                return known
        raise VisitorEndedError

    async def has_ended(self, visitor_id: UUID) -> bool:
        return await self._customers.has_ended(visitor_id)

    async def visitor_of(self, external_id: str, agent_id: UUID) -> UUID:
        """Return the visitor a business's own server speaks for when it names one of its customers."""
        now = self._clock()
        customer = await self._customers.made(new_id(), external_id, now)
        visitor_id = uuid5(self._org_id, f"{SPOKEN_FOR}{agent_id}:{customer.id}")
        await self._customers.add_visitor(visitor_id, customer.id, agent_id, now)
        return visitor_id
