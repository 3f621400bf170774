"""The Embedder: local vectors in threads, a vendor's checked and its failures named."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pydantic_ai.embeddings import EmbeddingModel, EmbeddingResult, EmbeddingSettings, TestEmbeddingModel
from pydantic_ai.embeddings.result import EmbedInputType
from pydantic_ai.exceptions import ModelConnectionError, ModelHTTPError, UnexpectedModelBehavior

from concierge.kit.errors import UnavailableError
from concierge.llm.embedding_models import MiniLMEmbeddingModel, VendorEmbedder
from concierge.llm.embeddings import LOCAL_MODEL, FloatArray, LocalEmbedder, create_embedder
from concierge.llm.minilm import DIMENSION, MiniLM
from concierge.llm.minilm.model import WORKERS

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_local_setting_gives_unit_vectors_without_a_key(cache: Path) -> None:
    embedder = create_embedder(LOCAL_MODEL, cache_dir=cache)
    query = await embedder.embed_query("Can I return a chair?")
    documents = await embedder.embed_documents(["Chairs may be returned.", "Oak is a hardwood."])
    assert query.shape == (embedder.dimension,) == (DIMENSION,)
    assert documents.shape == (2, DIMENSION)
    assert documents[0] @ query > documents[1] @ query


async def test_concurrent_queries_each_get_their_own_vector(model: MiniLM) -> None:
    embedder = LocalEmbedder(model)
    texts = [f"What does shelf number {number} cost?" for number in range(40)]
    together = await asyncio.gather(*map(embedder.embed_query, texts))
    for text, vector in zip(texts, together, strict=True):
        assert float(vector @ model.embed([text])[0]) > 0.99


async def test_a_caller_who_leaves_does_not_disturb_the_others(model: MiniLM) -> None:
    embedder = LocalEmbedder(model)
    tasks = [asyncio.create_task(embedder.embed_query(f"question {number}")) for number in range(12)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results.pop(3), asyncio.CancelledError)
    assert all(isinstance(result, np.ndarray) for result in results)


async def test_a_query_that_comes_as_the_last_batches_end_is_embedded_too(model: MiniLM) -> None:
    ends = asyncio.Event()

    class Waiting(LocalEmbedder):
        async def embed_documents(self, texts: Sequence[str]) -> FloatArray:
            await ends.wait()
            return np.ones((len(texts), DIMENSION), dtype=np.float32)

    async def late() -> None:
        await ends.wait()
        await embedder.embed_query("And sofas?")

    embedder = Waiting(model)
    under_way: list[asyncio.Task[object]] = []
    for query in (*(embedder.embed_query("Chairs?") for _ in range(WORKERS)), late()):
        under_way.append(asyncio.create_task(query))
        # Each is embedded by a batch of its own, which begins in the loop's next rounds.
        await asyncio.sleep(0.01)
    ends.set()

    async with asyncio.timeout(5):
        await asyncio.gather(*under_way)


async def test_minilm_serves_behind_pydantic_ai(model: MiniLM) -> None:
    adapter = MiniLMEmbeddingModel(model)
    result = await adapter.embed(["a lamp", "a rug"], input_type="document")
    np.testing.assert_allclose(result.embeddings, model.embed(["a lamp", "a rug"]), atol=1e-6)
    assert result.usage.input_tokens == 4
    assert await adapter.count_tokens("a lamp") == 2
    assert await adapter.max_input_tokens() is None


def test_the_local_model_loads_without_the_vendor_library() -> None:
    code = "import sys, concierge.llm.embeddings; sys.exit('pydantic_ai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("setting", ["minilm", "nobody:model", "local:other"])
def test_an_unknown_model_is_refused_by_name(setting: str, cache: Path) -> None:
    with pytest.raises(UnavailableError, match=setting) as caught:
        create_embedder(setting, cache_dir=cache)
    assert caught.value.code == "embedding_misconfigured"


class Refusing(EmbeddingModel):
    """A vendor that refuses every request; pydantic-ai ships a double that answers, none that fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    @property
    def model_name(self) -> str:
        return "refusing"

    @property
    def system(self) -> str:
        return "test"

    async def embed(
        self,
        inputs: str | Sequence[str],
        *,
        input_type: EmbedInputType,
        settings: EmbeddingSettings | None = None,
    ) -> EmbeddingResult:
        del inputs, input_type, settings
        raise self._error


async def test_a_vendor_is_asked_for_our_dimension_and_its_vectors_are_scaled_to_one() -> None:
    vendor = TestEmbeddingModel()
    embedder = VendorEmbedder(vendor, name="test:test", dimension=4)
    np.testing.assert_allclose(await embedder.embed_query("chair"), [0.5] * 4, atol=1e-6)
    assert vendor.last_settings == {"dimensions": 4}
    assert (await embedder.embed_documents(["chair", ""] * 100)).shape == (200, embedder.dimension)
    assert (await embedder.embed_documents([])).shape == (0, 4)


class Stubborn(TestEmbeddingModel):
    """A model of fixed dimension, as most of them are."""

    async def embed(
        self,
        inputs: str | Sequence[str],
        *,
        input_type: EmbedInputType,
        settings: EmbeddingSettings | None = None,
    ) -> EmbeddingResult:
        del settings
        return await super().embed(inputs, input_type=input_type)


async def test_vectors_of_another_dimension_are_refused() -> None:
    embedder = VendorEmbedder(Stubborn(dimensions=8), name="test:stubborn", dimension=4)
    with pytest.raises(UnavailableError, match="4 numbers") as caught:
        await embedder.embed_query("chair")
    assert caught.value.code == "embedding_dimension"


@pytest.mark.parametrize(
    ("error", "code", "wait"),
    [
        (ModelHTTPError(503, "m"), "embedding_unavailable", "2"),
        (ModelHTTPError(429, "m", headers={"Retry-After": "7"}), "embedding_unavailable", "7"),
        (ModelConnectionError("m", "no route"), "embedding_unavailable", "2"),
        (UnexpectedModelBehavior("not JSON"), "embedding_failed", "2"),
    ],
)
async def test_a_vendor_that_fails_is_reported_as_unavailable(error: Exception, code: str, wait: str) -> None:
    embedder = VendorEmbedder(Refusing(error), name="test:refusing", dimension=4)
    with pytest.raises(UnavailableError) as caught:
        await embedder.embed_documents(["chair"])
    assert caught.value.code == code
    assert caught.value.headers["Retry-After"] == wait
