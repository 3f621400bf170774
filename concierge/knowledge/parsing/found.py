"""Documents in archives and folders: which files count, and what a walk yields."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing.kinds import kind_of_name

_ARCHIVES: Final = (".zip", ".tar.gz", ".tgz", ".tar")
# Written by systems and editors beside the documents of people.
_SYSTEM_NAMES: Final = frozenset({"__macosx", "thumbs.db", "desktop.ini", "node_modules", "__pycache__"})
_DRIVE: Final = re.compile(r"\A[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """`name` is relative, with `/` between its parts; inside an archive in a folder the archive is one part."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that was not read; `reason` is a sentence for the person who added it."""

    name: str
    reason: str


Found = FoundDocument | SkippedFile


@dataclass(frozen=True, slots=True)
class WalkLimits:
    """Sizes in bytes, after unpacking. Totals hold for a whole walk, archives inside archives included."""

    document_bytes: int = 50 * 1024 * 1024
    total_bytes: int = 1024 * 1024 * 1024
    files: int = 20_000
    ratio: int = 150


@dataclass(slots=True)
class Spent:
    """What a walk has unpacked so far; raises DocumentRejectedError (`archive_bomb`) at the limits."""

    limits: WalkLimits
    unpacked: int = 0
    files: int = 0

    def unpack(self, size: int) -> None:
        self.unpacked += size
        if self.unpacked > self.limits.total_bytes:
            raise archive_bomb()

    def see_file(self) -> None:
        self.files += 1
        if self.files > self.limits.files:
            raise DocumentRejectedError(
                f"There are more than {self.limits.files} files. Add them in smaller parts.",
                code="archive_bomb",
            )


def archive_bomb() -> DocumentRejectedError:
    return DocumentRejectedError(
        "The archive would unpack to far more than it should, so it was not opened.", code="archive_bomb"
    )


def is_archive_name(name: str) -> bool:
    return name.lower().endswith(_ARCHIVES)


def is_hidden(name: str) -> bool:
    """Whether any part of the relative `name` is a hidden, system or lock file."""
    parts = PurePosixPath(name).parts
    return any(
        (part.startswith((".", "~$")) and part != "..") or part.lower() in _SYSTEM_NAMES for part in parts
    )


def safe_name(name: str) -> str | None:
    """`name` as given by an archive, with forward slashes; None when it points out of the archive."""
    name = name.replace("\\", "/")
    path = PurePosixPath(name)
    if "\0" in name or path.is_absolute() or ".." in path.parts or _DRIVE.match(name):
        return None
    return path.as_posix().encode("utf-8", errors="replace").decode()


def reason_to_skip(name: str, size: int, limits: WalkLimits) -> str | None:
    if size > limits.document_bytes:
        return f"The file is larger than {limits.document_bytes // 1024**2} MB."
    if size == 0:
        return "The file is empty."
    if kind_of_name(name) is None and not is_archive_name(name):
        return "This type of file is not read."
    return None
