"""What an anonymous visitor did becomes part of who they turn out to be; for a while that can be taken back."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from pydantic_core import to_jsonable_python

from concierge.accounts.scope import Unit
from concierge.customers.errors import MergeNotFoundError
from concierge.customers.models import Customer, CustomerMerge
from concierge.customers.repository.customers import CustomerRepository
from concierge.customers.service.memory import MemoryView, MovedMemory
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id

UNDOABLE_FOR: Final = timedelta(days=30)
KEPT: Final = (
    "labels",
    "attributes",
    "traits",
    "visits",
    "turns",
    "conversions",
    "satisfaction",
    "last_page",
)
COUNTED: Final = ("visits", "turns", "conversions")


class MergeService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._repository = CustomerRepository(unit.session, unit.scope)
        self._memory = MemoryView(unit, clock)
        self._org_id = unit.scope.org_id
        self._clock = clock

    async def merge(self, anonymous: Customer, into: Customer) -> None:
        """Move all of an anonymous customer into another one; the anonymous one is no more."""
        visitors = [visitor.id for visitor in await self._repository.visitors(anonymous.id)]
        await self._repository.give_visitors(visitors, into.id)
        memory = await self._memory.absorb(anonymous.id, into.id)
        for name in COUNTED:
            setattr(into, name, getattr(into, name) + getattr(anonymous, name))
        into.last_seen_at = max(into.last_seen_at, anonymous.last_seen_at)
        await self._repository.add(
            CustomerMerge(
                org_id=self._org_id,
                id=new_id(),
                into_customer_id=into.id,
                profile=_profile(anonymous),
                moved=to_jsonable_python(
                    {"visitors": visitors, "facts": memory.facts, "conversations": memory.conversations}
                ),
                merged_at=self._clock(),
            )
        )
        await self._repository.remove(anonymous)

    async def undo(self, merge_id: UUID) -> CustomerMerge:
        """Take a merge back: both profiles are as they were, but for what was added since.

        Errors: MergeNotFoundError when there is none, it is too long ago, or it was undone before.
        """
        now = self._clock()
        merge = await self._repository.merge(merge_id)
        if merge is None or merge.undone_at is not None or merge.merged_at < now - UNDOABLE_FOR:
            raise MergeNotFoundError
        into = await self._repository.get(merge.into_customer_id, to_change=True)
        assert into is not None, "a merge goes with the customer it made"
        profile = dict(merge.profile)
        restored = Customer(
            org_id=self._org_id,
            id=UUID(profile.pop("id")),
            profile_type="anonymous",
            created_at=merge.merged_at,
            updated_at=now,
            last_seen_at=merge.merged_at,
            **profile,
        )
        await self._repository.add(restored)
        for name in COUNTED:
            setattr(into, name, max(0, getattr(into, name) - profile[name]))
        await self._repository.give_visitors([UUID(own) for own in merge.moved["visitors"]], restored.id)
        facts, conversations = (
            [UUID(own) for own in merge.moved[name]] for name in ("facts", "conversations")
        )
        await self._memory.give_back(MovedMemory(facts, conversations), restored.id)
        merge.undone_at = now
        await self._repository.note("customer.merge_undone", merge.into_customer_id, {"merge": str(merge_id)})
        return merge


def _profile(customer: Customer) -> dict[str, Any]:
    kept = {name: getattr(customer, name) for name in KEPT}
    return to_jsonable_python({"id": customer.id, **kept})
