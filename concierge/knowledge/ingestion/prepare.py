"""From a parsed document and its chunks to the rows that are stored."""

import asyncio
import hashlib
from collections.abc import Sequence
from uuid import UUID

from concierge.knowledge.chunking import Chunk
from concierge.knowledge.lexical import USUAL_CHUNK_TERMS, document_weights, index_term, terms
from concierge.knowledge.models import Source
from concierge.knowledge.parsing import ParsedDocument
from concierge.knowledge.repository import NewChunk, NewDocument
from concierge.knowledge.sources.pairs import passage_of
from concierge.knowledge.sources.repetition import fingerprint
from concierge.llm.embeddings import Embedder


async def prepared(
    embedder: Embedder,
    index_id: UUID,
    chunks: Sequence[Chunk],
    text: str,
    questions: Sequence[str] = (),
) -> list[NewChunk]:
    """What a document is in an index; `questions` are the ways in which a pair is asked. Errors: UnavailableError."""
    if not questions:
        return await asyncio.to_thread(_prepared_chunks, index_id, chunks)
    vector = await embedder.embed_query(questions[0])
    return [await asyncio.to_thread(passage_of, index_id, questions, text, chunks, vector)]


def _prepared_chunks(index_id: UUID, chunks: Sequence[Chunk]) -> list[NewChunk]:
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
        content_hash=content_hash(document.text, document.questions),
        media_type=document.media_type,
        language=document.language,
        published_at=document.published_at,
        modified_at=document.modified_at,
        # A pair is written to be the answer.
        authoritative=source.authoritative or document.kind == "faq",
        credibility=source.credibility,
        audience=source.audience,
        simhash=fingerprint(document.text) if source.kind == "website" else None,
        page_starts=list(document.page_starts) or None,
        kind=document.kind,
        questions=document.questions,
    )


def content_hash(text: str, questions: Sequence[str] = ()) -> bytes:
    """What is the same by it is stored once in a pack. A pair is another one when it is asked in other words."""
    return hashlib.sha256("\0".join((*questions, text)).encode()).digest()
