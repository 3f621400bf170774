"""Background jobs on PostgreSQL (procrastinate): deferred by name inside the caller's transaction, run by a worker."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import psycopg
import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from psycopg import sql
from sqlalchemy import text

from concierge.kit.db import Session

logger = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 2.0
# A worker that has not been heard of for this long is dead; its jobs go to another.
STALLED_SECONDS = 10.0
RESTART_SECONDS = 2.0
WORKER_CONCURRENCY = 2

DEFER = text(
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW("
    "'default', :task, CAST(:priority AS integer), CAST(:lock AS text), CAST(:once AS text), CAST(:args AS jsonb), "
    "CAST(:at AS timestamptz))::procrastinate_job_to_defer_v1])"
)
WITHDRAW_LOCKED = text("DELETE FROM procrastinate_jobs WHERE lock = :lock AND status = 'todo'")
WITHDRAW = text("DELETE FROM procrastinate_jobs WHERE queueing_lock = ANY (:names) AND status = 'todo'")


async def defer(
    session: Session,
    task: str,
    *,
    args: Mapping[str, Any],
    lock: str | None = None,
    once: str | None = None,
    priority: int = 0,
    at: datetime | None = None,
) -> None:
    """Queue a job that exists only if the transaction commits; it waits until `at`, if that is given.

    Of the jobs that wait, the higher priority comes first, then the older one. Jobs with the same `lock` run one after
    another. Of those with the same `once` only one may wait at a time; it can be withdrawn by that name.
    """
    await session.execute(
        DEFER,
        {
            "task": task,
            "priority": priority,
            "lock": lock,
            "once": once,
            "args": json.dumps(dict(args)),
            "at": at,
        },
    )


async def withdraw(session: Session, names: Sequence[str]) -> None:
    """Take back the jobs that wait under these names (`once`); one that has begun goes on."""
    await session.execute(WITHDRAW, {"names": list(names)})


async def withdraw_locked(session: Session, lock: str) -> None:
    """Take back the jobs that wait for this lock; one that has begun goes on."""
    await session.execute(WITHDRAW_LOCKED, {"lock": lock})


class JobRunner:
    """Runs jobs until stopped, and outlives its database."""

    def __init__(self, conninfo: str, role: str | None) -> None:
        self.app = App(connector=_connector(conninfo, role))

    async def run(self) -> None:
        """Run until cancelled. A lost database is waited for; jobs of dead workers are taken over."""
        while True:
            try:
                async with self.app.open_async():
                    await self._work()
            except (ConnectorException, psycopg.Error, OSError) as error:
                logger.warning("job worker lost its database, trying again", reason=type(error).__name__)
            await asyncio.sleep(RESTART_SECONDS)

    async def _work(self) -> None:
        rescue = asyncio.create_task(self._rescue_stalled_jobs())
        try:
            await self.app.run_worker_async(
                concurrency=WORKER_CONCURRENCY,
                install_signal_handlers=False,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
                fetch_job_polling_interval=HEARTBEAT_SECONDS,
                delete_jobs="successful",
                shutdown_graceful_timeout=2.0,
            )
        finally:
            rescue.cancel()

    async def _rescue_stalled_jobs(self) -> None:
        while True:
            with suppress(ConnectorException):  # The next round finds what this one could not.
                await self._rescue_once()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _rescue_once(self) -> None:
        for job in await self.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            logger.info("job of a dead worker taken over", job=job.id, task=job.task_name)
            with suppress(ConnectorException):  # One that cannot be must not keep back those after it.
                await self.app.job_manager.retry_job(job)


def _connector(conninfo: str, role: str | None) -> PsycopgConnector:
    async def configure(connection: psycopg.AsyncConnection[Any]) -> None:
        if role is not None:
            await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            await connection.commit()

    return PsycopgConnector(
        conninfo=conninfo.replace("postgresql+psycopg://", "postgresql://", 1),
        configure=configure,
        min_size=1,
        max_size=4,
        timeout=10,
    )
