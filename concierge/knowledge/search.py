"""Find the passages that answer: candidates by words and by meaning, the best of them read whole and ranked."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from concierge.accounts.scope import PUBLIC, Audiences, TenantScope
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.knowledge.context import Asked, in_context
from concierge.knowledge.indexes import Index, StoredIndex
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
from concierge.knowledge.repository.search import Contender, SearchRepository
from concierge.knowledge.resident import ResidentPacks, Sketching
from concierge.knowledge.schemas import Passage
from concierge.knowledge.sources.questions import Verdict, same_question
from concierge.knowledge.surroundings import Surroundings, surroundings
from concierge.llm.embedders import QuestionVectors
from concierge.llm.embeddings import LOCAL_SPACE, VectorSpace
from concierge.llm.reranking import HostedReranker

Vector = NDArray[np.float32]

CANDIDATES_EACH = 60
PAIRS_JUDGED = 8
# The passage at this place is rarely part of an answer.
BACKGROUND_PLACE = 11


@dataclass(frozen=True, slots=True)
class Query:
    """A question ready to search with; `vector` is (dimensions,) and normalised, of the vector space `space`.

    `earlier` are the questions asked before it in the conversation, newest first.
    """

    text: str
    vector: Vector
    earlier: Sequence[tuple[str, Vector]] = ()
    space: VectorSpace = LOCAL_SPACE

    @property
    def texts(self) -> list[str]:
        return [self.text, *(text for text, _ in self.earlier)]


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """A question–answer pair, and whether its `question` asks the same."""

    candidate: Candidate
    question: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: the passages best first, and what the trace tells about how.

    `vector` is what the passages were compared with: the question's, blended with the earlier ones'; where the packs
    were indexed by several models, each passage knows its own. `models` are those of the packs. `idf` weighs the words
    of the question and of the earlier ones. `pairs` are the questions of question–answer pairs that are nearest to this
    one, each with whether it asks the same; where one does, its pair is the first passage. `lead` is how far the first
    passage stands above those that merely share the question's subject,
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
    models: tuple[str, ...] = ()
    pairs: tuple[JudgedPair, ...] = ()

    @property
    def pair(self) -> Passage | None:
        """The question–answer pair that asks the same, whose answer is the answer."""
        return self.passages[0] if asked_alike(self.pairs) else None

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
        vectors: QuestionVectors | None = None,
    ) -> None:
        self.resident = resident or ResidentPacks()
        self._db = db
        self._clock = clock
        self._reranker = reranker
        self._vectors = vectors
        self._sketching = Sketching(db, self.resident)

    async def ask(
        self, scope: TenantScope, packs: Sequence[UUID], text: str, earlier: Sequence[str] = ()
    ) -> Query:
        """Make a question ready to search these packs with; `earlier` is newest first. Errors: UnavailableError.

        It is embedded by the model that most of them were seen to be indexed by; `find` adds what else there turns out
        to be.
        """
        assert self._vectors is not None, "a search that embeds questions is given what embeds them"
        if len(self.resident.believed(scope, packs)) < len(packs):
            async with self._db.transaction(scope.org_id) as session:
                await self.resident.look_up(SearchRepository(session, scope, PUBLIC), scope, packs)
        seen = Counter(index.space for index in self.resident.believed(scope, packs).values() if index.space)
        space = seen.most_common(1)[0][0] if seen else self._vectors.default_space
        vector, *others = await self._vectors.of(space, [text, *earlier])
        return Query(text, vector, tuple(zip(earlier, others, strict=True)), space)

    async def find(
        self,
        scope: TenantScope,
        packs: Sequence[UUID],
        query: Query,
        *,
        audiences: Audiences = PUBLIC,
        limit: int = 8,
    ) -> Found:
        """Return at most `limit` passages of these packs. Packs that do not exist are passed over.

        What is not for these audiences has no part in it: not as a passage, and not in what is counted and compared.

        Errors: UnavailableError, also when a pack's model is needed for the question and cannot be asked.
        """
        began = perf_counter()
        asked = in_context(query.text, query.vector, query.earlier)
        vectors = {query.space: asked.vector}
        looked = await self._look(scope, packs, query, asked, vectors, audiences)
        while isinstance(looked, frozenset):
            # No connection is held while a model is asked; the packs may be in other indexes when it has answered.
            for space in looked:
                vectors[space] = await self._vector_in(space, query)
            looked = await self._look(scope, packs, query, asked, vectors, audiences)
        question, scale, first = looked.question, looked.scale, looked.first
        parts = [
            Sentences(group, vectors[space]) for space, group in _by_space(looked.read, looked.index.spaces)
        ]
        read = [entry for part in parts for entry in part.read]
        sentences = [cosine for part in parts for cosine in part.best]
        floor = first[-1].score if first else 0.0
        best = by_evidence(first[:SHORTLIST], read, sentences, question, scale, floor)
        best = await self._reranked(query.text, best, read)
        copies = {copy: better for part in parts for copy, better in part.copies(best).items()}
        whole = {entry.passage.chunk_id: (part, row) for part in parts for row, entry in enumerate(part.read)}
        kept = [entry for entry in best if entry.candidate.chunk_id not in copies]
        pairs = _judged(first[:SHORTLIST], read, query)
        kept = _led_by(asked_alike(pairs), kept)[:limit]
        return Found(
            passages=tuple(
                _passage(*whole[entry.candidate.chunk_id], entry, rank) for rank, entry in enumerate(kept)
            ),
            vector=asked.vector,
            idf=question.rarity,
            candidates=(*best, *first[SHORTLIST:]),
            copies=copies,
            chunks_searched=looked.index.chunks,
            milliseconds=(perf_counter() - began) * 1000,
            models=tuple(sorted({space.model for space in looked.index.spaces.values()})),
            pairs=pairs,
        )

    async def _look(
        self,
        scope: TenantScope,
        packs: Sequence[UUID],
        query: Query,
        asked: Asked,
        vectors: Mapping[VectorSpace, Vector],
        audiences: Audiences,
    ) -> "_Looked | frozenset[VectorSpace]":
        """Read what may answer, in one transaction; or return the spaces in which the question is still needed."""
        words = [*asked.own, *asked.also]
        async with self._db.transaction(scope.org_id) as session:
            index = await self._index(SearchRepository(session, scope, audiences), scope, packs, words)
            needed = frozenset(index.spaces.values()).difference(vectors)
            if needed:
                return needed
            rarity = _rarity(index, asked)
            question = Question(query.text, asked.vector, rarity, self._clock())
            comparison = index.compare(vectors, rarity)
            candidates = await comparison.candidates(CANDIDATES_EACH)
            scale = bm25_scale(candidates, question.most)
            first = by_first_sight(candidates, scale)
            shortlist = [entry.candidate.chunk_id for entry in first[:SHORTLIST]]
            read = await comparison.contenders(shortlist, FIRST.cosine, FIRST.bm25 / scale)
        return _Looked(index, question, scale, first, read)

    async def _vector_in(self, space: VectorSpace, query: Query) -> Vector:
        """The question, blended with the earlier ones, in another space."""
        assert self._vectors is not None, "a search of packs of several models is given what embeds questions"
        vector, *others = await self._vectors.of(space, query.texts)
        earlier = [(text, other) for (text, _), other in zip(query.earlier, others, strict=True)]
        return in_context(query.text, vector, earlier).vector

    async def _reranked(
        self, text: str, ranking: Sequence[Ranked], read: Sequence[Contender]
    ) -> Sequence[Ranked]:
        """Let a cross-encoder look at the first passages, where there is one and it answers in time."""
        if self._reranker is None or not ranking:
            return ranking
        texts = {entry.passage.chunk_id: f"{entry.passage.title}\n\n{entry.passage.text}" for entry in read}
        shown = [texts[entry.candidate.chunk_id] for entry in ranking[:CROSSED]]
        scores = await self._reranker.scores(text, shown)
        return ranking if scores is None else by_cross_encoder(ranking, scores)

    async def around(
        self,
        scope: TenantScope,
        passages: Sequence[Passage],
        budget: int,
        *,
        audiences: Audiences = PUBLIC,
    ) -> Mapping[UUID, Surroundings]:
        """Read what stands around passages, best first, up to `budget` characters in all. Returns it by chunk."""
        chunks = [passage.chunk_id for passage in passages]
        async with self._db.transaction(scope.org_id) as session:
            neighbours = await SearchRepository(session, scope, audiences).around(chunks)
        return surroundings(chunks, neighbours, budget)

    async def _index(
        self, repository: SearchRepository, scope: TenantScope, packs: Sequence[UUID], words: Sequence[str]
    ) -> Index:
        resident = await self.resident.open(repository, scope, packs)
        if resident is not None:
            return resident
        believed = {pack: index.id for pack, index in self.resident.believed(scope, packs).items()}
        stored = await StoredIndex.open(repository, packs, words, believed)
        self._sketching.begin(scope, await self.resident.consider(repository, scope, stored))
        return stored

    async def warmed(self) -> None:
        """Wait until what was asked for repeatedly is in memory, where it has room there."""
        await self._sketching.finished()

    async def close(self) -> None:
        await self._sketching.close()


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was read of an index: every candidate in its first order, and the best of them whole."""

    index: Index
    question: Question
    scale: float
    first: Sequence[Ranked]
    read: Sequence[Contender]


def _by_space(
    read: Iterable[Contender], spaces: Mapping[UUID, VectorSpace]
) -> Iterable[tuple[VectorSpace, list[Contender]]]:
    groups: dict[VectorSpace, list[Contender]] = {}
    for entry in read:
        groups.setdefault(spaces[entry.passage.pack_id], []).append(entry)
    return groups.items()


def _judged(shortlist: Sequence[Ranked], read: Sequence[Contender], query: Query) -> tuple[JudgedPair, ...]:
    """The pairs among the shortlist, nearest first. They are compared with what was typed, not with what was said before."""
    known = {entry.passage.chunk_id: entry.passage for entry in read if entry.passage.questions}
    near = [entry.candidate for entry in shortlist if entry.candidate.chunk_id in known]
    near.sort(key=lambda candidate: -candidate.cosine)
    return tuple(
        _judge(candidate, known[candidate.chunk_id].questions, query) for candidate in near[:PAIRS_JUDGED]
    )


def _judge(candidate: Candidate, questions: Sequence[str], query: Query) -> JudgedPair:
    """Compare with each way in which a pair is asked; of those that differ the first is told of."""
    in_conversation = bool(query.earlier)
    verdicts = [
        (question, same_question(query.text, question, candidate.cosine, in_conversation=in_conversation))
        for question in questions
    ]
    question, verdict = next((entry for entry in verdicts if entry[1].same), verdicts[0])
    return JudgedPair(candidate, question, verdict)


def _led_by(pair: JudgedPair | None, ranking: Sequence[Ranked]) -> Sequence[Ranked]:
    """The ranking behind a pair that asks the same."""
    if pair is None:
        return ranking
    chunk_id = pair.candidate.chunk_id
    others = [entry for entry in ranking if entry.candidate.chunk_id != chunk_id]
    return [Ranked(pair.candidate, score=pair.candidate.cosine), *others]


def _rarity(index: Index, asked: Asked) -> dict[str, float]:
    """Weigh each word of a question. One that nobody wrote counts only where it was asked for itself."""
    frequencies = {word: index.frequency(word) for word in (*asked.own, *asked.also)}
    return {
        word: asked.also.get(word, 1.0) * idf(index.chunks, frequency)
        for word, frequency in frequencies.items()
        if frequency or word not in asked.also
    }


class Sentences:
    """The sentence vectors of passages `read` in one vector space, and in `best` the cosine of each one's best to the
    question, whose `vector` is (dimensions,).
    """

    def __init__(self, read: Sequence[Contender], vector: Vector) -> None:
        joined = np.frombuffer(b"".join(entry.passage.sentence_vectors for entry in read), dtype=np.float16)
        rows = joined.reshape(-1, len(vector)).astype(np.float32)
        ends = np.cumsum([len(entry.passage.spans) // 2 for entry in read], dtype=np.int64)
        starts = np.r_[0, ends[:-1]][: len(read)]
        sums = np.add.reduceat(rows, starts)
        self.read = read
        self.vector = vector
        self._rows = rows
        self._bounds = list(zip(starts.tolist(), ends.tolist(), strict=True))
        self.best: list[float] = np.maximum.reduceat(rows @ vector, starts).tolist()
        self._means = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)

    def of(self, row: int) -> Vector:
        """The vectors of one passage's sentences: (sentences, dimensions)."""
        return self._rows[slice(*self._bounds[row])]

    def copies(self, ranking: Sequence[Ranked]) -> Mapping[UUID, UUID]:
        """Find those that say the same as a better one; vectors of another model cannot tell."""
        means = {entry.passage.chunk_id: mean for entry, mean in zip(self.read, self._means, strict=True)}
        return same_as_better([entry for entry in ranking if entry.candidate.chunk_id in means], means)


def _passage(part: Sentences, row: int, ranked: Ranked, rank: int) -> Passage:
    contender = part.read[row]
    read = contender.passage
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
        sentence_vectors=part.of(row),
        question_vector=part.vector,
        score=ranked.score,
        bm25=ranked.candidate.bm25,
        cosine=ranked.candidate.cosine,
        rank=rank,
        updated_at=read.updated_at,
        credibility=read.credibility,
        authoritative=read.authoritative,
        audience=read.audience,
        document_cosine=contender.document_cosine,
        page_starts=read.page_starts,
    )
