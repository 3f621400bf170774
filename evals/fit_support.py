"""Fits the support decision of the house writer and prints its coefficients.

    CONCIERGE_EVAL_DATA=… python -m evals.fit_support

Fitted on every other article of squad2_half (in alphabetical order), reported on the rest: answerable questions,
questions people wrote to look answerable, and answerable ones asked again with their article taken out of the pack.
The last are what a business's visitors mostly ask in vain, hence their weight.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from concierge.chat.writers.brief import AnswerBrief
from concierge.chat.writers.selection import read
from concierge.chat.writers.support import FEATURES, features
from concierge.knowledge.metrics import support_roc_area
from evals.answer_sets import AnswerSet, squad2
from evals.memory_search import CachedModel, MemorySearch

WEIGHTS = {"answerable": 1.0, "tricky": 0.25, "removed": 1.0}
RIDGE = 2.0
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    values: tuple[float, ...]
    kind: str
    fold: int


@dataclass(frozen=True, slots=True)
class Weighed:
    support: float
    answerable: bool


def values_of(brief: AnswerBrief) -> tuple[float, ...]:
    reading = read(brief)
    named = features(reading, reading.ranked[0])
    return tuple(named[name] for name in FEATURES)


def samples(questions: AnswerSet, model: CachedModel) -> list[Sample]:
    search = MemorySearch(model.pieces(questions.pages), model, "late")
    vectors = model.embed([question.text for question in questions.questions])
    folds = {key: number % 2 for number, key in enumerate(sorted(page.key for page in questions.pages))}
    found: list[Sample] = []
    for number, (question, vector) in enumerate(zip(questions.questions, vectors, strict=True)):
        fold = folds[question.group]
        kind = "answerable" if question.answerable else "tricky"
        found.append(Sample(values_of(search.search(question.text, vector)), kind, fold))
        if question.answerable and number % 2 == 0:
            brief = search.search(question.text, vector, without=frozenset({question.group}))
            found.append(Sample(values_of(brief), "removed", fold))
    return found


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


def as_arrays(found: list[Sample]) -> tuple[Floats, Floats, Floats]:
    inputs = np.array([sample.values for sample in found])
    labels = np.array([float(sample.kind == "answerable") for sample in found])
    weights = np.array([WEIGHTS[sample.kind] for sample in found])
    return inputs, labels, weights


def area(held_out: list[Sample], beta: Floats, kind: str) -> float:
    return support_roc_area(
        [
            Weighed(float(np.dot(beta[:-1], sample.values)), sample.kind == "answerable")
            for sample in held_out
            if sample.kind in {"answerable", kind}
        ]
    )


def main() -> None:
    data = Path(os.environ["CONCIERGE_EVAL_DATA"])
    model = CachedModel(Path(tempfile.gettempdir()) / "concierge-eval")
    found = samples(squad2(data), model)
    beta = fit(*as_arrays([sample for sample in found if sample.fold == 0]))
    held_out = [sample for sample in found if sample.fold == 1]
    for kind in ("tricky", "removed"):
        print(f"held-out articles, answerable against {kind}: ROC area {area(held_out, beta, kind):.3f}")
    for name, value in zip(FEATURES, beta[:-1], strict=True):
        print(f'    "{name}": {value:.2f},')
    print(f"INTERCEPT = {beta[-1]:.2f}")


if __name__ == "__main__":
    main()
