"""What an anonymous visitor did becomes part of who they turn out to be; for a while that can be taken back."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic_core import to_jsonable_python

from concierge.accounts.scope import Unit
from concierge.customers.errors import MergeNotFoundError
from concierge.customers.models import Customer, CustomerMerge
from concierge.customers.repository.customers import CustomerRepository
from concierge.customers.schemas.customers import MOST_LABELS, fits
from concierge.customers.service.memory import MemoryView, MovedMemory
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id

UNDOABLE_FOR: Final = timedelta(days=30)
PLAIN: Final = (
    "email",
    "name",
    "labels",
    "attributes",
    "traits",
    "visits",
    "turns",
    "conversions",
    "satisfaction",
    "last_page",
)
MOMENTS: Final = ("created_at", "last_seen_at", "previous_visit_at")
COUNTED: Final = ("visits", "turns", "conversions")


class MergeService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._repository = CustomerRepository(unit.session, unit.scope)
        self._memory = MemoryView(unit, clock)
        self._org_id = unit.scope.org_id
        self._clock = clock

    async def merge(self, anonymous: Customer, into: Customer) -> None:
        """Move all of an anonymous customer into another one; the anonymous one is no more.

        Where both have the same attribute, that of the one who is known holds.
        """
        visitors = [visitor.id for visitor in await self._repository.visitors(anonymous.id)]
        await self._repository.give_visitors(visitors, into.id)
        memory = await self._memory.absorb(anonymous.id, into.id)
        labels, attributes = _gained_labels(anonymous, into), _gained_attributes(anonymous, into)
        moved = {
            "visitors": visitors,
            "facts": memory.facts,
            "conversations": memory.conversations,
            "labels": labels,
            "attributes": attributes,
            "last_seen_at": into.last_seen_at,
        }
        for name in COUNTED:
            setattr(into, name, getattr(into, name) + getattr(anonymous, name))
        into.labels = [*into.labels, *labels]
        into.attributes = {**attributes, **into.attributes}
        into.last_seen_at = max(into.last_seen_at, anonymous.last_seen_at)
        await self._repository.add(
            CustomerMerge(
                org_id=self._org_id,
                id=new_id(),
                into_customer_id=into.id,
                profile=_profile(anonymous),
                moved=to_jsonable_python(moved),
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
        restored = self._restored(merge.profile, now)
        await self._repository.add(restored)
        _give_back(into, restored, merge.moved)
        await self._repository.give_visitors([UUID(own) for own in merge.moved["visitors"]], restored.id)
        facts, conversations = (
            [UUID(own) for own in merge.moved[name]] for name in ("facts", "conversations")
        )
        await self._memory.give_back(MovedMemory(facts, conversations), restored.id)
        merge.undone_at = now
        await self._repository.note("customer.merge_undone", merge.into_customer_id, {"merge": str(merge_id)})
        return merge

    def _restored(self, profile: Mapping[str, Any], now: datetime) -> Customer:
        return Customer(
            org_id=self._org_id,
            id=UUID(profile["id"]),
            profile_type="anonymous",
            updated_at=now,
            **{name: profile[name] for name in PLAIN},
            **{name: _moment(profile[name]) for name in MOMENTS},
        )


def _profile(customer: Customer) -> dict[str, Any]:
    return to_jsonable_python({name: getattr(customer, name) for name in ("id", *PLAIN, *MOMENTS)})


def _gained_labels(anonymous: Customer, into: Customer) -> list[str]:
    gained = [label for label in anonymous.labels if label not in into.labels]
    return gained[: max(0, MOST_LABELS - len(into.labels))]


def _gained_attributes(anonymous: Customer, into: Customer) -> dict[str, Any]:
    gained = {name: value for name, value in anonymous.attributes.items() if name not in into.attributes}
    return gained if fits({**gained, **into.attributes}) else {}


def _give_back(into: Customer, restored: Customer, moved: Mapping[str, Any]) -> None:
    """Take from a customer what came with a merge, except what somebody has changed since."""
    for name in COUNTED:
        setattr(into, name, max(0, getattr(into, name) - getattr(restored, name)))
    into.labels = [label for label in into.labels if label not in moved["labels"]]
    gained: Mapping[str, Any] = moved["attributes"]
    into.attributes = {
        name: value for name, value in into.attributes.items() if name not in gained or gained[name] != value
    }
    if into.last_seen_at == restored.last_seen_at:
        into.last_seen_at = _moment(moved["last_seen_at"]) or into.last_seen_at


def _moment(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)
