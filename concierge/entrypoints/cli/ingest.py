"""`ingest`: give an agent a file, a folder, an archive or a page."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape

from concierge.accounts.scope import TenantScope, Unit
from concierge.agents.schemas import AgentPatch
from concierge.agents.service import AgentService
from concierge.entrypoints.cli import feeds
from concierge.entrypoints.cli.console import complain, say, settings_of_command, typed_input
from concierge.entrypoints.cli.progress import over, watch_source, working
from concierge.entrypoints.cli.tenants import NamedAgent, find_agent
from concierge.entrypoints.wiring import Platform, running_platform
from concierge.kit.errors import ConflictError, InvalidInputError, NotFoundError, TooLargeError
from concierge.kit.settings import Settings
from concierge.knowledge.parsing.folders import documents_in_folder
from concierge.knowledge.parsing.found import SkippedFile, is_archive_name
from concierge.knowledge.schemas import NewItem, NewSource, PackIn, SourceOut
from concierge.knowledge.schemas.judgements import SourcePatch
from concierge.knowledge.schemas.websites import MOST_PAGES, WebsiteOptions
from concierge.knowledge.service import PackService, SourceService
from concierge.knowledge.sources.website import website_source

PORTION_BYTES = 16 * 1024 * 1024
SHOWN_ERRORS = 20
CANCEL_SECONDS = 10.0
MAX_FILE_BYTES = 200 * 1024 * 1024


def ingest(
    what: Annotated[str, typer.Argument(metavar="PATH|URL", help="A file, folder, archive or page.")],
    agent: Annotated[str, typer.Option("--agent", "-a", help="The agent's short name or id.")],
    *,
    authoritative: Annotated[
        bool, typer.Option(help="One passage of it is proof enough in strict mode.")
    ] = False,
    audience: Annotated[
        str | None,
        typer.Option(help="Who may read it: a label that a visitor must have; empty for everybody."),
    ] = None,
    site: Annotated[bool, typer.Option("--site", help="Read the whole website, not just this page.")] = False,
    include: Annotated[
        list[str] | None, typer.Option(help="Of a site, only pages that match (/docs or /docs/*/new).")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Of a site, no pages that match.")] = None,
    max_pages: Annotated[int, typer.Option(min=1, max=MOST_PAGES, help="Most pages of a site.")] = 500,
    max_depth: Annotated[int, typer.Option(min=0, max=50, help="How many links away from the start.")] = 5,
    feed: Annotated[bool, typer.Option("--feed", help="Read each row (JSON, CSV) as a document.")] = False,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="Of a feed, which column a field is: title=name.")
    ] = None,
    items: Annotated[
        str | None, typer.Option(help="Of a JSON feed, where its rows are: data.products")
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show what a feed would become.")] = False,
) -> None:
    """Let an agent learn from a file, a folder, an archive, a page, a website or a feed.

    Reading the same again updates it.
    """
    settings = settings_of_command()
    with typed_input():
        SourcePatch(audience=audience)  # pyright: ignore[reportArgumentType]  # Typed by a person, so it is checked.
    if feed or preview:
        how = feeds.feed_options(mapping or [], items)
        if preview:
            feeds.preview(settings, what, how)
            return
        new = feeds.feed_source(what, how, authoritative=authoritative)
        listed = iter(new.items)
    else:
        options: WebsiteOptions | None = None
        if site:
            with typed_input():
                options = WebsiteOptions(
                    include=include or [], exclude=exclude or [], max_pages=max_pages, max_depth=max_depth
                )
        new, listed = described(what, authoritative=authoritative, website=options)
    source = asyncio.run(_ingest(settings, agent, replace(new, audience=audience), listed))
    if source.status != "succeeded":
        complain(source.error or f"Reading it was {source.status}.")
        raise typer.Exit(1)


async def _ingest(settings: Settings, agent: str, new: NewSource, items: Iterator[NewItem]) -> SourceOut:
    async with running_platform(settings) as platform:
        named = await asyncio.to_thread(find_agent, platform.address.owner_url, agent)
        scope = TenantScope(named.org_id)
        pack_id = await pack_of(platform, scope, named)
        async with working(platform):
            source = await read_again(platform, scope, pack_id, new, items)
        await report(platform, scope, source)
        return source


async def read_again(
    platform: Platform, scope: TenantScope, pack_id: UUID, new: NewSource, items: Iterator[NewItem]
) -> SourceOut:
    """Read a source, showing its progress; an end by Ctrl-C cancels it. Errors: SourceBusyError."""
    source_id = await _add(platform, scope, pack_id, new, items)
    try:
        return await watch_source(platform, scope, source_id)
    except asyncio.CancelledError:
        await _cancel(platform, scope, source_id)
        raise


async def pack_of(platform: Platform, scope: TenantScope, agent: NamedAgent) -> UUID:
    """Return the agent's first pack; an agent without one gets its own."""
    async with platform.db.transaction(scope.org_id) as session:
        unit = Unit(session, scope)
        _agent, packs = await AgentService(unit).get(agent.id)
        if packs:
            return packs[0]
        pack = await PackService(unit).create(PackIn(name=agent.name))
        await AgentService(unit).change(agent.id, AgentPatch(pack_ids=[pack.id]))
        return pack.id


def described(
    what: str, *, authoritative: bool, website: WebsiteOptions | None = None
) -> tuple[NewSource, Iterator[NewItem]]:
    """Say what kind of source this is, and give its items as they are read. Errors: NotFoundError."""
    if what.startswith(("http://", "https://")):
        if website is not None:
            new = website_source(what, website, authoritative=authoritative)
            return new, iter(new.items)
        return NewSource("url", what, what, [], authoritative), iter([NewItem(what, None)])
    path = Path(what).expanduser().resolve()
    if path.is_dir():
        return NewSource("folder", path.name, str(path), [], authoritative), _walk(path)
    if not path.is_file():
        raise NotFoundError(f"There is no file or folder {path}.", code="path_not_found")
    kind = "archive" if is_archive_name(path.name) else "file"
    return NewSource(kind, path.name, str(path), [], authoritative), iter([_file(path)])


def _file(path: Path) -> NewItem:
    """Errors: TooLargeError, InvalidInputError."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise TooLargeError(f"The file {path} is larger than {MAX_FILE_BYTES // 1024**2} MB.")
        return NewItem(path.name, path.read_bytes())
    except OSError as error:
        raise InvalidInputError(f"The file {path} cannot be read: {error.strerror}.") from error


def _walk(folder: Path) -> Iterator[NewItem]:
    for entry in documents_in_folder(folder):
        if isinstance(entry, SkippedFile):
            yield NewItem(entry.name, None, skipped_because=entry.reason)
        else:
            yield NewItem(entry.name, entry.data)


async def _add(
    platform: Platform,
    scope: TenantScope,
    pack_id: UUID,
    new: NewSource,
    items: Iterator[NewItem],
) -> UUID:
    """Add a source in portions, so that a large folder is never in memory as a whole; its job comes last."""
    async with platform.db.transaction(scope.org_id) as session:
        service = SourceService(Unit(session, scope))
        source_id = await service.begin(pack_id, new)
        portion: list[NewItem] = []
        size = 0
        for item in items:
            portion.append(item)
            size += len(item.data or b"")
            if size > PORTION_BYTES:
                await service.add_items(source_id, portion)
                portion, size = [], 0
        await service.add_items(source_id, portion)
        await service.enqueue(source_id)
    return source_id


async def _cancel(platform: Platform, scope: TenantScope, source_id: UUID) -> None:
    """Cancel a source and wait until its reader, in whichever process, has stopped."""
    say("Stopping …")
    with suppress(ConflictError, TimeoutError):
        async with platform.db.transaction(scope.org_id) as session:
            await SourceService(Unit(session, scope)).cancel(source_id)
        async with asyncio.timeout(CANCEL_SECONDS):
            await over(platform, scope, source_id)
    say("Reading was cancelled; what had been read stays.")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


async def report(platform: Platform, scope: TenantScope, source: SourceOut) -> None:
    state = source.progress
    async with platform.db.transaction(scope.org_id) as session:
        service = SourceService(Unit(session, scope))
        failed = await service.items(source.id, status="failed", after=None, limit=SHOWN_ERRORS)
        syncs = await service.syncs(source.id, before=None, limit=1)
    removed = f", {syncs[0].removed} removed" if syncs and syncs[0].removed else ""
    mark = "[bold green]✓[/]" if source.status == "succeeded" else "[bold red]✗[/]"
    say(
        f"{mark} {escape(source.name)}: {_counted(state.stored, 'document')} read ({_counted(state.chunks, 'chunk')}), "
        f"{state.unchanged} unchanged, {state.duplicate} known already, {state.skipped} passed over, "
        f"{state.failed} failed{removed}."
    )
    for item in failed:
        say(f"  [red]✗[/] {escape(item.uri)}: {escape(item.error or '')}")
