"""Fits the heads that read emotion and intent, calibrates them, and writes the artefact.

    CONCIERGE_EVAL_DATA=… python -m evals.intelligence.fit

Every figure comes from rows that the head in question had not seen: five folds, near copies of a row in the fold of the row.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from concierge.intelligence import prototypes
from concierge.intelligence.dimensions import emotion, intent
from concierge.intelligence.heads import Head
from concierge.intelligence.schemas import EMOTIONS, INTENTS
from concierge.intelligence.view import MessageView
from concierge.intelligence.weighing import Weighing
from concierge.llm.minilm import MiniLM
from evals.data import data_folder
from evals.intelligence.rows import (
    FOLDS,
    PLAIN,
    Row,
    churn_rows,
    emotion_rows,
    intent_rows,
    plain_rows,
    written_rows,
)
from evals.intelligence.training import Design, Fitted, Floats, balanced, design, fit
from evals.store import cache_folder

ARTEFACT: Final = Path(__file__).parents[2] / "concierge" / "intelligence" / "heads.npz"
KNOTS: Final = 12
SOURCES: Final = {
    "goemotions": "Apache-2.0, google-research GoEmotions (train part)",
    "hint3": "ODbL 1.0 / DbCL 1.0, hellohaptik HINT3",
    "clinc_oos": "CC BY 3.0, clinc oos-eval",
    "banking77": "CC BY 4.0, PolyAI banking77",
    "nlu_corpora": "CC BY-SA 3.0, sebischair NLU-Evaluation-Corpora",
    "churn_chatbot": "CC BY-SA 3.0, Swisscom churn-intent (English)",
    "written": "this project, evals/written_messages.txt",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """`share` is how much a row of a source counts, `uneven` are the sources whose rare labels count more; `power` and
    `ridge` are those of `training`.
    """

    dimension: str
    labels: tuple[str, ...]
    weighed: Callable[[Mapping[str, float], MessageView], Weighing]
    share: Mapping[str, float]
    uneven: frozenset[str]
    power: float
    ridge: float


# Our own messages are few, and the only ones that are like those of visitors. Plain questions keep the head, which has
# learned feelings from a forum, from seeing confusion in whoever asks.
EMOTION: Final = Recipe(
    emotion.NAME,
    EMOTIONS,
    emotion.weighed,
    {"written": 4.5, PLAIN: 0.35},
    frozenset({"goemotions"}),
    power=0.5,
    ridge=2.0,
)
INTENT: Final = Recipe(
    intent.NAME,
    INTENTS,
    intent.weighed,
    {"written": 1.5, "banking77": 0.6, "hint3": 1.5},
    frozenset(SOURCES),
    power=0.5,
    ridge=1.0,
)


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows with what a head that had not seen them made of them, (n, k) log-odds."""

    rows: Sequence[Row]
    log_odds: Floats


class Vectors:
    """The embeddings of messages, kept between runs."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self.model = MiniLM.load(cache / "models")

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
        path = self._cache / f"messages-{digest}.npy"
        if not path.exists():
            parts = [self.model.embed(texts[first : first + 2000]) for first in range(0, len(texts), 2000)]
            np.save(path, np.concatenate(parts))
        return np.load(path)


def accepted_of(rows: Sequence[Row], labels: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([[label in row.accepted for label in labels] for row in rows], dtype=np.bool_)


def fitted(recipe: Recipe, rows: Sequence[Row], inputs: Design) -> Fitted:
    accepted = accepted_of(rows, recipe.labels)
    weights = np.array([recipe.share.get(row.source, 1.0) for row in rows])
    uneven = np.array([row.source in recipe.uneven for row in rows])
    weights[uneven] = balanced(accepted[uneven], weights[uneven], recipe.power)
    return fit(inputs, accepted, weights, recipe.labels, ridge=recipe.ridge)


def cross_judged(recipe: Recipe, rows: Sequence[Row], inputs: Design) -> Judged:
    folds = np.array([row.fold for row in rows])
    log_odds = np.zeros((len(rows), len(recipe.labels)))
    for fold in range(FOLDS):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        own = fitted(recipe, [rows[place] for place in train.tolist()], inputs.rows(train))
        log_odds[test] = own.log_odds(inputs.rows(test))
    return Judged(rows, log_odds)


def probabilities(recipe: Recipe, judged: Judged) -> Floats:
    """After phrases and manner, as the product has them, (n, k)."""
    found = np.zeros_like(judged.log_odds)
    for place, row in enumerate(judged.rows):
        start = dict(zip(recipe.labels, map(float, judged.log_odds[place]), strict=True))
        odds = recipe.weighed(start, MessageView(row.text)).probabilities()
        found[place] = [odds[label] for label in recipe.labels]
    return found


def right(recipe: Recipe, rows: Sequence[Row], odds: Floats) -> NDArray[np.bool_]:
    accepted = accepted_of(rows, recipe.labels)
    return accepted[np.arange(len(rows)), odds.argmax(axis=1)]


def knots_of(seemed: Floats, correct: NDArray[np.bool_]) -> Floats:
    """Return knots (2, n): how often readings that seemed so probable were right, never falling."""
    order = np.argsort(seemed)
    parts = [part for part in np.array_split(order, KNOTS) if len(part)]
    blocks: list[list[float]] = []
    for part in parts:
        blocks.append([float(seemed[part].mean()), float(correct[part].mean()), float(len(part))])
        while len(blocks) > 1 and blocks[-2][1] >= blocks[-1][1]:
            last, before = blocks.pop(), blocks.pop()
            count = last[2] + before[2]
            merged = [(last[own] * last[2] + before[own] * before[2]) / count for own in range(2)]
            blocks.append([*merged, count])
    return np.array([[block[0] for block in blocks], [block[1] for block in blocks]])


def training_rows(data: Path) -> dict[str, list[Row]]:
    written = written_rows()
    kept = [row for row in churn_rows(data) if not row.accepted]
    # Who does not say that they leave may say anything else.
    staying = [Row(row.text, frozenset(INTENTS) - {"cancellation"}, row.source, row.group) for row in kept]
    return {
        EMOTION.dimension: [
            *emotion_rows(data, "train"),
            *plain_rows(data),
            *(row for row, _ in written if row.accepted),
        ],
        INTENT.dimension: intent_rows(data) + staying + [row for _, row in written if row.accepted],
    }


def main() -> None:
    console = Console()
    data, vectors = data_folder(), Vectors(cache_folder())
    rows_of = training_rows(data)
    stored: dict[str, NDArray[Any]] = {"dimensions": np.array([EMOTION.dimension, INTENT.dimension])}
    told: dict[str, Any] = {"seed": "none: the loss is convex and starts at zero", "sources": SOURCES}
    for recipe in (EMOTION, INTENT):
        rows = rows_of[recipe.dimension]
        console.print(f"[dim]{recipe.dimension}: {len(rows):,} messages")
        texts = [row.text for row in rows]
        inputs = design(texts, vectors.of(texts))
        judged = cross_judged(recipe, rows, inputs)
        odds = probabilities(recipe, judged)
        correct = right(recipe, rows, odds)
        stored |= _parts(recipe.dimension, fitted(recipe, rows, inputs).head())
        felt = np.array([row.source != PLAIN for row in rows])
        stored[f"{recipe.dimension}.calibration"] = knots_of(odds[felt].max(axis=1), correct[felt])
        told[recipe.dimension] = _figures(rows, correct)
        console.print(told[recipe.dimension])
    stored |= _prototypes(vectors)
    np.savez_compressed(ARTEFACT, allow_pickle=False, **stored)
    ARTEFACT.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    console.print(f"{ARTEFACT.name}: {ARTEFACT.stat().st_size / 1024:,.0f} KB")


def _figures(rows: Sequence[Row], correct: NDArray[np.bool_]) -> dict[str, Any]:
    figures: dict[str, Any] = {"messages": len(rows)}
    for source in sorted({row.source for row in rows}):
        own = [place for place, row in enumerate(rows) if row.source == source]
        figures[source] = {
            "messages": len(own),
            "within, cross-validated": round(float(correct[own].mean()), 4),
        }
    return figures


def _parts(name: str, head: Head) -> dict[str, NDArray[Any]]:
    return {
        f"{name}.labels": np.array(head.labels),
        f"{name}.embedding": head.embedding.astype(np.float16),
        f"{name}.words": head.words,
        f"{name}.letters": head.letters,
        f"{name}.scales": head.scales,
        f"{name}.signs": head.signs.astype(np.float16),
        f"{name}.bias": head.bias,
    }


def _prototypes(vectors: Vectors) -> dict[str, NDArray[Any]]:
    text = (files("concierge.intelligence") / "lexicons" / "prototypes.txt").read_text("utf-8")
    dimensions, kinds, sentences = zip(*prototypes.parsed(text), strict=True)
    return {
        "prototypes.dimensions": np.array(dimensions),
        "prototypes.kinds": np.array(kinds),
        "prototypes.texts": np.array(sentences),
        "prototypes.vectors": vectors.of(list(sentences)).astype(np.float16),
    }


if __name__ == "__main__":
    main()
