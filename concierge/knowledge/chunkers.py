"""What cuts and embeds documents for an index, by the plan of that index."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from concierge.knowledge.chunker import Chunker, LateChunker, VendorChunker
from concierge.knowledge.chunking import Chunk, Earlier, recursive_chunks
from concierge.knowledge.errors import IndexPlanError
from concierge.knowledge.instructions import leaving_out, orders_in
from concierge.knowledge.schemas.indexes import IndexPlan
from concierge.llm.embedders import Embedders
from concierge.llm.embeddings import LOCAL_MODEL, LOCAL_SPACE, Embedder, LocalEmbedder
from concierge.llm.minilm import MiniLM


@dataclass(frozen=True, slots=True)
class LocalRecursiveChunker:
    """Cuts by the recursive rule and embeds in the same thread.

    A thread that waited for the event loop to have the local model asked in another thread could wait for itself, once
    all threads do so.
    """

    model: MiniLM

    async def chunks(self, text: str, earlier: Earlier | None = None) -> Sequence[Chunk]:
        """Nothing of what was `earlier` is kept: the local model costs nothing but time."""
        del earlier
        return await asyncio.to_thread(self._chunks, text)

    def _chunks(self, text: str) -> Sequence[Chunk]:
        return leaving_out(recursive_chunks([text], self.model)[0], orders_in(text, self.model.embed))


class Chunkers:
    """`known` are chunkers to use for their plans instead of those made here."""

    def __init__(self, embedders: Embedders, known: Mapping[IndexPlan, Chunker] | None = None) -> None:
        self._embedders = embedders
        self._known = dict(known or {})

    @property
    def default_plan(self) -> IndexPlan:
        """What the settings say."""
        return IndexPlan.of(self._embedders.default_space)

    async def of(self, plan: IndexPlan) -> Chunker:
        """Errors: IndexPlanError, and UnavailableError when the model cannot be set up."""
        if plan in self._known:
            return self._known[plan]
        check(plan)
        embedder = await self._embedders.of(plan.space)
        if isinstance(embedder, LocalEmbedder):
            late = plan.chunker == "late_semantic"
            return LateChunker(embedder.model) if late else LocalRecursiveChunker(embedder.model)
        return VendorChunker(embedder)

    async def embedder(self, plan: IndexPlan) -> Embedder:
        """What embeds single texts for an index. Errors: UnavailableError when the model cannot be set up."""
        return await self._embedders.of(plan.space)


def check(plan: IndexPlan) -> None:
    """Refuse what no model can do. Errors: IndexPlanError."""
    local = plan.space.model == LOCAL_MODEL
    if local and plan.space != LOCAL_SPACE:
        raise IndexPlanError(
            f"The local model gives {LOCAL_SPACE.dimensions} numbers per text, and no others."
        )
    if plan.chunker == "late_semantic" and not local:
        raise IndexPlanError(
            f"Late semantic chunking reads what only {LOCAL_MODEL} shows. With another model, choose the recursive chunker."
        )
