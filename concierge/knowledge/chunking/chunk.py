"""What every chunker returns and what it asks of an embedding model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from concierge.llm.minilm import TokenStates

Span = tuple[int, int]  # [start, end) in characters
FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    text: str  # document[start:end], exactly
    start: int
    end: int
    headings: tuple[str, ...]  # the path of headings it stands under, its own first heading included
    sentences: tuple[Span, ...]  # in the document: its sentences, list items and table rows, without headings
    vector: FloatArray  # (dimension,), length 1
    sentence_vectors: FloatArray  # (len(sentences), dimension), each of length 1
    left_out: tuple[Span, ...] = ()  # in the document: what is not to be quoted, because it gives orders


class TextEncoder(Protocol):
    """Any embedding model; rows have length 1."""

    def embed(self, texts: Sequence[str]) -> FloatArray: ...


class TokenEncoder(TextEncoder, Protocol):
    """The local model, which also shows the state of every token."""

    def token_states(self, texts: Sequence[str], prefaces: Sequence[str]) -> list[TokenStates]: ...
