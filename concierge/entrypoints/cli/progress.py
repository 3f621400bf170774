"""Progress of ingestion on a terminal; plain lines where the output is not one."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from time import monotonic
from uuid import UUID

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from concierge.accounts.scope import TenantScope, Unit
from concierge.entrypoints.cli.console import aside
from concierge.entrypoints.wiring import Platform
from concierge.kit.errors import UnavailableError
from concierge.knowledge.schemas import Progress as State
from concierge.knowledge.schemas import SourceOut, Stage
from concierge.knowledge.service import SourceService

Show = Callable[[SourceOut], None]

POLL_SECONDS = 0.25
# A database that was killed is back within some seconds.
PATIENCE_POLLS = 120
LINE_SECONDS = 2.0
OVER = ("succeeded", "failed", "cancelled", "paused")
STAGES: Mapping[Stage | None, str] = {
    None: "Waiting",
    "discovering": "Looking for documents",
    "reading": "Reading",
    "finishing": "Finishing",
}


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


@contextmanager
def asking(what: str, total: int) -> Generator[Callable[[], None]]:
    """Show how many of so many questions were asked; what is given is called after each."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=aside, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


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
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("{task.fields[counts]}"),
        TextColumn("{task.fields[current]}", style="dim", markup=False),
    )
    with Progress(*columns, console=aside, transient=True) as bar:
        task = bar.add_task("Waiting", total=None, counts="", current="")

        def show(source: SourceOut) -> None:
            state = source.progress
            bar.update(
                task,
                description=STAGES[state.stage],
                total=state.items or None,
                completed=state.done,
                counts=counts_of(state),
                current=(state.current or "")[-50:],
            )

        yield show


class _Lines:
    """For a log or a pipe: a line now and then, and only when something has changed."""

    def __init__(self) -> None:
        self._last = ""
        self._next = 0.0

    def __call__(self, source: SourceOut) -> None:
        line = f"{STAGES[source.progress.stage or 'reading']}: {counts_of(source.progress)}"
        if line != self._last and (monotonic() >= self._next or source.status in OVER):
            self._last, self._next = line, monotonic() + LINE_SECONDS
            aside.print(line, soft_wrap=True)


def counts_of(state: State) -> str:
    """How far, how fast and how long still: `12/40 documents · 1 failed · 93 chunks · 8.1/s · 4 s left`."""
    parts = [f"{state.done}/{state.items} documents"]
    if state.failed:
        parts.append(f"{state.failed} failed")
    parts.append(f"{state.chunks} chunks")
    if state.rate is not None:
        parts.append(f"{state.rate.documents:.1f}/s")
    if state.seconds_left is not None:
        parts.append(f"{duration(state.seconds_left)} left")
    return " · ".join(parts)


def duration(seconds: int) -> str:
    """`8 s`, `4 min 30 s`, `2 h 5 min`."""
    minutes, rest = divmod(seconds, 60)
    if minutes < 1:
        return f"{rest} s"
    hours, minutes_left = divmod(minutes, 60)
    return f"{minutes} min {rest} s" if hours < 1 else f"{hours} h {minutes_left} min"


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
