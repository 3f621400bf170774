"""Documents inside .zip, .tar and .tar.gz, one at a time and without ever writing a file."""

import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing.found import (
    Found,
    FoundDocument,
    SkippedFile,
    Spent,
    WalkLimits,
    archive_bomb,
    is_archive_name,
    is_hidden,
    reason_to_skip,
    safe_name,
)
from concierge.knowledge.parsing.zips import ZipLimits, open_zip

_RATIO_FROM_BYTES: Final = 20 * 1024 * 1024
_STEP: Final = 1024 * 1024
_DAMAGED: Final = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
)


def documents_in_archive(
    data: bytes, *, limits: WalkLimits | None = None, spent: Spent | None = None
) -> Iterator[Found]:
    """Yield every document and every file passed over, lazily; one level of archives inside is opened too.

    Raises DocumentRejectedError (`archive_bomb`, `document_corrupt`, `document_encrypted`) when the archive as a whole
    cannot be trusted; what was yielded before stays good. `spent` carries the totals of a larger walk.
    """
    spent = spent or Spent(limits or WalkLimits())
    yield from _documents(data, "", spent, depth=0)


def _documents(data: bytes, prefix: str, spent: Spent, *, depth: int) -> Iterator[Found]:
    members = (
        _zip_members(data, spent)
        if data.startswith((b"PK\x03\x04", b"PK\x05\x06"))
        else _tar_members(data, spent)
    )
    for member in members:
        name = prefix + member.name
        if isinstance(member, SkippedFile) or not is_archive_name(name):
            yield (
                FoundDocument(name, member.data)
                if isinstance(member, FoundDocument)
                else SkippedFile(name, member.reason)
            )
        elif depth:
            yield SkippedFile(name, "An archive inside an archive inside an archive is not opened.")
        else:
            yield from _inner(member, name, spent)


def _inner(member: FoundDocument, name: str, spent: Spent) -> Iterator[Found]:
    try:
        yield from _documents(member.data, f"{name}/", spent, depth=1)
    except DocumentRejectedError as error:
        if error.code == "archive_bomb":
            raise
        yield SkippedFile(name, error.detail)


def _zip_members(data: bytes, spent: Spent) -> Iterator[Found]:
    limits = ZipLimits(
        entries=spent.limits.files, total_bytes=spent.limits.total_bytes, ratio=spent.limits.ratio
    )
    with open_zip(data, limits) as archive:
        for entry in archive.infolist():
            spent.see_file()
            if entry.is_dir():
                continue
            is_link = (entry.external_attr >> 16) & 0o170000 == 0o120000
            yield from _member(
                entry.filename, entry.file_size, _ZipReader(archive, entry), spent, regular=not is_link
            )


def _tar_members(data: bytes, spent: Spent) -> Iterator[Found]:
    raw = io.BytesIO(data)
    packed = data.startswith(b"\x1f\x8b")
    stream = _Bounded(gzip.GzipFile(fileobj=raw) if packed else raw, len(data), spent)
    try:
        with tarfile.TarFile(fileobj=stream, mode="r") as archive:  # pyright: ignore[reportArgumentType]  # Reads, seeks and tells; all that is used.
            for entry in archive:
                spent.see_file()
                if entry.isdir():
                    continue
                yield from _member(
                    entry.name,
                    entry.size,
                    _TarReader(archive, entry),
                    spent,
                    regular=entry.isreg() and not entry.issparse(),
                )
    except _DAMAGED:
        raise DocumentRejectedError(
            "The archive is damaged or incomplete. Pack it again and retry."
        ) from None


class _ZipReader:
    def __init__(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
        self._archive, self._entry = archive, entry

    def read(self, size: int) -> bytes:
        if self._entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise ValueError(self._entry.compress_type)
        with self._archive.open(self._entry) as content:
            return content.read(size)


class _TarReader:
    def __init__(self, archive: tarfile.TarFile, entry: tarfile.TarInfo) -> None:
        self._archive, self._entry = archive, entry

    def read(self, size: int) -> bytes:
        content = self._archive.extractfile(self._entry)
        return content.read(size) if content else b""


def _member(
    stored_name: str, size: int, reader: _ZipReader | _TarReader, spent: Spent, *, regular: bool
) -> Iterator[Found]:
    name = safe_name(stored_name)
    if name is None:
        yield SkippedFile(stored_name[:300], "Its name points outside of the archive.")
    elif is_hidden(name):
        return
    elif not regular:
        yield SkippedFile(name, "It is a link or a device, not a file.")
    elif reason := reason_to_skip(name, size, spent.limits):
        yield SkippedFile(name, reason)
    else:
        yield _read_member(name, reader, spent)


def _read_member(name: str, reader: _ZipReader | _TarReader, spent: Spent) -> Found:
    try:
        data = reader.read(spent.limits.document_bytes + 1)
    except (*_DAMAGED, RuntimeError):
        # RuntimeError is how zipfile says “encrypted”.
        return SkippedFile(name, "The file is damaged inside of the archive.")
    if len(data) > spent.limits.document_bytes:
        return SkippedFile(name, f"The file is larger than {spent.limits.document_bytes // 1024**2} MB.")
    if isinstance(reader, _ZipReader):
        spent.unpack(len(data))
    return FoundDocument(name, data)


class _Bounded:
    """Reads forward and counts: a tar has no directory that could be judged beforehand."""

    def __init__(self, stream: gzip.GzipFile | io.BytesIO, packed_bytes: int, spent: Spent) -> None:
        self._stream, self._packed, self._spent, self._unpacked = stream, packed_bytes, spent, 0

    def read(self, size: int = -1) -> bytes:
        # No honest header or document is read in one piece larger than a document may be.
        if size < 0 or size > self._spent.limits.document_bytes + _STEP:
            raise archive_bomb()
        data = self._stream.read(size)
        self._unpacked += len(data)
        self._spent.unpack(len(data))
        if self._unpacked > max(_RATIO_FROM_BYTES, self._spent.limits.ratio * self._packed):
            raise archive_bomb()
        return data

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, position: int, _whence: int = 0) -> int:
        while (missing := position - self._stream.tell()) > 0:
            if not self.read(min(missing, _STEP)):
                break
        return self._stream.tell() if position >= self._stream.tell() else self._stream.seek(position)
