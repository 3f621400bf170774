"""Is it safe to open this zip? Decided from its directory, before a byte is unpacked."""

import struct
import zipfile
from dataclasses import dataclass
from io import SEEK_END, BytesIO
from typing import BinaryIO, Final

from concierge.knowledge.errors import DocumentRejectedError

_END_RECORD: Final = b"PK\x05\x06"
_END_RECORD_64: Final = b"PK\x06\x06"
_ENCRYPTED_FLAG: Final = 0x1
# The end record with its comment, and the records of large archives before it.
_TAIL_BYTES: Final = 65_600 + 4096


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """Sizes in bytes. The ratio counts only beyond `ratio_from_bytes`: small files of blanks are harmless."""

    entries: int = 20_000
    directory_bytes: int = 8 * 1024 * 1024
    total_bytes: int = 1024 * 1024 * 1024
    ratio: int = 150
    ratio_from_bytes: int = 20 * 1024 * 1024


def open_zip(data: bytes, limits: ZipLimits) -> zipfile.ZipFile:
    """The opened archive, whose directory promises no more than `limits`; what it really holds may still lie.

    Raises DocumentRejectedError: `archive_bomb`, `document_corrupt`, `document_encrypted`.
    """
    return open_zip_file(BytesIO(data), limits)


def open_zip_file(file: BinaryIO, limits: ZipLimits) -> zipfile.ZipFile:
    """The same of an open file, which is not read as a whole."""
    size = file.seek(0, SEEK_END)
    file.seek(max(0, size - _TAIL_BYTES))
    if _directory_size(file.read()) > limits.directory_bytes:
        raise _bomb()
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, struct.error):
        raise _corrupt() from None
    _check_entries(archive.infolist(), size, limits)
    return archive


def _check_entries(entries: list[zipfile.ZipInfo], size: int, limits: ZipLimits) -> None:
    packed = sum(entry.compress_size for entry in entries)
    unpacked = sum(entry.file_size for entry in entries)
    # More packed bytes than the file has: entries share them, the trick of the densest bombs.
    too_much = len(entries) > limits.entries or unpacked > limits.total_bytes or packed > size
    if too_much or (unpacked > limits.ratio_from_bytes and unpacked > limits.ratio * max(packed, 1)):
        raise _bomb()
    if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        raise DocumentRejectedError(
            "The file is protected with a password. Remove the password and add it again.",
            code="document_encrypted",
        )


def _directory_size(data: bytes) -> int:
    """Bytes of the central directory as announced at the end of a zip; reading it costs memory in proportion."""
    at = data.rfind(_END_RECORD, max(0, len(data) - 65_600))
    if at < 0 or at + 22 > len(data):
        raise _corrupt()
    announced = int.from_bytes(data[at + 12 : at + 16], "little")
    at_64 = data.rfind(_END_RECORD_64, max(0, at - 4096), at)
    if at_64 >= 0:
        announced = max(
            announced if announced != 0xFFFFFFFF else 0,
            int.from_bytes(data[at_64 + 40 : at_64 + 48], "little"),
        )
    return announced


def _bomb() -> DocumentRejectedError:
    return DocumentRejectedError(
        "The file would unpack to far more than a document holds, so it was not opened.", code="archive_bomb"
    )


def _corrupt() -> DocumentRejectedError:
    return DocumentRejectedError(
        "The file is damaged or incomplete and could not be opened. Try to save it again."
    )
