"""Statements as vectors: one of a whole row, and one of each of its sentences, from one reading of the model."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from concierge.catalog.statements import Statement
from concierge.kit.errors import UnavailableError
from concierge.llm.embedders import Embedders
from concierge.llm.embeddings import LOCAL_SPACE, LocalEmbedder
from concierge.llm.minilm import MiniLM
from concierge.llm.minilm.model import unit_rows

FloatArray = NDArray[np.float32]
_BETWEEN = ".\n"


@dataclass(frozen=True, slots=True)
class StatementVectors:
    """`whole` is (384,), `sentences` (n, 384); all of length 1."""

    whole: FloatArray
    sentences: FloatArray

    @property
    def stored_sentences(self) -> bytes:
        return self.sentences.astype(np.float16).tobytes()


class StatementReader:
    """Reads with the local model, whatever else is set up: rows of all organizations compare with one question."""

    def __init__(self, embedders: Embedders) -> None:
        self._embedders = embedders

    async def of(self, heads: Sequence[str], statements: Sequence[Statement]) -> list[StatementVectors]:
        """`heads` say what each statement is about. Errors: UnavailableError."""
        if not statements:
            return []
        embedder = await self._embedders.of(LOCAL_SPACE)
        if not isinstance(embedder, LocalEmbedder):
            raise UnavailableError("The catalogue cannot be read for its meaning just now.")
        return await asyncio.to_thread(_read, embedder.model, heads, statements)


def _read(model: MiniLM, heads: Sequence[str], statements: Sequence[Statement]) -> list[StatementVectors]:
    texts = [f"{head}{_BETWEEN}{statement.text}" for head, statement in zip(heads, statements, strict=True)]
    found: list[StatementVectors] = []
    states = model.token_states(texts, [""] * len(texts))
    for head, statement, tokens in zip(heads, statements, states, strict=True):
        offset = len(head) + len(_BETWEEN)
        starts = tokens.spans[:, 0]
        rows = [
            tokens.states[(starts >= begin + offset) & (starts < end + offset)].sum(axis=0)
            for begin, end in statement.sentences
        ]
        whole = unit_rows(tokens.states.sum(axis=0, keepdims=True))[0]
        # A sentence without a token, such as a picture, is as near as the whole is.
        sentences = np.stack([row if row.any() else whole for row in rows]) if rows else whole[None]
        found.append(StatementVectors(whole, unit_rows(sentences)))
    return found
