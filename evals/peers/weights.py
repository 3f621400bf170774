"""The weights every system is measured with: all-MiniLM-L6-v2, run by the product's own int8 encoder.

With torch the pages of `awsdocs_qa` would take most of an hour on two cores. The cosine of a text's vector to the one
sentence-transformers makes is 0.998 on average and 0.996 at least; of more than 256 tokens, which sentence-transformers
cuts off, all are read here. Vectors are kept by their texts, so that systems that cut a text alike share them, and a
second run finds them.
"""

import hashlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from concierge.llm.minilm import MiniLM

PORTION = 256
EVERY_S = 15.0

Matrix = NDArray[np.float32]


class Weights(Embeddings):
    """LangChain's interface to them; `folder` keeps the vectors of many texts embedded together."""

    def __init__(self, folder: Path) -> None:
        self.model = MiniLM.load(folder / "models")
        self._folder = folder / "vectors"
        self._folder.mkdir(parents=True, exist_ok=True)

    def matrix(self, texts: Sequence[str]) -> Matrix:
        """One row of length 1 for each text."""
        digest = hashlib.sha256("\0".join(texts).encode(errors="replace")).hexdigest()[:24]
        path = self._folder / f"{digest}.npy"
        if not path.exists():
            partial = path.with_suffix(".partial.npy")
            np.save(partial, self._embedded(texts))
            partial.rename(path)
        return np.load(path)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.matrix(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        return self.model.embed([text])[0].tolist()

    def _embedded(self, texts: Sequence[str]) -> Matrix:
        began = said = time.monotonic()
        rows: list[Matrix] = []
        for first in range(0, len(texts), PORTION):
            rows.append(self.model.embed(texts[first : first + PORTION]))
            if time.monotonic() - said > EVERY_S:
                said = time.monotonic()
                done = first + len(rows[-1])
                left = (said - began) * (len(texts) - done) / done
                say(f"embedded {done:,} of {len(texts):,} texts, {left:,.0f} s left")
        return np.concatenate(rows) if rows else np.zeros((0, 384), np.float32)


def say(line: str) -> None:
    """Progress goes to the terminal; the result is a file."""
    print(f"  peers: {line}", file=sys.stderr, flush=True)
