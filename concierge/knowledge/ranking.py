"""Order what was found: a shortlist by words and meaning, then by everything that speaks for a passage."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from concierge.knowledge.lexical import K1, terms
from concierge.knowledge.repository.search import Candidate, Contender

# So many of the best are read whole and compete for the first places.
SHORTLIST = 24
# From this cosine on two passages say the same.
SAME = 0.98
YEAR_S = 365.25 * 24 * 3600
# Between the two words of a pair a passage may have up to two short ones ("size of the package").
BETWEEN = r"\w*\W+(?:\w{1,4}\W+){0,2}"


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks for a passage, each about 0 to 1; or how much each of them weighs."""

    cosine: float  # of its vector to the question's
    bm25: float  # divided by `bm25_scale`
    sentence: float = 0.0  # cosine of its best sentence
    pairs: float = 0.0  # share of the question's words that stand side by side here as they do there
    neighbour: float = 0.0  # what the better passage beside it scores above the last candidate
    document: float = 0.0  # cosine of the document's mean vector
    opening: float = 0.0  # 1 for the first passage of a document, which says what it is about
    credibility: float = 0.0  # what the operator gave the source; 1 for an authoritative one
    recency: float = 0.0  # 1 for what changed today, half of it each year; 0 for what bears no date

    def score(self, weights: "Signals") -> float:
        return (
            weights.cosine * self.cosine
            + weights.bm25 * self.bm25
            + weights.sentence * self.sentence
            + weights.pairs * self.pairs
            + weights.neighbour * self.neighbour
            + weights.document * self.document
            + weights.opening * self.opening
            + weights.credibility * self.credibility
            + weights.recency * self.recency
        )


# Found on four public sets (mtrag_cloud, mtrag_un, squad2_half, awsdocs_qa) as the weights whose mean nDCG@10 lies on a
# wide plateau; no single one matters by more than a point. None of those sets knows credibility or dates: the last two
# weights let the better source win among passages that are about equally good.
FIRST = Signals(cosine=1.0, bm25=0.7)
FINAL = Signals(
    cosine=0.3,
    bm25=0.5,
    sentence=0.7,
    pairs=0.25,
    neighbour=0.15,
    document=0.2,
    opening=0.03,
    credibility=0.1,
    recency=0.03,
)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate and its score; `signals` say why it stands where it does, and are known of the shortlist only."""

    candidate: Candidate
    score: float
    signals: Signals | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What passages are compared with. `rarity` maps each of its terms to the inverse document frequency."""

    text: str
    vector: NDArray[np.float32]
    rarity: Mapping[str, float]
    asked_at: datetime

    @property
    def most(self) -> float:
        """The BM25 of a chunk full of every word of the question; 1 for a question of no words."""
        return (K1 + 1) * sum(self.rarity.values()) or 1.0


def bm25_scale(candidates: Iterable[Candidate], most: float) -> float:
    """Return what BM25 is divided by: the geometric mean of the best there is and the best there could be.

    The first alone would make much of a poor match when there is no better, the second little of a good match to a
    long question.
    """
    return math.sqrt(max((candidate.bm25 for candidate in candidates), default=0.0) * most) or 1.0


def by_first_sight(candidates: Iterable[Candidate], scale: float) -> list[Ranked]:
    """Order candidates by their own two scores, best first."""
    words = FIRST.bm25 / scale
    return _sorted(Ranked(entry, FIRST.cosine * entry.cosine + words * entry.bm25) for entry in candidates)


def by_evidence(
    shortlist: Sequence[Ranked],
    read: Sequence[Contender],
    sentences: Sequence[float],
    question: Question,
    scale: float,
    floor: float,
) -> list[Ranked]:
    """Order the shortlist by all signals.

    `read` has its passages in any order and `sentences` the cosine of the best sentence of each; `floor` is the first
    score of the last candidate.
    """
    pairs = Pairs(question)
    known = {entry.chunk_id: (entry, sentence) for entry, sentence in zip(read, sentences, strict=True)}
    ranking: list[Ranked] = []
    for first in shortlist:
        if first.candidate.chunk_id not in known:
            continue  # Its document was removed between the two looks.
        passage, sentence = known[first.candidate.chunk_id]
        signals = Signals(
            cosine=first.candidate.cosine,
            bm25=first.candidate.bm25 / scale,
            sentence=sentence,
            pairs=pairs.share_in(passage.text),
            neighbour=0.0 if passage.beside is None else max(0.0, passage.beside - floor),
            document=passage.document_cosine,
            opening=float(first.candidate.ordinal == 0),
            credibility=1.0 if passage.authoritative else passage.credibility,
            recency=_recency(passage.updated_at, question.asked_at),
        )
        ranking.append(Ranked(first.candidate, signals.score(FINAL), signals))
    return _sorted(ranking)


def same_as_better(
    ranking: Sequence[Ranked], vectors: Mapping[UUID, NDArray[np.float32]]
) -> dict[UUID, UUID]:
    """Find passages that say the same as a better one of another document: five copies of a page are one source.

    `vectors` has one of length 1 for each passage. Returns the better one's chunk by the copy's.
    """
    if not ranking:
        return {}
    matrix = np.stack([vectors[entry.candidate.chunk_id] for entry in ranking])
    alike = matrix @ matrix.T >= SAME
    copies: dict[UUID, UUID] = {}
    for row, entry in enumerate(ranking):
        for better in (ranking[column] for column in np.flatnonzero(alike[row, :row]).tolist()):
            other = better.candidate
            if other.document_id != entry.candidate.document_id and other.chunk_id not in copies:
                copies[entry.candidate.chunk_id] = other.chunk_id
                break
    return copies


def _recency(changed: datetime | None, now: datetime) -> float:
    if changed is None:
        return 0.0
    return 0.5 ** (max(0.0, (now - changed).total_seconds()) / YEAR_S)


class Pairs:
    """Neighbouring words of a question, looked for side by side in passages."""

    def __init__(self, question: Question) -> None:
        words = terms(question.text)
        self._total = sum(question.rarity.values()) or 1.0
        self._pairs = [
            (one, other, re.compile(rf"\b{re.escape(one)}{BETWEEN}{re.escape(other)}"), weight)
            for (one, other), weight in {
                (_root(one), _root(other)): min(question.rarity[one], question.rarity[other])
                for one, other in pairwise(words)
            }.items()
        ]

    def share_in(self, text: str) -> float:
        """The weight of the pairs that stand in a text, as a share of the question's."""
        lower = text.lower()
        met = (
            weight
            for one, other, pattern, weight in self._pairs
            if one in lower and other in lower and pattern.search(lower)
        )
        return sum(met) / self._total


def _root(stem: str) -> str:
    """What a word and its stem begin with alike: "polici" stands for "policy" as well as for "policies"."""
    return stem.removesuffix("i")


def _sorted(entries: Iterable[Ranked]) -> list[Ranked]:
    return sorted(entries, key=lambda entry: (-entry.score, entry.candidate.chunk_id.int))
