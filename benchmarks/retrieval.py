"""Top-8 retrieval, the question's embedding excluded: latency, and agreement with an exact search."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from time import perf_counter
from typing import TypeVar
from unittest.mock import patch
from uuid import UUID

from benchmarks.corpus import Corpus
from benchmarks.figures import Figure, Target, Timings
from benchmarks.packs import Pack, PackDatabase
from concierge.accounts.scope import TenantScope
from concierge.kit.db import Database
from concierge.knowledge import indexes
from concierge.knowledge.resident import ResidentPacks
from concierge.knowledge.search import Query, Search

T = TypeVar("T")

TOP = 8
LARGEST_IN_MEMORY = 50_000
WARM_UP = 40
# By how many chunks a pack has, at most.
TARGETS = {1_000: Target(3), 50_000: Target(10), 500_000: Target(30)}
CROWD_TARGET = Target(3)
OVERLAP_TARGET = Target(0.95, "at least")
EVERYTHING = 10**9
# An exact search of a huge pack takes seconds.
EXACTLY_COMPARED = {100_000: 129, 10**9: 12}


async def measure(database: PackDatabase, corpus: Corpus, questions: int) -> list[Figure]:
    """Measure every pack with the same questions."""
    queries = queries_of(corpus, questions)
    db = Database(database.address.app_url, pool_size=2)
    try:
        figures: list[Figure] = []
        for pack in database.packs:
            figures += await _pack_figures(Search(db), Search(db, resident=ResidentPacks(0)), pack, queries)
        return figures
    finally:
        await db.close()


async def measure_crowd(
    alone: PackDatabase, crowd: PackDatabase, corpus: Corpus, questions: int
) -> list[Figure]:
    """A small pack by itself, and among many like it: one that is asked again and again, and a different one each time."""
    queries = queries_of(corpus, questions)
    figures: list[Figure] = []
    for database, where in ((alone, "alone in its database"), (crowd, f"of {len(crowd.packs):,} such packs")):
        db = Database(database.address.app_url, pool_size=2)
        pack = database.packs[0]
        await _timed(Search(db), [pack], queries[:WARM_UP])  # So that PostgreSQL knows it too.
        for kind, search in (("in memory", Search(db)), ("read anew", Search(db, resident=ResidentPacks(0)))):
            await _timed(search, [pack], queries[:WARM_UP])
            timings, _ = await _timed(search, [pack], queries)
            name = f"One pack of {pack.chunks:,} chunks, {where}, {kind}: p50"
            figures.append(Figure(name, timings.p50, "ms", _crowd_target(kind), f"p95 {timings.p95:.1f} ms"))
        await db.close()
    figures += await _each_once(crowd, queries)
    return figures


async def _each_once(crowd: PackDatabase, queries: Sequence[Query]) -> list[Figure]:
    db = Database(crowd.address.app_url, pool_size=2)
    await _timed(Search(db), crowd.packs[-WARM_UP:], queries)
    timings, _ = await _timed(Search(db), crowd.packs[:-WARM_UP], queries)
    await db.close()
    name = f"A different one of the {len(crowd.packs):,} packs each time, so that none is in memory: p50"
    return [Figure(name, timings.p50, "ms", None, f"p95 {timings.p95:.1f} ms")]


def _crowd_target(kind: str) -> Target | None:
    return CROWD_TARGET if kind == "in memory" else None


def queries_of(corpus: Corpus, questions: int) -> list[Query]:
    return [
        Query(text, vector)
        for text, vector in zip(corpus.questions[:questions], corpus.question_vectors, strict=False)
    ]


async def _pack_figures(search: Search, stored: Search, pack: Pack, queries: Sequence[Query]) -> list[Figure]:
    """`stored` never keeps a pack in memory: what it finds is compared with, and small packs are timed in both."""
    name = f"{pack.name}, {pack.chunks:,} chunks"
    await _timed(search, [pack], queries[:WARM_UP])
    await search.warmed()
    timings, found = await _timed(search, [pack], queries)
    first_asked: list[Figure] = []
    if pack.chunks <= LARGEST_IN_MEMORY:
        cold, _ = await _timed(stored, [pack], queries)
        first_asked = [
            Figure("  when it is not in memory yet", cold.p50, "ms", None, f"p95 {cold.p95:.1f} ms")
        ]
    compared = queries[: _bound(EXACTLY_COMPARED, pack.chunks)]
    overlap = await _overlap(stored, pack, compared, found[: len(compared)])
    return [
        Figure(
            f"{name}: p50",
            timings.p50,
            "ms",
            _bound(TARGETS, pack.chunks),
            f"p95 {timings.p95:.1f} ms",
        ),
        *first_asked,
        Figure(
            f"{name}: top-{TOP} shared with an exact search",
            overlap,
            "",
            OVERLAP_TARGET,
            f"{len(compared)} questions",
        ),
    ]


def _bound(by_size: Mapping[int, T], chunks: int) -> T:
    return next(value for size, value in by_size.items() if chunks <= size)


async def _timed(
    search: Search, packs: Sequence[Pack], queries: Sequence[Query]
) -> tuple[Timings, list[list[UUID]]]:
    """Ask each question of the next pack."""
    durations: list[float] = []
    found: list[list[UUID]] = []
    for pack, query in zip(cycle(packs), queries, strict=False):
        began = perf_counter()
        found.append(await _top(search, pack, query))
        durations.append((perf_counter() - began) * 1000)
    return Timings(tuple(durations)), found


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
