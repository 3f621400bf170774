"""`sources`: what an agent learns from, and whether it is being read."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape

from concierge.accounts.scope import TenantScope, Unit
from concierge.agents.service import AgentService
from concierge.entrypoints.cli.console import complain, out, say, settings_of_command
from concierge.entrypoints.cli.ingest import report
from concierge.entrypoints.cli.progress import counts_of, watch_source, working
from concierge.entrypoints.cli.tenants import find_agent
from concierge.entrypoints.wiring import Platform, running_platform
from concierge.kit.errors import InvalidInputError, NotFoundError
from concierge.kit.settings import Settings
from concierge.knowledge.schemas import SourceOut
from concierge.knowledge.service import SourceService

app = typer.Typer(help="What an agent learns from: list it, read it again, pause it.", no_args_is_help=True)

Agent = Annotated[str, typer.Option("--agent", "-a", help="The agent's short name or id.")]
Named = Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name, address or id.")]
Action = Callable[[SourceService, UUID], Awaitable[SourceOut]]

PAGE = 200
# Colours of what a source may be.
STYLES = {"succeeded": "green", "failed": "red", "running": "cyan", "queued": "cyan", "paused": "yellow"}


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of an agent's packs."""

    platform: Platform
    scope: TenantScope
    found: list[SourceOut]

    def named(self, name: str) -> SourceOut:
        """Errors: NotFoundError, InvalidInputError."""
        matching = [source for source in self.found if name in {str(source.id), source.name, source.uri}]
        if not matching:
            raise NotFoundError(
                f"This agent has no source “{name}”. `concierge sources list` shows what it has.",
                code="source_not_found",
            )
        if len(matching) > 1:
            choices = ", ".join(str(source.id) for source in matching)
            raise InvalidInputError(f"Several sources are called “{name}”. Name one by its id: {choices}.")
        return matching[0]

    async def do(self, source_id: UUID, action: Action) -> SourceOut:
        async with self.platform.db.transaction(self.scope.org_id) as session:
            return await action(SourceService(Unit(session, self.scope)), source_id)


@app.command("list")
def list_sources(agent: Agent) -> None:
    """List what an agent learns from, how far it is read, and when it is due again."""
    sources = asyncio.run(_list(settings_of_command(), agent))
    if not sources:
        say("This agent has no sources yet. Give it some with `concierge ingest PATH|URL --agent …`.")
        return
    for source in sources:
        for line in _lines(source):
            out.print(line, soft_wrap=True)


def _lines(source: SourceOut) -> Iterator[str]:
    style = STYLES.get(source.status, "dim")
    yield f"[bold]{escape(source.name)}[/]  [{style}]{source.status}[/]  {counts_of(source.progress)}"
    times = {"read": source.synced_at, "due": source.next_due_at}
    known = [f"{word} {time:%Y-%m-%d %H:%M} UTC" for word, time in times.items() if time]
    yield f"  [dim]{' · '.join([str(source.id), *known])}[/]"
    if source.error:
        yield f"  [red]✗[/] {escape(source.error)}"


@app.command()
def pause(source: Named, agent: Agent) -> None:
    """Stop reading a source after the documents it is at, until it is resumed."""
    asyncio.run(_told(settings_of_command(), agent, source, SourceService.pause))
    say("Paused. It goes on with `concierge sources resume`.")


@app.command()
def cancel(source: Named, agent: Agent) -> None:
    """Stop reading a source. What was read stays."""
    asyncio.run(_told(settings_of_command(), agent, source, SourceService.cancel))
    say("Cancelled; what had been read stays.")


@app.command()
def resume(source: Named, agent: Agent) -> None:
    """Go on with a source that was paused."""
    _read(agent, source, SourceService.resume)


@app.command()
def sync(source: Named, agent: Agent) -> None:
    """Read a page, website or feed again now. Only what has changed is read anew."""
    _read(agent, source, SourceService.sync)


@app.command()
def retry(source: Named, agent: Agent) -> None:
    """Try again what could not be read, and go on with what was left."""
    _read(agent, source, SourceService.retry)


def _read(agent: str, source: str, action: Action) -> None:
    ended = asyncio.run(_watched(settings_of_command(), agent, source, action))
    if ended.status not in {"succeeded", "paused"}:
        complain(ended.error or f"Reading it was {ended.status}.")
        raise typer.Exit(1)


async def _list(settings: Settings, agent: str) -> list[SourceOut]:
    async with _opened(settings, agent) as sources:
        return sources.found


async def _told(settings: Settings, agent: str, name: str, action: Action) -> SourceOut:
    async with _opened(settings, agent) as sources:
        return await sources.do(sources.named(name).id, action)


async def _watched(settings: Settings, agent: str, name: str, action: Action) -> SourceOut:
    """Do something that has a source read, and watch it being read, here or by another process."""
    async with _opened(settings, agent) as sources:
        source_id = (await sources.do(sources.named(name).id, action)).id
        async with working(sources.platform):
            ended = await watch_source(sources.platform, sources.scope, source_id)
        await report(sources.platform, sources.scope, ended)
        return ended


@asynccontextmanager
async def _opened(settings: Settings, agent: str) -> AsyncGenerator[Sources]:
    async with running_platform(settings) as platform:
        named = await asyncio.to_thread(find_agent, platform.address.owner_url, agent)
        scope = TenantScope(named.org_id)
        async with platform.db.transaction(scope.org_id) as session:
            unit = Unit(session, scope)
            packs = (await AgentService(unit).configuration(named.id)).pack_ids
            found = [source for pack_id in packs for source in await _all(SourceService(unit), pack_id)]
        yield Sources(platform, scope, found)


async def _all(service: SourceService, pack_id: UUID) -> list[SourceOut]:
    found: list[SourceOut] = []
    while True:
        page = await service.list(pack_id, before=found[-1].id if found else None, limit=PAGE)
        found.extend(page)
        if len(page) < PAGE:
            return found
