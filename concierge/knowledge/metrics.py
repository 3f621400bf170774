"""How good a ranking and an answer are: pure functions, the same for the command line and for the evaluations.

An "answerable" question is one the documents answer; abstaining is right on all others.
"""

import math
import re
from collections.abc import Hashable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol, TypeVar

Id = TypeVar("Id", bound=Hashable)

_SPACE = re.compile(r"[\s\\*_`|]+")
_PUNCTUATION = re.compile(r"[^\w\s$%€£°.]")
_MARK = re.compile(r"\s?\[\d+\]")


def ndcg(ranking: Sequence[Id], relevant: AbstractSet[Id], k: int = 10) -> float:
    """Normalized discounted cumulative gain of the first `k`, 0 to 1; every relevant id gains 1."""
    gain = sum(1 / math.log2(place + 2) for place, found in enumerate(ranking[:k]) if found in relevant)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(k, len(relevant))))
    return gain / ideal if ideal else 0.0


def hit(ranking: Sequence[Id], relevant: AbstractSet[Id], k: int) -> bool:
    """Whether a relevant id is among the first `k`."""
    return not relevant.isdisjoint(ranking[:k])


def distinct(ranking: Iterable[Id]) -> list[Id]:
    """Each id at its first and best place: a document ranks where its best chunk does."""
    return list(dict.fromkeys(ranking))


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile, `share` from 0 to 1; NaN of nothing."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def mean(values: Sequence[float] | Sequence[bool]) -> float:
    """NaN of nothing."""
    return sum(values) / len(values) if values else math.nan


def normalized(text: str) -> str:
    """A text for comparing: lower case, without citation marks, markup and punctuation."""
    return _SPACE.sub(" ", _PUNCTUATION.sub(" ", _MARK.sub("", text.lower()))).strip(" .")


def holds_gold(answer: str, gold: Sequence[str], *, every: bool = False) -> bool:
    """Whether one of the gold texts, or every one, stands in the answer."""
    said = normalized(answer)
    found = [normalized(text) in said for text in gold]
    return bool(found) and (all(found) if every else any(found))


def word_recall(answer: str, gold: str) -> float:
    """Share of the gold answer's distinct words that the answer holds."""
    wanted = set(normalized(gold).split())
    return len(wanted & set(normalized(answer).split())) / len(wanted) if wanted else 0.0


class Judged(Protocol):
    """An answered question: `support` is the writer's confidence, 0 to 1."""

    @property
    def answerable(self) -> bool: ...

    @property
    def support(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Abstention:
    """`precision`: of the questions passed over, the share without an answer; `recall`: of the questions without
    an answer, the share passed over; `answered`: of the answerable questions, the share still answered.
    """

    precision: float
    recall: float
    answered: float


@dataclass(frozen=True, slots=True)
class Operating:
    """Abstention where everything with less support than `threshold` is passed over."""

    threshold: float
    abstention: Abstention


def abstention(passed_over: Sequence[bool], answerable: Sequence[bool]) -> Abstention:
    """Count abstention, question by question. Nothing passed over is perfectly precise."""
    silent = sum(passed_over)
    right = sum(over and not can for over, can in zip(passed_over, answerable, strict=True))
    without_answer = len(answerable) - sum(answerable)
    return Abstention(
        precision=right / silent if silent else 1.0,
        recall=right / without_answer if without_answer else 0.0,
        answered=1 - (silent - right) / max(sum(answerable), 1),
    )


def abstention_curve(rows: Sequence[Judged], thresholds: Sequence[float]) -> list[Operating]:
    answerable = [row.answerable for row in rows]
    return [
        Operating(threshold, abstention([row.support < threshold for row in rows], answerable))
        for threshold in thresholds
    ]


def average_abstention_precision(rows: Sequence[Judged]) -> float:
    """Area under the precision-recall curve of abstention, least support first; NaN without unanswerable rows."""
    right, total = 0, 0.0
    for place, row in enumerate(sorted(rows, key=lambda row: row.support), 1):
        if not row.answerable:
            right += 1
            total += right / place
    return total / right if right else math.nan


def support_roc_area(rows: Sequence[Judged]) -> float:
    """Probability that an answerable question has more support than an unanswerable one; a tie counts half."""
    ordered = sorted(rows, key=lambda row: row.support)
    positives = sum(row.answerable for row in rows)
    negatives = len(rows) - positives
    if not positives or not negatives:
        return math.nan
    ranks = 0.0
    place = 0
    while place < len(ordered):
        end = place
        while end < len(ordered) and ordered[end].support == ordered[place].support:
            end += 1
        ranks += sum(row.answerable for row in ordered[place:end]) * (place + 1 + end) / 2
        place = end
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Questions whose support lies between two bounds: what was said on average, and how often it was so."""

    lower: float
    upper: float
    rows: int
    said: float
    true: float


def reliability(rows: Sequence[Judged], bins: int = 10) -> list[Reliability]:
    """Group rows by support into `bins` of equal width; empty ones are left out."""
    grouped: list[list[Judged]] = [[] for _ in range(bins)]
    for row in rows:
        grouped[min(bins - 1, int(row.support * bins))].append(row)
    return [
        Reliability(
            lower=place / bins,
            upper=(place + 1) / bins,
            rows=len(own),
            said=mean([row.support for row in own]),
            true=mean([row.answerable for row in own]),
        )
        for place, own in enumerate(grouped)
        if own
    ]


def calibration_error(rows: Sequence[Judged], bins: int = 10) -> float:
    """Expected calibration error: how far what was said is from what was so, weighted by rows; NaN of nothing."""
    if not rows:
        return math.nan
    return sum(own.rows * abs(own.said - own.true) for own in reliability(rows, bins)) / len(rows)
