"""Sketches large packs beside the searches that would use them: no visitor waits for one."""

import asyncio
from collections.abc import Iterable
from uuid import UUID

import structlog

from concierge.accounts.scope import PUBLIC, TenantScope
from concierge.kit.db import Database
from concierge.kit.errors import ConciergeError
from concierge.knowledge.repository.search import SearchRepository
from concierge.knowledge.resident.packs import Key, ResidentPacks

logger = structlog.get_logger(__name__)


class Sketching:
    def __init__(self, db: Database, resident: ResidentPacks) -> None:
        self._db = db
        self._resident = resident
        self._running: dict[Key, asyncio.Task[None]] = {}

    def begin(self, scope: TenantScope, packs: Iterable[UUID]) -> None:
        """Begin to sketch these packs, unless that is under way."""
        for pack in packs:
            key = scope.org_id, pack
            if key not in self._running:
                self._running[key] = asyncio.create_task(self._sketch(scope, pack))
                self._running[key].add_done_callback(lambda _, key=key: self._running.pop(key))

    async def finished(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._running.values():
            task.cancel()
        await self.finished()

    async def _sketch(self, scope: TenantScope, pack: UUID) -> None:
        """Searches do without where it cannot be."""
        try:
            async with self._db.transaction(scope.org_id) as session:
                await self._resident.sketch(SearchRepository(session, scope, PUBLIC), scope, pack)
        except ConciergeError as error:
            logger.warning("knowledge.not_sketched", pack_id=str(pack), code=error.code)
