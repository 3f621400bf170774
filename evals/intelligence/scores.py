"""Scores of classifiers: F1, shares within what is accepted, calibration. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from concierge.knowledge.metrics import Reliability, calibration_error, reliability

Bools = NDArray[np.bool_]
Places = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Said:
    """A reading's confidence, and whether it was right, under the names that `knowledge.metrics` knows."""

    support: float
    answerable: bool


@dataclass(frozen=True, slots=True)
class Calibrated:
    bins: Sequence[Reliability]
    error: float


def f1(truth: Bools, said: Bools) -> float:
    together = int((truth & said).sum())
    return 2 * together / max(1, int(truth.sum()) + int(said.sum()))


def macro_f1(truth: Places, said: Places, labels: int) -> float:
    return float(np.mean([f1(truth == label, said == label) for label in range(labels)]))


def confusion(truth: Places, said: Places, labels: int) -> NDArray[np.int64]:
    """Counts (labels, labels): rows are what people said, columns what was read."""
    counts = np.zeros((labels, labels), np.int64)
    np.add.at(counts, (truth, said), 1)
    return counts


def within(accepted: Bools, said: Places) -> Bools:
    """Whether each reading is among the accepted ones, (n)."""
    return accepted[np.arange(len(said)), said]


def macro_within(accepted: Bools, said: Places) -> float:
    """The mean over labels of the share of its rows that are read as something accepted; labels without rows do not count."""
    correct = within(accepted, said)
    shares = [float(correct[rows].mean()) for rows in accepted.T if rows.any()]
    return float(np.mean(shares))


def calibrated(confidences: Sequence[float], correct: Sequence[bool]) -> Calibrated:
    rows = [Said(float(own), bool(right)) for own, right in zip(confidences, correct, strict=True)]
    return Calibrated(reliability(rows), calibration_error(rows))
