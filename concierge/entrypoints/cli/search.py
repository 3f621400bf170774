"""`search`: what a question finds in an agent's knowledge, and why."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.markup import escape
from rich.padding import Padding

from concierge.accounts.schemas import PUBLIC_LABEL
from concierge.accounts.scope import TenantScope, Unit
from concierge.agents.service import AgentService
from concierge.entrypoints.cli.console import aside, out, settings_of_command, typed_input
from concierge.entrypoints.cli.tenants import find_agent
from concierge.entrypoints.wiring import running_platform
from concierge.kit.settings import Settings
from concierge.knowledge.schemas.search import MOST_PASSAGES, CandidateOut, SearchIn, SearchOut, Verdict

SHOWN_CHARACTERS = 240
VERDICTS: Mapping[Verdict, str] = {
    "kept": "[green]kept[/]",
    "copy": "says the same as a better one",
    "beyond_limit": "good, but not among the best",
    "not_shortlisted": "[dim]not near enough to be read whole[/]",
}


def search(
    query: Annotated[str, typer.Argument(help="What a visitor would ask.")],
    agent: Annotated[str, typer.Option("--agent", "-a", help="The agent's short name or id.")],
    *,
    limit: Annotated[int, typer.Option(min=1, max=MOST_PASSAGES, help="How many passages to show.")] = 5,
    audience: Annotated[
        list[str] | None,
        typer.Option(
            help="See what a visitor of this audience would; “public” is one of none. May be repeated."
        ),
    ] = None,
    explain: Annotated[bool, typer.Option(help="List every candidate with its scores.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Show what a question finds in an agent's knowledge, without answering it."""
    settings = settings_of_command()
    with typed_input():
        wanted = SearchIn(query=query, limit=limit, explain=explain, audiences=audiences_of(audience))
    found = asyncio.run(_search(settings, wanted, agent))
    if as_json:
        out.print_json(found.model_dump_json())
        return
    _show_passages(found)
    if found.candidates is not None:
        _show_candidates(found.candidates)
    aside.print(f"chunks searched: {found.chunks_searched:,}, in {found.milliseconds:.1f} ms", style="dim")


def audiences_of(labels: list[str] | None) -> list[str] | None:
    """The audiences of a visitor; None for somebody who may read everything."""
    return None if not labels else [label for label in labels if label != PUBLIC_LABEL]


async def _search(settings: Settings, wanted: SearchIn, agent: str) -> SearchOut:
    async with running_platform(settings) as platform:
        named = await asyncio.to_thread(find_agent, platform.address.owner_url, agent)
        scope = TenantScope(named.org_id)
        async with platform.db.transaction(scope.org_id) as session:
            packs = (await AgentService(Unit(session, scope)).configuration(named.id)).pack_ids
        if not packs:
            return SearchOut(passages=[], chunks_searched=0, milliseconds=0.0, term_weights={})
        return await platform.finding.find(scope, wanted.model_copy(update={"pack_ids": list(packs)}))


def _show_passages(found: SearchOut) -> None:
    if not found.passages:
        out.print("Nothing was found.")
    for passage in found.passages:
        path = " › ".join([passage.title, *(name for name in passage.headings if name != passage.title)])
        page = f" (page {passage.page})" if passage.page else ""
        audience = f"  [yellow]{passage.audience}[/]" if passage.audience else ""
        out.print(f"[bold]{passage.rank}. {escape(path)}[/]{page}  [dim]{passage.score:.3f}[/]{audience}")
        text = " ".join(passage.text.split())
        cut = text[:SHOWN_CHARACTERS].rsplit(" ", 1)[0] + " …" if len(text) > SHOWN_CHARACTERS else text
        out.print(Padding(escape(cut), (0, 0, 1, 3)))


def _show_candidates(candidates: list[CandidateOut]) -> None:
    out.print("[bold]Candidates[/]")
    for entry in candidates:
        signals = entry.signals or {"cosine": entry.cosine, "bm25": entry.bm25}
        known = " · ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in signals.items())
        place = f"{escape(entry.title)} [dim]#{entry.ordinal}[/]"
        out.print(f"{entry.score:6.3f}  {place}  {VERDICTS[entry.verdict]}")
        out.print(Padding(f"[dim]{known}[/]", (0, 0, 0, 8)))
