from datetime import timedelta
from typing import Final
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.customers.errors import VisitorEndedError
from concierge.customers.repository.profiles import ProfileRepository
from concierge.customers.schemas.known import KnownCustomer
from concierge.kit.clock import Clock, utc_now

# Who was away for longer comes back for another visit.
VISIT_ENDS_AFTER: Final = timedelta(minutes=30)


class ArrivalService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._repository = ProfileRepository(unit.session, unit.scope)
        self._clock = clock

    async def arrive(self, visitor_id: UUID, agent_id: UUID, page: str | None) -> KnownCustomer:
        """Know who writes, whoever it is: somebody new becomes an anonymous customer. One statement.

        Errors: VisitorEndedError.
        """
        now = self._clock()
        known = await self._repository.arrive(
            visitor_id, agent_id, page, now=now, visit_began_before=now - VISIT_ENDS_AFTER
        )
        if known is None:
            raise VisitorEndedError
        return known
