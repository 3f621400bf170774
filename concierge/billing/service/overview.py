"""What an organization has, lacks and used, for people."""

from collections.abc import Iterator

from concierge.accounts.scope import Unit
from concierge.billing.plans import Plan
from concierge.billing.repository import BillingRepository
from concierge.billing.schemas import EntitlementsOut, FeatureOut, LackOut, PlanOut, SubscriptionOut
from concierge.billing.service.paying import Paying
from concierge.billing.service.plans import Plans
from concierge.billing.service.usage import Usage


class Overview:
    def __init__(self, plans: Plans, paying: Paying, usage: Usage) -> None:
        self._plans = plans
        self._paying = paying
        self._usage = usage

    def plans(self) -> list[PlanOut]:
        return [
            PlanOut(
                name=plan.name,
                title=plan.title,
                monthly_usd=plan.monthly_usd,
                sold=self._paying.is_sold(plan.name),
                features=self._features(plan),
            )
            for plan in self._plans.table.plans
        ]

    async def of(self, unit: Unit) -> EntitlementsOut:
        """As it is in the unit's own transaction, not as it was a moment ago."""
        standing = await BillingRepository(unit.session, unit.scope).standing()
        plan = self._plans.in_force(standing)
        return EntitlementsOut(
            plan=plan.name,
            title=plan.title,
            monthly_usd=plan.monthly_usd,
            through_stripe=self._paying.through_stripe,
            features=self._features(plan),
            lacking=list(self._lacking(plan)),
            subscriptions=[
                SubscriptionOut.model_validate(held, from_attributes=True) for held in standing.subscriptions
            ],
            usage=await self._usage.of_month(unit),
        )

    def _features(self, plan: Plan) -> list[FeatureOut]:
        titles = self._plans.table.titles
        return [
            FeatureOut(feature=feature, title=titles[feature], value=value)
            for feature, value in plan.features.items()
        ]

    def _lacking(self, plan: Plan) -> Iterator[LackOut]:
        for held in self._features(plan):
            better = self._plans.table.next_with_more(plan.entitlements, held.feature)
            if better is not None:
                yield LackOut(
                    **held.model_dump(),
                    plan=better.name,
                    plan_title=better.title,
                    plan_value=better.features[held.feature],
                )
