"""`packs list | export | import | contradictions | reindex`: an agent's knowledge packs, as archives and as what disagrees in them."""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO
from uuid import UUID

import typer
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from concierge.accounts.scope import TenantScope, Unit
from concierge.agents.schemas import AgentPatch
from concierge.agents.service import AgentService
from concierge.entrypoints.cli.console import complain, out, say, settings_of_command
from concierge.entrypoints.cli.progress import watch_source, working
from concierge.entrypoints.cli.reindex import reindex
from concierge.entrypoints.cli.tenants import NamedAgent, find_agent
from concierge.entrypoints.wiring import Platform, running_platform
from concierge.kit.errors import InvalidInputError, NotFoundError
from concierge.kit.settings import Settings
from concierge.knowledge.models import KnowledgePack
from concierge.knowledge.schemas.contradictions import ContradictionOut, StatementOut
from concierge.knowledge.service import ContradictionService, PackImport, PackService

app = typer.Typer(
    help="An agent's knowledge packs: list, export, import, and what disagrees in them.", no_args_is_help=True
)

AgentOption = Annotated[str, typer.Option("--agent", "-a", help="The agent's short name or id.")]
PackOption = Annotated[
    str | None, typer.Option("--pack", "-p", help="The pack's name or id, if the agent has several.")
]
PAGE = 100
app.command("reindex")(reindex)


@app.command("list")
def list_packs(agent: AgentOption) -> None:
    """List the packs an agent answers from."""
    packs = asyncio.run(_list(settings_of_command(), agent))
    if not packs:
        out.print("The agent has no knowledge pack.")
        return
    table = Table("name", "documents", "chunks", "id")
    for pack in packs:
        table.add_row(escape(pack.name), f"{pack.document_count:,}", f"{pack.chunk_count:,}", str(pack.id))
    out.print(table)


@app.command("export")
def export_pack(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the archive.")],
    agent: AgentOption,
    *,
    pack: PackOption = None,
) -> None:
    """Write a pack into one file: its sources with their options, and every document with its text."""
    name, documents = asyncio.run(_export(settings_of_command(), agent, pack, file))
    say(
        f"[bold green]✓[/] Wrote the pack “{escape(name)}” with {documents:,} documents to {escape(str(file))}."
    )


@app.command("import")
def import_pack(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A pack that was exported.")],
    agent: AgentOption,
    *,
    name: Annotated[str | None, typer.Option(help="What to call it, instead of what it was called.")] = None,
) -> None:
    """Read an exported pack into a new one, and let the agent answer from it too."""
    pack, failed = asyncio.run(_import(settings_of_command(), agent, file, name))
    say(f"[bold green]✓[/] The pack “{escape(pack.name)}” has {pack.document_count:,} documents.")
    if failed:
        complain(f"{failed:,} documents could not be read. Each one's reason is listed with its source.")
        raise typer.Exit(1)


@app.command("contradictions")
def show_contradictions(
    agent: AgentOption,
    *,
    pack: PackOption = None,
    dismissed: Annotated[bool, typer.Option(help="Show those that were dismissed, too.")] = False,
) -> None:
    """Show statements of an agent's packs that disagree, which one answers use, and why."""
    found = asyncio.run(_contradictions(settings_of_command(), agent, pack))
    shown = [pair for pair in found if dismissed or pair.status == "open"]
    if not shown:
        out.print("No statements were found that disagree.")
    for pair in shown:
        out.print(f"[bold]{pair.kind}[/]  [dim]{pair.status} · {pair.id}[/]")
        for statement in (pair.used, pair.other):
            out.print(Padding(_told(statement), (0, 0, 0, 3)))
        out.print(Padding(f"[dim]{escape(pair.explanation)}[/]", (0, 0, 1, 3)))


def _told(statement: StatementOut) -> str:
    date = f", {statement.dated:%Y-%m-%d}" if statement.dated else ""
    quote = " ".join(statement.quote.split())
    return f"“{escape(quote)}” [dim]{escape(statement.title)}{date}[/]"


async def _list(settings: Settings, agent: str) -> Sequence[KnowledgePack]:
    async with running_platform(settings) as platform:
        return await _packs(platform, await _agent(platform, agent))


async def _export(settings: Settings, agent: str, wanted: str | None, file: Path) -> tuple[str, int]:
    async with running_platform(settings) as platform:
        named = await _agent(platform, agent)
        pack = _chosen(await _packs(platform, named), wanted)
        with _replacing(file) as written:
            async for piece in platform.exporting.stream(TenantScope(named.org_id), pack):
                written.write(piece)
        return pack.name, pack.document_count


@contextmanager
def _replacing(file: Path) -> Generator[BinaryIO]:
    """A file beside the wanted one, which takes its place only when it is whole. Errors: InvalidInputError."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as written:
            yield written
        part.replace(file)
    except OSError as error:
        raise InvalidInputError(f"The file {file} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


async def _import(settings: Settings, agent: str, file: Path, name: str | None) -> tuple[KnowledgePack, int]:
    """Returns the pack as it was read, and how many of its documents were not."""
    with _opened(file) as archive:
        async with running_platform(settings) as platform:
            named = await _agent(platform, agent)
            scope = TenantScope(named.org_id)
            async with platform.db.transaction(scope.org_id) as session:
                unit = Unit(session, scope)
                imported = await PackImport(unit).run(archive, name=name)
                _agent_now, packs = await AgentService(unit).get(named.id)
                await AgentService(unit).change(named.id, AgentPatch(pack_ids=[*packs, imported.pack.id]))
            failed = 0
            async with working(platform):
                for source_id in imported.source_ids:
                    failed += (await watch_source(platform, scope, source_id)).progress.failed
            async with platform.db.transaction(scope.org_id) as session:
                return await PackService(Unit(session, scope)).get(imported.pack.id), failed


def _opened(file: Path) -> BinaryIO:
    """Errors: NotFoundError, InvalidInputError."""
    if not file.is_file():
        raise NotFoundError(f"There is no file {file}.", code="path_not_found")
    try:
        return file.open("rb")
    except OSError as error:
        raise InvalidInputError(f"The file {file} cannot be read: {error.strerror}.") from error


async def _contradictions(settings: Settings, agent: str, wanted: str | None) -> list[ContradictionOut]:
    async with running_platform(settings) as platform:
        named = await _agent(platform, agent)
        scope = TenantScope(named.org_id)
        packs = await _packs(platform, named)
        found: list[ContradictionOut] = []
        for pack in packs if wanted is None else [_chosen(packs, wanted)]:
            # What was read last may not have been compared yet.
            await platform.contradictions.run(scope, pack.id)
            found += await _listed(platform, scope, pack.id)
        return found


async def _listed(platform: Platform, scope: TenantScope, pack_id: UUID) -> list[ContradictionOut]:
    found: list[ContradictionOut] = []
    async with platform.db.transaction(scope.org_id) as session:
        service = ContradictionService(Unit(session, scope))
        before: UUID | None = None
        while page := await service.list(pack_id, status=None, before=before, limit=PAGE):
            found += page
            before = page[-1].id
    return found


async def _agent(platform: Platform, name: str) -> NamedAgent:
    return await asyncio.to_thread(find_agent, platform.address.owner_url, name)


async def _packs(platform: Platform, agent: NamedAgent) -> list[KnowledgePack]:
    scope = TenantScope(agent.org_id)
    async with platform.db.transaction(scope.org_id) as session:
        unit = Unit(session, scope)
        _agent_now, ids = await AgentService(unit).get(agent.id)
        return [pack for pack in await PackService(unit).list() if pack.id in ids]


def _chosen(packs: Sequence[KnowledgePack], wanted: str | None) -> KnowledgePack:
    """Errors: NotFoundError, InvalidInputError."""
    if not packs:
        raise NotFoundError("The agent has no knowledge pack.", code="knowledge_pack_not_found")
    fitting = [pack for pack in packs if wanted is None or wanted in {pack.name, str(pack.id)}]
    names = ", ".join(f"“{pack.name}”" for pack in packs)
    if not fitting:
        raise NotFoundError(
            f"The agent has no pack “{wanted}”. It has {names}.", code="knowledge_pack_not_found"
        )
    if len(fitting) > 1:
        raise InvalidInputError(f"The agent has several packs. Name one with --pack: {names}.")
    return fitting[0]
