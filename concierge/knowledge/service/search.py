"""What a question finds, and why: for operators who want to see what their agents see."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

from concierge.accounts.scope import EVERYTHING, Audiences, TenantScope
from concierge.kit.db import Database
from concierge.knowledge.errors import PackNotFoundError
from concierge.knowledge.ranking import Ranked
from concierge.knowledge.repository import DocumentRepository, PackRepository
from concierge.knowledge.schemas.search import CandidateOut, PairOut, PassageOut, SearchIn, SearchOut, Verdict
from concierge.knowledge.search import Found, Search
from concierge.knowledge.surroundings import Surroundings


class SearchService:
    def __init__(self, db: Database, search: Search) -> None:
        self._db = db
        self._search = search

    async def find(self, scope: TenantScope, wanted: SearchIn) -> SearchOut:
        """Errors: PackNotFoundError, and UnavailableError when the question cannot be embedded."""
        packs = await self._packs(scope, wanted.pack_ids)
        audiences = EVERYTHING if wanted.audiences is None else Audiences.of(wanted.audiences)
        query = await self._search.ask(scope, packs, wanted.query)
        found = await self._search.find(scope, packs, query, audiences=audiences, limit=wanted.limit)
        around = await self._around(scope, found, wanted.surroundings, audiences)
        out = SearchOut(
            passages=[
                PassageOut.of(passage, around.get(passage.chunk_id, Surroundings()))
                for passage in found.passages
            ],
            pairs=[
                PairOut(
                    document_id=pair.candidate.document_id,
                    question=pair.question,
                    cosine=round(pair.candidate.cosine, 4),
                    same=pair.verdict.same,
                    because=pair.verdict.because,
                )
                for pair in found.pairs
            ],
            chunks_searched=found.chunks_searched,
            milliseconds=round(found.milliseconds, 3),
            term_weights={term: round(weight, 3) for term, weight in found.idf.items()},
        )
        if not wanted.explain:
            return out
        titles = await self._titles(scope, [entry.candidate.document_id for entry in found.candidates])
        return out.model_copy(update={"candidates": explained(found, titles)})

    async def _around(
        self, scope: TenantScope, found: Found, budget: int, audiences: Audiences
    ) -> Mapping[UUID, Surroundings]:
        if not budget:
            return {}
        return await self._search.around(scope, found.passages, budget, audiences=audiences)

    async def _packs(self, scope: TenantScope, wanted: Sequence[UUID]) -> list[UUID]:
        async with self._db.transaction(scope.org_id) as session:
            known = [pack.id for pack in await PackRepository(session, scope).list()]
        if not set(wanted) <= set(known):
            raise PackNotFoundError
        return list(wanted) or known

    async def _titles(self, scope: TenantScope, document_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        async with self._db.transaction(scope.org_id) as session:
            return await DocumentRepository(session, scope).titles(document_ids)


def explained(found: Found, titles: Mapping[UUID, str]) -> list[CandidateOut]:
    """Every candidate in the order of the ranking, and what became of it."""
    kept = {passage.chunk_id for passage in found.passages}
    return [
        CandidateOut(
            chunk_id=entry.candidate.chunk_id,
            document_id=entry.candidate.document_id,
            title=titles.get(entry.candidate.document_id, ""),
            ordinal=entry.candidate.ordinal,
            score=round(entry.score, 4),
            cosine=round(entry.candidate.cosine, 4),
            bm25=round(entry.candidate.bm25, 4),
            signals=entry.signals
            and {name: round(value, 4) for name, value in asdict(entry.signals).items()},
            verdict=_verdict(entry, found, kept),
            same_as=found.copies.get(entry.candidate.chunk_id),
        )
        for entry in found.candidates
    ]


def _verdict(entry: Ranked, found: Found, kept: set[UUID]) -> Verdict:
    if entry.candidate.chunk_id in kept:
        return "kept"
    if entry.candidate.chunk_id in found.copies:
        return "copy"
    return "not_shortlisted" if entry.signals is None else "beyond_limit"
