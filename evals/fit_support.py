"""Fits the support decision of the house writer and prints its coefficients.

    CONCIERGE_EVAL_DATA=… python -m evals.fit_support

Fitted on the rows of `evals.answerability` and on the demo shop's questions, whose visitors write as visitors do. First
on one half of each set's groups (pages, articles, conversations) and reported on the other, then on everything.
"""

import asyncio
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from concierge.chat.writers.support import FEATURES
from concierge.entrypoints.demo.load import demo_documents
from concierge.entrypoints.evaluation import EvalDocument
from concierge.knowledge.metrics import support_roc_area
from evals.answerability import Asked, Judge, Judgement, Rows, judged, reported
from evals.store import Store, open_store

SHOP_QUESTIONS = Path(__file__).parents[1] / "tests" / "scenarios" / "coconut_questions.jsonl"
# How much each kind of row weighs, whatever their number: what a business's visitors ask in vain is mostly not written
# to mislead, and hardly ever about another business.
WEIGHTS: Mapping[str, float] = {
    "own awsdocs_qa": 2.0,
    "own mtrag_cloud": 1.0,
    "own squad2_half": 2.0,
    "page removed": 2.0,
    "tricky squad2_half": 1.5,
    "elsewhere": 1.0,
    "mtrag_un answerable": 1.0,
    "mtrag_un unanswerable": 1.0,
    "own shop": 0.75,
    "shop, page removed": 0.4,
    "shop, not there": 0.4,
}
RIDGE = 0.5
ROWS = 300  # What a kind of weight 1 counts as.
Floats = NDArray[np.float64]


async def shop_rows(store: Store) -> Rows:
    """The shop's questions asked of all its documents, and of the half that does not hold the answer."""
    items = [item for item in demo_documents().items if item.data is not None]
    documents = [EvalDocument(item.uri, item.uri, item.data or b"") for item in items]
    judge = Judge(store)
    questions = [json.loads(line) for line in SHOP_QUESTIONS.read_text("utf-8").splitlines()]
    known = [entry for entry in questions if entry["answerable"]]
    unknown = [entry for entry in questions if not entry["answerable"] and entry["kind"] != "chitchat"]
    shop = await store.collection("coconut_shop", documents)
    removed: list[Judgement] = []
    for half in (0, 1):
        own = {document.id for document in documents[half::2]}
        part = await store.collection(f"coconut_half_{half}", documents[half::2])
        away = (_asked(entry) for entry in known if entry["document"] not in own)
        removed += await judge.all(part, away, answerable=False)
    return {
        "own shop": await judge.all(shop, map(_asked, known), answerable=True),
        "shop, page removed": removed,
        "shop, not there": await judge.all(shop, map(_asked, unknown), answerable=False),
    }


def _asked(entry: Mapping[str, str]) -> Asked:
    return Asked(entry["question"], entry["question"])


def half_of(row: Judgement) -> int:
    return hashlib.sha256(row.group.encode()).digest()[0] % 2


def arrays(rows: Rows, half: int | None) -> tuple[Floats, Floats, Floats]:
    """Inputs, labels and weights of one half, or of all rows."""
    inputs: list[list[float]] = []
    labels: list[float] = []
    weights: list[float] = []
    counts: dict[str, int] = {}
    chosen = [(_kind(name), row) for name, own in rows.items() for row in own if half in {None, half_of(row)}]
    for kind, _ in chosen:
        counts[kind] = counts.get(kind, 0) + 1
    for kind, row in chosen:
        inputs.append([row.values[name] for name in FEATURES])
        labels.append(float(row.answerable))
        weights.append(ROWS * WEIGHTS[kind] / counts[kind])
    return np.array(inputs), np.array(labels), np.array(weights)


def _kind(name: str) -> str:
    return "elsewhere" if name.startswith("elsewhere") else name


def fit(inputs: Floats, labels: Floats, weights: Floats) -> Floats:
    """Logistic regression by Newton's method with a small ridge; the last coefficient is the intercept."""
    design = np.c_[inputs, np.ones(len(inputs))]
    ridge = np.diag([RIDGE] * inputs.shape[1] + [0.0])
    beta = np.zeros(design.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (weights * (chance - labels)) + ridge @ beta
        curvature = (design * (weights * chance * (1 - chance))[:, None]).T @ design + ridge
        beta -= np.linalg.solve(curvature, gradient)
    return beta


def scored(rows: Rows, beta: Floats, half: int | None) -> dict[str, Sequence[Judgement]]:
    """The rows of the other half than `half`, or all, with the support these coefficients give."""
    return {
        name: [_with_support(row, beta) for row in own if half is None or half_of(row) != half]
        for name, own in rows.items()
    }


def _with_support(row: Judgement, beta: Floats) -> Judgement:
    total = float(np.dot(beta[:-1], [row.values[name] for name in FEATURES]) + beta[-1])
    return Judgement(row.group, row.answerable, 1 / (1 + float(np.exp(-total))), row.values)


def show(title: str, rows: Rows) -> None:
    print(title)
    for contest in reported(rows).contests:
        print(f"  {contest.name:45s} ROC area {contest.area:.3f}   calibration error {contest.error:.3f}")
    for name in ("shop, not there", "shop, page removed"):
        print(f"  {name:45s} ROC area {support_roc_area([*rows['own shop'], *rows[name]]):.3f}")


async def gathered(data: Path) -> Rows:
    async with open_store() as store:
        rows = {**await judged(store, data), **await shop_rows(store)}
    return {name: list(_with_values(own)) for name, own in rows.items()}


def _with_values(rows: Iterable[Judgement]) -> Iterable[Judgement]:
    """Leave out questions on which nothing was found at all: there is nothing to weigh."""
    return (row for row in rows if row.values)


def main() -> None:
    rows = asyncio.run(gathered(Path(os.environ["CONCIERGE_EVAL_DATA"])))
    for half in (0, 1):
        show(f"fitted on half {half}, seen on the other", scored(rows, fit(*arrays(rows, half)), half))
    beta = fit(*arrays(rows, None))
    show("fitted and seen on everything", scored(rows, beta, None))
    gaps = [row.values["gap"] for own in rows.values() for row in own if row.answerable]
    print(f"GAP_OF_FEW = {float(np.mean(gaps)):.2f}")
    for name, value in zip(FEATURES, beta[:-1], strict=True):
        print(f'    "{name}": {value:.2f},')
    print(f"INTERCEPT = {beta[-1]:.2f}")


if __name__ == "__main__":
    main()
