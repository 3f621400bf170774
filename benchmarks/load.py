"""Turns over HTTP against a real server: one visitor at a time, many at once, and while it reads documents."""

import asyncio
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx

from benchmarks.figures import Figure, Target, Timings
from benchmarks.product import HOST, Client, Product, questions, serving

CLIENTS = 16
RATE_TARGET = Target(30, "at least")
BUSY_TARGET = Target(150)
MEMORY_TARGET = Target(450)
WARM_UP = 10
SETTLE_S = 3.0


async def measure(data_dir: Path, *, seconds: float, sequential: int, archive: Path) -> list[Figure]:
    """`archive` is what is read while turns go on."""
    async with serving(data_dir) as product:
        await asyncio.sleep(SETTLE_S)
        at_start = product.memory_mb()
        figures = await _alone(product, sequential)
        figures += await _together(product, seconds)
        await asyncio.sleep(SETTLE_S)
        after = product.memory_mb()
        figures += await _while_reading(product, archive, seconds)
    return [
        *figures,
        Figure("Idle memory, started", at_start, "MB", MEMORY_TARGET, "server, worker and PostgreSQL, PSS"),
        Figure("Idle memory, after the turns", after, "MB", MEMORY_TARGET),
    ]


async def _alone(product: Product, count: int) -> list[Figure]:
    timings = await _asked_in_turn(product, count)
    return [Figure("A turn over HTTP: p50", timings.p50, "ms", detail=f"p95 {timings.p95:.1f} ms")]


async def _asked_in_turn(product: Product, count: int) -> Timings:
    client = await Client.connect(product.port)
    token = await product.visitor(client)
    asked = cycle(questions())
    durations: list[float] = []
    for number in range(count + WARM_UP):
        began = perf_counter()
        await product.ask(client, token, next(asked))
        if number >= WARM_UP:
            durations.append((perf_counter() - began) * 1000)
    await client.close()
    return Timings(tuple(durations))


async def _together(product: Product, seconds: float) -> list[Figure]:
    durations: list[float] = []
    clients = [await Client.connect(product.port) for _ in range(CLIENTS)]
    tokens = [await product.visitor(client) for client in clients]
    began = perf_counter()
    await asyncio.gather(
        *(
            _keep_asking(product, client, token, number, began + seconds, durations)
            for number, (client, token) in enumerate(zip(clients, tokens, strict=True))
        )
    )
    lasted = perf_counter() - began
    for client in clients:
        await client.close()
    timings = Timings(tuple(durations))
    return [
        Figure(
            f"Turns per second, {CLIENTS} clients",
            len(durations) / lasted,
            "turns/s",
            RATE_TARGET,
            f"p50 {timings.p50:.0f} ms, p95 {timings.p95:.0f} ms each",
        )
    ]


async def _keep_asking(
    product: Product, client: Client, token: str, number: int, until: float, durations: list[float]
) -> None:
    asked = questions()
    while perf_counter() < until:
        began = perf_counter()
        await product.ask(client, token, asked[(number * 7 + len(durations)) % len(asked)])
        durations.append((perf_counter() - began) * 1000)


async def _while_reading(product: Product, archive: Path, seconds: float) -> list[Figure]:
    """Give the server a whole documentation site to read, and ask meanwhile."""
    owner = httpx.AsyncClient(
        base_url=f"http://{HOST}:{product.port}/api/v1/knowledge",
        headers={"Authorization": f"Bearer {product.demo.secret_key}"},
        timeout=60,
    )
    async with owner:
        pack = (
            (await owner.post("/packs", json={"name": f"Busy {time.time():.0f}"}))
            .raise_for_status()
            .json()["id"]
        )
        file = {"file": (archive.name, archive.read_bytes())}
        source = (await owner.post(f"/packs/{pack}/files", files=file)).raise_for_status().json()["id"]
        await _until(owner, source, lambda state: state["progress"]["stored"] > 0)
        timings = await _asked_in_turn(product, max(20, int(seconds * 3)))
        still = (await owner.get(f"/sources/{source}")).json()
        if still["status"] == "running":
            await owner.post(f"/sources/{source}/cancel")
        await _until(owner, source, lambda state: state["status"] not in {"queued", "running"})
        (await owner.delete(f"/packs/{pack}")).raise_for_status()
    over = "" if still["status"] == "running" else ", reading ended before"
    return [
        Figure(
            "A turn over HTTP while documents are read: p50",
            timings.p50,
            "ms",
            BUSY_TARGET,
            f"p95 {timings.p95:.0f} ms{over}",
        )
    ]


async def _until(owner: httpx.AsyncClient, source: str, reached: Callable[[Any], bool]) -> None:
    while not reached((await owner.get(f"/sources/{source}")).raise_for_status().json()):
        await asyncio.sleep(0.2)
