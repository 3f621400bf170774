from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request

from concierge.accounts.access import scope_with, unit_with
from concierge.accounts.scope import Permission, TenantScope, Unit
from concierge.billing.schemas import (
    CheckoutIn,
    EntitlementsOut,
    EventOut,
    LinkOut,
    PlanIn,
    PlanOut,
    PortalIn,
)
from concierge.billing.service import Overview, Paying, Plans, Usage
from concierge.kit.db import Database

router = APIRouter(prefix="/api/v1/billing", tags=["billing"])


@dataclass(frozen=True, slots=True)
class BillingServices:
    """What the application puts on `app.state.billing`."""

    db: Database
    plans: Plans
    usage: Usage
    paying: Paying
    overview: Overview


def billing_services(request: Request) -> BillingServices:
    services: BillingServices = request.app.state.billing
    return services


Services = Annotated[BillingServices, Depends(billing_services)]
Reader = Annotated[Unit, unit_with(Permission.BILLING_READ)]
Owner = Annotated[TenantScope, scope_with(Permission.BILLING_WRITE)]


@router.get("/plans")
async def list_plans(
    services: Services, _scope: Annotated[TenantScope, scope_with(Permission.BILLING_READ)]
) -> list[PlanOut]:
    """All plans with what they hold, the cheapest first."""
    return services.overview.plans()


@router.get("/entitlements")
async def get_entitlements(services: Services, unit: Reader) -> EntitlementsOut:
    """The organization's plan, what it holds, what it lacks and who has that, and what was used this month."""
    return await services.overview.of(unit)


@router.put("/plan")
async def set_plan(body: PlanIn, services: Services, scope: Owner) -> EntitlementsOut:
    """Set the plan. Where plans are paid for through Stripe, the checkout and the portal do that instead."""
    await services.paying.set_plan(scope, body.plan)
    async with services.db.transaction(scope.org_id) as session:
        return await services.overview.of(Unit(session, scope))


@router.post("/checkout")
async def begin_checkout(body: CheckoutIn, services: Services, scope: Owner) -> LinkOut:
    """Begin to buy a plan: send the browser to the page that is named."""
    return LinkOut(url=await services.paying.checkout(scope, body.plan, body.return_to))


@router.post("/portal")
async def open_portal(body: PortalIn, services: Services, scope: Owner) -> LinkOut:
    """Open Stripe's page for what was bought: change it, end it, see invoices, give another card."""
    return LinkOut(url=await services.paying.portal(scope, body.return_to))


@router.post("/webhook")
async def hear_stripe(
    request: Request,
    services: Services,
    signature: Annotated[str | None, Header(alias="Stripe-Signature")] = None,
) -> EventOut:
    """For Stripe alone, which signs what it sends."""
    return EventOut(outcome=await services.paying.hear(await request.body(), signature))
