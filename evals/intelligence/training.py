"""Fits a linear head: multinomial logistic regression in which any accepted label of a row is right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, hstack

from concierge.intelligence.features import CUED, LETTER_BUCKETS, SIGNS, WORD_BUCKETS
from concierge.intelligence.heads import EMBEDDING_SHARE, Head
from concierge.intelligence.view import MessageView

Floats = NDArray[np.floating[Any]]
Matrix = Any  # SciPy's sparse matrices carry no types.


@dataclass(frozen=True, slots=True)
class Design:
    """Messages as rows: `dense` are the embedding, times its share, and the signs; `sparse` the words and letters."""

    dense: NDArray[np.float32]
    sparse: Matrix

    def rows(self, chosen: NDArray[Any]) -> "Design":
        return Design(self.dense[chosen], self.sparse[chosen])


@dataclass(frozen=True, slots=True)
class Fitted:
    labels: tuple[str, ...]
    dense: Floats
    sparse: Floats
    bias: Floats

    def log_odds(self, design: Design) -> Floats:
        logits = design.dense @ self.dense + design.sparse @ self.sparse + self.bias
        logits -= logits.max(axis=1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    def head(self) -> Head:
        """The same with its tables in 256 steps."""
        embedding = self.dense.shape[0] - len(SIGNS) - 2 * len(CUED)
        words, word_scale = _stepped(self.sparse[:WORD_BUCKETS])
        letters, letter_scale = _stepped(self.sparse[WORD_BUCKETS:])
        return Head(
            self.labels,
            self.dense[:embedding].astype(np.float32),
            words,
            letters,
            np.stack([word_scale, letter_scale]).astype(np.float32),
            self.dense[embedding:].astype(np.float32),
            self.bias.astype(np.float32),
        )


def design(texts: Sequence[str], vectors: NDArray[np.float32]) -> Design:
    told = [MessageView(text).features for text in texts]
    signs = np.stack([own.signs for own in told])
    words = _hashed([own.words for own in told], WORD_BUCKETS)
    letters = _hashed([own.letters for own in told], LETTER_BUCKETS)
    return Design(
        np.hstack([vectors * EMBEDDING_SHARE, signs]).astype(np.float32),
        hstack([words, letters], format="csr"),
    )


def fit(
    rows: Design, accepted: NDArray[np.bool_], weights: Floats, labels: tuple[str, ...], *, ridge: float
) -> Fitted:
    """`accepted` (n, k) are each row's right labels, `weights` (n) how much it counts, `ridge` how dear weights are."""
    count, wide, inputs = len(labels), rows.dense.shape[1], rows.dense.shape[1] + rows.sparse.shape[1]
    transposed = rows.sparse.T.tocsr()

    def loss(flat: Floats) -> tuple[float, Floats]:
        parameters = flat.reshape(inputs + 1, count).astype(np.float32)
        fitted = Fitted(labels, parameters[:wide], parameters[wide:inputs], parameters[inputs])
        log_odds = fitted.log_odds(rows)
        odds = np.exp(log_odds)
        right = np.where(accepted, odds, 0.0)
        share = right.sum(axis=1, keepdims=True)
        errors = (weights[:, None] * (odds - right / np.maximum(share, 1e-12))).astype(np.float32)
        gradient = np.vstack([rows.dense.T @ errors, transposed @ errors, errors.sum(axis=0)[None]])
        gradient[:inputs] += ridge * parameters[:inputs]
        total = -float((weights * np.log(np.maximum(share[:, 0], 1e-12))).sum())
        return total + ridge / 2 * float((parameters[:inputs] ** 2).sum()), gradient.ravel().astype(
            np.float64
        )

    found = minimize(
        loss,
        np.zeros((inputs + 1) * count),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 120, "ftol": 1e-6},
    )
    parameters = found.x.reshape(inputs + 1, count)
    return Fitted(labels, parameters[:wide], parameters[wide:inputs], parameters[inputs])


def balanced(accepted: NDArray[np.bool_], weights: Floats, power: float) -> Floats:
    """Weights that make rare labels count more: by (most / own) ** power, shared among a row's accepted labels."""
    share = accepted / np.maximum(accepted.sum(axis=1, keepdims=True), 1)
    totals = (share * weights[:, None]).sum(axis=0)
    more = (totals.max() / np.maximum(totals, 1.0)) ** power
    return weights * (share * more).sum(axis=1)


def _hashed(buckets: Sequence[NDArray[np.uint32]], width: int) -> Matrix:
    lengths = np.array([len(own) for own in buckets])
    columns = np.concatenate(buckets)
    values = np.repeat(1 / np.sqrt(np.maximum(lengths, 1)), lengths).astype(np.float32)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    matrix = csr_matrix((values, columns, starts), shape=(len(buckets), width))
    matrix.sum_duplicates()
    return matrix


def _stepped(table: Floats) -> tuple[NDArray[np.int8], Floats]:
    scale = np.maximum(np.abs(table).max(axis=0), 1e-9) / 127
    return np.rint(table / scale).astype(np.int8), scale
