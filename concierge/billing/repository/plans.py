from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from concierge.accounts.scope import TenantScope
from concierge.billing.events import EventKind, Outcome, Standing, Subscribed, Told
from concierge.billing.models import BillingAccount, BillingEvent, Subscription
from concierge.kit.db import Session, fetch

STANDING = """
SELECT a.plan, a.customer_id, s.id, s.plan, s.status, s.told_at, s.told_kind, s.payment_failed_at
FROM billing_accounts a LEFT JOIN subscriptions s ON s.org_id = a.org_id
WHERE a.org_id = %(org_id)b ORDER BY s.id
"""


class BillingRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._org_id = scope.org_id

    async def standing(self) -> Standing:
        """All that is held of the organization, in one statement."""
        rows = await fetch(self._session, STANDING, {"org_id": self._org_id})
        if not rows:
            return Standing()
        chosen, customer_id = rows[0][:2]
        return Standing(
            chosen, customer_id, tuple(_subscribed(row[2:]) for row in rows if row[2] is not None)
        )

    async def hold(self) -> None:
        """Hold the organization's row until the transaction ends, so that changes follow one another."""
        account = insert(BillingAccount).values(org_id=self._org_id)
        await self._session.execute(
            account.on_conflict_do_update(index_elements=["org_id"], set_={"updated_at": func.now()})
        )

    async def choose(self, plan: str) -> None:
        await self._change_account(plan=plan)

    async def set_customer(self, customer_id: str) -> None:
        await self._change_account(customer_id=customer_id)

    async def _change_account(self, **values: str) -> None:
        await self._session.execute(
            update(BillingAccount).where(BillingAccount.org_id == self._org_id).values(**values)
        )

    async def note(self, told: Told, outcome: Outcome) -> None:
        self._session.add(
            BillingEvent(
                org_id=self._org_id,
                id=told.event_id,
                kind=told.kind,
                outcome=outcome,
                made_at=told.made_at,
            )
        )
        await self._session.flush()

    async def knows(self, event_id: str) -> bool:
        return (
            await self._session.scalar(
                select(BillingEvent.id).where(
                    BillingEvent.org_id == self._org_id, BillingEvent.id == event_id
                )
            )
        ) is not None

    async def keep(self, held: Subscribed) -> None:
        values: dict[str, Any] = {
            "plan": held.plan,
            "status": held.status,
            "told_at": held.told_at,
            "told_kind": held.told_kind,
            "payment_failed_at": held.payment_failed_at,
        }
        await self._session.execute(
            insert(Subscription)
            .values(org_id=self._org_id, id=held.id, **values)
            .on_conflict_do_update(index_elements=["org_id", "id"], set_=values)
        )


def _subscribed(row: Sequence[Any]) -> Subscribed:
    subscription_id, plan, status, told_at, told_kind, payment_failed_at = row
    at: datetime | None = told_at
    kind = None if told_kind is None else EventKind(told_kind)
    return Subscribed(subscription_id, plan, status, at, kind, payment_failed_at)
