"""A whole house-written turn in this process: latency, its steps, and what it asks the database."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import psycopg

from benchmarks.figures import Figure, Target, Timings
from benchmarks.product import questions
from concierge.accounts.scope import TenantScope
from concierge.chat.schemas import ChatIn
from concierge.entrypoints.demo.load import load_demo
from concierge.entrypoints.wiring import Platform, running_platform
from concierge.kit.settings import Settings

TURN_TARGET = Target(40)
WARM_UP = 10
STEPS = """
SELECT step.key, percentile_cont(0.5) WITHIN GROUP (ORDER BY step.value::float)
FROM traces, jsonb_each_text(trace -> 'milliseconds') AS step
WHERE created_at > now() - interval '10 minutes' GROUP BY step.key ORDER BY 2 DESC
"""


async def measure(data_dir: Path, count: int) -> list[Figure]:
    """Ask the demo shop `count` questions, one after another."""
    asked = questions()
    asked = (asked * -(-(count + WARM_UP) // len(asked)))[: count + WARM_UP]
    async with running_platform(Settings(data_dir=data_dir)) as platform:
        demo = await load_demo(platform)
        scope = TenantScope(demo.org_id)
        durations = [await _turn(platform, scope, demo.agent_id, question) for question in asked]
        with _counted() as sent:
            await _turn(platform, scope, demo.agent_id, asked[0])
        await platform.chat.drain()
        steps = _steps(platform.address.owner_url)
    timings = Timings(tuple(durations[WARM_UP:]))
    return [
        Figure(
            "A whole turn in this process: p50", timings.p50, "ms", TURN_TARGET, f"p95 {timings.p95:.1f} ms"
        ),
        *(Figure(f"  of it {name}", value, "ms") for name, value in steps.items() if name != "total"),
        Figure("Statements of a turn", sent["execute"], "", detail=f"in {sent['commit']} transactions"),
    ]


async def _turn(platform: Platform, scope: TenantScope, agent_id: Any, question: str) -> float:
    began = perf_counter()
    turn_id = await platform.chat.begin(scope, agent_id, ChatIn(message=question))
    await platform.chat.reply(scope, agent_id, turn_id)
    return (perf_counter() - began) * 1000


@contextmanager
def _counted() -> Generator[Counter[str]]:
    """Count what goes through the driver, whichever layer sends it."""
    sent: Counter[str] = Counter()
    execute, commit = psycopg.AsyncCursor.execute, psycopg.AsyncConnection.commit

    async def counted_execute(self: Any, *arguments: Any, **options: Any) -> Any:
        sent["execute"] += 1
        return await execute(self, *arguments, **options)

    async def counted_commit(self: Any) -> None:
        sent["commit"] += 1
        await commit(self)

    with (
        patch.object(psycopg.AsyncCursor, "execute", counted_execute),
        patch.object(psycopg.AsyncConnection, "commit", counted_commit),
    ):
        yield sent


def _steps(owner_url: str) -> dict[str, float]:
    """The median of each step's time, from the traces the turns have stored."""
    with psycopg.connect(owner_url.replace("postgresql+psycopg://", "postgresql://", 1)) as owner:
        return {name: float(value) for name, value in owner.execute(STEPS).fetchall()}
