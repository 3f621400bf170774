"""Sentences that stand for a kind of pain or opportunity; a message close to one of them in meaning is of its kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

from concierge.intelligence.heads import ARTEFACT
from concierge.intelligence.view import MessageView


@dataclass(frozen=True, slots=True)
class Likeness:
    """The nearest sentence, of `kind`; `similarity` is a cosine."""

    kind: str
    text: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Prototypes:
    """`vectors` (n, 384), of length 1."""

    kinds: tuple[str, ...]
    texts: tuple[str, ...]
    vectors: NDArray[np.float32]

    def nearest(self, vector: NDArray[np.float32]) -> Likeness:
        similarities = self.vectors @ vector
        place = int(similarities.argmax())
        return Likeness(self.kinds[place], self.texts[place], float(similarities[place]))


def likest(dimension: str, view: MessageView) -> Likeness | None:
    """Return the sentence of a dimension that is most like a message; None without the message's vector."""
    return None if view.vector is None else prototypes()[dimension].nearest(view.vector)


@cache
def prototypes() -> Mapping[str, Prototypes]:
    """The sentences of the artefact by their dimension."""
    with (
        as_file(files("concierge.intelligence") / ARTEFACT) as path,
        np.load(path, allow_pickle=False) as stored,
    ):
        dimensions: list[str] = stored["prototypes.dimensions"].tolist()
        kinds: list[str] = stored["prototypes.kinds"].tolist()
        texts: list[str] = stored["prototypes.texts"].tolist()
        vectors = stored["prototypes.vectors"].astype(np.float32)
    found: dict[str, Prototypes] = {}
    for dimension in sorted(set(dimensions)):
        rows = [row for row, own in enumerate(dimensions) if own == dimension]
        found[dimension] = Prototypes(
            tuple(kinds[row] for row in rows), tuple(texts[row] for row in rows), vectors[rows]
        )
    return found


def parsed(text: str) -> list[tuple[str, str, str]]:
    """Read lines of `dimension kind: sentence | sentence` as (dimension, kind, sentence)."""
    rows: list[tuple[str, str, str]] = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            head, _, sentences = line.partition(":")
            dimension, kind = head.split()
            rows += [(dimension, kind, sentence.strip()) for sentence in sentences.split("|")]
    return rows
