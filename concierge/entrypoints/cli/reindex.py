"""`packs reindex`: build a pack's index anew, by another model or chunker, while the old one answers."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from concierge.accounts.scope import TenantScope, Unit
from concierge.entrypoints.cli.console import aside, complain, say, settings_of_command, typed_input
from concierge.entrypoints.cli.progress import (
    LINE_SECONDS,
    PATIENCE_POLLS,
    POLL_SECONDS,
    duration,
    working,
)
from concierge.entrypoints.cli.tenants import NamedPack, all_packs, find_pack
from concierge.entrypoints.wiring import Platform, running_platform
from concierge.kit.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from concierge.kit.settings import Settings
from concierge.knowledge.schemas.indexes import IndexOut, ReindexIn
from concierge.knowledge.service import IndexService

Show = Callable[[IndexOut], None]


def reindex(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The pack's name or id.", show_default=False)
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Every pack that is indexed otherwise than the settings say.")
    ] = False,
    embedding_model: Annotated[
        str | None, typer.Option(help="local:minilm, or a model such as openai:….")
    ] = None,
    dimensions: Annotated[int | None, typer.Option(help="How many numbers to ask of the model.")] = None,
    chunker: Annotated[
        str | None, typer.Option(help="late_semantic (with the local model), or recursive.")
    ] = None,
) -> None:
    """Build a pack's index anew, by what the settings say or what is named here. The old one answers until it is done."""
    settings = settings_of_command()
    if everything == (name is not None):
        raise InvalidInputError("Name a pack, or say --all.")
    with typed_input():
        wanted = ReindexIn.model_validate(
            {"embedding_model": embedding_model, "dimensions": dimensions, "chunker": chunker}
        )
    failed = asyncio.run(_reindex(settings, name, wanted))
    if failed:
        raise typer.Exit(1)


async def _reindex(settings: Settings, name: str | None, wanted: ReindexIn) -> int:
    """Returns how many packs could not be indexed."""
    async with running_platform(settings) as platform:
        packs = await asyncio.to_thread(_chosen, platform, name)
        if not packs:
            say("Every pack is indexed as the settings say.")
        failed = 0
        async with working(platform):
            for pack in packs:
                failed += not await _reindex_one(platform, pack, wanted)
        return failed


def _chosen(platform: Platform, name: str | None) -> list[NamedPack]:
    owner_url = platform.address.owner_url
    if name is not None:
        return [find_pack(owner_url, name)]
    default = platform.chunkers.default_plan
    return [pack for pack in all_packs(owner_url) if pack.plan not in {None, default}]


async def _reindex_one(platform: Platform, pack: NamedPack, wanted: ReindexIn) -> bool:
    scope = TenantScope(pack.org_id)
    async with platform.db.transaction(scope.org_id) as session:
        index = await IndexService(Unit(session, scope), platform.chunkers).reindex(pack.id, wanted)
    try:
        with _shown() as show:
            ended = await _over(platform, scope, index, show)
    except asyncio.CancelledError:
        await _cancel(platform, scope, index)
        raise
    if ended is None or ended.state != "current":
        reason = "It was cancelled." if ended is None or ended.error is None else ended.error
        complain(f"The pack “{pack.name}” keeps its old index. {reason}")
        return False
    made = f"{ended.embedding_model}, {ended.dimensions} numbers, {ended.chunker}"
    say(
        f"[bold green]✓[/] {escape(pack.name)} is searched in its new index ({escape(made)}): "
        f"{ended.progress.documents:,} documents, {ended.progress.chunks:,} chunks."
    )
    return True


async def _over(platform: Platform, scope: TenantScope, index: IndexOut, show: Show) -> IndexOut | None:
    """Wait until an index is built, and through a restart of the database. Returns it as it ended; None if it is gone."""
    patience = PATIENCE_POLLS
    while True:
        try:
            async with platform.db.transaction(scope.org_id) as session:
                service = IndexService(Unit(session, scope), platform.chunkers)
                now = await service.get(index.pack_id, index.id)
        except NotFoundError:
            return None
        except UnavailableError:
            patience -= 1
            if not patience:
                raise
        else:
            patience = PATIENCE_POLLS
            show(now)
            if now.state != "building":
                return now
        await asyncio.sleep(POLL_SECONDS)


async def _cancel(platform: Platform, scope: TenantScope, index: IndexOut) -> None:
    with suppress(ConflictError, NotFoundError):
        async with platform.db.transaction(scope.org_id) as session:
            await IndexService(Unit(session, scope), platform.chunkers).remove(index.pack_id, index.id)
        say("Building the index was cancelled; the pack keeps its old one.")


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
    )
    with Progress(*columns, console=aside, transient=True) as bar:
        task = bar.add_task("Indexing", total=None, counts="")

        def show(index: IndexOut) -> None:
            state = index.progress
            bar.update(task, total=state.documents or None, completed=state.done, counts=_counts(index))

        yield show


class _Lines:
    """For a log or a pipe: a line now and then, and only when something has changed."""

    def __init__(self) -> None:
        self._last = ""
        self._next = 0.0

    def __call__(self, index: IndexOut) -> None:
        line = f"Indexing: {_counts(index)}"
        if line != self._last and (monotonic() >= self._next or index.state != "building"):
            self._last, self._next = line, monotonic() + LINE_SECONDS
            aside.print(line, soft_wrap=True, markup=False)


def _counts(index: IndexOut) -> str:
    """How far, how long still, and what it waits for: `12/40 documents · 93 chunks · 4 s left`."""
    state = index.progress
    parts = [f"{state.done}/{state.documents} documents", f"{state.chunks} chunks"]
    if state.seconds_left is not None:
        parts.append(f"{duration(state.seconds_left)} left")
    if index.error is not None:
        parts.append(index.error)
    return " · ".join(parts)
