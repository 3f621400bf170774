"""The supervisor: one PostgreSQL per data folder, shared by all processes that use the folder."""

import asyncio
import atexit
import subprocess
import threading
import time
from pathlib import Path
from typing import Self

import psycopg
import structlog
from psycopg import sql

from concierge.kit.errors import ConciergeError
from concierge.kit.postgres.address import APP_ROLE, DATABASE, OWNER_ROLE, PostgresAddress
from concierge.kit.postgres.binaries import binaries_for
from concierge.kit.postgres.cluster import ensure_cluster, is_past_startup, postmaster_pid
from concierge.kit.postgres.errors import PostgresError, from_output, readable_os_errors
from concierge.kit.postgres.home import Home, resolve_home
from concierge.kit.postgres.identity import ServerUser, choose_server_user
from concierge.kit.postgres.launch import (
    ORPHAN_GRACE_S,
    launch,
    let_go,
    log_since,
    shut_down,
    trim_log,
)
from concierge.kit.postgres.locks import ServerClaim, UserCount, exclusive
from concierge.kit.postgres.probe import Health, Probe, probe
from concierge.kit.postgres.processes import end_all, living_postmaster
from concierge.kit.postgres.tuning import PostgresTuning

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

START_ATTEMPTS = 3
POLL_S = 0.02
PROGRESS_EVERY_S = 2.0
WATCH_INTERVAL_S = 2.0


class EmbeddedPostgres:
    """`data_dir` is a folder of the server's own. Every method is safe from several threads and processes."""

    def __init__(self, data_dir: Path, tuning: PostgresTuning | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self.tuning = tuning or PostgresTuning()
        self._mutex = threading.RLock()
        self._home: Home | None = None
        self._membership: UserCount | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._log_offset = 0

    def __enter__(self) -> Self:
        self.ensure_running()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def home(self) -> Home:
        """Creates the data folder on first use."""
        with self._mutex:
            if self._home is None:
                self._home = resolve_home(self.data_dir)
            return self._home

    @property
    def address(self) -> PostgresAddress:
        return self.home.address

    @property
    def owner_url(self) -> str:
        """SQLAlchemy URL of the superuser, for migrations."""
        return self.address.url(role=OWNER_ROLE)

    @property
    def app_url(self) -> str:
        """SQLAlchemy URL of the role that owns nothing and is bound by row-level security."""
        return self.address.url(role=APP_ROLE)

    def ensure_running(self) -> PostgresAddress:
        """Returns once the server has answered a query, starting or repairing it as needed. Blocks.

        Cheap when it runs already (one connection, a few milliseconds), so a caller that lost its connection may just
        call again. Raises PostgresError with the reason otherwise.
        """
        with self._mutex:
            if self._is_member and probe(self.address).health is Health.READY:
                return self.address
            patience_s = self.tuning.recovery_patience_s + self.tuning.shutdown_patience_s
            with readable_os_errors(self.data_dir), exclusive(self.home.start_lock, patience_s=patience_s):
                self._join()
                self._bring_up()
                create_role_and_database(self.address)
            return self.address

    def is_answering(self) -> bool:
        """Whether a query is answered now. Starts nothing."""
        return probe(self.address).health is Health.READY

    def stop(self, *, even_if_shared: bool = False) -> None:
        """Leaves the server; the last user to leave (or `even_if_shared`) shuts it down and waits for that."""
        with self._mutex:
            membership, self._membership = self._membership, None
            atexit.unregister(self.stop)
            if membership is None and not even_if_shared:
                return
            if (
                not self.home.folder.exists()
            ):  # Deleted under a running server, which has nothing left to save.
                end_all(self.home.cluster, grace_s=0)
                self._let_go()
                return
            patience_s = self.tuning.recovery_patience_s + self.tuning.shutdown_patience_s
            with exclusive(self.home.start_lock, patience_s=patience_s):
                last = membership.leave() if membership else False
                if last or even_if_shared:
                    shut_down(self.home, self._child, self.tuning.shutdown_patience_s)
                    log.info("postgres.stopped", folder=str(self.home.folder))
                self._let_go()

    def heal(self) -> None:
        """Brings a dead server back, unless we have left it."""
        with self._mutex:
            if self._is_member:
                self.ensure_running()
                trim_log(self.home.log)

    async def watch(self, interval_s: float = WATCH_INTERVAL_S) -> None:
        """Runs until cancelled: notices within `interval_s` that the server died and brings it back."""
        while True:
            await asyncio.sleep(interval_s)
            try:
                await asyncio.to_thread(self.heal)
            except ConciergeError as error:
                log.error("postgres.not_healed", code=error.code, detail=error.detail)  # noqa: TRY400  # Written for people.

    def _let_go(self) -> None:
        let_go(self._child)
        self._child = None

    @property
    def _is_member(self) -> bool:
        return self._membership is not None and self._membership.belongs_here

    def _join(self) -> None:
        if not self._is_member:
            self._membership = UserCount(self.home.users_lock)
            atexit.register(self.stop)

    def _bring_up(self) -> None:
        """Looks, acts on what it sees, and looks again, until the server answers or patience ends."""
        began = time.monotonic()
        progress = Progress(began)
        if self._died():
            log.warning("postgres.died", folder=str(self.home.folder))
        attempts = 0
        while True:
            seen = probe(self.address)
            if seen.health is Health.READY:
                progress.finish(started=attempts > 0)
                return
            self._give_up_on(seen, began)
            if seen.health is Health.SILENT:
                if self._died():
                    output = log_since(self.home.log, self._log_offset)
                    if attempts >= START_ATTEMPTS:
                        raise from_output(
                            "Starting PostgreSQL", output, self.home.folder, code="postgres_start_failed"
                        )
                    log.warning("postgres.start_failed", output=output[-2000:])
                attempts += self._act_on_silence()
            progress.report(seen)
            time.sleep(POLL_S)

    def _died(self) -> bool:
        """Whether the postmaster we started has ended, taking it off the process table; said once per start."""
        if self._child is None or self._child.poll() is None:
            return False
        self._child = None
        return True

    def _give_up_on(self, seen: Probe, began: float) -> None:
        waited = time.monotonic() - began
        if seen.health is Health.REFUSING:
            raise PostgresError(f"PostgreSQL refuses connections: {seen.said}", code="postgres_refused")
        if waited > self.tuning.recovery_patience_s:
            raise PostgresError(
                f"PostgreSQL did not become ready within {waited:.0f} seconds. It says: {seen.said} "
                f"Its log is {self.home.log}.",
                code="postgres_start_timeout",
            )

    def _act_on_silence(self) -> int:
        """Starts the server when none of its processes lives; returns the number of starts (0 or 1)."""
        home = self.home
        user = choose_server_user(home.cluster)
        with ServerClaim(home.server_lock).attempt() as claim:
            postmaster = living_postmaster(postmaster_pid(home.cluster), home.cluster)
            if claim is not None and postmaster is None:
                self._start(home, user, claim)
                return 1
        if claim is not None:
            raise PostgresError(
                f"Another program has started PostgreSQL on {home.cluster}. Stop it and try again.",
                code="postgres_foreign_server",
            )
        if (
            postmaster is None and self._child is None
        ):  # A child of ours may not have written its pid file yet.
            log.warning("postgres.ending_orphans", folder=str(home.cluster))
            end_all(home.cluster, grace_s=ORPHAN_GRACE_S)
        elif postmaster and is_past_startup(home.cluster) and not home.address.socket.exists():
            log.warning("postgres.socket_lost", socket=str(home.address.socket))
            shut_down(home, self._child, self.tuning.shutdown_patience_s)
        return 0

    def _start(self, home: Home, user: ServerUser, claim: int) -> None:
        binaries = binaries_for(user, home.folder)
        ensure_cluster(home, user, binaries, sync=self.tuning.fsync)
        trim_log(home.log)
        self._log_offset = home.log.stat().st_size if home.log.exists() else 0
        self._child = launch(home, user, binaries, self.tuning, claim)


class Progress:
    """Says that a start is slow, so that nobody mistakes a recovery for a hang."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.reported = began

    def report(self, seen: Probe) -> None:
        now = time.monotonic()
        if now - self.reported >= PROGRESS_EVERY_S:
            self.reported = now
            log.info("postgres.waiting", seconds=round(now - self.began), said=seen.said.strip())

    def finish(self, *, started: bool) -> None:
        if started:
            log.info("postgres.started", seconds=round(time.monotonic() - self.began, 2))


def create_role_and_database(address: PostgresAddress) -> None:
    """Idempotent; call while holding the start lock, since PostgreSQL has no CREATE … IF NOT EXISTS for these."""
    conninfo = address.conninfo(role=OWNER_ROLE, database="postgres")
    try:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            role = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP_ROLE]).fetchone()
            if role is None:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(APP_ROLE)))
            database = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
            if database is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    except psycopg.Error as error:
        raise PostgresError(
            f"The database could not be prepared: {error}", code="postgres_unavailable"
        ) from error
