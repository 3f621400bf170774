"""From a parsed document and its chunks to the rows that are stored."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from concierge.knowledge.chunking import Chunk
from concierge.knowledge.lexical import document_weights, index_term, terms
from concierge.knowledge.models import Source
from concierge.knowledge.parsing import ParsedDocument
from concierge.knowledge.repository import NewChunk, NewDocument
from concierge.knowledge.sources.repetition import fingerprint

# BM25 wants the average length; a fixed one near it lets a chunk's weights stay true while its pack grows.
USUAL_CHUNK_TERMS = 100.0


def prepared(index_id: UUID, chunks: Sequence[Chunk]) -> list[NewChunk]:
    """The chunks of a document as they are stored in an index."""
    return [_prepared_chunk(index_id, chunk) for chunk in chunks if chunk.sentences]


def _prepared_chunk(index_id: UUID, chunk: Chunk) -> NewChunk:
    """Headings count as words of the chunk: they say what it is about, even where its sentences do not."""
    words = terms(" ".join((*chunk.headings, chunk.text)))
    return NewChunk(
        start=chunk.start,
        text=chunk.text,
        headings=chunk.headings,
        vector=chunk.vector,
        weights=document_weights(words, USUAL_CHUNK_TERMS),
        postings=sorted({index_term(index_id, word) for word in words}),
        sentences=chunk.sentences,
        sentence_vectors=chunk.sentence_vectors,
    )


def new_document(source: Source, uri: str, document: ParsedDocument) -> NewDocument:
    return NewDocument(
        source_id=source.id,
        pack_id=source.pack_id,
        uri=uri,
        title=document.title,
        url=document.url,
        text=document.text,
        content_hash=hashlib.sha256(document.text.encode()).digest(),
        media_type=document.media_type,
        language=document.language,
        published_at=document.published_at,
        modified_at=document.modified_at,
        authoritative=source.authoritative,
        credibility=source.credibility,
        audience=source.audience,
        simhash=fingerprint(document.text) if source.kind == "website" else None,
        page_starts=list(document.page_starts) or None,
    )
