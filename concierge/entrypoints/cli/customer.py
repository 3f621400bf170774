"""`customer show | export | erase`: what is kept of one person, for when they ask for it or want it gone."""

import asyncio
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.markup import escape
from rich.table import Table

from concierge.accounts.scope import TenantScope
from concierge.chat.customers import Erased
from concierge.customers.schemas.records import CustomerRecord
from concierge.entrypoints.cli.console import out, say, settings_of_command
from concierge.entrypoints.cli.tenants import NamedCustomer, find_customer
from concierge.entrypoints.wiring import Platform, running_platform
from concierge.kit.errors import InvalidInputError
from concierge.kit.settings import Settings

app = typer.Typer(help="One customer: show, export, erase.", no_args_is_help=True)

Who = Annotated[
    str,
    typer.Argument(metavar="CUSTOMER", help="The customer's id, your own id of them, or an e-mail address."),
]
SHOWN = (
    "id",
    "external_id",
    "profile_type",
    "name",
    "email",
    "labels",
    "attributes",
    "visits",
    "turns",
    "conversions",
    "created_at",
    "last_seen_at",
)


@app.command("show")
def show_customer(customer: Who) -> None:
    """Show a customer's profile."""
    named, record = asyncio.run(_get(settings_of_command(), customer))
    table = Table(show_header=False, box=None)
    table.add_row("organization", escape(named.organization))
    for name in SHOWN:
        table.add_row(name, escape(_told(getattr(record, name))))
    table.add_row("visitors", f"{len(record.visitors):,}")
    out.print(table)


@app.command("export")
def export_customer(
    customer: Who,
    file: Annotated[
        Path, typer.Argument(metavar="[FILE]", help="Where to write it; without one, to the terminal.")
    ] = Path("-"),
) -> None:
    """Write everything that is kept of a customer as JSON: profile, visitors, conversations with turns and traces."""
    asyncio.run(_export(settings_of_command(), customer, file))
    if str(file) != "-":
        say(f"[bold green]✓[/] Wrote everything that is kept of them to {escape(str(file))}.")


@app.command("erase")
def erase_customer(
    customer: Who, *, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Erase a customer with everything they ever wrote. A server that runs forgets its readings when it restarts."""
    erased = asyncio.run(_erase(settings_of_command(), customer, yes=yes))
    say(
        f"[bold green]✓[/] Erased. Conversations: {erased.conversations:,}, visitors: {erased.visitors:,}. "
        "Backups made before still hold them."
    )


def _told(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    return "–" if value in (None, "", {}) else str(value)


async def _get(settings: Settings, customer: str) -> tuple[NamedCustomer, CustomerRecord]:
    async with running_platform(settings) as platform:
        named = await _named(platform, customer)
        return named, await platform.customer_data.get(TenantScope(named.org_id), named.id)


async def _export(settings: Settings, customer: str, file: Path) -> None:
    async with running_platform(settings) as platform:
        named = await _named(platform, customer)
        scope = TenantScope(named.org_id)
        record = await platform.customer_data.taken(scope, named.id)
        with _written(file) as written:
            async for piece in platform.customer_data.stream(scope, record):
                written.write(piece)


async def _erase(settings: Settings, customer: str, *, yes: bool) -> Erased:
    async with running_platform(settings) as platform:
        named = await _named(platform, customer)
        scope = TenantScope(named.org_id)
        record = await platform.customer_data.get(scope, named.id)
        if not yes:
            known = record.name or record.email or record.external_id or str(record.id)
            question = (
                f"This erases {known} of {named.organization} and everything they wrote, for good. Go on?"
            )
            await asyncio.to_thread(typer.confirm, question, abort=True, err=True)
        return await platform.customer_data.erase(scope, named.id)


async def _named(platform: Platform, customer: str) -> NamedCustomer:
    return await asyncio.to_thread(find_customer, platform.address.owner_url, customer)


@contextmanager
def _written(file: Path) -> Generator[BinaryIO]:
    """Open a file to write for its owner alone. Errors: InvalidInputError."""
    if str(file) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        file.touch(mode=0o600)
        with file.open("wb") as opened:
            yield opened
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be written: {error.strerror}.") from error
