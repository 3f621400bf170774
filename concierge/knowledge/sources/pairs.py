"""Question–answer pairs as they are indexed: one passage each, compared with a question as the question it answers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from concierge.knowledge.chunker import Chunker
from concierge.knowledge.chunking import Chunk
from concierge.knowledge.lexical import USUAL_CHUNK_TERMS, document_weights, pack_term, terms
from concierge.knowledge.repository import NewChunk
from concierge.knowledge.schemas.faqs import BETWEEN
from concierge.llm.embeddings import Embedder

Vector = NDArray[np.float32]


def text_of(question: str, answer: str) -> str:
    """A pair as a document's text; the question is one line."""
    return f"{question}{BETWEEN}{answer}"


def answer_in(text: str) -> int:
    """Where in a pair's text its answer begins."""
    return text.index(BETWEEN) + len(BETWEEN)


@dataclass(frozen=True, slots=True)
class IndexedPair:
    """`questions` are the vectors of the ways in which it is asked, (n, dimension); `chunks` are as they were cut."""

    passage: NewChunk
    questions: Vector
    chunks: Sequence[Chunk]


@dataclass(frozen=True, slots=True)
class PairIndexer:
    chunker: Chunker
    embedder: Embedder

    async def indexed(self, pack_id: UUID, questions: Sequence[str], text: str) -> IndexedPair:
        """Cut and embed a pair. Errors: UnavailableError."""
        vectors = np.stack(await asyncio.gather(*map(self.embedder.embed_query, questions)))
        chunks = await self.chunker.chunks(text)
        passage = await asyncio.to_thread(_passage, pack_id, questions, text, chunks, vectors[0])
        return IndexedPair(passage, vectors, chunks)


def _passage(
    pack_id: UUID, questions: Sequence[str], text: str, chunks: Sequence[Chunk], vector: Vector
) -> NewChunk:
    """A pair is read whole, however long. Its words are also those of the other ways in which it is asked."""
    words = terms(" ".join((*questions[1:], text)))
    # Chunks may overlap; a pair of which no sentence may be quoted is one sentence, its question.
    sentences = {
        span: row
        for chunk in chunks
        for span, row in zip(chunk.sentences, chunk.sentence_vectors, strict=True)
    } or {(0, len(questions[0])): vector}
    spans = sorted(sentences)
    return NewChunk(
        start=0,
        text=text,
        headings=(),
        vector=vector,
        weights=document_weights(words, USUAL_CHUNK_TERMS),
        postings=sorted({pack_term(pack_id, word) for word in words}),
        sentences=tuple(spans),
        sentence_vectors=np.stack([sentences[span] for span in spans]),
    )
