"""The embedding models of a process: the settings' own, and those that other indexes were made by."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from concierge.llm.embeddings import Embedder, VectorSpace, space_of

Vector = NDArray[np.float32]
Make = Callable[[VectorSpace], Embedder]

KEPT_VECTORS = 2_000  # Three megabytes of the local model's.
# A model that pydantic-ai sets up takes little; an organization may name as many as it likes.
KEPT_MODELS = 32


class Embedders:
    """Sets up each model when it is first asked for, and keeps it. `make` blocks; errors: those of `create_embedder`."""

    def __init__(self, default: Embedder, make: Make) -> None:
        self.default = default
        self._make = make
        self._kept: OrderedDict[VectorSpace, Embedder] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    @property
    def default_space(self) -> VectorSpace:
        return space_of(self.default)

    async def of(self, space: VectorSpace) -> Embedder:
        """Return the model of a space. Errors: UnavailableError when it cannot be set up."""
        if space == self.default_space:
            return self.default
        async with self._one_at_a_time:
            embedder = self._kept.get(space)
            if embedder is None:
                embedder = await asyncio.to_thread(self._make, space)
            self._kept[space] = embedder
            self._kept.move_to_end(space)
            if len(self._kept) > KEPT_MODELS:
                self._kept.popitem(last=False)
            return embedder


class QuestionVectors:
    """Embeds questions, and remembers the latest of them: the questions before are asked again with every turn."""

    def __init__(self, embedders: Embedders) -> None:
        self._embedders = embedders
        self._kept: OrderedDict[tuple[VectorSpace, str], Vector] = OrderedDict()

    @property
    def default_space(self) -> VectorSpace:
        return self._embedders.default_space

    async def of(self, space: VectorSpace, texts: Sequence[str]) -> list[Vector]:
        """Return the vectors of texts, each (dimensions,). Errors: UnavailableError."""
        embedder = await self._embedders.of(space)
        return await asyncio.gather(*(self._vector(embedder, space, text) for text in texts))

    def forget(self) -> None:
        """Keep no question: some were erased, and which of them is not known here."""
        self._kept.clear()

    async def _vector(self, embedder: Embedder, space: VectorSpace, text: str) -> Vector:
        key = space, text
        vector = self._kept.get(key)
        if vector is None:
            vector = await embedder.embed_query(text)
        self._kept[key] = vector
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT_VECTORS:
            self._kept.popitem(last=False)
        return vector
