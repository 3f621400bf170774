"""`ask`: one question to an agent, answered in the terminal."""

import asyncio
import json
from typing import Annotated, Any

import typer
from rich.markdown import Markdown
from rich.markup import escape

from concierge.accounts.scope import TenantScope
from concierge.chat.schemas import ChatIn
from concierge.entrypoints.cli.console import aside, out, settings_of_command, typed_input
from concierge.entrypoints.cli.tenants import find_agent
from concierge.entrypoints.wiring import running_platform
from concierge.kit.settings import Settings


def ask(
    question: Annotated[str, typer.Argument(help="What a visitor would ask.")],
    agent: Annotated[str, typer.Option("--agent", "-a", help="The agent's short name or id.")],
    *,
    audience: Annotated[
        list[str] | None, typer.Option(help="Ask as a visitor of this audience. May be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole reply as JSON.")] = False,
) -> None:
    """Ask an agent a question."""
    settings = settings_of_command()
    with typed_input():
        message = ChatIn(message=question, audiences=audience or [])
    reply = asyncio.run(_ask(settings, message, agent))
    if as_json:
        out.print_json(data=reply)
        return
    out.print(Markdown(reply["response"]))
    for source in reply["sources"]:
        aside.print(f"\n  \\[{source['number']}] {escape(source['title'])}", style="bold")
        if source["url"]:
            aside.print(f"      {escape(source['url'])}", style="dim")
        aside.print(f"      “{escape(source['quote'])}”", style="dim")


async def _ask(settings: Settings, message: ChatIn, agent: str) -> Any:
    async with running_platform(settings) as platform:
        named = await asyncio.to_thread(find_agent, platform.address.owner_url, agent)
        scope = TenantScope(named.org_id)
        turn_id = await platform.chat.begin(scope, named.id, message)
        reply = await platform.chat.reply(scope, named.id, turn_id)
        return json.loads(json.dumps(dict(reply)))
