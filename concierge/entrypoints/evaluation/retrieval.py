"""How well documents are found: the product's own search, ranked by document."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from concierge.entrypoints.evaluation.documents import RetrievalQuery
from concierge.entrypoints.evaluation.tenant import Collection
from concierge.knowledge.metrics import distinct, hit, mean, ndcg, percentile
from concierge.knowledge.search import Found, Query, Ranked, Search
from concierge.llm.embeddings import Embedder, space_of

CUTOFF = 10


@dataclass(frozen=True, slots=True)
class RetrievalRow:
    """One question; `ranking` holds ids of documents, best first. `milliseconds` leaves embedding out."""

    query: str
    relevant: tuple[str, ...]
    ranking: tuple[str, ...]
    milliseconds: float
    ndcg: float
    hit_1: bool
    hit_5: bool


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    queries: int
    ndcg_10: float
    hit_1: float
    hit_5: float
    milliseconds_p50: float
    milliseconds_p95: float
    rows: tuple[RetrievalRow, ...] = field(repr=False)


async def measure_retrieval(
    search: Search,
    embedder: Embedder,
    collection: Collection,
    queries: Sequence[RetrievalQuery],
    *,
    asked: Callable[[], None] = lambda: None,
) -> RetrievalReport:
    """Ask every question; `asked` is called after each."""
    rows: list[RetrievalRow] = []
    async for query, found in searches(search, embedder, collection, queries):
        rows.append(retrieval_row(query, found, ranking_of(found.candidates, collection)))
        asked()
    return retrieval_report(rows)


async def searches(
    search: Search, embedder: Embedder, collection: Collection, queries: Sequence[RetrievalQuery]
) -> AsyncIterator[tuple[RetrievalQuery, Found]]:
    for query in queries:
        vector = await embedder.embed_query(query.text)
        earlier = [(text, await embedder.embed_query(text)) for text in reversed(query.history)]
        asked = Query(query.text, vector, tuple(earlier), space_of(embedder))
        yield query, await search.find(collection.scope, [collection.pack_id], asked)


def ranking_of(candidates: Iterable[Ranked], collection: Collection) -> list[str]:
    """The ids of documents in the order of their best chunks."""
    documents = distinct(entry.candidate.document_id for entry in candidates)
    return [name for document in documents for name in collection.ids.get(document, ())]


def retrieval_row(query: RetrievalQuery, found: Found, ranking: Sequence[str]) -> RetrievalRow:
    return RetrievalRow(
        query=query.text,
        relevant=tuple(sorted(query.relevant)),
        ranking=tuple(ranking[:CUTOFF]),
        milliseconds=found.milliseconds,
        ndcg=ndcg(ranking, query.relevant, CUTOFF),
        hit_1=hit(ranking, query.relevant, 1),
        hit_5=hit(ranking, query.relevant, 5),
    )


def retrieval_report(rows: Sequence[RetrievalRow]) -> RetrievalReport:
    times = [row.milliseconds for row in rows]
    return RetrievalReport(
        queries=len(rows),
        ndcg_10=mean([row.ndcg for row in rows]),
        hit_1=mean([row.hit_1 for row in rows]),
        hit_5=mean([row.hit_5 for row in rows]),
        milliseconds_p50=percentile(times, 0.5),
        milliseconds_p95=percentile(times, 0.95),
        rows=tuple(rows),
    )
