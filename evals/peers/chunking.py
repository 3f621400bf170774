"""Chunks by LangChain's and chonkie's semantic chunkers, and chonkie's late one with its own vectors.

Runs in the peers' own environment: `python -m evals.peers.chunking JOB.json OUT.json CACHE_FOLDER`. A job holds texts
by name. What comes out holds, for each chunker and each of its settings, the spans of every text's chunks; and, where
the chunker makes vectors as well, those.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from chonkie import LateChunker, SemanticChunker
from chonkie.embeddings import SentenceTransformerEmbeddings
from langchain_experimental.text_splitter import SemanticChunker as LangChainSemanticChunker
from numpy.typing import NDArray

from concierge.llm.minilm.weights import published_folder
from evals.peers.weights import Weights, say

PACKAGES = ("langchain-experimental", "chonkie", "sentence-transformers", "torch")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cut:
    """`vectors` are those the chunker made itself, in the order of `spans`."""

    spans: Sequence[Span]
    vectors: NDArray[np.float32] | None = None


class FastEmbeddings(SentenceTransformerEmbeddings):
    """chonkie's own interface to the weights; sentences go through the encoder that is used for everyone."""

    def __init__(self, weights: Weights) -> None:
        super().__init__(str(published_folder()))
        self._weights = weights

    def embed(self, text: str) -> NDArray[np.float32]:
        return self._weights.model.embed([text])[0]

    def embed_batch(self, texts: list[str]) -> list[NDArray[np.float32]]:
        return list(self._weights.matrix(texts))

    def similarity(self, u: NDArray[np.float32], v: NDArray[np.float32]) -> np.float32:
        return np.float32(u @ v)


def langchain(weights: Weights, text: str, **options: Any) -> Cut:
    return Cut(spans_of(text, LangChainSemanticChunker(weights, **options).split_text(text)))


def chonkie(weights: FastEmbeddings, text: str, **options: Any) -> Cut:
    return Cut(spans_of(text, [chunk.text for chunk in SemanticChunker(weights, **options).chunk(text)]))


def chonkie_late(weights: FastEmbeddings, text: str, **options: Any) -> Cut:
    chunks = LateChunker(weights, **options).chunk(text)
    vectors = np.array([chunk.embedding for chunk in chunks], dtype=np.float32)
    return Cut(
        spans_of(text, [chunk.text for chunk in chunks]),
        vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9),
    )


def spans_of(text: str, chunks: Sequence[str]) -> list[Span]:
    """Where consecutive chunks stand: some chunkers join sentences by one space, whatever stood between them."""
    places = [position for position, character in enumerate(text) if not character.isspace()]
    spans: list[Span] = []
    seen = 0
    for chunk in chunks:
        length = sum(not character.isspace() for character in chunk)
        spans.append((places[seen], places[seen + length - 1] + 1) if length else (0, 0))
        seen += length
    if seen != len(places):
        raise ValueError(f"the chunks hold {seen} characters of {len(places)}")
    return spans


def ways(weights: Weights) -> dict[str, dict[str, Callable[[str], Cut]]]:
    """Every chunker in the settings it is tried in; the first is what it does by itself."""
    own = FastEmbeddings(weights)
    return {
        "LangChain SemanticChunker": {
            "percentile 95": partial(langchain, weights),
            "percentile 80": partial(langchain, weights, breakpoint_threshold_amount=80),
            "percentile 60": partial(langchain, weights, breakpoint_threshold_amount=60),
            "gradient 80": partial(
                langchain, weights, breakpoint_threshold_type="gradient", breakpoint_threshold_amount=80
            ),
        },
        "chonkie SemanticChunker": {
            "threshold 0.8, 2048 tokens": partial(chonkie, own),
            "threshold 0.8, 256 tokens": partial(chonkie, own, chunk_size=256),
            "threshold 0.5, 256 tokens": partial(chonkie, own, chunk_size=256, threshold=0.5),
            "threshold 0.8, 128 tokens": partial(chonkie, own, chunk_size=128),
        },
        "chonkie LateChunker": {
            "2048 tokens": partial(chonkie_late, own),
            "256 tokens": partial(chonkie_late, own, chunk_size=256),
            "128 tokens": partial(chonkie_late, own, chunk_size=128),
        },
    }


def main(job_path: str, out_path: str, folder: str) -> None:
    texts: dict[str, str] = json.loads(Path(job_path).read_text(encoding="utf-8"))["texts"]
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for chunker, settings in ways(Weights(Path(folder))).items():
        for setting, cut in settings.items():
            say(f"{chunker}, {setting}")
            cuts = {name: cut(text) for name, text in texts.items()}
            found.setdefault(chunker, {})[setting] = {
                name: {"spans": own.spans, "vectors": None if own.vectors is None else own.vectors.tolist()}
                for name, own in cuts.items()
            }
    versions = {name: version(name) for name in PACKAGES}
    Path(out_path).write_text(json.dumps({"versions": versions, "chunks": found}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
