"""Plans that are paid for through Stripe: begin one, manage it, and believe what Stripe tells."""

from dataclasses import replace

import structlog

from concierge.accounts.errors import AccountNotFoundError
from concierge.accounts.scope import TenantScope, Unit
from concierge.accounts.service import MemberService
from concierge.billing.errors import (
    AlreadySubscribedError,
    CustomerUnknownError,
    NotSubscribedError,
    PaidThroughStripeError,
    PlanNotSoldError,
    StripeMissingError,
)
from concierge.billing.events import Outcome, Standing, Told, after, read
from concierge.billing.payments import Payments, Purchase
from concierge.billing.repository import BillingRepository
from concierge.billing.service.plans import Plans
from concierge.kit.db import Database

logger = structlog.get_logger(__name__)


class Paying:
    """`origin` is this server's own, which Stripe leads back to."""

    def __init__(self, db: Database, plans: Plans, payments: Payments | None, origin: str) -> None:
        self._db = db
        self._plans = plans
        self._payments = payments
        self._origin = origin

    @property
    def through_stripe(self) -> bool:
        return self._payments is not None

    def is_sold(self, plan: str) -> bool:
        return self._payments is not None and plan in self._payments.prices

    async def set_plan(self, scope: TenantScope, name: str) -> None:
        """Set the plan as its owner. Errors: PaidThroughStripeError, PlanUnknownError."""
        if self.through_stripe:
            raise PaidThroughStripeError
        await self._plans.choose(scope, name)

    async def checkout(self, scope: TenantScope, name: str, return_to: str) -> str:
        """Begin to buy a plan. Returns the address of the page to pay on.

        Errors: StripeMissingError, PlanUnknownError, PlanNotSoldError, AlreadySubscribedError; those of `Payments`.
        """
        payments = self._available()
        plan = self._plans.named(name)
        if plan.name not in payments.prices:
            raise PlanNotSoldError(plan.title)
        standing = await self._standing(scope)
        if standing.is_subscribed:
            raise AlreadySubscribedError
        page = f"{self._origin}{return_to}"
        purchase = Purchase(
            org_id=scope.org_id,
            plan=plan.name,
            price=payments.prices[plan.name],
            customer_id=standing.customer_id,
            done_url=f"{page}?checkout=done",
            cancelled_url=f"{page}?checkout=cancelled",
        )
        try:
            return await payments.checkout(purchase)
        except CustomerUnknownError:
            return await payments.checkout(replace(purchase, customer_id=None))

    async def portal(self, scope: TenantScope, return_to: str) -> str:
        """Open Stripe's own page to change, pay or end what was bought. Returns its address.

        Errors: StripeMissingError, NotSubscribedError; those of `Payments`.
        """
        payments = self._available()
        standing = await self._standing(scope)
        if standing.customer_id is None:
            raise NotSubscribedError
        try:
            return await payments.portal(standing.customer_id, f"{self._origin}{return_to}")
        except CustomerUnknownError as error:
            raise NotSubscribedError from error

    async def hear(self, body: bytes, signature: str | None) -> Outcome:
        """Take an event from Stripe.

        Errors: StripeMissingError, SignatureInvalidError, EventUnreadableError, PriceUnknownError. After any of them
        Stripe sends the event again.
        """
        payments = self._available()
        payments.verify(body, signature)
        told = read(body, payments.prices, self._plans.table)
        return Outcome.IGNORED if told is None else await self.believe(told)

    async def believe(self, told: Told) -> Outcome:
        """Let an event change what is held; the same one, an older one or one of somebody else changes nothing."""
        scope = TenantScope(told.org_id)
        async with self._plans.changing(scope) as unit:
            outcome = await self._apply(unit, told)
        logger.info("stripe told of a subscription", event_id=told.event_id, kind=told.kind, outcome=outcome)
        return outcome

    async def _apply(self, unit: Unit, told: Told) -> Outcome:
        if not await _exists(unit):
            return Outcome.FOREIGN
        repository = BillingRepository(unit.session, unit.scope)
        await repository.hold()
        if await repository.knows(told.event_id):
            return Outcome.KNOWN
        before = await repository.standing()
        outcome = await _change(repository, before, told)
        await repository.note(told, outcome)
        now = await repository.standing()
        if self._plans.in_force(before) != self._plans.in_force(now):
            await self._plans.note_change(unit, before, now, by=told.event_id)
        return outcome

    async def close(self) -> None:
        if self._payments is not None:
            await self._payments.close()

    def _available(self) -> Payments:
        if self._payments is None:
            raise StripeMissingError
        return self._payments

    async def _standing(self, scope: TenantScope) -> Standing:
        async with self._db.transaction(scope.org_id) as session:
            return await BillingRepository(session, scope).standing()


async def _exists(unit: Unit) -> bool:
    """Whether the organization is of this installation: a test server may share its Stripe account with the real one."""
    try:
        await MemberService(unit).organization()
    except AccountNotFoundError:
        return False
    return True


async def _change(repository: BillingRepository, before: Standing, told: Told) -> Outcome:
    if not before.concerns(told):
        return Outcome.FOREIGN
    changed = after(before.subscription(told.subscription_id), told)
    if isinstance(changed, Outcome):
        return changed
    if before.customer_id != told.customer_id:
        await repository.set_customer(told.customer_id)
    await repository.keep(changed)
    return Outcome.APPLIED
