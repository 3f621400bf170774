"""The linear classifiers over a message's embedding, words, letters and signs; `evals.intelligence.fit` made them.

The artefact beside this module holds the weights (`heads.npz`: the tables as int8 with one scale per class) and where
they come from (`heads.json`: data, licences, seed, scores).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from concierge.intelligence.features import Features
from concierge.intelligence.view import MessageView

Floats = NDArray[np.float32]
Table = NDArray[np.int8]

ARTEFACT: Final = "heads.npz"
EMBEDDING_SHARE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Head:
    """Weights for (k) labels: `embedding` (384, k), `words` and `letters` (buckets, k) times `scales` (2, k),
    `signs` (signs, k), `bias` (k).
    """

    labels: tuple[str, ...]
    embedding: Floats
    words: Table
    letters: Table
    scales: Floats
    signs: Floats
    bias: Floats

    def log_odds(self, view: MessageView) -> Floats:
        """Return the logarithm of each label's probability, (k,), before anything but the message is looked at."""
        told = view.features
        total = self.bias + told.signs @ self.signs
        if view.vector is not None:
            total = total + EMBEDDING_SHARE * (view.vector @ self.embedding)
        total = total + _summed(self.words, told.words) * self.scales[0]
        total = total + _summed(self.letters, told.letters) * self.scales[1]
        return log_softmax(total)

    def telling(self, label: int, told: Features, count: int) -> tuple[int, int, float] | None:
        """Return which of the first `count` words, from one to another inclusive, speaks most for a label, and how
        much more than for the others; None when none does.
        """
        if not len(told.words):
            return None
        rows = self.words[told.words].astype(np.float32) * self.scales[0]
        more = (rows[:, label] - rows.mean(axis=1)) / np.sqrt(len(told.words))
        place = int(more.argmax())
        if more[place] <= 0:
            return None
        if place < count:
            return place, place, float(more[place])
        return place - count, place - count + 1, float(more[place])


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often a reading is right, by how probable it seemed: straight lines between knots."""

    seemed: Floats
    right: Floats

    def __call__(self, probability: float) -> float:
        return float(np.interp(probability, self.seemed, self.right))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a head makes of a message; `calibration` turns a probability after all cues into a confidence."""

    head: Head
    calibration: Calibration
    log_odds: Floats

    @property
    def start(self) -> dict[str, float]:
        return dict(zip(self.head.labels, map(float, self.log_odds), strict=True))


def judge(dimension: str, view: MessageView) -> Judgement:
    head, calibration = heads()[dimension]
    return Judgement(head, calibration, head.log_odds(view))


@cache
def heads() -> Mapping[str, tuple[Head, Calibration]]:
    """The heads of the artefact by the dimension they read."""
    with (
        as_file(files("concierge.intelligence") / ARTEFACT) as path,
        np.load(path, allow_pickle=False) as stored,
    ):
        names: Sequence[str] = stored["dimensions"].tolist()
        return {name: (_head(stored, name), _calibration(stored, name)) for name in names}


def log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max()
    return shifted - np.log(np.exp(shifted).sum())


def _summed(table: Table, buckets: NDArray[np.uint32]) -> Floats:
    if not len(buckets):
        return np.zeros(table.shape[1], np.float32)
    return table[buckets].sum(axis=0, dtype=np.float32) / np.float32(np.sqrt(len(buckets)))


def _head(stored: Mapping[str, NDArray[np.generic]], name: str) -> Head:
    def floats(part: str) -> Floats:
        return stored[f"{name}.{part}"].astype(np.float32)

    def table(part: str) -> Table:
        return stored[f"{name}.{part}"].astype(np.int8)

    labels = tuple(stored[f"{name}.labels"].tolist())
    return Head(
        labels,
        floats("embedding"),
        table("words"),
        table("letters"),
        floats("scales"),
        floats("signs"),
        floats("bias"),
    )


def _calibration(stored: Mapping[str, NDArray[np.generic]], name: str) -> Calibration:
    knots = stored[f"{name}.calibration"].astype(np.float32)
    return Calibration(knots[0], knots[1])
