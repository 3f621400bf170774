"""`learning`: which strategy works for whom, and how sure that is."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from concierge.accounts.scope import TenantScope, Unit
from concierge.entrypoints.cli.console import out, say, settings_of_command
from concierge.entrypoints.cli.tenants import find_organization
from concierge.entrypoints.wiring import running_platform
from concierge.kit.settings import Settings
from concierge.learning.schemas.report import LearningOut, SegmentOut, StrategyOut
from concierge.learning.service import ReportService

app = typer.Typer(help="What was learned from how conversations ended.", no_args_is_help=True)

Organization = Annotated[str, typer.Option("--org", "-o", help="The organization's name or id.")]
HEADINGS = ("turns", "tried", "went well", "success rate", "")


@app.command()
def show(org: Organization) -> None:
    """Show how each strategy did for each kind of visitor, and where another one than the rules' is followed."""
    report = asyncio.run(_report(settings_of_command(), org))
    say(_standing(report))
    if report.reset_at is not None:
        say(f"Since the reset of {report.reset_at:%Y-%m-%d %H:%M} UTC.")
    for segment in report.segments:
        out.print(_table(segment))


@app.command()
def count(org: Organization) -> None:
    """Count anew how conversations ended, should the counts ever be in doubt."""
    asyncio.run(_count_anew(settings_of_command(), org))
    say("Everything since the last reset was counted anew.")


def _standing(report: LearningOut) -> str:
    known = f"{report.outcomes:,} conversations with an outcome"
    if not report.enabled:
        return f"Learning is turned off; the rules alone decide. {known} are known."
    if report.outcomes_missing:
        return f"{known} are known. Learning begins after {report.outcomes_missing:,} more; until then the rules decide."
    return f"Learning is on, from {known}."


def _table(segment: SegmentOut) -> Table:
    """Narrow enough for a terminal of eighty columns."""
    title = f"{segment.segment}: {segment.uses:,} turns"
    table = Table(title=escape(title), title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("rules say", "followed"):
        table.add_column(heading, no_wrap=True)
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading else "left")
    for own in segment.strategies:
        table.add_row(own.rule, own.strategy, *_cells(own))
    return table


def _cells(own: StrategyOut) -> Iterator[str]:
    yield f"{own.uses:,}"
    yield f"{own.explored_share:.1%}"
    yield f"{own.successes:,.1f} of {own.successes + own.failures:,.1f}"
    yield f"{own.mean:.0%} ({own.low:.0%} – {own.high:.0%})"
    yield "leads" if own.leads else "ruled out" if own.ruled_out else ""


async def _report(settings: Settings, org: str) -> LearningOut:
    async with _unit(settings, org) as unit:
        return await ReportService(unit).report()


async def _count_anew(settings: Settings, org: str) -> None:
    async with _unit(settings, org) as unit:
        await ReportService(unit).count_anew()


@asynccontextmanager
async def _unit(settings: Settings, org: str) -> AsyncGenerator[Unit]:
    async with running_platform(settings) as platform:
        named = await asyncio.to_thread(find_organization, platform.address.owner_url, org)
        async with platform.db.transaction(named.id) as session:
            yield Unit(session, TenantScope(named.id))
