"""Follow sources while they are read: one look at a source for all who watch it in this process, twice a second."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

import structlog

from concierge.accounts.scope import TenantScope, Unit
from concierge.kit.clock import Clock
from concierge.kit.db import Database
from concierge.kit.errors import UnavailableError
from concierge.knowledge.errors import SourceNotFoundError
from concierge.knowledge.schemas import SourceOut
from concierge.knowledge.service.sources import SourceService

logger = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 0.5
OVER: Final = ("succeeded", "failed", "cancelled")
Key = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Update:
    """`data` is the source as over HTTP; after it was deleted, its id and the status `deleted`."""

    type: Literal["progress", "done"]
    data: dict[str, Any]


@dataclass(slots=True)
class _Watched:
    """The last update of a source, and who waits for the next one."""

    listeners: int = 0
    version: int = 0
    last: Update | None = None
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    looking: asyncio.Task[None] | None = None

    async def say(self, update: Update) -> None:
        if update == self.last:
            return
        async with self.news:
            self.last = update
            self.version += 1
            self.news.notify_all()


class SourceWatch:
    """The sources that are watched in this process."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._watched: dict[Key, _Watched] = {}
        self._closed = False

    async def check(self, scope: TenantScope, source_id: UUID) -> None:
        """Errors: SourceNotFoundError."""
        await self._look(scope, source_id)

    async def follow(self, scope: TenantScope, source_id: UUID) -> AsyncGenerator[Update]:
        """Yield what a source has become whenever that changes, until nobody reads it any more or we stop."""
        key = scope.org_id, source_id
        watched = self._watched.setdefault(key, _Watched())
        watched.listeners += 1
        if watched.looking is None:
            watched.looking = asyncio.create_task(self._keep_looking(scope, source_id, watched))
        seen = 0
        try:
            while not self._closed:
                async with watched.news:
                    while watched.version == seen and not self._closed:
                        await watched.news.wait()
                    update, seen = watched.last, watched.version
                if self._closed or update is None:
                    return
                yield update
                if update.type == "done":
                    return
        finally:
            watched.listeners -= 1
            if not watched.listeners:
                await self._forget(key, watched)

    async def close(self) -> None:
        """End all streams: the process stops."""
        self._closed = True
        for watched in list(self._watched.values()):
            async with watched.news:
                watched.news.notify_all()

    async def _forget(self, key: Key, watched: _Watched) -> None:
        if self._watched.get(key) is watched:
            del self._watched[key]
        if watched.looking is not None:
            watched.looking.cancel()
            await asyncio.wait([watched.looking])

    async def _keep_looking(self, scope: TenantScope, source_id: UUID, watched: _Watched) -> None:
        while True:
            update = await self._update(scope, source_id)
            if update is not None:
                await watched.say(update)
                if update.type == "done":
                    # Whoever begins to watch from now on looks anew.
                    self._watched.pop((scope.org_id, source_id), None)
                    return
            await asyncio.sleep(LOOK_SECONDS)

    async def _update(self, scope: TenantScope, source_id: UUID) -> Update | None:
        """Look at a source; None while the database is away, which it is not for long."""
        try:
            source = await self._look(scope, source_id)
        except UnavailableError:
            return None
        except SourceNotFoundError:
            return Update("done", {"id": str(source_id), "status": "deleted"})
        except Exception:
            logger.exception("a watched source could not be looked at", source_id=str(source_id))
            return None
        return Update("done" if source.status in OVER else "progress", source.model_dump(mode="json"))

    async def _look(self, scope: TenantScope, source_id: UUID) -> SourceOut:
        async with self._db.transaction(scope.org_id) as session:
            return await SourceService(Unit(session, scope), self._clock).get(source_id)
