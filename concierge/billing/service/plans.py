"""Which plan an organization has, at hand for everything that asks."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from time import monotonic

from concierge.accounts.scope import TenantScope, Unit
from concierge.accounts.service.audit import record
from concierge.billing.errors import BillingSettingsError, EntitlementRequiredError, PlanUnknownError
from concierge.billing.events import Standing
from concierge.billing.plans import UNLIMITED, Entitlements, Feature, Plan, PlanTable
from concierge.billing.repository import BillingRepository
from concierge.kit.db import Database
from concierge.kit.lately import Lately

PLAN_CHANGED = "billing.plan_changed"


class Plans:
    """Remembers every organization's plan for a moment; a change made through `changing` holds at once."""

    def __init__(
        self, db: Database, table: PlanTable, default: str, now: Callable[[], float] = monotonic
    ) -> None:
        """Raises BillingSettingsError where the default is no plan."""
        self._db = db
        self.table = table
        self._default = default
        self._lately: Lately[Entitlements] = Lately(now)
        if table.named(default) is None:
            raise BillingSettingsError(
                f"The setting CONCIERGE_BILLING__DEFAULT_PLAN names no plan: “{default}”. "
                f"The plans are: {', '.join(self.names)}."
            )

    @property
    def names(self) -> list[str]:
        return [plan.name for plan in self.table.plans]

    async def of(self, scope: TenantScope) -> Entitlements:
        """What an organization may use. Costs one statement in a transaction of its own, or none.

        To be asked before a transaction is opened, so that no request holds two connections.
        """
        return await self._lately.get(scope.org_id, lambda: self._loaded(scope))

    def require(self, entitlements: Entitlements, feature: Feature, wanted: int = 1) -> None:
        """Raises EntitlementRequiredError where so much of a feature is not part of the plan."""
        if entitlements.allows(feature, wanted):
            return
        better = self.table.cheapest_with(feature, wanted)
        raise EntitlementRequiredError(
            self._missing(entitlements, feature, better),
            feature=feature,
            plan=better.name if better else None,
        )

    def named(self, name: str) -> Plan:
        """Errors: PlanUnknownError."""
        plan = self.table.named(name)
        if plan is None:
            raise PlanUnknownError(name, self.names)
        return plan

    def in_force(self, standing: Standing) -> Plan:
        """The plan that holds of all there is a reason for; the default where a plan is gone from the table."""
        return self.table.dearest(standing.plan_names(self._default)) or self.named(self._default)

    async def choose(self, scope: TenantScope, name: str) -> None:
        """Set an organization's plan. Errors: PlanUnknownError."""
        plan = self.named(name)
        async with self.changing(scope) as unit:
            repository = BillingRepository(unit.session, scope)
            await repository.hold()
            before = await repository.standing()
            await repository.choose(plan.name)
            if plan.name != before.chosen:
                await self.note_change(unit, before, await repository.standing(), by=scope.actor.kind)

    async def note_change(self, unit: Unit, before: Standing, now: Standing, *, by: str) -> None:
        """Write to the audit log which plan was in force, which is now, and what changed it."""
        details = {"from": self.in_force(before).name, "to": self.in_force(now).name, "by": by}
        await record(unit, PLAN_CHANGED, details=details)

    @asynccontextmanager
    async def changing(self, scope: TenantScope) -> AsyncGenerator[Unit]:
        """A unit of work that may change the plan; what is remembered of it goes once that is done."""
        try:
            async with self._db.transaction(scope.org_id) as session:
                yield Unit(session, scope)
        finally:
            self._lately.forget(scope.org_id)

    async def _loaded(self, scope: TenantScope) -> Entitlements:
        async with self._db.transaction(scope.org_id) as session:
            standing = await BillingRepository(session, scope).standing()
        return self.in_force(standing).entitlements

    def _missing(self, entitlements: Entitlements, feature: Feature, better: Plan | None) -> str:
        title, mine = self.table.titles[feature], self.named(entitlements.plan).title
        limit = entitlements.limit(feature)
        if limit == 0:
            had, more = f"Your plan, {mine}, does not include {title}.", "does"
        else:
            had, more = f"Your plan, {mine}, has a limit of {limit} for {title}.", "allows more"
        if better is None:
            return f"{had} No plan {more}."
        value = better.features[feature]
        return f"{had} The plan {better.title} {'has no limit' if value == UNLIMITED else more}."
