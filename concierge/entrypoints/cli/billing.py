"""`billing`: which plan an organization has, what it holds, and what was used of it."""

import asyncio
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from concierge.accounts.scope import TenantScope, Unit
from concierge.billing.plans import FeatureValue
from concierge.billing.schemas import EntitlementsOut, Meter, UsageOut
from concierge.entrypoints.cli.console import out, say, settings_of_command
from concierge.entrypoints.cli.tenants import find_organization
from concierge.entrypoints.wiring import Platform, running_platform
from concierge.kit.settings import Settings

app = typer.Typer(help="Plans of organizations.", no_args_is_help=True)

Organization = Annotated[str, typer.Option("--org", "-o", help="The organization's name or id.")]
METERS = {
    Meter.TURNS: "turns",
    Meter.TOKENS_IN: "tokens read by language models",
    Meter.TOKENS_OUT: "tokens written by language models",
    Meter.MICRO_DOLLARS: "paid for language models",
    Meter.WEB_SEARCHES: "web searches",
}


@app.command()
def show(org: Organization) -> None:
    """Show an organization's plan, what it holds and lacks, and what was used this month."""
    found = asyncio.run(_shown(settings_of_command(), org))
    say(f"{escape(found.title)}, ${found.monthly_usd:,} a month.")
    for subscription in found.subscriptions:
        late = ", the last payment failed" if subscription.payment_is_late else ""
        say(f"Paid through Stripe: {subscription.plan or 'no plan'} ({escape(subscription.status)}{late}).")
    out.print(_features(found))
    out.print(_usage(found.usage))


@app.command("set-plan")
def set_plan(
    plan: Annotated[str, typer.Argument(help="The plan's name, such as `professional`.")], org: Organization
) -> None:
    """Give an organization a plan. What it pays for through Stripe stays, where that is more."""
    found = asyncio.run(_set(settings_of_command(), org, plan))
    if found.plan == plan:
        say(
            f"[bold green]✓[/] The plan is {escape(found.title)}. A server that runs notices within ten seconds."
        )
    else:
        say(
            f"The organization pays for {escape(found.title)} through Stripe, which holds on until that ends."
        )


def _features(found: EntitlementsOut) -> Table:
    more = {lack.feature: f"{lack.plan_title}: {_value(lack.plan_value)}" for lack in found.lacking}
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("feature", "has", "more with"):
        table.add_column(heading, no_wrap=True)
    for held in found.features:
        table.add_row(held.feature, _value(held.value), more.get(held.feature, ""))
    return table


def _usage(usage: UsageOut) -> Table:
    table = Table(title=f"Since {usage.since}", title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("used", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    for meter, amount in usage.amounts.items():
        is_money = meter is Meter.MICRO_DOLLARS
        table.add_row(METERS[meter], f"${amount / 1_000_000:,.2f}" if is_money else f"{amount:,}")
    return table


def _value(value: FeatureValue) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


async def _shown(settings: Settings, org: str) -> EntitlementsOut:
    async with running_platform(settings) as platform:
        return await _overview(platform, await _scope(platform, org))


async def _set(settings: Settings, org: str, plan: str) -> EntitlementsOut:
    async with running_platform(settings) as platform:
        scope = await _scope(platform, org)
        await platform.billing.plans.choose(scope, plan)
        return await _overview(platform, scope)


async def _scope(platform: Platform, org: str) -> TenantScope:
    named = await asyncio.to_thread(find_organization, platform.address.owner_url, org)
    return TenantScope(named.id)


async def _overview(platform: Platform, scope: TenantScope) -> EntitlementsOut:
    async with platform.db.transaction(scope.org_id) as session:
        return await platform.billing.overview.of(Unit(session, scope))
