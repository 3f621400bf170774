"""Both ways between our vectors and pydantic-ai: MiniLM as one of its models, its models as an Embedder."""

import asyncio
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic_ai.embeddings import EmbeddingModel, EmbeddingResult, EmbeddingSettings, infer_embedding_model
from pydantic_ai.embeddings.result import EmbedInputType
from pydantic_ai.exceptions import ModelAPIError, UnexpectedModelBehavior, UserError
from pydantic_ai.usage import RequestUsage

from concierge.kit.errors import UnavailableError
from concierge.llm.minilm import MiniLM
from concierge.llm.minilm.model import unit_rows

TEXTS_PER_REQUEST = 96  # The smallest limit among the vendors (Cohere's).

FloatArray = NDArray[np.float32]


class MiniLMEmbeddingModel(EmbeddingModel):
    """The local model behind pydantic-ai's interface. It has no limit of length: long texts go through in windows."""

    def __init__(self, model: MiniLM, *, settings: EmbeddingSettings | None = None) -> None:
        super().__init__(settings=settings)
        self._model = model

    @property
    def model_name(self) -> str:
        return "all-MiniLM-L6-v2"

    @property
    def system(self) -> str:
        return "local"

    async def embed(
        self,
        inputs: str | Sequence[str],
        *,
        input_type: EmbedInputType,
        settings: EmbeddingSettings | None = None,
    ) -> EmbeddingResult:
        texts, _ = self.prepare_embed(inputs, settings)
        vectors = await asyncio.to_thread(self._model.embed, texts)
        tokens = await asyncio.to_thread(self._model.count_tokens, texts)
        return EmbeddingResult(
            embeddings=vectors.tolist(),
            inputs=texts,
            input_type=input_type,
            model_name=self.model_name,
            provider_name=self.system,
            usage=RequestUsage(input_tokens=sum(tokens)),
        )

    async def max_input_tokens(self) -> int | None:
        return None

    async def count_tokens(self, text: str) -> int:
        return (await asyncio.to_thread(self._model.count_tokens, [text]))[0]


class VendorEmbedder:
    """A vendor's embedding model as the product's Embedder."""

    def __init__(self, model: EmbeddingModel, *, name: str, dimension: int) -> None:
        self._model = model
        self._name = name
        self._dimension = dimension

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        return self._dimension

    async def embed_query(self, text: str) -> FloatArray:
        return (await self._embed([text], "query"))[0]

    async def embed_documents(self, texts: Sequence[str]) -> FloatArray:
        parts = [
            await self._embed(texts[start : start + TEXTS_PER_REQUEST], "document")
            for start in range(0, len(texts), TEXTS_PER_REQUEST)
        ]
        return np.concatenate([np.empty((0, self._dimension), dtype=np.float32), *parts])

    async def _embed(self, texts: Sequence[str], input_type: EmbedInputType) -> FloatArray:
        # Vendors refuse an empty input; a space carries as little meaning.
        inputs = [text if text.strip() else " " for text in texts]
        settings = EmbeddingSettings(dimensions=self._dimension)
        try:
            result = await self._model.embed(inputs, input_type=input_type, settings=settings)
        except ModelAPIError as error:
            raise _unavailable(error) from error
        except UnexpectedModelBehavior as error:
            raise UnavailableError(
                "The embedding service answered in a way we do not understand.", code="embedding_failed"
            ) from error
        return self._checked(result, len(texts))

    def _checked(self, result: EmbeddingResult, expected: int) -> FloatArray:
        shapes = {len(vector) for vector in result.embeddings}
        if len(result.embeddings) != expected or shapes - {self._dimension}:
            returned = f" It returns {shapes.pop()}; ask it for so many." if len(shapes) == 1 else ""
            raise UnavailableError(
                f"The embedding model {self._name} does not return {self._dimension} numbers per text.{returned}",
                code="embedding_dimension",
                retry_after_s=60,
            )
        return unit_rows(np.array(result.embeddings, dtype=np.float32).reshape(expected, self._dimension))


def create_vendor_embedder(setting: str, dimension: int) -> VendorEmbedder:
    """Raises UnavailableError when pydantic-ai knows no such model, or its key or library is missing."""
    try:
        model = infer_embedding_model(setting)
    except (UserError, ValueError, ImportError) as error:
        raise UnavailableError(
            f"The embedding model {setting} cannot be set up: {error}",
            code="embedding_misconfigured",
            retry_after_s=60,
        ) from error
    return VendorEmbedder(model, name=setting, dimension=dimension)


def _unavailable(error: ModelAPIError) -> UnavailableError:
    return UnavailableError(
        "The embedding service cannot answer just now.",
        code="embedding_unavailable",
        retry_after_s=math.ceil(error.retry_after or 2),
    )
