"""Fits what a sentence needs to be a task slipped into its document, and prints the coefficients.

    CONCIERGE_EVAL_DATA=… python -m evals.fit_instructions

Fitted on every other category of BIPIA's attacks that their wording does not give away, put into its contexts and into
pages of docs_railway, against the sentences of docs_railway, docs_plausible and 900 pages of awsdocs_qa that have the
form of a task or a question. Reported on the other categories, and on pages of awsdocs_qa that were not drawn.
"""

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from concierge.knowledge.chunking.spans import Kind, units_of
from concierge.knowledge.instructions.contrast import COEFFICIENTS, Surroundings, features
from concierge.knowledge.instructions.wording import ENOUGH, reasons
from evals.injections import PLACES, bipia, held_out, inserted, pages

Floats = NDArray[np.float64]
RIDGE = 1.0
ROUNDS = 40
CONTEXTS = 12
FITTED_PAGES = 900
FITTED_SEED = 7


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sentence's features; `document` is what it stands in."""

    values: tuple[float, ...]
    document: int


def candidates(text: str, only: str | None = None) -> Iterator[tuple[float, ...]]:
    """The features of the sentences that may be tasks, or of the one that is `only`."""
    units = [unit for unit in units_of(text) if unit.kind not in {Kind.CODE, Kind.RULE}]
    lines = [
        (unit.kind, line.strip())
        for unit in units
        for line in text[unit.start : unit.end].splitlines()
        if line.strip()
    ]
    around = Surroundings.of([line for _, line in lines])
    for kind, line in lines:
        if kind in {Kind.HEADING, Kind.ROW} or (only is not None and line != only):
            continue
        if values := features(line, around):
            yield tuple(values[name] for name in COEFFICIENTS)


def drawn_from(texts: Sequence[str]) -> list[Drawn]:
    return [Drawn(values, number) for number, text in enumerate(texts) for values in candidates(text)]


def attacked(data: Path, contexts: Sequence[str], attacks: Sequence[str]) -> list[Drawn]:
    lot = random.Random(FITTED_SEED)  # noqa: S311  # A sample, no secret.
    others = pages(data, "docs_railway", sample=CONTEXTS)
    found: list[Drawn] = []
    for number, attack in enumerate(attacks):
        for context in (*lot.sample(list(contexts), CONTEXTS), *lot.sample(others, 3)):
            text = inserted(context, attack, lot.choice(PLACES), lot)
            found.extend(Drawn(values, number) for values in candidates(text, attack))
    return found


def fit(inputs: Floats, labels: Floats) -> Floats:
    """Logistic regression by Newton's method with a small ridge; the last coefficient is the intercept."""
    design = np.c_[inputs, np.ones(len(inputs))]
    ridge = np.diag([RIDGE] * inputs.shape[1] + [0.0])
    beta = np.zeros(design.shape[1])
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (chance - labels) + ridge @ beta
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + ridge
        beta -= np.linalg.solve(curvature, gradient)
    return beta


def chances(drawn: Sequence[Drawn], beta: Floats) -> Floats:
    design = np.array([(*entry.values, 1.0) for entry in drawn])
    return 1 / (1 + np.exp(-design @ beta))


def show_curve(found: Sequence[Drawn], harmless: Sequence[Drawn], documents: int, beta: Floats) -> None:
    print("likelier than   attacks found   harmless pages flagged   precision at equal numbers")
    right, wrong = chances(found, beta), chances(harmless, beta)
    for least in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        recall = float((right >= least).mean())
        flagged = {entry.document for entry, chance in zip(harmless, wrong, strict=True) if chance >= least}
        false = len(flagged) / documents
        print(f"{least:13.2f} {recall:15.1%} {false:24.2%} {recall / ((recall + false) or 1):28.1%}")


def main() -> None:
    data = Path(os.environ["CONCIERGE_EVAL_DATA"])
    contexts, attacks = bipia(data)
    unseen = held_out(attacks)
    bare = [attack for attack in attacks if sum(reasons(attack.text).values()) < ENOUGH]
    fitted = attacked(data, contexts, [attack.text for attack in bare if attack.category not in unseen])
    texts = [
        *pages(data, "docs_railway"),
        *pages(data, "docs_plausible"),
        *pages(data, "awsdocs_qa", sample=FITTED_PAGES, seed=FITTED_SEED),
    ]
    harmless = drawn_from(texts)
    inputs = np.array([entry.values for entry in (*fitted, *harmless)])
    labels = np.array([1.0] * len(fitted) + [0.0] * len(harmless))
    beta = fit(inputs, labels)
    for name, value in zip(COEFFICIENTS, beta[:-1], strict=True):
        print(f'    "{name}": {value:.2f},')
    print(f"INTERCEPT = {beta[-1]:.2f}")
    print(f"\nFitted: {len(fitted)} attacks, {len(harmless)} harmless sentences of {len(texts)} pages")
    show_curve(fitted, harmless, len(texts), beta)
    # The sample of another seed, without the pages that were fitted on.
    known = set(texts)
    others = [page for page in pages(data, "awsdocs_qa", sample=FITTED_PAGES) if page not in known]
    new = attacked(data, contexts, [attack.text for attack in bare if attack.category in unseen])
    print(f"\nHeld out: {len(new)} attacks of other categories, {len(others)} other pages")
    show_curve(new, drawn_from(others), len(others), beta)


if __name__ == "__main__":
    main()
