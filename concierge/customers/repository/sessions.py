from collections.abc import Sequence
from typing import Final, LiteralString
from uuid import UUID

from sqlalchemy import select

from concierge.accounts.scope import TenantScope
from concierge.customers.models import SessionRule
from concierge.customers.schemas.session import StoredRule
from concierge.kit.db import Session, fetch

RULES: Final[LiteralString] = """
SELECT id, name, enabled, condition, consequence FROM session_rules WHERE org_id = %(org_id)b ORDER BY id
"""


class SessionRuleRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def stored(self) -> list[StoredRule]:
        """Return what every turn may need to know, in one statement."""
        rows = await fetch(self._session, RULES, {"org_id": self._scope.org_id})
        return [StoredRule(*row) for row in rows]

    async def all(self) -> Sequence[SessionRule]:
        query = select(SessionRule).where(SessionRule.org_id == self._scope.org_id)
        return (await self._session.scalars(query.order_by(SessionRule.id))).all()

    async def get(self, rule_id: UUID) -> SessionRule | None:
        return await self._session.get(SessionRule, (self._scope.org_id, rule_id))

    async def save(self, rule: SessionRule) -> None:
        self._session.add(rule)
        await self._session.flush()

    async def remove(self, rule: SessionRule) -> None:
        await self._session.delete(rule)
        await self._session.flush()
