"""Text to vectors for the product: one small async interface over the local model or a vendor's.

`import pydantic_ai` takes two seconds, so the local model, which most installations use, does without: the
adapters to pydantic-ai live in `concierge.llm.embedding_models` and load only when a vendor's model is chosen.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from concierge.kit.errors import UnavailableError
from concierge.llm.minilm import DIMENSION, MiniLM
from concierge.llm.minilm.model import WORKERS

LOCAL_MODEL = "local:minilm"
QUERIES_PER_BATCH = 8

FloatArray = NDArray[np.float32]
Waiting = tuple[str, asyncio.Future[FloatArray]]


@dataclass(frozen=True, slots=True)
class VectorSpace:
    """Vectors compare only within one: those of one model, asked for so many numbers each."""

    model: str
    dimensions: int


LOCAL_SPACE = VectorSpace(LOCAL_MODEL, DIMENSION)


class Embedder(Protocol):
    """What the product embeds with. Vectors have length 1; failures are UnavailableError."""

    @property
    def name(self) -> str:
        """The setting that chose this model; stored beside vectors, which compare only under the same name."""
        ...

    @property
    def dimension(self) -> int: ...

    async def embed_query(self, text: str) -> FloatArray:
        """Shape (dimension,)."""
        ...

    async def embed_documents(self, texts: Sequence[str]) -> FloatArray:
        """Shape (n, dimension), in the order of the texts."""
        ...


def space_of(embedder: Embedder) -> VectorSpace:
    return VectorSpace(embedder.name, embedder.dimension)


class LocalEmbedder:
    """MiniLM in threads of this process.

    Concurrent queries share a forward pass: while both workers are busy the next questions gather, and a batch of
    eight takes less than two thirds of the time of eight single ones. An idle embedder starts at once.
    """

    def __init__(self, model: MiniLM) -> None:
        self._model = model
        self._waiting: list[Waiting] = []
        self._drains: set[asyncio.Task[None]] = set()
        self._draining = 0

    @property
    def name(self) -> str:
        return LOCAL_MODEL

    @property
    def dimension(self) -> int:
        return DIMENSION

    @property
    def model(self) -> MiniLM:
        """The model itself, for chunking by token states."""
        return self._model

    async def embed_query(self, text: str) -> FloatArray:
        future: asyncio.Future[FloatArray] = asyncio.get_running_loop().create_future()
        self._waiting.append((text, future))
        if self._draining < WORKERS:
            self._draining += 1
            task = asyncio.create_task(self._drain())
            self._drains.add(task)
            task.add_done_callback(self._drains.discard)
        return await future

    async def embed_documents(self, texts: Sequence[str]) -> FloatArray:
        try:
            return await asyncio.to_thread(self._model.embed, texts)
        except RuntimeError as error:
            raise _failed() from error

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:QUERIES_PER_BATCH], self._waiting[QUERIES_PER_BATCH:]
                await self._settle(batch)
        finally:
            # Counted down here: a callback of the task would come after a query that comes in the same moment.
            self._draining -= 1

    async def _settle(self, batch: Sequence[Waiting]) -> None:
        try:
            vectors = await self.embed_documents([text for text, _ in batch])
        except Exception as error:  # noqa: BLE001  # Whatever went wrong, those who wait are told.
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), vector in zip(batch, vectors, strict=True):
                if not future.done():  # Its caller may have gone.
                    future.set_result(vector)


def create_embedder(setting: str, *, cache_dir: Path, dimension: int = DIMENSION) -> Embedder:
    """The embedder a setting names: `local:minilm`, or a model as pydantic-ai spells it (`openai:text-embedding-3-small`).

    A vendor is asked for vectors of `dimension` numbers. Raises WeightsError when the local weights are wrong, and
    UnavailableError when the vendor's model cannot be set up (unknown name, no key).
    """
    if setting == LOCAL_MODEL:
        return LocalEmbedder(MiniLM.load(cache_dir))
    return import_module("concierge.llm.embedding_models").create_vendor_embedder(setting, dimension)


def _failed() -> UnavailableError:
    return UnavailableError("The text could not be read for its meaning just now.", code="embedding_failed")
