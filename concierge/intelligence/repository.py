from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from concierge.accounts.scope import TenantScope
from concierge.intelligence.errors import AttributeNameTakenError
from concierge.intelligence.models import (
    IntelligenceAttribute,
    IntelligenceRule,
    IntelligenceSetting,
    ReadingOverride,
)
from concierge.kit.db import Session, fetch

GUIDANCE: LiteralString = """
SELECT
    (SELECT jsonb_agg(jsonb_build_object('name', r.name, 'when', r.condition, 'then', r.consequence) ORDER BY r.id)
     FROM intelligence_rules r WHERE r.org_id = %(org_id)b AND r.enabled),
    (SELECT jsonb_agg(
        jsonb_build_object('name', a.name, 'description', a.description, 'values', a.choices) ORDER BY a.id)
     FROM intelligence_attributes a WHERE a.org_id = %(org_id)b),
    s.opens, s.closes, s.llm_allowed
FROM (VALUES (1)) one LEFT JOIN intelligence_settings s ON s.org_id = %(org_id)b
"""


@dataclass(frozen=True, slots=True)
class GuidanceRow:
    """What is stored of an organization's guidance; settings are None while nobody has changed one."""

    rules: list[dict[str, Any]] | None
    attributes: list[dict[str, Any]] | None
    opens: str | None
    closes: str | None
    llm_allowed: bool | None


class ControlRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def guidance(self) -> GuidanceRow:
        """Return everything that reading a message needs to know, in one statement."""
        (row,) = await fetch(self._session, GUIDANCE, {"org_id": self._scope.org_id})
        return GuidanceRow(*row)

    async def lock(self) -> None:
        """Let nobody else change this organization's rules and attributes until the transaction ends."""
        await self._session.execute(
            insert(IntelligenceSetting)
            .values(org_id=self._scope.org_id)
            .on_conflict_do_update(index_elements=["org_id"], set_={"org_id": self._scope.org_id})
        )

    async def rules(self) -> Sequence[IntelligenceRule]:
        """Return all rules, the oldest first."""
        query = select(IntelligenceRule).where(IntelligenceRule.org_id == self._scope.org_id)
        return (await self._session.scalars(query.order_by(IntelligenceRule.id))).all()

    async def rule(self, rule_id: UUID) -> IntelligenceRule | None:
        return await self._session.get(IntelligenceRule, (self._scope.org_id, rule_id))

    async def count_rules(self) -> int:
        query = select(func.count()).where(IntelligenceRule.org_id == self._scope.org_id)
        return await self._session.scalar(query) or 0

    async def attributes(self) -> Sequence[IntelligenceAttribute]:
        """Return all attributes, the oldest first."""
        query = select(IntelligenceAttribute).where(IntelligenceAttribute.org_id == self._scope.org_id)
        return (await self._session.scalars(query.order_by(IntelligenceAttribute.id))).all()

    async def attribute(self, attribute_id: UUID) -> IntelligenceAttribute | None:
        return await self._session.get(IntelligenceAttribute, (self._scope.org_id, attribute_id))

    async def add_rule(self, rule: IntelligenceRule) -> None:
        self._session.add(rule)
        await self._session.flush()

    async def save(self, attribute: IntelligenceAttribute) -> None:
        """Errors: AttributeNameTakenError."""
        name = attribute.name  # Which a failed statement lets go of.
        self._session.add(attribute)
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise AttributeNameTakenError(name) from error

    async def remove(self, row: IntelligenceRule | IntelligenceAttribute) -> None:
        await self._session.delete(row)
        await self._session.flush()

    async def settings(self) -> IntelligenceSetting | None:
        return await self._session.get(IntelligenceSetting, self._scope.org_id)

    async def save_settings(self, opens: str, closes: str, *, llm_allowed: bool) -> None:
        values = {"opens": opens, "closes": closes, "llm_allowed": llm_allowed}
        await self._session.execute(
            insert(IntelligenceSetting)
            .values(org_id=self._scope.org_id, **values)
            .on_conflict_do_update(index_elements=["org_id"], set_=values)
        )


class CorrectionRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def put(self, override: ReadingOverride) -> None:
        """Store a correction in the place of an earlier one of the same reading."""
        await self.remove(override.turn_id, override.dimension)
        self._session.add(override)
        await self._session.flush()

    async def remove(self, turn_id: UUID, dimension: str) -> bool:
        """Returns whether there was one."""
        removed = await self._session.scalar(
            delete(ReadingOverride)
            .where(
                ReadingOverride.org_id == self._scope.org_id,
                ReadingOverride.turn_id == turn_id,
                ReadingOverride.dimension == dimension,
            )
            .returning(ReadingOverride.id)
        )
        return removed is not None

    async def of_turn(self, turn_id: UUID) -> Sequence[ReadingOverride]:
        query = select(ReadingOverride).where(
            ReadingOverride.org_id == self._scope.org_id, ReadingOverride.turn_id == turn_id
        )
        return (await self._session.scalars(query.order_by(ReadingOverride.id))).all()

    async def of_turns(self, turn_ids: Collection[UUID]) -> Sequence[ReadingOverride]:
        query = select(ReadingOverride).where(
            ReadingOverride.org_id == self._scope.org_id, ReadingOverride.turn_id.in_(turn_ids)
        )
        return (await self._session.scalars(query.order_by(ReadingOverride.id))).all()

    async def all(self, after: UUID | None, limit: int) -> Sequence[ReadingOverride]:
        """Return corrections in the order they were made."""
        query = select(ReadingOverride).where(ReadingOverride.org_id == self._scope.org_id)
        if after is not None:
            query = query.where(ReadingOverride.id > after)
        return (await self._session.scalars(query.order_by(ReadingOverride.id).limit(limit))).all()
