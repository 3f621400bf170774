"""Find the passages that answer: candidates by words and by meaning, exact scores of both, one weighted sum."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Database
from concierge.knowledge.lexical import K1, idf, pack_term, term_id, terms
from concierge.knowledge.repository.search import Candidate, PackStatistics, Scores, SearchRepository
from concierge.knowledge.schemas import Passage

# Below this many chunks an exact scan of the pack is faster than the approximate index, and exact.
EXACT_SCAN_CHUNKS = 4_000
CANDIDATES_EACH = 80
# Chunks having one of the question's rarest terms are scored until so many are reached; the rest, which only share
# common words with the question, cannot be among the best.
POSTINGS_BUDGET = 5_000


# So many of the best compete for the first places with the support of their neighbours and of their documents.
CONTENDERS = 24
# A document's second chunk supports the first by what it scores above the contender in this place.
SUPPORTING = 20


@dataclass(frozen=True, slots=True)
class RankingWeights:
    """How the scores are summed.

    `bm25` multiplies BM25 divided by the geometric mean of the best BM25 found and of the most the question could
    score: the first alone would make much of a poor match when there is no better, the second little of a good match
    to a long question. `neighbour` multiplies what the better neighbour in the document scores above the last
    candidate, `document` what the document's second-best chunk scores above the one in place `SUPPORTING`.
    """

    cosine: float = 1.0
    bm25: float = 0.7
    neighbour: float = 0.15
    document: float = 0.3


WEIGHTS = RankingWeights()


@dataclass(frozen=True, slots=True)
class Query:
    """A question ready to search with; `vector` is (384,) and normalised."""

    text: str
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Ranked:
    candidate: Candidate
    score: float


Place = tuple[UUID, int]  # A document, and which of its chunks.


@dataclass(frozen=True, slots=True)
class Standing:
    """Candidates by their `own` scores: the best, who compete for the first places, and the others, best first.

    `floor` is the last one's score.
    """

    contenders: Sequence[Ranked]
    others: Sequence[Ranked]
    own: Mapping[Place, float]
    floor: float


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: the passages best first, and what the trace tells about how."""

    passages: tuple[Passage, ...]
    idf: Mapping[str, float]
    candidates: tuple[Ranked, ...]
    chunks_searched: int
    milliseconds: float


class Search:
    """Searches the packs of one organization."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, scope: TenantScope, packs: Sequence[UUID], query: Query, *, limit: int = 8) -> Found:
        """Return at most `limit` passages of these packs. Packs that do not exist are passed over."""
        began = perf_counter()
        words = list(dict.fromkeys(terms(query.text)))
        async with self._db.transaction(scope.org_id) as session:
            repository = SearchRepository(session, scope)
            statistics = await repository.statistics(
                packs, [pack_term(pack, word) for pack in packs for word in words]
            )
            chunks = sum(pack.chunks for pack in statistics.values())
            rarity = _rarity(words, statistics, chunks)
            asked = {term_id(word): rarity[word] for word in words}
            candidates = await repository.candidates(
                list(statistics),
                vector=query.vector,
                query=asked,
                postings=_postings(words, statistics),
                wanted=CANDIDATES_EACH,
                exact=chunks <= EXACT_SCAN_CHUNKS,
            )
            scale = bm25_scale(candidates, best_possible_bm25(rarity))
            standing = standing_of(candidates, scale, WEIGHTS)
            around = await repository.candidates_at(
                missing_neighbours(standing), vector=query.vector, query=asked
            )
            ranking = ranked(standing, around, scale, WEIGHTS)
            best = {
                entry.candidate.chunk_id: Scores(
                    entry.score, entry.candidate.bm25, entry.candidate.cosine, rank
                )
                for rank, entry in enumerate(ranking[:limit])
            }
            passages = await repository.passages(best)
        return Found(tuple(passages), rarity, tuple(ranking), chunks, (perf_counter() - began) * 1000)


def bm25_scale(candidates: Sequence[Candidate], ceiling: float) -> float:
    """Return what BM25 is divided by: the geometric mean of the best there is and the best there could be."""
    return math.sqrt(max((candidate.bm25 for candidate in candidates), default=0.0) * ceiling) or 1.0


def standing_of(candidates: Sequence[Candidate], scale: float, weights: RankingWeights) -> Standing:
    """Order the candidates by their own scores alone."""
    entries = _sorted([Ranked(entry, _own(entry, scale, weights)) for entry in candidates])
    own = {(entry.candidate.document_id, entry.candidate.ordinal): entry.score for entry in entries}
    floor = entries[-1].score if entries else 0.0
    return Standing(entries[:CONTENDERS], entries[CONTENDERS:], own, floor)


def missing_neighbours(standing: Standing) -> list[Place]:
    """Say which chunks stand beside a contender and are no candidates themselves."""
    beside = {place for entry in standing.contenders for place in _beside(entry.candidate)}
    return [place for place in beside if place not in standing.own and place[1] >= 0]


def ranked(
    standing: Standing, around: Sequence[Candidate], scale: float, weights: RankingWeights
) -> list[Ranked]:
    """Order the candidates, best first; `around` are chunks beside them, which lend support but are not ranked."""
    own = dict(standing.own)
    for entry in around:
        own[entry.document_id, entry.ordinal] = _own(entry, scale, weights)
    contenders = [
        Ranked(entry.candidate, entry.score + weights.neighbour * _support(own, entry, standing.floor))
        for entry in standing.contenders
    ]
    return [*_sorted(_with_documents(_sorted(contenders), weights.document)), *standing.others]


def best_possible_bm25(rarity: Mapping[str, float]) -> float:
    """Return what a chunk would score that is full of every word of the question; 1 for a question of no words."""
    return (K1 + 1) * sum(rarity.values()) or 1.0


def _own(candidate: Candidate, scale: float, weights: RankingWeights) -> float:
    return weights.cosine * candidate.cosine + weights.bm25 * candidate.bm25 / scale


def _beside(candidate: Candidate) -> tuple[Place, Place]:
    return (candidate.document_id, candidate.ordinal - 1), (candidate.document_id, candidate.ordinal + 1)


def _support(own: Mapping[Place, float], entry: Ranked, floor: float) -> float:
    """How far the better neighbour stands above the last candidate."""
    return max(0.0, *(own.get(place, floor) - floor for place in _beside(entry.candidate)))


def _with_documents(ranking: Sequence[Ranked], share: float) -> list[Ranked]:
    """A document of which two chunks match is likelier to be about the question than one of which one does."""
    if not ranking:
        return []
    floor = ranking[min(SUPPORTING, len(ranking) - 1)].score
    scores: dict[UUID, list[float]] = defaultdict(list)
    for entry in ranking:
        scores[entry.candidate.document_id].append(entry.score)
    support = {document: share * max(0.0, own[1] - floor) for document, own in scores.items() if len(own) > 1}
    return [
        Ranked(entry.candidate, entry.score + support.get(entry.candidate.document_id, 0.0))
        for entry in ranking
    ]


def _sorted(entries: Iterable[Ranked]) -> list[Ranked]:
    return sorted(entries, key=lambda entry: (-entry.score, entry.candidate.chunk_id.int))


def _rarity(words: Sequence[str], statistics: Mapping[UUID, PackStatistics], chunks: int) -> dict[str, float]:
    """Weigh each word by how rare it is over all packs searched together."""
    return {
        word: idf(
            chunks,
            sum(
                pack.document_frequency.get(pack_term(pack_id, word), 0)
                for pack_id, pack in statistics.items()
            ),
        )
        for word in words
    }


def _postings(words: Sequence[str], statistics: Mapping[UUID, PackStatistics]) -> list[int]:
    """Choose whose posting lists are read: the rarest words' first, until the budget is spent."""
    lists: dict[str, list[int]] = defaultdict(list)
    sizes: dict[str, int] = defaultdict(int)
    for pack_id, pack in statistics.items():
        for word in words:
            posting = pack_term(pack_id, word)
            if (df := pack.document_frequency.get(posting, 0)) > 0:
                lists[word].append(posting)
                sizes[word] += df
    chosen: list[int] = []
    spent = 0
    for word in sorted(lists, key=lambda word: sizes[word]):
        if chosen and spent + sizes[word] > POSTINGS_BUDGET:
            break
        chosen.extend(lists[word])
        spent += sizes[word]
    return chosen
