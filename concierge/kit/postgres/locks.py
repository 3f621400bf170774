"""File locks that the kernel releases with their holder, however it dies: no list of process ids to go stale."""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from concierge.kit.postgres.errors import PostgresError

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

POLL_S = 0.02
NOTICE_AFTER_S = 2.0


def open_lock_file(path: Path) -> int:
    """Another user's lock file may be read-only for us, and a read-only descriptor can be locked as well."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except PermissionError:
        if not path.exists():
            raise
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def try_lock(descriptor: int, mode: int = fcntl.LOCK_EX) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        return True
    return False


def release(descriptor: int) -> None:
    """Unlocks explicitly, since a fork of this process may hold a copy of the descriptor and so keep the lock."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


@contextmanager
def exclusive(path: Path, *, patience_s: float) -> Generator[None]:
    """One process (and one thread) at a time starts or stops the server of a data folder."""
    descriptor = open_lock_file(path)
    try:
        wait_for_lock(descriptor, path, patience_s)
        yield
    finally:
        release(descriptor)


def wait_for_lock(descriptor: int, path: Path, patience_s: float) -> None:
    began = time.monotonic()
    noticed = False
    while not try_lock(descriptor):
        waited = time.monotonic() - began
        if waited > patience_s:
            raise PostgresError(
                f"Another process has been starting or stopping the database for {waited:.0f} seconds "
                f"and still holds {path}. End that process and try again.",
                code="postgres_locked",
            )
        if waited > NOTICE_AFTER_S and not noticed:
            noticed = True
            log.info("postgres.waiting_for_other_process", lock=str(path))
        time.sleep(POLL_S)


class UserCount:
    """Every user of the server holds a shared lock on one file; who can turn it into an exclusive one is the last."""

    def __init__(self, path: Path) -> None:
        self.pid = os.getpid()
        self.descriptor = open_lock_file(path)
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)

    @property
    def belongs_here(self) -> bool:
        """False in a fork of the process that joined: the fork must not count itself out in its parent's name."""
        return self.pid == os.getpid()

    def leave(self) -> bool:
        """Stop being a user; True when nobody else is left. Call while holding the start-and-stop lock."""
        last = self.belongs_here and try_lock(self.descriptor)
        if self.belongs_here:
            release(self.descriptor)
        else:
            os.close(self.descriptor)
        return last


class ServerClaim:
    """The lock that the server's processes hold for as long as any of them lives.

    The postmaster inherits the locked descriptor and hands it to every backend, so the lock tells a living server from
    a stale pid file, a reused pid, a zombie, or a server in another container on the same folder; and it stays taken
    while orphaned backends linger.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def attempt(self) -> Generator[int | None]:
        """The locked descriptor when no process of the server lives, else None."""
        descriptor = open_lock_file(self.path)
        try:
            yield descriptor if try_lock(descriptor) else None
        finally:
            os.close(descriptor)

    def is_free(self) -> bool:
        with self.attempt() as descriptor:
            return descriptor is not None
