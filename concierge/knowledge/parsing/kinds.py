"""What a file is: by its content first, by its name and declared type where content cannot tell."""

from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing.zips import ZipLimits, open_zip

_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_OPEN: Final = "application/vnd.oasis.opendocument."


class Kind(StrEnum):
    """A format that can be read; the value is its media type."""

    TEXT = "text/plain"
    MARKDOWN = "text/markdown"
    HTML = "text/html"
    CSV = "text/csv"
    TSV = "text/tab-separated-values"
    MAIL = "message/rfc822"
    RTF = "application/rtf"
    PDF = "application/pdf"
    DOCX = f"{_OFFICE}wordprocessingml.document"
    XLSX = f"{_OFFICE}spreadsheetml.sheet"
    PPTX = f"{_OFFICE}presentationml.presentation"
    ODT = f"{_OPEN}text"
    ODS = f"{_OPEN}spreadsheet"
    ODP = f"{_OPEN}presentation"
    EPUB = "application/epub+zip"
    DOC = "application/msword"
    XLS = "application/vnd.ms-excel"
    PPT = "application/vnd.ms-powerpoint"
    MSG = "application/vnd.ms-outlook"


_BY_SUFFIX: Final = {
    **dict.fromkeys((".txt", ".text", ".log", ".rst", ".adoc", ".asciidoc", ".org"), Kind.TEXT),
    **dict.fromkeys((".md", ".markdown", ".mdx", ".mdown", ".mkd"), Kind.MARKDOWN),
    **dict.fromkeys((".html", ".htm", ".xhtml"), Kind.HTML),
    **{
        f".{kind.name.lower()}": kind
        for kind in Kind
        if kind.name not in {"TEXT", "MARKDOWN", "HTML", "MAIL"}
    },
    ".eml": Kind.MAIL,
}
_BY_MEDIA_TYPE: Final = {
    **{kind.value: kind for kind in Kind},
    "text/x-markdown": Kind.MARKDOWN,
    "application/xhtml+xml": Kind.HTML,
    "text/rtf": Kind.RTF,
    "application/csv": Kind.CSV,
}
_TEXTUAL: Final = frozenset({Kind.TEXT, Kind.MARKDOWN, Kind.HTML, Kind.CSV, Kind.TSV, Kind.MAIL})
_ZIP_PARTS: Final = (("word/", Kind.DOCX), ("xl/", Kind.XLSX), ("ppt/", Kind.PPTX))
# Names of streams inside the container of old Office files, stored as UTF-16.
_OLE_STREAMS: Final = (
    ("WordDocument", Kind.DOC),
    ("PowerPoint Document", Kind.PPT),
    ("Workbook", Kind.XLS),
    ("Book", Kind.XLS),
    ("__substg1.0_", Kind.MSG),
)
_NAMES: Final = {
    Kind.PDF: "PDF",
    Kind.DOCX: "Word",
    Kind.DOC: "Word",
    Kind.XLSX: "Excel",
    Kind.XLS: "Excel",
    Kind.PPTX: "PowerPoint",
    Kind.PPT: "PowerPoint",
}


def kind_of_name(filename: str) -> Kind | None:
    return _BY_SUFFIX.get(PurePosixPath(filename.replace("\\", "/")).suffix.lower())


def kind_of(data: bytes, filename: str, media_type: str | None) -> Kind:
    """Raises DocumentRejectedError where content and name contradict each other, or nobody can read it."""
    named = kind_of_name(filename)
    declared = named or _BY_MEDIA_TYPE.get((media_type or "").partition(";")[0].strip().lower())
    found = _kind_of_content(data)
    if found is None:
        return _textual_kind(data, declared, filename)
    if named in _TEXTUAL:
        raise DocumentRejectedError(
            f"The file is named “{_suffix(filename)}” but its content is {_NAMES.get(found, 'another format')}. "
            "Give it the right ending and add it again.",
            code="document_binary",
        )
    return found


def _suffix(filename: str) -> str:
    return PurePosixPath(filename).suffix.lower()


def _textual_kind(data: bytes, declared: Kind | None, filename: str) -> Kind:
    if declared is not None and declared not in _TEXTUAL:
        raise DocumentRejectedError(
            f"The file is named “{_suffix(filename)}” but is not a {_NAMES.get(declared, declared.name)} file, "
            "or it is damaged at its beginning."
        )
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    looks_html = start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))
    if looks_html and declared in {None, Kind.TEXT, Kind.HTML}:
        return Kind.HTML
    return declared or Kind.TEXT


def _kind_of_content(data: bytes) -> Kind | None:
    """The kind of a format that marks itself; None for text (and for binary data that nobody claims)."""
    if b"%PDF-" in data[:1024]:
        return Kind.PDF
    if data.startswith(b"{\\rtf"):
        return Kind.RTF
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_zip(data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _kind_of_ole(data)
    return None


def _kind_of_zip(data: bytes) -> Kind:
    with open_zip(data, ZipLimits()) as archive:
        names = archive.namelist()
        if "[Content_Types].xml" in names:
            for prefix, kind in _ZIP_PARTS:
                if any(name.startswith(prefix) for name in names):
                    return kind
        if "mimetype" in names:
            with archive.open("mimetype") as entry:
                declared = entry.read(200).decode("ascii", errors="replace").strip()
            if declared in {Kind.ODT, Kind.ODS, Kind.ODP, Kind.EPUB}:
                return Kind(declared)
    raise DocumentRejectedError(
        "This is a zip archive, not a document. Unpack it, or add it as an archive of documents.",
        code="document_unsupported",
    )


def _kind_of_ole(data: bytes) -> Kind:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise DocumentRejectedError(
            "The document is protected with a password. Remove the password and add it again.",
            code="document_encrypted",
        )
    for stream, kind in _OLE_STREAMS:
        if stream.encode("utf-16-le") in data:
            return kind
    raise DocumentRejectedError("This kind of Office file cannot be read.", code="document_unsupported")
