"""From the bytes of a file to a document with a title and clean text, whatever the bytes are."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from concierge.kit.text import normalize
from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing import markdown
from concierge.knowledge.parsing.document import Extracted, ParsedDocument, parse_date
from concierge.knowledge.parsing.kinds import Kind, kind_of, kind_of_name
from concierge.knowledge.parsing.language import language_of
from concierge.knowledge.parsing.pages import Page, page_starts
from concierge.knowledge.parsing.rows import read_delimited
from concierge.knowledge.parsing.sandbox import sandbox
from concierge.knowledge.parsing.text import decode

__all__ = ["Kind", "ParsedDocument", "kind_of_name", "parse"]

MAX_DOCUMENT_BYTES: Final = 50 * 1024 * 1024
MAX_TEXT_CHARACTERS: Final = 10_000_000
# Larger Markdown is read in the sandbox, where nothing waits for it but its own ingestion.
MAX_IN_PROCESS_BYTES: Final = 256 * 1024
_MAX_TITLE_CHARACTERS: Final = 300
_LANGUAGE: Final = re.compile(r"([a-z]{2,3})(?:[-_][A-Za-z0-9]+)*\Z", re.IGNORECASE)
_SHORT_LINE: Final = re.compile(r"\S.{1,98}[^\s.,;:]\Z")


def parse(data: bytes, *, filename: str, media_type: str | None) -> ParsedDocument:
    """Read one document; blocking, so call it in a thread from async code.

    `filename` names the type where the content does not and gives a title where nothing else does. `media_type` is
    what the sender claimed, with or without parameters. Raises DocumentRejectedError with a code that says why.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise DocumentRejectedError(
            f"The file is larger than {MAX_DOCUMENT_BYTES // 1024**2} MB. Split it into smaller documents.",
            code="document_too_large",
        )
    if not data.strip():
        raise _empty("The file is empty.")
    kind = kind_of(data, filename, media_type)
    extracted = _READERS.get(kind, _read_office)(data, media_type, kind)
    if len(extracted.text) > MAX_TEXT_CHARACTERS:
        raise DocumentRejectedError(
            "The document holds more text than one document may. Split it into smaller documents.",
            code="document_too_large",
        )
    text = normalize(extracted.text)
    if not any(character.isalnum() for character in text):
        raise _empty(_nothing_found(kind))
    return ParsedDocument(
        title=_title(extracted.title, text, filename),
        text=text,
        url=extracted.url,
        language=_language(extracted.language) or language_of(text),
        published_at=parse_date(extracted.published),
        modified_at=parse_date(extracted.modified),
        media_type=kind.value,
        page_starts=page_starts(text, [Page(*page) for page in extracted.pages]),
    )


def _read_text(data: bytes, media_type: str | None, _kind: Kind) -> Extracted:
    text = normalize(decode(data, _charset(media_type)))
    first = text.partition("\n")[0].strip()
    return Extracted(text=text, title=first if _SHORT_LINE.match(first) else None)


def _read_markdown(data: bytes, media_type: str | None, _kind: Kind) -> Extracted:
    source = decode(data, _charset(media_type))
    if len(data) <= MAX_IN_PROCESS_BYTES:
        return markdown.read_text(source)
    return sandbox.read("markdown", source.encode("utf-8", errors="replace"), Kind.MARKDOWN.value)


def _read_html(data: bytes, media_type: str | None, kind: Kind) -> Extracted:
    page = decode(data, _charset(media_type) or _declared_charset(data))
    return sandbox.read("html", page.encode("utf-8", errors="replace"), kind.value)


def _read_delimited(data: bytes, media_type: str | None, _kind: Kind) -> Extracted:
    return Extracted(text=read_delimited(decode(data, _charset(media_type))))


def _read_office(data: bytes, _media_type: str | None, kind: Kind) -> Extracted:
    return sandbox.read("office", data, kind.value)


_READERS: Final[dict[Kind, Callable[[bytes, str | None, Kind], Extracted]]] = {
    Kind.TEXT: _read_text,
    Kind.MARKDOWN: _read_markdown,
    Kind.HTML: _read_html,
    Kind.CSV: _read_delimited,
    Kind.TSV: _read_delimited,
}


def _charset(media_type: str | None) -> str | None:
    found = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", media_type or "", re.IGNORECASE)
    return found[1] if found else None


def _declared_charset(data: bytes) -> str | None:
    found = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]{2,40})", data[:4096], re.IGNORECASE)
    return found[1].decode("ascii", errors="ignore") if found else None


def _title(found: str | None, text: str, filename: str) -> str:
    title = " ".join(normalize(found or "").split()) or " ".join((markdown.first_heading(text) or "").split())
    return (title or _title_of_name(filename))[:_MAX_TITLE_CHARACTERS].strip()


def _title_of_name(filename: str) -> str:
    """`returns-policy_2024.md` → `Returns policy 2024`."""
    name = unquote(filename).replace("\\", "/").rstrip("/").rpartition("/")[2]
    stem = re.sub(r"(?<=.)\.[A-Za-z0-9]{1,8}\Z", "", name)
    words = " ".join(normalize(re.sub(r"[-_+]+", " ", stem)).split())
    return words[:1].upper() + words[1:] if words else "Untitled document"


def _language(tag: str | None) -> str | None:
    found = _LANGUAGE.match(tag.strip()) if tag else None
    return found[1].lower() if found else None


def _nothing_found(kind: Kind) -> str:
    if kind is Kind.PDF:
        return "The PDF contains no text, only pictures of it. Make it searchable (OCR) and add it again."
    if kind is Kind.HTML:
        return "The page shows no text. It may need JavaScript; add its text or another address instead."
    return "The document contains no text."


def _empty(detail: str) -> DocumentRejectedError:
    return DocumentRejectedError(detail, code="document_empty")
