"""The vectors of a message and of the questions before it, which are rarely embedded twice."""

import asyncio
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from concierge.chat.steps.receive import Received
from concierge.knowledge.context import EARLIER_QUESTIONS
from concierge.knowledge.search import Query
from concierge.llm.embeddings import Embedder

Vector = NDArray[np.float32]

KEPT = 2_000  # Three megabytes of vectors.


class QuestionVectors:
    """Embeds questions, and remembers the latest of them for the turns that follow."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._kept: OrderedDict[str, Vector] = OrderedDict()

    async def query(self, received: Received) -> Query:
        """Return a message ready to search with, in its conversation. Errors: UnavailableError."""
        earlier = [exchange.message for exchange in reversed(received.turn.history)][:EARLIER_QUESTIONS]
        texts = [received.request.message, *earlier]
        vectors = await asyncio.gather(*map(self._vector, texts))
        return Query(texts[0], vectors[0], tuple(zip(earlier, vectors[1:], strict=True)))

    async def _vector(self, text: str) -> Vector:
        vector = self._kept.get(text)
        if vector is None:
            vector = await self._embedder.embed_query(text)
        self._kept[text] = vector
        self._kept.move_to_end(text)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return vector
