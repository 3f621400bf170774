"""What the tools cost by themselves: sums, deciding whether to look at the web, and a search whose provider takes no time."""

import asyncio
import json
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import psycopg

from benchmarks.figures import Figure, Target, Timings
from concierge.accounts.scope import TenantScope
from concierge.billing.budgets import Budgets
from concierge.kit.db import Database
from concierge.kit.ids import new_id
from concierge.kit.migrations import migrate
from concierge.kit.postgres import EmbeddedPostgres
from concierge.tools.arithmetic import PricedRow, read_order, total
from concierge.tools.calculator import Calculator
from concierge.tools.freshness import wants_fresh
from concierge.tools.providers import Provider
from concierge.tools.providers.searxng import SEARXNG
from concierge.tools.service import WebSearch

TODAY = date(2026, 11, 27)
MESSAGES = (
    "What do 3 chairs and the table cost with 10 % off?",
    "What is the latest news about rattan prices?",
    "Do you have the Kelapa chair in stock right now, and could it be here by Friday?",
    "Was kosten zwei Kelapa Stühle und ein Lagoon Tisch zusammen, inklusive 49 Lieferung?",
    "I ordered a sofa two weeks ago and it still has not arrived. Where is my parcel?",
)
ROWS = tuple(
    PricedRow(f"{name}-{kind}", (f"{name} {kind}",), Decimal(100 + 7 * number), "USD")
    for number, (name, kind) in enumerate(
        (name, kind) for name in ("Kelapa", "Lagoon", "Palma", "Dune") for kind in ("Chair", "Table")
    )
)
CALCULATION = "price = 349.0\nrates = [0.1, 0.05]\nround(sum(price * (1 - rate) for rate in rates), 2)"
ANSWER = json.dumps(
    {
        "query": "rattan",
        "results": [
            {
                "url": f"https://example.com/{number}",
                "title": f"Rattan prices, part {number}",
                "content": "Prices for <b>rattan</b> rose by 4 percent in November. " * 4,
                "publishedDate": "2026-11-20T10:00:00",
            }
            for number in range(10)
        ],
    }
).encode()


async def measure(cache: Path, repetitions: int) -> list[Figure]:
    calculator = Calculator()
    calculations = await _timed(repetitions, lambda _: calculator.run(CALCULATION))
    await calculator.close()
    return [
        Figure("A calculation in the sandbox, p50", calculations.p50, "ms", Target(5)),
        Figure(
            "Whether a message wants the web, p50",
            _timed_at_once(repetitions, lambda message: wants_fresh(message, TODAY)),
            "ms",
            Target(0.5),
        ),
        Figure(
            "Read an order and add it up, p50",
            _timed_at_once(repetitions, _added),
            "ms",
            Target(1),
            detail=f"{len(ROWS)} products",
        ),
        *await _searches(cache, repetitions),
    ]


def _added(message: str) -> None:
    order = read_order(message, ROWS)
    if order is not None:
        total(order)


async def _searches(cache: Path, repetitions: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        Path(folder).chmod(0o755)
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        postgres.ensure_running()
        try:
            migrate(postgres.owner_url)
            db = Database(postgres.app_url, pool_size=4)
            async with _instant() as provider:
                figures = await _searched(postgres, db, provider, repetitions)
            await db.close()
        finally:
            postgres.stop()
    return figures


async def _searched(
    postgres: EmbeddedPostgres, db: Database, provider: Provider, repetitions: int
) -> list[Figure]:
    scope, agent_id = TenantScope(new_id()), new_id()
    with psycopg.connect(postgres.address.conninfo(), autocommit=True) as owner:
        owner.execute(
            "INSERT INTO organizations (id, name, slug) VALUES (%s, 'Bench', %s)",
            (scope.org_id, scope.org_id.hex),
        )
    search = WebSearch(db, Budgets(db), provider, calls_per_hour=10 * repetitions)
    new = await _timed(repetitions, lambda number: search.search(scope, agent_id, f"rattan {number}"))
    kept = await _timed(repetitions, lambda _: search.search(scope, agent_id, "rattan 0"))
    return [
        Figure("A search, its provider answering at once, p50", new.p50, "ms", Target(60)),
        Figure("The same search again, p50", kept.p50, "ms", Target(10)),
    ]


async def _timed(repetitions: int, run: Callable[[int], Awaitable[object]]) -> Timings:
    await run(0)
    values: list[float] = []
    for number in range(repetitions):
        begun = perf_counter()
        await run(number + 1)
        values.append((perf_counter() - begun) * 1000)
    return Timings(tuple(values))


def _timed_at_once(repetitions: int, run: Callable[[str], object]) -> float:
    """The median over the messages, in milliseconds."""
    for message in MESSAGES:
        run(message)
    values: list[float] = []
    for number in range(10 * repetitions):
        begun = perf_counter()
        run(MESSAGES[number % len(MESSAGES)])
        values.append((perf_counter() - begun) * 1000)
    return Timings(tuple(values)).p50


@asynccontextmanager
async def _instant() -> AsyncGenerator[Provider]:
    """A provider on this machine that answers what it has without looking."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(ANSWER)}\r\n\r\n"
        writer.write(head.encode() + ANSWER)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield Provider(SEARXNG, f"http://127.0.0.1:{port}/search", None)
