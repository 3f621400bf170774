"""Text of PDF, Office, e-book, mail and table files through kreuzberg, as Markdown."""

import contextlib
from collections.abc import Mapping
from dataclasses import astuple
from typing import Final

import kreuzberg

from concierge.knowledge.parsing.chapters import with_chapter_headings
from concierge.knowledge.parsing.document import Extracted
from concierge.knowledge.parsing.kinds import Kind
from concierge.knowledge.parsing.layout import with_rows
from concierge.knowledge.parsing.markdown import tidy
from concierge.knowledge.parsing.pages import Page
from concierge.knowledge.parsing.rows import with_long_tables_by_row
from concierge.knowledge.parsing.sheets import check_sheets
from concierge.knowledge.parsing.word import with_own_numbering

# Producers fill the title field with these when nobody gave one.
_NO_TITLE: Final = frozenset({"untitled", "(unspecified)", "unspecified", "document", "(anonymous)"})

_SHEETS: Final = frozenset({Kind.XLSX, Kind.XLS, Kind.ODS})
# Too little of a PDF to read, enough to make the reader want its library.
_EMPTY_PDF: Final = b"%PDF-1.4\n"


def unpack() -> None:
    """Let kreuzberg write its PDF library, which it carries packed, to the folder for temporary files.

    It does so once; without it no PDF can be read.
    """
    with contextlib.suppress(kreuzberg.KreuzbergError):
        kreuzberg.extract_bytes_sync(_EMPTY_PDF, Kind.PDF, config=kreuzberg.ExtractionConfig(use_cache=False))


def read(data: bytes, media_type: str) -> Extracted:
    """Raises kreuzberg.KreuzbergError for what it cannot read, DocumentRejectedError for too long a table. No OCR, no network, no cache on disk."""
    config = kreuzberg.ExtractionConfig(
        use_cache=False,
        enable_quality_processing=False,
        output_format="markdown",
        include_document_structure=media_type == Kind.PDF,
        pages=kreuzberg.PageConfig(extract_pages=True) if media_type == Kind.PDF else None,
    )
    # A file inside the document (an attachment, an embedded workbook) is another document.
    config.max_archive_depth = 0
    check_sheets(data, media_type)
    if media_type == Kind.EPUB:
        data = with_chapter_headings(data)
    if media_type == Kind.DOCX:
        data = with_own_numbering(data)
    result = kreuzberg.extract_bytes_sync(data, media_type, config=config)
    metadata: Mapping[str, object] = {**result.metadata}
    extracted = Extracted(
        text=_content(result, media_type),
        title=_title(metadata),
        language=_text(metadata, "language"),
        published=_text(metadata, "created_at"),
        modified=_text(metadata, "modified_at"),
        pages=[astuple(Page.of(page["content"])) for page in result.pages or ()],
    )
    return tidy(extracted)


def _content(result: kreuzberg.ExtractionResult, media_type: str) -> str:
    if media_type == Kind.PDF:
        return with_rows(result.content, _paragraphs(result))
    return with_long_tables_by_row(result.content) if media_type in _SHEETS else result.content


def _paragraphs(result: kreuzberg.ExtractionResult) -> list[str]:
    """The paragraphs with the line ends of the page, which the Markdown no longer has."""
    nodes = (result.document or {"nodes": []})["nodes"]
    contents = [node["content"] for node in nodes if "content" in node]
    return [content.get("text", "") for content in contents if content.get("node_type") == "paragraph"]


def _title(metadata: Mapping[str, object]) -> str | None:
    title = _text(metadata, "title") or _text(
        metadata, "subject" if metadata.get("format_type") == "email" else "title"
    )
    return title if title and title.lower() not in _NO_TITLE else None


def _text(metadata: Mapping[str, object], key: str) -> str | None:
    value = metadata.get(key)
    return value.strip() or None if isinstance(value, str) else None
