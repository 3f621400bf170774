"""Progress of ingestion on a terminal; plain lines where the output is not one."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from time import monotonic
from uuid import UUID

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from concierge.accounts.scope import TenantScope, Unit
from concierge.entrypoints.cli.console import aside
from concierge.entrypoints.wiring import Platform
from concierge.kit.errors import UnavailableError
from concierge.knowledge.schemas import SourceOut
from concierge.knowledge.service import SourceService

Show = Callable[[SourceOut], None]

POLL_SECONDS = 0.25
# A database that was killed is back within some seconds.
PATIENCE_POLLS = 120
LINE_SECONDS = 2.0
OVER = ("succeeded", "failed", "cancelled")


@asynccontextmanager
async def working(platform: Platform) -> AsyncGenerator[None]:
    """Run background jobs here too, so that a command does not depend on a server being up."""
    worker = asyncio.create_task(platform.job_runner().run())
    try:
        yield
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker


async def watch_source(platform: Platform, scope: TenantScope, source_id: UUID) -> SourceOut:
    """Show a source's progress until it is over. Returns it as it ended."""
    with _shown() as show:
        return await over(platform, scope, source_id, show=show)


async def over(
    platform: Platform, scope: TenantScope, source_id: UUID, *, show: Show = lambda _source: None
) -> SourceOut:
    """Wait until a source is read, and through a restart of the database. Returns it as it ended."""
    patience = PATIENCE_POLLS
    while True:
        try:
            source = await _source(platform, scope, source_id)
        except UnavailableError:
            patience -= 1
            if not patience:
                raise
        else:
            patience = PATIENCE_POLLS
            show(source)
            if source.status in OVER:
                return source
        await asyncio.sleep(POLL_SECONDS)


@contextmanager
def _shown() -> Generator[Show]:
    if not aside.is_terminal:
        yield _Lines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.completed}/{task.total} documents · {task.fields[chunks]} chunks"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[current]}", style="dim", markup=False),
    )
    with Progress(*columns, console=aside, transient=True) as bar:
        task = bar.add_task("Reading", total=None, chunks=0, current="")

        def show(source: SourceOut) -> None:
            state = source.progress
            bar.update(
                task,
                total=state.items,
                completed=state.done,
                chunks=state.chunks,
                current=(state.current or "")[-50:],
            )

        yield show


class _Lines:
    """For a log or a pipe: a line now and then, and only when something has changed."""

    def __init__(self) -> None:
        self._last = ""
        self._next = 0.0

    def __call__(self, source: SourceOut) -> None:
        state = source.progress
        line = f"Reading: {state.done}/{state.items} documents · {state.chunks} chunks"
        if line != self._last and (monotonic() >= self._next or source.status in OVER):
            self._last, self._next = line, monotonic() + LINE_SECONDS
            aside.print(line, soft_wrap=True)


async def watch_sources(platform: Platform, scope: TenantScope, pack_id: UUID) -> None:
    """Show the progress of whatever a pack still has to read."""
    async with platform.db.transaction(scope.org_id) as session:
        sources = await SourceService(Unit(session, scope)).list(pack_id, before=None, limit=50)
    for source in sources:
        if source.status not in OVER:
            await watch_source(platform, scope, source.id)


async def _source(platform: Platform, scope: TenantScope, source_id: UUID) -> SourceOut:
    async with platform.db.transaction(scope.org_id) as session:
        return await SourceService(Unit(session, scope)).get(source_id)
