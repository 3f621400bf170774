"""Which way documents are cut: late semantic where the model shows its token states, else by the recursive rule."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from concierge.knowledge.chunking import Chunk, late_chunks, recursive_chunks
from concierge.knowledge.chunking.chunk import FloatArray
from concierge.llm.embeddings import Embedder, LocalEmbedder
from concierge.llm.minilm import MiniLM


class Chunker(Protocol):
    """Cuts a text into chunks with their vectors. Errors: UnavailableError when the model cannot be asked."""

    async def chunks(self, text: str) -> Sequence[Chunk]: ...


@dataclass(frozen=True, slots=True)
class LateChunker:
    """Uses the local model's token states, in a thread: the work is computing, not waiting."""

    model: MiniLM

    async def chunks(self, text: str) -> Sequence[Chunk]:
        return (await asyncio.to_thread(late_chunks, [text], self.model))[0]


@dataclass(frozen=True, slots=True)
class VendorChunker:
    """A vendor's model shows only finished vectors, so chunks are cut first and embedded after."""

    embedder: Embedder

    async def chunks(self, text: str) -> Sequence[Chunk]:
        encoder = _FromThread(self.embedder, asyncio.get_running_loop())
        return (await asyncio.to_thread(recursive_chunks, [text], encoder))[0]


@dataclass(frozen=True, slots=True)
class _FromThread:
    """Lets code in a thread ask an embedder that lives on the event loop."""

    embedder: Embedder
    loop: asyncio.AbstractEventLoop

    def embed(self, texts: Sequence[str]) -> FloatArray:
        return asyncio.run_coroutine_threadsafe(self.embedder.embed_documents(texts), self.loop).result()


def chunker_for(embedder: Embedder) -> Chunker:
    return LateChunker(embedder.model) if isinstance(embedder, LocalEmbedder) else VendorChunker(embedder)
