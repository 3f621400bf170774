"""What can go wrong with the embedded server, in words for the person who runs the product."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from concierge.kit.errors import ConciergeError

LOG_TAIL_LINES = 6


class PostgresError(ConciergeError):
    status, code, title = 503, "postgres_unavailable", "The database is not available"


@contextmanager
def readable_os_errors(folder: Path) -> Generator[None]:
    """Turns failures of the file system into sentences that name the folder."""
    try:
        yield
    except OSError as error:
        raise from_os_error(error, folder) from error


def from_os_error(error: OSError, folder: Path) -> PostgresError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(folder)
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return PostgresError(
            f"The data folder {folder} cannot be written to ({error.strerror}). "
            "Give this user write access to it, or choose another data folder.",
            code="postgres_read_only",
        )
    return PostgresError(f"The data folder {folder} cannot be used: {error}.", code="postgres_data_folder")


def disk_full(folder: Path) -> PostgresError:
    return PostgresError(
        f"The disk that holds {folder} is full. Free some space and start again; nothing that was saved is lost.",
        code="postgres_disk_full",
    )


def from_output(action: str, output: str, folder: Path, *, code: str) -> PostgresError:
    """The error behind what a PostgreSQL program printed before it gave up."""
    if "No space left on device" in output:
        return disk_full(folder)
    if "Read-only file system" in output:
        return from_os_error(OSError(errno.EROFS, "Read-only file system"), folder)
    tail = [line for line in output.strip().splitlines() if line.strip()][-LOG_TAIL_LINES:]
    reason = "\n".join(tail) or "it printed nothing"
    return PostgresError(f"{action} failed. PostgreSQL said:\n{reason}", code=code)
