"""`create-owner`: an organization, its owner, and a first agent to give documents to."""

import asyncio
from typing import Annotated

import typer
from rich.markup import escape

from concierge.accounts.schemas import SignUpIn
from concierge.accounts.scope import TenantScope, Unit
from concierge.agents.schemas import AgentIn
from concierge.agents.service import AgentService
from concierge.entrypoints.cli.console import say, settings_of_command, typed_input
from concierge.entrypoints.wiring import running_platform
from concierge.kit.settings import Settings
from concierge.knowledge.schemas import PackIn
from concierge.knowledge.service import PackService


def create_owner(
    organization: Annotated[str, typer.Option(prompt="Name of the organization")],
    email: Annotated[str, typer.Option(prompt="Your e-mail address")],
    password: Annotated[
        str,
        typer.Option(
            prompt="A password (10 characters or more)",
            hide_input=True,
            confirmation_prompt=True,
            envvar="CONCIERGE_OWNER_PASSWORD",
        ),
    ],
    name: Annotated[str, typer.Option(help="Your name.")] = "Owner",
    agent: Annotated[str, typer.Option(help="Short name of the first agent.")] = "concierge",
) -> None:
    """Create an organization with its owner and a first agent."""
    settings = settings_of_command()
    with typed_input():
        wanted = SignUpIn(organization=organization, name=name, email=email, password=password)
        first = AgentIn(name=organization, slug=agent)
    asyncio.run(_create(settings, wanted, first))


async def _create(settings: Settings, wanted: SignUpIn, first: AgentIn) -> None:
    async with running_platform(settings) as platform:
        pair = await platform.accounts.sign_in.sign_up(**wanted.model_dump())
        async with platform.db.transaction(pair.org_id) as session:
            unit = Unit(session, TenantScope(pair.org_id))
            pack = await PackService(unit).create(PackIn(name=wanted.organization))
            agent, _packs = await AgentService(unit).create(first.model_copy(update={"pack_ids": [pack.id]}))
    say(f"[bold green]✓[/] {escape(wanted.organization)} is ready, and {escape(wanted.email)} can sign in.")
    say(f"  Give its agent something to know:  concierge ingest PATH --agent {agent.slug}")
