"""Question–answer pairs as they are indexed: one passage each, compared with a question as the question it answers."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from concierge.knowledge.chunking import Chunk
from concierge.knowledge.lexical import USUAL_CHUNK_TERMS, document_weights, index_term, terms
from concierge.knowledge.repository import NewChunk
from concierge.knowledge.schemas.faqs import BETWEEN

Vector = NDArray[np.float32]


def text_of(question: str, answer: str) -> str:
    """A pair as a document's text; the question is one line."""
    return f"{question}{BETWEEN}{answer}"


def answer_in(text: str) -> int:
    """Where in a pair's text its answer begins."""
    return text.index(BETWEEN) + len(BETWEEN)


def passage_of(
    index_id: UUID, questions: Sequence[str], text: str, chunks: Sequence[Chunk], vector: Vector
) -> NewChunk:
    """A pair is read whole, however long. Its words are also those of the other ways in which it is asked.

    `vector` is that of the first of its questions, by which the passage is compared.
    """
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
        postings=sorted({index_term(index_id, word) for word in words}),
        sentences=tuple(spans),
        sentence_vectors=np.stack([sentences[span] for span in spans]),
    )
