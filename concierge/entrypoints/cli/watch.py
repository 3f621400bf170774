"""`watch`: keep an agent's knowledge as a folder is."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from concierge.accounts.scope import TenantScope
from concierge.entrypoints.cli.console import say, settings_of_command
from concierge.entrypoints.cli.ingest import described, pack_of, read_again
from concierge.entrypoints.cli.progress import working
from concierge.entrypoints.cli.tenants import find_agent
from concierge.entrypoints.wiring import running_platform
from concierge.kit.errors import ConflictError, NotFoundError, UnavailableError
from concierge.kit.settings import Settings
from concierge.knowledge.parsing.found import is_hidden
from concierge.knowledge.schemas import SourceOut

# A file's size and time of change, by its name within the folder.
Picture = Mapping[str, tuple[int, int]]


def watch(
    folder: Annotated[Path, typer.Argument(help="The folder to follow.")],
    agent: Annotated[str, typer.Option("--agent", "-a", help="The agent's short name or id.")],
    *,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 2.0,
) -> None:
    """Follow a folder: what is added, changed, renamed or deleted there is so in the agent's knowledge. Ctrl-C ends it."""
    settings = settings_of_command()
    root = folder.expanduser().resolve()
    if not root.is_dir():
        raise NotFoundError(f"There is no folder {root}.", code="path_not_found")
    asyncio.run(_watch(settings, root, agent, interval))


async def _watch(settings: Settings, root: Path, agent: str, interval: float) -> None:
    async with running_platform(settings) as platform:
        named = await asyncio.to_thread(find_agent, platform.address.owner_url, agent)
        scope = TenantScope(named.org_id)
        pack_id = await pack_of(platform, scope, named)
        say(f"Following {escape(str(root))}. Ctrl-C ends it; what was read stays.")
        async with working(platform):
            seen: Picture | None = None
            while True:
                now = await settled(root, interval)
                if now != seen:
                    new, items = described(str(root), authoritative=False)
                    try:
                        source = await read_again(platform, scope, pack_id, new, items)
                    except (UnavailableError, ConflictError) as error:
                        say(f"[yellow]•[/] {escape(error.detail)} Trying again.")
                    else:
                        say(told(source, datetime.now().astimezone()))
                        seen = now
                await asyncio.sleep(interval)


async def settled(root: Path, interval: float) -> Picture:
    """Look at a folder until two looks agree: a file that is still being written is not read half."""
    before = await asyncio.to_thread(picture, root)
    while True:
        await asyncio.sleep(min(interval, 0.5))
        after = await asyncio.to_thread(picture, root)
        if after == before:
            return after
        before = after


def picture(root: Path) -> Picture:
    """What is in a folder; what comes and goes meanwhile is seen at the next look."""
    found: dict[str, tuple[int, int]] = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        try:
            if not is_hidden(name) and path.is_file():
                status = path.stat()
                found[name] = status.st_size, status.st_mtime_ns
        except OSError:
            continue
    return found


def told(source: SourceOut, now: datetime) -> str:
    """One line on what a look has changed."""
    state = source.progress
    what = [
        f"{count:,} {word}"
        for count, word in ((state.stored, "read"), (state.unchanged, "unchanged"), (state.failed, "failed"))
        if count
    ]
    mark = "[green]✓[/]" if source.status == "succeeded" else "[red]✗[/]"
    reason = f" {escape(source.error)}" if source.error else ""
    return f"{mark} {now:%H:%M:%S}  {', '.join(what) or 'nothing there'}.{reason}"
