"""Creating PostgreSQL's data directory, and reading what a server left in it."""

import os
import shutil
import tempfile
import time
from pathlib import Path

import structlog

from concierge.kit.postgres.address import OWNER_ROLE
from concierge.kit.postgres.binaries import MAJOR_VERSION, Binaries
from concierge.kit.postgres.errors import PostgresError, from_output, readable_os_errors
from concierge.kit.postgres.home import Home
from concierge.kit.postgres.identity import ServerUser, named_stand_in, nameless, run_as

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

UNFINISHED = ".unfinished-cluster-"
# `trust` lets whoever reaches the socket be any role. Only the server's user and root reach it: the socket's folder is
# 0700 and so is the socket, and both could read the data files anyway, so a password would protect nothing and would
# itself have to lie in a file. `peer` would ask for a user name, which a container's user id often lacks.
INITDB_OPTIONS = (
    f"--username={OWNER_ROLE}",
    "--auth-local=trust",
    "--auth-host=reject",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",  # Needs no locale of the operating system and sorts alike everywhere.
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    "--no-sync",  # One sync of the finished folder follows instead of one per step.
)


def ensure_cluster(home: Home, user: ServerUser, binaries: Binaries, *, sync: bool) -> None:
    """Leaves a complete data directory of the right version; call while holding the start lock."""
    if not home.cluster.exists():
        with readable_os_errors(home.folder):
            create_cluster(home, user, binaries, sync=sync)
    version_file = home.cluster / "PG_VERSION"
    version = version_file.read_text(encoding="utf-8").strip() if version_file.exists() else "none"
    if version != str(MAJOR_VERSION):
        raise PostgresError(
            f"The database in {home.cluster} was written by PostgreSQL {version}, and this product brings "
            f"PostgreSQL {MAJOR_VERSION}. Back it up with the release that wrote it (`concierge db backup`), move the "
            "folder away, and restore the backup with this release.",
            code="postgres_version_mismatch",
        )


def create_cluster(home: Home, user: ServerUser, binaries: Binaries, *, sync: bool) -> None:
    """Initdb works in a folder of its own and one rename publishes the result: an interrupted one leaves no trace."""
    began = time.monotonic()
    for left in home.folder.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)
    # A new name each time: the initdb of a process that was killed may still be writing into the last one.
    scratch = Path(tempfile.mkdtemp(dir=home.folder, prefix=UNFINISHED))
    stand_in, prefix = named_stand_in(user)
    stand_in.give(scratch)
    run_initdb(
        scratch, stand_in, [*prefix, binaries.program("initdb"), *INITDB_OPTIONS, f"--pgdata={scratch}"]
    )
    if sync:
        command = [*prefix, binaries.program("initdb"), "--sync-only", f"--pgdata={scratch}"]
        run_initdb(scratch, stand_in, command)
    user.give_tree(scratch)
    scratch.rename(home.cluster)
    if sync:
        sync_folder(home.folder)
    log.info("postgres.cluster_created", folder=str(home.cluster), seconds=round(time.monotonic() - began, 2))


def sync_folder(folder: Path) -> None:
    """Makes the rename itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def run_initdb(scratch: Path, user: ServerUser, command: list[str]) -> None:
    result = run_as(user, command)
    if result.returncode == 0:
        return
    shutil.rmtree(scratch, ignore_errors=True)
    output = result.stdout + result.stderr
    if "unshare" in result.stderr:
        raise nameless(user)
    raise from_output("Creating the database", output, scratch.parent, code="postgres_initdb_failed")


def postmaster_pid(cluster: Path) -> int | None:
    """The process id a server wrote into its data directory; it may be long dead, or another program by now."""
    try:
        first = (cluster / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0]
        return int(first)
    except (FileNotFoundError, ValueError):
        return None


def is_past_startup(cluster: Path) -> bool:
    """Whether the server reported `ready` in its pid file."""
    try:
        lines = (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"
