"""Where everything of one embedded server lives.

    <home>/cluster         PostgreSQL's data directory (0700, the server's user)
    <home>/run             the unix socket (0700); in /tmp when that path could not serve as a socket's
    <home>/postgresql.conf written at every start
    <home>/postgres.log    what the server says, cut at 10 MB (the part before is postgres.log.1)
    <home>/*.lock          see locks.py
    <home>/programs        only for root, only when the server's user cannot enter the Python environment

`home` is the given folder. Only when root gives a folder that the server's user cannot enter (say, below /root) it is a
folder of its own below /var/lib/concierge, and the given folder holds a file `moved-to` with its path: no permission of
a folder that is not ours is ever widened.
"""

import hashlib
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from concierge.kit.postgres.address import PostgresAddress, socket_file
from concierge.kit.postgres.errors import PostgresError, readable_os_errors
from concierge.kit.postgres.identity import DEDICATED_ID, ServerUser
from concierge.kit.postgres.locks import exclusive

POINTER = "moved-to"
LONGEST_SOCKET_PATH = 107  # Bytes; the kernel's limit without the closing NUL.
SHELTERS = (Path("/var/lib/concierge"), Path("/var/tmp/concierge"))  # noqa: S108  # Survives a reboot; names are random.
SHORT_PATHS = Path("/tmp")  # noqa: S108  # Not TMPDIR: every process must find the same folder.
POINTER_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Home:
    folder: Path

    @property
    def cluster(self) -> Path:
        return self.folder / "cluster"

    @property
    def configuration(self) -> Path:
        return self.folder / "postgresql.conf"

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"

    @property
    def start_lock(self) -> Path:
        return self.folder / "start.lock"

    @property
    def users_lock(self) -> Path:
        return self.folder / "users.lock"

    @property
    def server_lock(self) -> Path:
        return self.folder / "server.lock"

    @property
    def socket_dir(self) -> Path:
        inside = self.folder / "run"
        if len(os.fsencode(socket_file(inside))) <= LONGEST_SOCKET_PATH and "," not in str(inside):
            return inside  # A comma would read as two hosts in a connection string.
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return SHORT_PATHS / f"concierge-{digest}"

    @property
    def address(self) -> PostgresAddress:
        return PostgresAddress(self.socket_dir)


def resolve_home(data_dir: Path) -> Home:
    """Creates what is missing and follows or writes the pointer; safe from several processes at once."""
    with readable_os_errors(data_dir):
        create_folder(data_dir)
        moved = follow_pointer(data_dir)
        if moved is not None:
            return Home(moved)
        if os.geteuid() != 0 or (data_dir / "cluster").exists():
            return Home(data_dir)
        if ServerUser(DEDICATED_ID, DEDICATED_ID).can_enter(data_dir):
            return Home(data_dir)
        with exclusive(data_dir / "start.lock", patience_s=POINTER_PATIENCE_S):
            return Home(follow_pointer(data_dir) or write_pointer(data_dir, create_shelter()))


def create_folder(folder: Path) -> None:
    """A folder we make ourselves can be entered by the server's user, whatever the umask; an existing one is kept."""
    if folder.is_dir():
        return
    if not folder.parent.exists():
        create_folder(folder.parent)
    with suppress(FileExistsError):  # Another process was faster, and gives it the same permissions.
        folder.mkdir()
        folder.chmod(0o755)


def follow_pointer(data_dir: Path) -> Path | None:
    pointer = data_dir / POINTER
    if not pointer.exists():
        return None
    target = Path(pointer.read_text(encoding="utf-8").strip())
    if not target.is_dir():
        raise PostgresError(
            f"{pointer} says that the database lives in {target}, but that folder is gone. "
            "Bring it back, or delete the pointer to start with an empty database.",
            code="postgres_data_folder",
        )
    return target


def create_shelter() -> Path:
    failure: OSError | None = None
    for parent in SHELTERS:
        try:
            create_folder(parent)
            trust_folder(parent, {0})
            folder = parent / secrets.token_hex(8)
            create_folder(folder)
        except OSError as error:
            failure = error
            continue
        if ServerUser(DEDICATED_ID, DEDICATED_ID).can_enter(folder):
            return folder
        folder.rmdir()
    raise PostgresError(
        "PostgreSQL refuses to run as root, and no folder was found that its own user can enter"
        f"{f' ({failure})' if failure else ''}. Choose a data folder that other users may pass through.",
        code="postgres_unreachable_folder",
    )


def write_pointer(data_dir: Path, target: Path) -> Path:
    scratch = data_dir / f".{POINTER}"
    scratch.write_text(f"{target}\n", encoding="utf-8")
    scratch.rename(data_dir / POINTER)
    return target


def prepare_socket_dir(home: Home, user: ServerUser) -> None:
    """Only the server's user and root may enter: that is what makes `trust` in pg_hba.conf safe (see cluster.py)."""
    folder = home.socket_dir
    folder.mkdir(mode=0o700, exist_ok=True)
    trust_folder(folder, {user.uid, os.geteuid()})
    user.give(folder)
    folder.chmod(0o700)


def trust_folder(folder: Path, owners: set[int]) -> None:
    """Names in /tmp can be taken by anybody: a link, or a folder of somebody else, is refused."""
    figures = folder.lstat()
    if not stat.S_ISDIR(figures.st_mode) or figures.st_uid not in owners:
        raise PostgresError(
            f"{folder} should be a folder of ours but belongs to somebody else. Remove it and start again.",
            code="postgres_data_folder",
        )
