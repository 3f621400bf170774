"""What a business calls the things it writes about: titles and headings of its packs, remembered for some minutes."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final
from uuid import UUID

import structlog

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Database
from concierge.kit.errors import ConciergeError
from concierge.knowledge.repository.names import NameRepository

logger = structlog.get_logger(__name__)

FRESH_SECONDS: Final = 300.0
PATIENCE_SECONDS: Final = 0.05  # A turn does without names sooner than wait for them.
KEPT: Final = 200

Key = tuple[UUID, tuple[UUID, ...]]


@dataclass(frozen=True, slots=True)
class Names:
    """`names` is the same object as long as nothing in it changed."""

    names: Sequence[str]
    until: float


class KnownNames:
    """Never raises: without names, topics keep the visitor's words."""

    def __init__(self, db: Database, now: Callable[[], float] = monotonic) -> None:
        self._db = db
        self._now = now
        self._kept: OrderedDict[Key, Names] = OrderedDict()
        self._running: dict[Key, asyncio.Task[None]] = {}

    async def of(self, scope: TenantScope, pack_ids: Sequence[UUID]) -> Sequence[str]:
        """Return the names of the public documents of these packs: those known, while new ones are looked up."""
        key = scope.org_id, tuple(pack_ids)
        known = self._kept.get(key)
        if not pack_ids or (known is not None and self._now() < known.until):
            return known.names if known else ()
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(self._look_up(scope, key))
            task.add_done_callback(lambda _: self._running.pop(key, None))
        await asyncio.wait([task], timeout=PATIENCE_SECONDS)
        known = self._kept.get(key)
        return known.names if known else ()

    async def _look_up(self, scope: TenantScope, key: Key) -> None:
        try:
            async with self._db.transaction(scope.org_id) as session:
                names = await NameRepository(session, scope).names(key[1])
        except ConciergeError as error:
            logger.warning("names of packs could not be read", code=error.code)
            return
        known = self._kept.get(key)
        kept = known.names if known and known.names == names else names
        self._kept[key] = Names(kept, self._now() + FRESH_SECONDS)
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
