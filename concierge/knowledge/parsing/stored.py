"""A document of a pack's archive: it was read before, so its text is taken as it is."""

from pydantic import ValidationError

from concierge.kit.text import normalize
from concierge.knowledge.errors import DocumentRejectedError
from concierge.knowledge.parsing.document import ParsedDocument
from concierge.knowledge.schemas.archives import ArchivedDocument


def read(data: bytes) -> ParsedDocument:
    """Raises DocumentRejectedError: `document_corrupt`."""
    try:
        stored = ArchivedDocument.model_validate_json(data)
    except ValidationError:
        raise DocumentRejectedError("This is not a document of a pack's archive.") from None
    return ParsedDocument(
        title=stored.title,
        text=normalize(stored.text),
        url=stored.url,
        language=stored.language,
        published_at=stored.published_at,
        modified_at=stored.modified_at,
        media_type=stored.media_type,
        page_starts=tuple(sorted(start for start in stored.page_starts if start <= len(stored.text))),
        kind=stored.kind,
        questions=tuple(stored.questions),
    )
