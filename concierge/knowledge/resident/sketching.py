"""Sketches large packs beside the searches that would use them: no visitor waits for one."""

import asyncio
from collections.abc import Iterable
from time import monotonic
from typing import Final
from uuid import UUID

import structlog

from concierge.accounts.scope import PUBLIC, TenantScope
from concierge.kit.db import Database
from concierge.kit.errors import ConciergeError
from concierge.knowledge.repository.search import SearchRepository
from concierge.knowledge.resident.packs import Key, ResidentPacks

logger = structlog.get_logger(__name__)

# A pack that is just being read changes all the time, and each change makes its sketch worthless.
PAUSE_SECONDS: Final = 30.0
# After a sketch that took long its pack is left alone for so many times as long.
RESTS: Final = 9


class Sketching:
    """One pack at a time, each at most twice a minute and for a tenth of the time."""

    def __init__(self, db: Database, resident: ResidentPacks) -> None:
        self._db = db
        self._resident = resident
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()
        self._not_before: dict[Key, float] = {}

    def begin(self, scope: TenantScope, packs: Iterable[UUID]) -> None:
        """Begin to sketch these packs, unless that was begun a moment ago."""
        now = monotonic()
        self._not_before = {key: at for key, at in self._not_before.items() if now < at}
        for pack in packs:
            key = scope.org_id, pack
            if key not in self._not_before:
                self._not_before[key] = now + PAUSE_SECONDS
                task = asyncio.create_task(self._sketch(scope, pack))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def finished(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._running:
            task.cancel()
        await self.finished()

    async def _sketch(self, scope: TenantScope, pack: UUID) -> None:
        """Searches do without where it cannot be."""
        async with self._turn:
            began = monotonic()
            try:
                async with self._db.transaction(scope.org_id) as session:
                    await self._resident.sketch(SearchRepository(session, scope, PUBLIC), scope, pack)
            except (ConciergeError, MemoryError) as error:
                logger.warning("knowledge.not_sketched", pack_id=str(pack), reason=type(error).__name__)
            finally:
                took = monotonic() - began
                self._not_before[scope.org_id, pack] = began + max(PAUSE_SECONDS, (1 + RESTS) * took)
