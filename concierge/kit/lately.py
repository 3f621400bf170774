"""What was loaded a moment ago: kept for ten seconds, and forgotten at once when this process changes it."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, Generic, TypeVar
from uuid import UUID

# So long a change that another process made may go unnoticed.
LIFETIME_S: Final = 10.0
KEPT: Final = 1_000
Value = TypeVar("Value")


class Lately(Generic[Value]):
    """Values by organization. `now` counts seconds."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._kept: OrderedDict[UUID, tuple[Value, float]] = OrderedDict()
        self._changes = 0

    async def get(self, org_id: UUID, load: Callable[[], Awaitable[Value]]) -> Value:
        """Return what is kept, or load it. Errors: those of `load`."""
        kept, now = self._kept.get(org_id), self._now()
        if kept is not None and now - kept[1] < LIFETIME_S:
            return kept[0]
        changes = self._changes
        value = await load()
        # What was changed while it was loaded may be missing in it.
        if changes == self._changes:
            self._keep(org_id, value, now)
        return value

    def forget(self, org_id: UUID) -> None:
        """Say that a change is done: what was loaded before, or is being loaded, counts no longer."""
        self._changes += 1
        self._kept.pop(org_id, None)

    def _keep(self, org_id: UUID, value: Value, now: float) -> None:
        self._kept[org_id] = value, now
        self._kept.move_to_end(org_id)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
