"""Order what was found: a shortlist by words and meaning, then by everything that speaks for a passage."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter, mul
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from concierge.knowledge.lexical import K1, codes_in, terms
from concierge.knowledge.repository.search import Candidate, Contender, StoredPassage

# So many of the best are read whole and compete for the first places.
SHORTLIST = 32
# From this cosine on two passages say the same.
SAME = 0.98
# A question of so few words asks what something is.
SHORT_WORDS = 2
# So many different words make a passage that can stand for an answer.
SUBSTANTIAL = 60
YEAR_S = 365.25 * 24 * 3600
# So many texts are kept as words are looked for in them, some 5 MB: the passages of small packs are met again and again.
WORDS_KEPT = 4_096
# What a pair in the title or a heading counts of one in the text: a page about "Silver Rewards Card" rarely repeats it.
TITLED = 0.5
# Between the two words of a pair a passage may have up to two short ones ("size of the package").
SHORT_BETWEEN = 2
SHORT = 4
# Whatever is no part of a word becomes a space. Punctuation stands in these two ranges.
NO_WORD = {
    code: " "
    for code in (*range(0x3100), *range(0xFF00, 0xFF66))
    if not (chr(code).isalnum() or code == ord("_"))
}


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks for a passage, each about 0 to 1; or how much each of them weighs."""

    cosine: float  # of its vector to the question's
    bm25: float  # divided by `bm25_scale`
    sentence: float = 0.0  # cosine of its best sentence
    pairs: float = (
        0.0  # share of the question's words that stand side by side here, or in the title, as they do there
    )
    coverage: float = 0.0  # share of the question's words that stand anywhere here, the rarer the more
    title: float = 0.0  # the same of the document's title
    neighbour: float = 0.0  # what the better passage beside it scores above the last candidate
    document: float = 0.0  # cosine of the document's mean vector
    opening: float = 0.0  # 1 for the first passage of a document, which says what it is about
    overview: float = 0.0  # the same where the question is a word or two: it asks what something is
    substance: float = 0.0  # how many different words it has, up to `SUBSTANTIAL`
    credibility: float = 0.0  # what the operator gave the source; 1 for an authoritative one
    recency: float = 0.0  # 1 for what changed today, half of it each year; 0 for what bears no date
    cross: float = 0.0  # what a cross-encoder gave it, where one is configured and answered in time

    def score(self, weights: "Signals") -> float:
        return sum(map(mul, _values(self), _values(weights)))


# `dataclasses.astuple` copies deeply, which took a third of a search's time.
_values: Callable[[Signals], tuple[float, ...]] = attrgetter(*(part.name for part in fields(Signals)))

# Found on four public sets (mtrag_cloud, mtrag_un, squad2_half, awsdocs_qa), as alone questions and as last questions of
# conversations: the middle of a plateau where halving or doubling any weight costs at most two points of nDCG@10. None
# of those sets knows credibility or dates: the last two weights let the better source win among passages that are about
# equally good. How they were found, and what else was tried: docs/decisions/0007.
FIRST = Signals(cosine=1.0, bm25=0.7)
FINAL = Signals(
    cosine=0.3,
    bm25=0.35,
    sentence=0.7,
    pairs=0.4,
    coverage=0.06,
    title=0.015,
    neighbour=0.15,
    document=0.15,
    opening=0.035,
    overview=0.12,
    substance=0.06,
    credibility=0.1,
    recency=0.03,
    # Rerankers differ, so this one is set, not found: their judgement outweighs any two of the others together, and does
    # not silence them.
    cross=1.0,
)
# So many of the best are shown to a cross-encoder; it pays for each of them.
CROSSED = 16


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate and its score; `signals` say why it stands where it does, and are known of the shortlist only."""

    candidate: Candidate
    score: float
    signals: Signals | None = None

    @property
    def evidence(self) -> float:
        """The score without a cross-encoder's part, which is there at one time and not at another."""
        return self.score - (FINAL.cross * self.signals.cross if self.signals else 0.0)


@dataclass(frozen=True, slots=True)
class Question:
    """What passages are compared with. `rarity` maps each term to its inverse document frequency, weighted: terms of
    earlier questions, which only `text` leans on, count less.
    """

    text: str
    vector: NDArray[np.float32]
    rarity: Mapping[str, float]
    asked_at: datetime

    @property
    def total(self) -> float:
        """The weight of all its words; 1 for a question of no words."""
        return sum(self.rarity.values()) or 1.0

    @property
    def most(self) -> float:
        """The BM25 of a chunk full of every word of the question."""
        return (K1 + 1) * self.total


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
    wording = Wording(question)
    known = {entry.passage.chunk_id: (entry, near) for entry, near in zip(read, sentences, strict=True)}
    ranking: list[Ranked] = []
    for first in shortlist:
        if first.candidate.chunk_id not in known:
            continue  # Its document was removed between the two looks.
        contender, sentence = known[first.candidate.chunk_id]
        passage = contender.passage
        opening = float(first.candidate.ordinal == 0)
        met = wording.met_in(passage)
        signals = Signals(
            cosine=first.candidate.cosine,
            bm25=first.candidate.bm25 / scale,
            sentence=sentence,
            pairs=met.pairs,
            coverage=met.coverage,
            title=met.title,
            neighbour=0.0 if contender.beside is None else max(0.0, contender.beside - floor),
            document=contender.document_cosine,
            opening=opening,
            overview=opening if wording.is_short else 0.0,
            substance=met.substance,
            credibility=1.0 if passage.authoritative else passage.credibility,
            recency=_recency(passage.updated_at, question.asked_at),
        )
        ranking.append(Ranked(first.candidate, signals.score(FINAL), signals))
    return _sorted(ranking)


def by_cross_encoder(ranking: Sequence[Ranked], scores: Sequence[float]) -> list[Ranked]:
    """Order a ranking anew by what a cross-encoder gave the first of it."""
    crossed = [
        replace(entry, score=entry.score + FINAL.cross * score, signals=replace(entry.signals, cross=score))
        for entry, score in zip(ranking, scores, strict=False)
        if entry.signals is not None
    ]
    return [*_sorted(crossed), *ranking[len(scores) :]]


def same_as_better(
    ranking: Sequence[Ranked], vectors: Mapping[UUID, NDArray[np.float32]]
) -> dict[UUID, UUID]:
    """Find passages that say the same as a better one of another document: five copies of a page are one source.

    `vectors` has one of length 1 for each passage. Returns the better one's chunk by the copy's.
    """
    if not ranking:
        return {}
    matrix = np.stack([vectors[entry.candidate.chunk_id] for entry in ranking])
    alike = np.tril(matrix @ matrix.T >= SAME, -1)
    copies: dict[UUID, UUID] = {}
    if not alike.any():
        return copies
    for row, entry in enumerate(ranking):
        for better in (ranking[column] for column in np.flatnonzero(alike[row]).tolist()):
            other = better.candidate
            if other.document_id != entry.candidate.document_id and other.chunk_id not in copies:
                copies[entry.candidate.chunk_id] = other.chunk_id
                break
    return copies


def _recency(changed: datetime | None, now: datetime) -> float:
    if changed is None:
        return 0.0
    return 0.5 ** (max(0.0, (now - changed).total_seconds()) / YEAR_S)


@dataclass(frozen=True, slots=True)
class Met:
    """How much of a question's wording a passage holds, each 0 to 1."""

    pairs: float
    coverage: float
    title: float
    substance: float


class Wording:
    """The words of a question and those of them that are neighbours, looked for in passages.

    A pattern of its own for each question took longer to compile and to run than plain looking for its words.
    """

    def __init__(self, question: Question) -> None:
        words = terms(question.text)
        self.is_short = len(words) <= SHORT_WORDS
        self._total = question.total
        self._weights: dict[str, float] = {}
        for word, weight in question.rarity.items():
            self._weights[_root(word)] = max(weight, self._weights.get(_root(word), 0.0))
        self._beginnings = {root: _beginning(root) for root in self._weights}
        self._longer = {root: self._going_on(begun) for root, begun in self._beginnings.items()}
        self._pairs = {
            (_root(one), _root(other)): min(question.rarity.get(one, 0), question.rarity.get(other, 0))
            for one, other in pairwise(words)
        }
        # A code names one thing, which is rarer than any part of it.
        for one, other in (pair for code in codes_in(question.text) for pair in pairwise(terms(code))):
            both = question.rarity.get(one, 0) + question.rarity.get(other, 0)
            self._pairs[_root(one), _root(other)] = both

    def met_in(self, passage: StoredPassage) -> Met:
        text, different = _read_for_words(passage.text)
        titled, headed = _read_for_words(passage.title)[0], _read_for_words(" ".join(passage.headings))[0]
        own, title, headings = self._roots_in(text), self._roots_in(titled), self._roots_in(headed)
        anywhere = own | title | headings
        pairs = sum(
            weight
            if self._together(pair, own, text)
            else TITLED * weight
            if self._together(pair, title, titled) or self._together(pair, headings, headed)
            else 0.0
            for pair, weight in self._pairs.items()
            if anywhere.issuperset(pair)
        )
        return Met(
            pairs=min(1.0, pairs / self._total),
            coverage=self._share(anywhere),
            title=self._share(title),
            substance=min(1.0, different / SUBSTANTIAL),
        )

    def _together(self, pair: tuple[str, str], roots: AbstractSet[str], spaced: str) -> bool:
        one, other = pair
        return one in roots and other in roots and _stand_together(self._beginnings[one], other, spaced)

    def _roots_in(self, spaced: str) -> set[str]:
        """Those that a word begins with which does not begin with a longer one."""
        return {
            root
            for root, begun in self._beginnings.items()
            if begun in spaced
            and (
                not (longer := self._longer[root])
                or not all(spaced.startswith(longer, at) for at in _places(begun, spaced))
            )
        }

    def _going_on(self, begun: str) -> tuple[str, ...]:
        """The longer beginnings that begin like this one."""
        return tuple(
            other for other in self._beginnings.values() if other != begun and other.startswith(begun)
        )

    def _share(self, roots: Iterable[str]) -> float:
        return sum(self._weights[root] for root in roots) / self._total


@lru_cache(maxsize=WORDS_KEPT)
def _read_for_words(text: str) -> tuple[str, int]:
    """A text as words are looked for in it, and how many different ones it has."""
    lower = text.lower()
    return _spaced(lower), len(set(lower.split()))


def _spaced(lower: str) -> str:
    """A text with nothing but spaces between and before its words, as long as it was and one more."""
    return " " + lower.translate(NO_WORD)


def _beginning(root: str) -> str:
    """What stands in a spaced text where a word begins so; scripts without spaces have no beginnings of words."""
    return _spaced(root) if root.isascii() else root


def _places(beginning: str, spaced: str) -> Iterator[int]:
    at = spaced.find(beginning)
    while at >= 0:
        yield at
        at = spaced.find(beginning, at + 1)


def _stand_together(beginning: str, other: str, spaced: str) -> bool:
    """Whether a word that begins with `other` stands behind one with this beginning, with at most two short ones between."""
    for at in _places(beginning, spaced):
        behind = spaced[at + len(beginning) :].partition(" ")[2].split(None, SHORT_BETWEEN + 1)
        for word in behind[: SHORT_BETWEEN + 1]:
            if word.startswith(other):
                return True
            if len(word) > SHORT:
                break
    return False


def _root(stem: str) -> str:
    """What a word and its stem begin with alike: "polici" stands for "policy" as well as for "policies"."""
    return stem.removesuffix("i")


def _sorted(entries: Iterable[Ranked]) -> list[Ranked]:
    return sorted(entries, key=lambda entry: (-entry.score, entry.candidate.chunk_id.int))
