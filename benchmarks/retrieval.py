"""Top-8 retrieval, the question's embedding excluded: latency, and agreement with an exact search."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from time import perf_counter
from unittest.mock import patch
from uuid import UUID

from benchmarks.corpus import Corpus
from benchmarks.figures import Figure, Target, Timings
from benchmarks.packs import Pack, PackDatabase
from concierge.accounts.scope import TenantScope
from concierge.kit.db import Database
from concierge.knowledge import indexes
from concierge.knowledge.indexes import ResidentPacks
from concierge.knowledge.search import Query, Search

TOP = 8
WARM_UP = 40
SMALL_TARGET = Target(4)
LARGE_TARGET = Target(15)
OVERLAP_TARGET = Target(0.95, "at least")
EVERYTHING = 10**9


async def measure(database: PackDatabase, corpus: Corpus, questions: int) -> list[Figure]:
    """Measure every pack with the same questions."""
    queries = [
        Query(text, vector)
        for text, vector in zip(corpus.questions[:questions], corpus.question_vectors, strict=False)
    ]
    db = Database(database.address.app_url, pool_size=2)
    try:
        figures: list[Figure] = []
        for pack in database.packs:
            figures += await _pack_figures(Search(db), Search(db, resident=ResidentPacks(0)), pack, queries)
        return figures
    finally:
        await db.close()


async def _pack_figures(search: Search, stored: Search, pack: Pack, queries: Sequence[Query]) -> list[Figure]:
    """`stored` never keeps a pack in memory: what it finds is compared with, and small packs are timed in both."""
    name = f"{pack.name}, {pack.chunks:,} chunks"
    for query in queries[:WARM_UP]:
        await _top(search, pack, query)
    timings, found = await _timed(search, pack, queries)
    first_asked: list[Figure] = []
    if pack.chunks <= indexes.EXACT_SCAN_CHUNKS:
        cold, _ = await _timed(stored, pack, queries)
        first_asked = [
            Figure("  when it is not in memory yet", cold.p50, "ms", None, f"p95 {cold.p95:.1f} ms")
        ]
    overlap = await _overlap(stored, pack, queries, found)
    return [
        Figure(f"{name}: p50", timings.p50, "ms", _target(pack), f"p95 {timings.p95:.1f} ms"),
        *first_asked,
        Figure(
            f"{name}: top-{TOP} shared with an exact search",
            overlap,
            "",
            OVERLAP_TARGET,
            f"{len(queries)} questions",
        ),
    ]


async def _timed(search: Search, pack: Pack, queries: Sequence[Query]) -> tuple[Timings, list[list[UUID]]]:
    durations: list[float] = []
    found: list[list[UUID]] = []
    for query in queries:
        began = perf_counter()
        found.append(await _top(search, pack, query))
        durations.append((perf_counter() - began) * 1000)
    return Timings(tuple(durations)), found


def _target(pack: Pack) -> Target | None:
    if pack.chunks <= 1_000:
        return SMALL_TARGET
    return LARGE_TARGET if pack.chunks <= 50_000 else None


async def _top(search: Search, pack: Pack, query: Query) -> list[UUID]:
    found = await search.find(TenantScope(pack.org_id), [pack.pack_id], query, limit=TOP)
    return [passage.chunk_id for passage in found.passages]


async def _overlap(
    search: Search, pack: Pack, queries: Sequence[Query], found: Sequence[Sequence[UUID]]
) -> float:
    """The mean share of the exact search's best that the approximate one found too."""
    shares: list[float] = []
    with _exact_search():
        for query, ids in zip(queries, found, strict=True):
            exact = await _top(search, pack, query)
            if exact:
                shares.append(len(set(ids) & set(exact)) / len(exact))
    return sum(shares) / len(shares) if shares else 0.0


@contextmanager
def _exact_search() -> Generator[None]:
    """Let the search scan every vector and every posting list, as it does for small packs."""
    with (
        patch.object(indexes, "EXACT_SCAN_CHUNKS", EVERYTHING),
        patch.object(indexes, "POSTINGS_BUDGET", EVERYTHING),
    ):
        yield
