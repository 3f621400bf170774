"""`python -m benchmarks [--quick] [--only GROUP …]`: measure, print a table, keep the figures; fail on a missed target."""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from benchmarks import (
    catalog,
    customers,
    expert,
    grounding,
    ingestion,
    load,
    packs,
    report,
    retrieval,
    start,
    tools,
    turns,
    yardstick,
)
from benchmarks.corpus import Corpus, Halves, Mixture, made_up_corpus, real_corpus
from benchmarks.figures import Figure
from benchmarks.packs import PackDatabase, Wanted
from benchmarks.product import prepared
from concierge.kit.logging import configure_logging
from concierge.kit.settings import Settings
from concierge.llm.minilm import MiniLM

SMALL = 1_000
CHUNKS_A_MINUTE = 40_000  # Built, on two cores.


@dataclass(frozen=True, slots=True)
class Sizes:
    """In chunks; and `crowd`, the number of packs of `each` in one database."""

    large: int
    huge: int
    each: int
    crowd: int


SIZES = Sizes(50_000, 500_000, 500, 1_000)
QUICK = Sizes(6_000, 12_000, 100, 100)


@dataclass(frozen=True, slots=True)
class Run:
    """How to measure, and what has been found so far. `cache` keeps what is slow to build, between runs."""

    cache: Path
    data: Path | None
    quick: bool
    console: Console
    groups: dict[str, Sequence[Figure]] = field(default_factory=dict[str, Sequence[Figure]])
    notes: list[str] = field(default_factory=list[str])


async def measure_retrieval(run: Run) -> None:
    sizes = QUICK if run.quick else SIZES
    corpus = _corpus(run, sizes.large)
    halves = Halves.of(corpus)
    wanted = [
        Wanted("Small pack", corpus.first(SMALL)),
        Wanted("Large pack", corpus),
        Wanted("Huge pack", Mixture(halves, sizes.huge, 3)),
    ]
    crowd = [
        Wanted(f"One of many {number}", Mixture(halves, sizes.each, 100 + number), copied=True)
        for number in range(sizes.crowd)
    ]
    questions = 60 if run.quick else 200
    title = f"Retrieval of the top {retrieval.TOP} ({corpus.name}, embedding excluded)"
    async with _running(run, wanted) as packs_of_sizes:
        run.groups[title] = await retrieval.measure(packs_of_sizes, corpus, questions)
    async with _running(run, crowd[:1]) as alone, _running(run, crowd) as many:
        run.groups["Many packs in one database"] = await retrieval.measure_crowd(
            alone, many, corpus, questions
        )
    run.notes.append(
        f"Packs beyond {sizes.large:,} chunks, and the {sizes.crowd:,} packs in one database, are mixtures: the opening of "
        "one real chunk, the closing of another, and a vector between theirs."
    )


@asynccontextmanager
async def _running(run: Run, wanted: Sequence[Wanted]) -> AsyncGenerator[PackDatabase]:
    def building(chunks: int) -> None:
        minutes = chunks // CHUNKS_A_MINUTE
        lasting = f", about {minutes} minutes this once" if minutes else ""
        run.console.print(f"[dim]  Building a database of {chunks:,} chunks{lasting} …[/]")

    database = await packs.opened(run.cache, wanted, building=building)
    try:
        yield database
    finally:
        database.postgres.stop()


async def measure_turns(run: Run) -> None:
    data_dir = await prepared(run.cache)
    run.groups["A house-written turn, demo shop"] = await turns.measure(data_dir, 40 if run.quick else 200)


async def measure_customers(run: Run) -> None:
    count = 5_000 if run.quick else 100_000
    folder = run.cache / f"customers-{count}"
    run.console.print(f"[dim]  {count:,} customers with ten facts each; built once …[/]")
    run.groups["Knowing who writes"] = await customers.measure(folder, count, 60 if run.quick else 400)


async def measure_load(run: Run) -> None:
    data_dir = await prepared(run.cache)
    archive = ingestion.documentation(run.data, run.cache)
    run.groups["The product over HTTP"] = await load.measure(
        data_dir, seconds=4 if run.quick else 15, sequential=40 if run.quick else 200, archive=archive
    )


async def measure_start(run: Run) -> None:
    data_dir = await prepared(run.cache)
    run.groups["Second start"] = await start.measure(data_dir, 1 if run.quick else 5)


async def measure_ingestion(run: Run) -> None:
    pages = ingestion.all_pages(None if run.quick else run.data)
    figures, notes = await ingestion.measure(run.cache, pages, with_peers=not run.quick)
    run.groups["Reading documents"] = figures
    run.notes.extend(notes)


async def measure_catalog(run: Run) -> None:
    sizes = (1_000, 5_000) if run.quick else (1_000, 100_000)
    figures = await catalog.measure(run.cache, sizes, 60 if run.quick else 200)
    run.groups["The catalogue"] = figures


async def measure_tools(run: Run) -> None:
    run.groups["Tools"] = await tools.measure(run.cache, 30 if run.quick else 200)


async def measure_grounding(run: Run) -> None:
    run.groups["Proof of what a model wrote"] = grounding.measure(40 if run.quick else 200)


async def measure_expert(run: Run) -> None:
    sizes = QUICK if run.quick else SIZES
    corpus = _corpus(run, sizes.large)
    asked = [query.text for query in retrieval.queries_of(corpus, 60 if run.quick else 200)]
    async with _running(run, [Wanted("Large pack", corpus)]) as database:
        run.groups["An expert, a language model behind it"] = await expert.measure(run.cache, database, asked)


GROUPS: dict[str, Callable[[Run], Coroutine[None, None, None]]] = {
    "retrieval": measure_retrieval,
    "turns": measure_turns,
    "customers": measure_customers,
    "load": measure_load,
    "start": measure_start,
    "ingestion": measure_ingestion,
    "catalog": measure_catalog,
    "tools": measure_tools,
    "grounding": measure_grounding,
    "expert": measure_expert,
}


def _corpus(run: Run, count: int) -> Corpus:
    if run.data is None or run.quick:
        return made_up_corpus(count)
    return real_corpus(run.data, count, MiniLM.load(run.cache / "models"), run.cache)


async def _measured(run: Run, groups: Sequence[str], console: Console) -> None:
    run.groups["This machine"] = yardstick.measure(MiniLM.load(run.cache / "models"))
    for name in groups:
        console.print(f"[dim]Measuring {name} …[/]")
        await GROUPS[name](run)


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run on small packs")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS), metavar="GROUP")
    parser.add_argument("--summary", action="store_true", help="also write results/summary.json")
    arguments = parser.parse_args()
    console = Console()
    run = Run(_cache(), _data(), arguments.quick, console)
    configure_logging(Settings(log_level="warning"))
    asyncio.run(_measured(run, arguments.only, console))
    if run.data is None:
        run.notes.append("CONCIERGE_EVAL_DATA names no folder of real documents, so made-up text was used.")
    finished = report.Report(run.groups, run.notes, run.quick)
    report.show(finished, console)
    console.print(f"[dim]{report.save(finished, summary=arguments.summary)}[/]")
    return 1 if finished.missed else 0


def _cache() -> Path:
    given = os.environ.get("CONCIERGE_BENCH_CACHE")
    folder = Path(given) if given else Path(tempfile.gettempdir()) / "concierge-benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _data() -> Path | None:
    given = os.environ.get("CONCIERGE_EVAL_DATA")
    return Path(given) if given and Path(given).is_dir() else None


if __name__ == "__main__":
    sys.exit(main())
