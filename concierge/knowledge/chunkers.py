"""What cuts and embeds documents for an index, by the plan of that index."""

from collections.abc import Mapping

from concierge.knowledge.chunker import Chunker, LateChunker, VendorChunker
from concierge.knowledge.errors import IndexPlanError
from concierge.knowledge.schemas.indexes import IndexPlan
from concierge.llm.embedders import Embedders
from concierge.llm.embeddings import LOCAL_MODEL, LOCAL_SPACE, LocalEmbedder


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
        if plan.chunker == "late_semantic" and isinstance(embedder, LocalEmbedder):
            return LateChunker(embedder.model)
        return VendorChunker(embedder)


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
