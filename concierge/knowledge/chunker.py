"""Which way documents are cut: late semantic where the model shows its token states, else by the recursive rule."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from concierge.knowledge.chunking import Chunk, Earlier, late_chunks, recursive_chunks
from concierge.knowledge.chunking.chunk import FloatArray, TextEncoder
from concierge.knowledge.instructions import leaving_out, orders_in
from concierge.llm.embeddings import Embedder, LocalEmbedder
from concierge.llm.minilm import MiniLM


class Chunker(Protocol):
    """Cuts a text into chunks with their vectors. Errors: UnavailableError when the model cannot be asked.

    Sentences that give orders are left out of the chunks; one may have no sentence left.

    What still holds of what the text was `earlier` is not given to the model again.
    """

    async def chunks(self, text: str, earlier: Earlier | None = None) -> Sequence[Chunk]: ...


@dataclass(frozen=True, slots=True)
class LateChunker:
    """Uses the local model's token states, in a thread: the work is computing, not waiting."""

    model: MiniLM

    async def chunks(self, text: str, earlier: Earlier | None = None) -> Sequence[Chunk]:
        return await asyncio.to_thread(self._chunks, text, earlier)

    def _chunks(self, text: str, earlier: Earlier | None) -> Sequence[Chunk]:
        chunks = late_chunks([text], self.model, earlier=[earlier])[0]
        return leaving_out(chunks, orders_in(text, self.model.embed))


@dataclass(frozen=True, slots=True)
class VendorChunker:
    """A vendor's model shows only finished vectors, so chunks are cut first and embedded after."""

    embedder: Embedder

    async def chunks(self, text: str, earlier: Earlier | None = None) -> Sequence[Chunk]:
        known = _known_vectors(earlier) if earlier else {}
        encoder = _FromThread(self.embedder, asyncio.get_running_loop(), known)
        return await asyncio.to_thread(self._chunks, text, encoder)

    @staticmethod
    def _chunks(text: str, encoder: TextEncoder) -> Sequence[Chunk]:
        return leaving_out(recursive_chunks([text], encoder)[0], orders_in(text))


def _known_vectors(earlier: Earlier) -> dict[str, FloatArray]:
    known: dict[str, FloatArray] = {}
    for chunk in earlier.chunks:
        known[chunk.text] = chunk.vector
        for (start, end), vector in zip(chunk.sentences, chunk.sentence_vectors, strict=True):
            # A sentence that a chunk cuts off has the vector of the whole one.
            if chunk.start < start and end < chunk.end:
                known.setdefault(earlier.text[start:end], vector)
    return known


@dataclass(frozen=True, slots=True)
class _FromThread:
    """Lets code in a thread ask an embedder that lives on the event loop, for what is not known yet."""

    embedder: Embedder
    loop: asyncio.AbstractEventLoop
    known: dict[str, FloatArray]

    def embed(self, texts: Sequence[str]) -> FloatArray:
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if new:
            asked = self.embedder.embed_documents(new)
            rows = asyncio.run_coroutine_threadsafe(asked, self.loop).result()
            self.known.update(zip(new, rows, strict=True))
        return np.stack([self.known[text] for text in texts])


def chunker_for(embedder: Embedder) -> Chunker:
    return LateChunker(embedder.model) if isinstance(embedder, LocalEmbedder) else VendorChunker(embedder)
