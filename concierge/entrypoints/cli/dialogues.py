"""`eval dialogues`: scripted conversations with an agent, and whether its replies are what they should be."""

import asyncio
import json
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from concierge.accounts.scope import TenantScope
from concierge.entrypoints.cli.console import out, say, settings_of_command
from concierge.entrypoints.cli.progress import asking, watch_sources, working
from concierge.entrypoints.cli.tenants import find_agent
from concierge.entrypoints.demo.load import load_demo
from concierge.entrypoints.evaluation.dialogues import (
    DialogueReport,
    PlayedTurn,
    Player,
    Script,
    TurnedClock,
    read_script,
    report_of,
)
from concierge.entrypoints.wiring import Platform, running_platform
from concierge.kit.errors import InvalidInputError
from concierge.kit.settings import Settings

FAILED = 1


def dialogues(
    file: Annotated[Path, typer.Argument(help="The conversations, as YAML.")],
    *,
    agent: Annotated[str | None, typer.Option("--agent", "-a", help="The agent's short name or id.")] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Talk to a demo shop of its own, which is gone afterwards.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write every turn and its checks to this file.")
    ] = None,
) -> None:
    """Hold scripted conversations with an agent and check its replies. Exits with 1 when the file's policy is not met.

    Visitors of these conversations are erased afterwards.
    """
    script = read_script(file)
    if demo == (agent is not None):
        raise InvalidInputError("Say which agent to talk to: --agent NAME, or --demo for the demo shop.")
    if agent is None:
        with _own_folder() as settings:
            report = asyncio.run(_demo(script, settings))
    else:
        report = asyncio.run(_installed(script, settings_of_command(), agent))
    if json_file is not None:
        json_file.write_text(
            json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    show(report)
    if not report.passes:
        raise typer.Exit(FAILED)


async def _installed(script: Script, settings: Settings, name: str) -> DialogueReport:
    clock = TurnedClock()
    async with running_platform(settings, clock=clock) as platform:
        agent = await asyncio.to_thread(find_agent, platform.address.owner_url, name)
        return await _played(script, platform, TenantScope(agent.org_id), agent.id, clock)


async def _demo(script: Script, settings: Settings) -> DialogueReport:
    clock = TurnedClock()
    async with running_platform(settings, clock=clock) as platform:
        shop = await load_demo(platform)
        scope = TenantScope(shop.org_id)
        async with working(platform):
            await watch_sources(platform, scope, shop.pack_id)
        return await _played(script, platform, scope, shop.agent_id, clock)


@contextmanager
def _own_folder() -> Generator[Settings]:
    """The settings of a database that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="concierge-dialogues-") as folder:
        # Started by root, the database runs as somebody else, who has to come in.
        Path(folder).chmod(0o755)
        yield settings_of_command().model_copy(update={"data_dir": Path(folder), "database_url": None})


async def _played(
    script: Script, platform: Platform, scope: TenantScope, agent_id: UUID, clock: TurnedClock
) -> DialogueReport:
    turns = sum(len(dialogue.turns) for dialogue in script.dialogues)
    with asking("Talking", turns) as advance:
        player = Player(platform, scope, agent_id, clock, played=advance)
        played = await player.play_all(script)
    return report_of(played, script.policy)


def show(report: DialogueReport) -> None:
    """Print the turns that failed with what was expected, the totals by check, and the verdict."""
    if failed := [turn for turn in report.played if turn.failures]:
        out.print(_failures(failed))
    out.print(_totals(report))
    say(_summary(report))
    for reason in report.reasons:
        say(f"[bold red]✗[/] {escape(reason)}.")
    if report.passes:
        say("[bold green]✓[/] The policy is met.")


def _failures(failed: Sequence[PlayedTurn]) -> Table:
    table = Table("turn", "said and answered", "expected", title="Failures", show_lines=True)
    for turn in failed:
        held_out = "\nheld out" if turn.held_out else ""
        answer = Group(Text(f"› {turn.asked}", style="bold"), Text(turn.answer))
        expected = "\n".join(f"{verdict.check}: {verdict.problem}" for verdict in turn.failures)
        table.add_row(Text(f"{turn.dialogue}\nturn {turn.number}{held_out}"), answer, Text(expected))
    return table


def _totals(report: DialogueReport) -> Table:
    table = Table("check", title=f"{report.dialogues} dialogues · {report.turns} turns")
    for name in ("checked", "failed"):
        table.add_column(name, justify="right")
    for name, total in report.checks.items():
        table.add_row(name, str(total.checked), str(total.failed) if total.failed else "–")
    return table


def _summary(report: DialogueReport) -> str:
    halves = [("seen", report.seen), ("held out", report.held_out)]
    told = ", ".join(f"{name} {share:.1%}" for name, share in halves if share is not None)
    return f"{report.share:.1%} of the turns pass ({told})."
