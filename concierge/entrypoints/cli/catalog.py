"""`catalog import`: a file of products, with progress and a report that a shopkeeper can read."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape
from rich.padding import Padding
from rich.progress import Progress, TextColumn

from concierge.accounts.scope import TenantScope
from concierge.catalog.schemas.imports import ImportReport, Mapping
from concierge.catalog.service import Import
from concierge.entrypoints.cli.console import aside, complain, out, settings_of_command, typed_input
from concierge.entrypoints.cli.tenants import find_organization
from concierge.entrypoints.wiring import Platform, running_platform
from concierge.kit.errors import InvalidInputError, NotFoundError
from concierge.kit.settings import Settings

app = typer.Typer(help="What an organization sells.", no_args_is_help=True)

SHOWN_PROBLEMS = 20


@app.callback()
def catalog() -> None:
    """Have a group, so that its commands are called by their names."""


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV, JSON, JSON Lines, or the XML of a shopping feed.")],
    org: Annotated[str, typer.Option("--org", "-o", help="The organization's short name or id.")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="COLUMN=FIELD, as in --map 'Art. no.=sku'; other columns are guessed."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,  # noqa: FBT002  # An option.
    replace: Annotated[bool, typer.Option("--replace", help="Remove what is not in the file.")] = False,  # noqa: FBT002  # An option.
) -> None:
    """Import products by their article numbers; what is there and has not changed is left alone."""
    columns = _mapping(mapping or ())
    if not file.is_file():
        raise NotFoundError(f"There is no file {file}.", code="path_not_found")
    report = asyncio.run(
        _imported(settings_of_command(), org, file, columns, dry_run=dry_run, replace=replace)
    )
    show(report)
    if report.failed and not report.products:
        raise typer.Exit(1)


def _mapping(given: Sequence[str]) -> dict[str, str]:
    pairs = [entry.rpartition("=") for entry in given]
    for column, equals, field in pairs:
        if not equals or not column:
            complain(f"--map {field}: say what a column is, as in --map 'Name=title'.")
            raise typer.Exit(1)
    with typed_input():
        return Mapping(columns={column.strip(): field.strip() for column, _, field in pairs}).columns


async def _imported(
    settings: Settings, org: str, path: Path, columns: dict[str, str], *, dry_run: bool, replace: bool
) -> ImportReport:
    async with running_platform(settings) as platform:
        org_id = (await asyncio.to_thread(find_organization, platform.address.owner_url, org)).id
        try:
            with path.open("rb") as file:
                wanted = Import(file, columns, dry_run=dry_run, replace=replace)
                return await _watched(platform, org_id, wanted)
        except OSError as error:
            raise InvalidInputError(f"The file {path} cannot be read: {error.strerror}.") from error


async def _watched(platform: Platform, org_id: UUID, wanted: Import) -> ImportReport:
    """Store the products, then read them for their meaning."""
    scope = TenantScope(org_id)
    with Progress(TextColumn("{task.description}"), console=aside, transient=True) as bar:
        task = bar.add_task("Reading the file")
        read = 0

        def stored(report: ImportReport) -> None:
            bar.update(task, description=f"Importing: {report.products:,} products")

        def understood(count: int) -> None:
            nonlocal read
            read += count
            bar.update(task, description=f"Reading for meaning: {read:,} products")

        report = await platform.catalog.imports.run(scope, wanted, stored)
        if not wanted.dry_run:
            await platform.catalog.reading.run(scope, understood)
        return report


def show(report: ImportReport) -> None:
    would = "would be " if report.dry_run else ""
    out.print(
        f"[bold]{report.products:,} products[/] in {report.rows:,} rows ({report.format}): "
        f"{report.new:,} {would}new, {report.changed:,} {would}changed, {report.unchanged:,} unchanged"
        + (f", {report.removed:,} {would}removed." if report.removed else ".")
    )
    if report.kept:
        out.print(f"[yellow]{escape(report.kept)}[/]")
    for column, field in report.mapping.items():
        if field != "ignore":
            out.print(f"  {field} [dim]←[/] {escape(column)}")
    for row in report.first[:3] if report.dry_run else ():
        out.print(f"\n[dim]Row {row.row} · {escape(row.sku)}[/]")
        out.print(Padding(escape(row.text), (0, 0, 0, 3)))
    if report.failed:
        out.print(f"\n[bold red]{report.failed:,} rows cannot be read:[/]")
    for problem in report.problems[:SHOWN_PROBLEMS]:
        out.print(f"  [red]✗[/] Row {problem.row}: {escape(problem.reason)}", soft_wrap=True)
    if report.failed > SHOWN_PROBLEMS:
        out.print(f"  [dim]and {report.failed - SHOWN_PROBLEMS:,} more[/]")
