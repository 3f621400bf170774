"""Find the passages that answer: candidates by words and by meaning, the best of them read whole and ranked."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from concierge.accounts.scope import TenantScope
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.knowledge.context import Asked, in_context
from concierge.knowledge.indexes import EXACT_SCAN_CHUNKS, Index, ResidentPacks, StoredIndex
from concierge.knowledge.lexical import idf
from concierge.knowledge.ranking import (
    CROSSED,
    FIRST,
    SHORTLIST,
    Question,
    Ranked,
    bm25_scale,
    by_cross_encoder,
    by_evidence,
    by_first_sight,
    same_as_better,
)
from concierge.knowledge.repository import Candidate
from concierge.knowledge.repository.faqs import FaqRepository, NearQuestion
from concierge.knowledge.repository.search import Contender, SearchRepository
from concierge.knowledge.schemas import Passage
from concierge.knowledge.sources.questions import Verdict, same_question
from concierge.knowledge.surroundings import Surroundings, surroundings
from concierge.llm.reranking import HostedReranker

Vector = NDArray[np.float32]

CANDIDATES_EACH = 60
PAIRS_LOOKED_AT = 8
# The passage at this place is rarely part of an answer.
BACKGROUND_PLACE = 11


@dataclass(frozen=True, slots=True)
class Query:
    """A question ready to search with; `vector` is (384,) and normalised.

    `earlier` are the questions asked before it in the conversation, newest first.
    """

    text: str
    vector: Vector
    earlier: Sequence[tuple[str, Vector]] = ()


@dataclass(frozen=True, slots=True)
class JudgedPair:
    near: NearQuestion
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: the passages best first, and what the trace tells about how.

    `vector` is what the passages were compared with: the question's, blended with the earlier ones'; `idf` weighs the
    words of both. `pairs` are the questions of question–answer pairs that are nearest to this one, each with whether it
    asks the same; where one does, its pair is the first passage. `lead` is how far the first passage stands above those that merely share the question's subject,
    None where so few were found that one cannot tell.
    `copies` maps a chunk that says the same as a better one, and was left out, to that one.
    """

    passages: tuple[Passage, ...]
    vector: Vector = field(repr=False)
    idf: Mapping[str, float]
    candidates: tuple[Ranked, ...]
    copies: Mapping[UUID, UUID]
    chunks_searched: int
    milliseconds: float
    pairs: tuple[JudgedPair, ...] = ()

    @property
    def pair(self) -> Passage | None:
        """The question–answer pair that asks the same, whose answer is the answer."""
        alike, first = asked_alike(self.pairs), next(iter(self.passages), None)
        return first if alike and first and first.chunk_id == alike.near.chunk_id else None

    @property
    def lead(self) -> float | None:
        evidence = [entry.evidence for entry in self.candidates if entry.signals]
        if len(evidence) <= BACKGROUND_PLACE:
            return None
        return evidence[0] - sorted(evidence, reverse=True)[BACKGROUND_PLACE]


def asked_alike(pairs: Sequence[JudgedPair]) -> JudgedPair | None:
    """The nearest of the pairs that ask the same."""
    return next((pair for pair in pairs if pair.verdict.same), None)


class Search:
    """Searches the packs of one organization."""

    def __init__(
        self,
        db: Database,
        clock: Clock = utc_now,
        *,
        resident: ResidentPacks | None = None,
        reranker: HostedReranker | None = None,
    ) -> None:
        self.resident = resident or ResidentPacks()
        self._db = db
        self._clock = clock
        self._reranker = reranker

    async def find(self, scope: TenantScope, packs: Sequence[UUID], query: Query, *, limit: int = 8) -> Found:
        """Return at most `limit` passages of these packs. Packs that do not exist are passed over."""
        began = perf_counter()
        asked = in_context(query.text, query.vector, query.earlier)
        words = [*asked.own, *asked.also]
        async with self._db.transaction(scope.org_id) as session:
            index = await self._index(SearchRepository(session, scope), scope, packs, words)
            rarity = _rarity(index, asked)
            question = Question(query.text, asked.vector, rarity, self._clock())
            comparison = index.compare(asked.vector, rarity)
            candidates = await comparison.candidates(CANDIDATES_EACH)
            scale = bm25_scale(candidates, question.most)
            first = by_first_sight(candidates, scale)
            pairs = await _pairs(FaqRepository(session, scope), packs, query)
            pair = asked_alike(pairs)
            shortlist = [entry.candidate.chunk_id for entry in first[:SHORTLIST]]
            if pair is not None and pair.near.chunk_id not in shortlist:
                shortlist.append(pair.near.chunk_id)
            read = await comparison.contenders(shortlist, FIRST.cosine, FIRST.bm25 / scale)
        sentences = Sentences(read, asked.vector)
        floor = first[-1].score if first else 0.0
        best = by_evidence(first[:SHORTLIST], read, sentences.best, question, scale, floor)
        best = await self._reranked(query.text, best, read)
        whole = {entry.chunk_id: (entry, rows) for entry, rows in zip(read, sentences.rows, strict=True)}
        copies = same_as_better(best, dict(zip(whole, sentences.means, strict=True)))
        kept = [entry for entry in best if entry.candidate.chunk_id not in copies]
        kept = _led_by(pair, kept, whole)[:limit]
        passages = [
            _passage(*whole[entry.candidate.chunk_id], entry, rank) for rank, entry in enumerate(kept)
        ]
        return Found(
            passages=tuple(passages),
            vector=asked.vector,
            idf=question.rarity,
            candidates=(*best, *first[SHORTLIST:]),
            copies=copies,
            chunks_searched=index.chunks,
            milliseconds=(perf_counter() - began) * 1000,
            pairs=pairs,
        )

    async def _reranked(
        self, text: str, ranking: Sequence[Ranked], read: Sequence[Contender]
    ) -> Sequence[Ranked]:
        """Let a cross-encoder look at the first passages, where there is one and it answers in time."""
        if self._reranker is None or not ranking:
            return ranking
        texts = {entry.chunk_id: f"{entry.title}\n\n{entry.text}" for entry in read}
        shown = [texts[entry.candidate.chunk_id] for entry in ranking[:CROSSED]]
        scores = await self._reranker.scores(text, shown)
        return ranking if scores is None else by_cross_encoder(ranking, scores)

    async def around(
        self, scope: TenantScope, passages: Sequence[Passage], budget: int
    ) -> Mapping[UUID, Surroundings]:
        """Read what stands around passages, best first, up to `budget` characters in all. Returns it by chunk."""
        chunks = [passage.chunk_id for passage in passages]
        async with self._db.transaction(scope.org_id) as session:
            return surroundings(chunks, await SearchRepository(session, scope).around(chunks), budget)

    async def _index(
        self, repository: SearchRepository, scope: TenantScope, packs: Sequence[UUID], words: Sequence[str]
    ) -> Index:
        resident = await self.resident.open(repository, scope, packs)
        if resident is not None:
            return resident
        stored = await StoredIndex.open(repository, packs, words)
        if stored.chunks <= EXACT_SCAN_CHUNKS:
            await self.resident.consider(repository, scope, stored.statistics)
        return stored


async def _pairs(faqs: FaqRepository, packs: Sequence[UUID], query: Query) -> tuple[JudgedPair, ...]:
    """The pairs asked most like this question, compared with what was typed: what was said before is not asked again."""
    near = await faqs.nearest(packs, query.vector, PAIRS_LOOKED_AT)
    in_conversation = bool(query.earlier)
    return tuple(
        JudgedPair(
            entry, same_question(query.text, entry.question, entry.cosine, in_conversation=in_conversation)
        )
        for entry in near
    )


def _led_by(pair: JudgedPair | None, ranking: Sequence[Ranked], read: Container[UUID]) -> Sequence[Ranked]:
    """The ranking behind a pair that asks the same, unless that changed between the two looks."""
    if pair is None or pair.near.chunk_id not in read:
        return ranking
    near = pair.near
    best = Candidate(near.chunk_id, near.document_id, 0, bm25=0.0, cosine=near.cosine)
    others = [entry for entry in ranking if entry.candidate.chunk_id != near.chunk_id]
    return [Ranked(best, score=near.cosine), *others]


def _rarity(index: Index, asked: Asked) -> dict[str, float]:
    """Weigh each word of a question. One that nobody wrote counts only where it was asked for itself."""
    frequencies = {word: index.frequency(word) for word in (*asked.own, *asked.also)}
    return {
        word: asked.also.get(word, 1.0) * idf(index.chunks, frequency)
        for word, frequency in frequencies.items()
        if frequency or word not in asked.also
    }


class Sentences:
    """The sentence vectors of some passages, `rows` of each; `best` are the cosines of each one's best to the question.

    `means` says what each passage is about as a whole: (passages, dimension), of length 1.
    """

    def __init__(self, read: Sequence[Contender], vector: Vector) -> None:
        joined = np.frombuffer(b"".join(entry.sentence_vectors for entry in read), dtype=np.float16)
        rows = joined.reshape(-1, len(vector)).astype(np.float32)
        ends = np.cumsum([len(entry.spans) // 2 for entry in read], dtype=np.int64)
        self.rows: Sequence[Vector] = np.split(rows, ends[:-1]) if read else []
        starts = np.r_[0, ends[:-1]][: len(read)]
        self.best: list[float] = np.maximum.reduceat(rows @ vector, starts).tolist() if read else []
        sums = np.add.reduceat(rows, starts) if read else rows
        self.means: Vector = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)


def _passage(read: Contender, matrix: Vector, ranked: Ranked, rank: int) -> Passage:
    return Passage(
        chunk_id=read.chunk_id,
        document_id=read.document_id,
        pack_id=read.pack_id,
        title=read.title,
        url=read.url,
        kind=read.kind,
        headings=tuple(read.headings),
        text=read.text,
        start=read.start,
        sentences=tuple(zip(read.spans[::2], read.spans[1::2], strict=True)),
        sentence_vectors=matrix,
        score=ranked.score,
        bm25=ranked.candidate.bm25,
        cosine=ranked.candidate.cosine,
        rank=rank,
        updated_at=read.updated_at,
        credibility=read.credibility,
        authoritative=read.authoritative,
        document_cosine=read.document_cosine,
        page_starts=read.page_starts,
    )
