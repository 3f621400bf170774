"""`db migrate | status | backup | restore`."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from concierge.entrypoints.cli.console import aside, out, say, settings_of_command
from concierge.entrypoints.wiring import database_address, embedded_postgres
from concierge.kit.migrations import current_revision, newest_revision, row_counts
from concierge.kit.migrations import migrate as bring_up_to_date
from concierge.kit.postgres.backup import dump
from concierge.kit.postgres.backup import restore as bring_back

app = typer.Typer(help="The database: its schema, a backup, and back.", no_args_is_help=True)


@app.command()
def migrate() -> None:
    """Bring the schema up to date. `serve` does this by itself."""
    with _owner() as url:
        applied = bring_up_to_date(url)
    say(f"[bold green]✓[/] Applied {', '.join(applied)}." if applied else "The schema is up to date.")


@app.command()
def status() -> None:
    """Show the schema's revision and what the tables hold."""
    with _owner() as url:
        current, newest = current_revision(url), newest_revision()
        counts = row_counts(url) if current else {}
    table = Table("table", "rows", title=f"schema {current or 'empty'} · newest {newest}")
    for name, rows in counts.items():
        table.add_row(name, f"{rows:,}")
    out.print(table)


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="Where to write the backup.")]) -> None:
    """Write one consistent snapshot of everything to a file, while the product runs."""
    with _owner() as url, aside.status("Writing the backup") as line:
        dump(url, file, on_progress=lambda step: line.update(f"[dim]{escape(step)}"))
    say(f"[bold green]✓[/] Wrote {escape(str(file))} ({file.stat().st_size / 1024**2:,.1f} MB).")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup written by `db backup`.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Replace everything in the database by a backup."""
    if not yes:
        typer.confirm("This replaces everything in the database. Go on?", abort=True)
    with _owner() as url, aside.status("Restoring") as line:
        bring_back(url, file, on_progress=lambda step: line.update(f"[dim]{escape(step)}"))
        bring_up_to_date(url)
    say(f"[bold green]✓[/] Restored {escape(str(file))}.")


@contextmanager
def _owner() -> Generator[str]:
    """Give the owner's URL of a running database."""
    settings = settings_of_command()
    embedded = embedded_postgres(settings)
    try:
        yield database_address(settings, embedded).owner_url
    finally:
        if embedded is not None:
            embedded.stop()
