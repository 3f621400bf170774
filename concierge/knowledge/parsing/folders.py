"""Documents in a folder of this machine, in a stable order, one at a time."""

import stat
from collections.abc import Iterator
from pathlib import Path

from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing.archives import documents_in_archive
from concierge.knowledge.parsing.found import (
    Found,
    FoundDocument,
    SkippedFile,
    Spent,
    WalkLimits,
    is_archive_name,
    is_hidden,
    reason_to_skip,
)


def documents_in_folder(root: Path, *, limits: WalkLimits | None = None) -> Iterator[Found]:
    """Yield every document and every file passed over. Hidden files and folders are left out without a word.

    Links are followed to files inside of `root` only, and never to folders. Archives are opened. Raises
    NotADirectoryError, and DocumentRejectedError (`archive_bomb`) when there are too many files.
    """
    root = root.resolve()
    if not root.is_dir():
        raise NotADirectoryError(root)
    yield from _walk(root, root, Spent(limits or WalkLimits()))


def _walk(root: Path, folder: Path, spent: Spent) -> Iterator[Found]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        yield SkippedFile(_name(root, folder), "The folder cannot be opened.")
        return
    for path in entries:
        name = _name(root, path)
        if is_hidden(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(root, path, spent)
        else:
            spent.see_file()
            yield from _file(root, path, name, spent)


def _file(root: Path, path: Path, name: str, spent: Spent) -> Iterator[Found]:
    try:
        target = path.resolve(strict=True)
        status = target.stat()
        if not target.is_relative_to(root):
            yield SkippedFile(name, "It is a link to something outside of the folder.")
        elif not stat.S_ISREG(status.st_mode):
            yield SkippedFile(name, "It is a link to a folder or a device, not a file.")
        elif reason := reason_to_skip(name, status.st_size, spent.limits):
            yield SkippedFile(name, reason)
        else:
            yield from _opened(name, _bounded_read(target, spent.limits.document_bytes), spent)
    except (OSError, RuntimeError):
        # RuntimeError is a ring of links.
        yield SkippedFile(name, "The file cannot be opened.")


def _opened(name: str, data: bytes, spent: Spent) -> Iterator[Found]:
    if not is_archive_name(name):
        yield FoundDocument(name, data)
        return
    try:
        for found in documents_in_archive(data, spent=Spent(spent.limits)):
            inner = f"{name}/{found.name}"
            yield (
                FoundDocument(inner, found.data)
                if isinstance(found, FoundDocument)
                else SkippedFile(inner, found.reason)
            )
    except DocumentRejectedError as error:
        yield SkippedFile(name, error.detail)


def _bounded_read(path: Path, limit: int) -> bytes:
    """A file may grow between its measuring and its reading."""
    with path.open("rb") as content:
        return content.read(limit)


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix().encode("utf-8", errors="replace").decode()
