"""How well and how fast messages are read: emotion, intent, cancellation, calibration, time."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from concierge.intelligence.dimensions import emotion
from concierge.intelligence.reading import analyse
from concierge.intelligence.schemas import EMOTIONS, INTENTS
from concierge.intelligence.view import MessageView, Surroundings
from evals.intelligence.fit import (
    INTENT,
    Judged,
    Vectors,
    accepted_of,
    cross_judged,
    fitted,
    knots_of,
    probabilities,
    right,
    training_rows,
)
from evals.intelligence.keywords import keyword_emotion
from evals.intelligence.rows import Row, banking_rows, churn_rows, emotion_rows
from evals.intelligence.scores import Calibrated, calibrated, confusion, f1, macro_f1, macro_within
from evals.intelligence.training import design
from evals.measure import Check, Measurement
from tests.intelligence.reference import cases, failures

EMOTION_F1, WITHIN, LEFT_OUT, MACRO, CANCELLATION_F1, ERROR = 0.55, 0.85, 0.65, 0.70, 0.80, 0.06
CAREFUL = 0.95
READ_P50, READ_P99, APART_P50, LONG = 6.0, 20.0, 1.0, 50.0  # Milliseconds.
SETS: Final = ("hint3", "clinc_oos", "banking77")
TIMED: Final = 1_000
ROUNDS: Final = 3
LONG_CHARS: Final = 10_000
CANCELLATION: Final = INTENTS.index("cancellation")


@dataclass(frozen=True, slots=True)
class Confusion:
    labels: tuple[str, ...]
    counts: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Readers:
    """Shares of the reference readings in `tests/intelligence/cases.txt`: of single claims, of messages without a fault."""

    messages: int
    claims: float
    faultless: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The share within of a set that the head has seen nothing of: as the product reads, and by the head alone.

    Phrases may have been written with the set in view; the head cannot know it.
    """

    whole: float
    head_alone: float


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds."""

    together_p50: float
    together_p99: float
    apart_p50: float
    long_message: float


def measure_intelligence(data: Path, cache: Path) -> Measurement:
    vectors = Vectors(cache)
    checks: list[Check] = []
    figures: dict[str, Any] = {}
    reports: dict[str, Any] = {}
    for part in (_emotion(data, vectors), _intent(data, vectors)):
        checks += part.checks
        figures |= part.figures
        reports |= part.reports
    readers = _careful_readers(vectors)
    times = _times(data, vectors)
    checks += [
        Check("readings of careful readers, of all claims", readers.claims, CAREFUL),
        Check("time of a message, p50, embedding included (ms)", times.together_p50, READ_P50, at_most=True),
        Check("time of a message, p99, embedding included (ms)", times.together_p99, READ_P99, at_most=True),
        Check("time of all dimensions, p50 (ms)", times.apart_p50, APART_P50, at_most=True),
        Check("time of a message of 10,000 characters (ms)", times.long_message, LONG, at_most=True),
    ]
    faultless = {"messages of careful readers without a fault": readers.faultless}
    reports["more"] = {**figures["intent"], **faultless}
    return Measurement(
        "intelligence",
        tuple(checks),
        reports,
        {**figures, "careful readers": asdict(readers), "times": asdict(times)},
    )


def _emotion(data: Path, vectors: Vectors) -> Measurement:
    """Rows that no head has seen, read as the product reads them."""
    rows = emotion_rows(data, "dev")
    embedded = vectors.of([row.text for row in rows])
    truth = np.array([EMOTIONS.index(next(iter(row.accepted))) for row in rows])
    readings = [
        emotion.read(MessageView(row.text, vector), {}) for row, vector in zip(rows, embedded, strict=True)
    ]
    said = np.array([EMOTIONS.index(reading.value) for reading in readings])
    keywords = np.array([EMOTIONS.index(keyword_emotion(row.text)) for row in rows])
    sure = calibrated([reading.confidence for reading in readings], list(truth == said))
    value, obvious = macro_f1(truth, said, len(EMOTIONS)), macro_f1(truth, keywords, len(EMOTIONS))
    checks = (
        Check("emotion, macro-F1", value, EMOTION_F1),
        Check("emotion, above keywords", value, obvious, strictly=True),
        Check("emotion, calibration error", sure.error, ERROR, at_most=True),
    )
    matrix = _confusion(EMOTIONS, truth, said)
    each = {name: round(f1(truth == place, said == place), 4) for place, name in enumerate(EMOTIONS)}
    return Measurement(
        "emotion",
        checks,
        {"emotion confusion": matrix, "emotion calibration": sure},
        {"emotion": {"macro_f1": value, "keywords": obvious, "f1": each}, **_told("emotion", matrix, sure)},
    )


def _intent(data: Path, vectors: Vectors) -> Measurement:
    rows = training_rows(data)[INTENT.dimension]
    inputs = design([row.text for row in rows], vectors.of([row.text for row in rows]))
    judged = cross_judged(INTENT, rows, inputs)
    odds = probabilities(INTENT, judged)
    correct = right(INTENT, rows, odds)
    said = odds.argmax(axis=1)
    accepted = accepted_of(rows, INTENTS)
    public = np.array([row.source in SETS for row in rows])
    sure = _sure(rows, odds, correct, public)
    left_out = {name: _left_out(name, rows, inputs) for name in SETS}
    checks = [
        *(Check(f"intent within, {name}", _share(rows, name, correct), WITHIN) for name in SETS),
        *(Check(f"intent within, {name} left out", left_out[name].whole, LEFT_OUT) for name in SETS),
        Check("intent, macro over classes", macro_within(accepted[public], said[public]), MACRO),
        Check("intent, calibration error", sure.error, ERROR, at_most=True),
        *_cancellation(rows, said),
    ]
    alone = {f"{name} left out, the head alone": own.head_alone for name, own in left_out.items()}
    single = accepted.sum(axis=1) == 1
    matrix = _confusion(INTENTS, accepted[single].argmax(axis=1), said[single])
    written = _share(rows, "written", correct)
    return Measurement(
        "intent",
        tuple(checks),
        {"intent confusion": matrix, "intent calibration": sure},
        {"intent": {"our own messages, cross-validated": written, **alone}, **_told("intent", matrix, sure)},
    )


def _sure(
    rows: Sequence[Row], odds: NDArray[Any], correct: NDArray[np.bool_], public: NDArray[np.bool_]
) -> Calibrated:
    """Confidence as the product would say it, of rows in other folds than those that calibrated it."""
    from_fold = np.array([row.fold for row in rows])
    said = np.zeros(len(rows))
    for fold in set(from_fold.tolist()):
        own, others = from_fold == fold, from_fold != fold
        knots = knots_of(odds[others].max(axis=1), correct[others])
        said[own] = np.interp(odds[own].max(axis=1), *knots)
    return calibrated(said[public].tolist(), correct[public].tolist())


def _left_out(name: str, rows: Sequence[Row], inputs: Any) -> LeftOut:
    own = np.array([row.source == name for row in rows])
    train, test = np.flatnonzero(~own), np.flatnonzero(own)
    head = fitted(INTENT, [rows[place] for place in train.tolist()], inputs.rows(train))
    tested = [rows[place] for place in test.tolist()]
    log_odds = head.log_odds(inputs.rows(test))
    whole = probabilities(INTENT, Judged(tested, log_odds))
    return LeftOut(float(right(INTENT, tested, whole).mean()), float(right(INTENT, tested, log_odds).mean()))


def _cancellation(rows: Sequence[Row], said: NDArray[Any]) -> Iterator[Check]:
    """Whether a message wants to leave, by heads that had not seen it, among rows of which people claim something.

    Of the telecom's others nothing is claimed; they count as staying, whoever they may want to leave.
    """
    for source in ("churn_chatbot", "banking77"):
        own = [place for place, row in enumerate(rows) if row.source == source]
        leaving = np.array([rows[place].accepted == frozenset({"cancellation"}) for place in own])
        yield Check(f"cancellation F1, {source}", f1(leaving, said[own] == CANCELLATION), CANCELLATION_F1)


def _confusion(labels: tuple[str, ...], truth: NDArray[Any], said: NDArray[Any]) -> Confusion:
    return Confusion(labels, confusion(truth, said, len(labels)).tolist())


def _told(name: str, matrix: Confusion, sure: Calibrated) -> Mapping[str, Any]:
    return {f"{name} confusion": asdict(matrix), f"{name} calibration": asdict(sure)}


def _share(rows: Sequence[Row], source: str, correct: NDArray[np.bool_]) -> float:
    return float(correct[[place for place, row in enumerate(rows) if row.source == source]].mean())


def _careful_readers(vectors: Vectors) -> Readers:
    known = list(cases())
    claims = faultless = total = 0
    for case, vector in zip(known, vectors.of([case.message for case in known]), strict=True):
        view = MessageView(case.message, vector, case.history, Surroundings.of(case.context))
        unmet = len(failures(case, analyse(view)))
        total += len(case.claims)
        claims += len(case.claims) - unmet
        faultless += not unmet
    return Readers(len(known), claims / total, faultless / len(known))


def _times(data: Path, vectors: Vectors) -> Times:
    """Nothing is known of a message before. Apart, all are read in several rounds, because a machine has its moments."""
    rows = (*emotion_rows(data, "dev"), *banking_rows(data), *churn_rows(data))
    texts = [row.text for row in rows][::9][:TIMED]
    embedded = list(vectors.of(texts))
    analyse(MessageView(texts[0], embedded[0]))
    apart = [
        float(np.median([_timed(text, vector) for text, vector in zip(texts, embedded, strict=True)]))
        for _ in range(ROUNDS)
    ]
    together = [_timed_with_embedding(text, vectors) for text in texts]
    long = " ".join(texts)[:LONG_CHARS]
    return Times(
        float(np.median(together)),
        float(np.quantile(together, 0.99)),
        float(np.median(apart)),
        float(np.median([_timed(long, embedded[0]) for _ in range(5)])),
    )


def _timed(text: str, vector: NDArray[np.float32]) -> float:
    began = time.perf_counter()
    analyse(MessageView(text, vector))
    return (time.perf_counter() - began) * 1000


def _timed_with_embedding(text: str, vectors: Vectors) -> float:
    began = time.perf_counter()
    analyse(MessageView(text, vectors.model.embed([text])[0]))
    return (time.perf_counter() - began) * 1000
