"""Visitors who said something, without a model or a queue in between."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.conversations.schemas import TurnRequest
from concierge.conversations.service import ConversationService
from concierge.customers.schemas.context import RememberedFact
from concierge.customers.schemas.memory import Memories
from concierge.customers.service import ArrivalService, MemoryView, RecallService
from concierge.kit.ids import new_id
from concierge.llm.embeddings import LOCAL_SPACE
from tests.factories.tenants import Tenant

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PATIENCE = timedelta(seconds=60)
REPLY = {"response": "We have three of them. [1]", "sources": [{"number": 1}], "escalation_suggested": False}


@dataclass(frozen=True, slots=True)
class Guest:
    """A visitor of a tenant, and the customer they are."""

    tenant: Tenant
    visitor_id: UUID
    customer_id: UUID

    async def says(
        self,
        message: str,
        *,
        at: datetime = NOON,
        conversation_id: UUID | None = None,
        analysis: dict[str, Any] | None = None,
        reply: dict[str, Any] | None = REPLY,
        remembered: bool = True,
    ) -> tuple[UUID, UUID]:
        """Have a message answered, and remembered unless it is to wait. Returns its turn and conversation."""
        platform, scope = self.tenant.platform, self.tenant.scope
        async with platform.db.transaction(scope.org_id) as session:
            service = ConversationService(Unit(session, scope), lambda: at)
            request = TurnRequest(
                self.tenant.agent_id, message, conversation_id=conversation_id, visitor_id=self.visitor_id
            )
            turn = await service.start_turn(request, given_up_after=PATIENCE)
            trace = {"analysis": analysis or {}}
            await service.finish_turn(turn.id, status="completed", reply=reply, events=[], trace=trace)
        if remembered:
            await platform.remembering.run(scope, turn.id)
        return turn.id, turn.conversation_id

    async def recalled(self, message: str, *, at: datetime = NOON, tokens: int = 200) -> Memories:
        platform, scope = self.tenant.platform, self.tenant.scope
        vector = await platform.embedder.embed_query(message)
        async with platform.db.transaction(scope.org_id) as session:
            service = RecallService(Unit(session, scope), lambda: at)
            return await service.recall(self.customer_id, vector.tolist(), tokens=tokens)

    async def facts(self, message: str = "Hello", *, at: datetime = NOON) -> set[str]:
        return values((await self.recalled(message, at=at, tokens=10_000)).facts)

    async def history(self) -> list[tuple[str, bool]]:
        """What was remembered, the oldest first, and whether it still holds."""
        async with self.tenant.platform.db.transaction(self.tenant.org_id) as session:
            rows = await MemoryView(Unit(session, self.tenant.scope)).of(
                self.customer_id, before=None, limit=1_000, with_closed=True
            )
        rows = sorted(rows, key=lambda row: (row.valid_from, row.value))
        return [(row.value, row.valid_until is None) for row in rows]


def values(facts: tuple[RememberedFact, ...]) -> set[str]:
    return {fact.value for fact in facts}


async def a_guest(tenant: Tenant) -> Guest:
    visitor_id = new_id()
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        arrival = ArrivalService(Unit(session, tenant.scope))
        known = await arrival.arrive(visitor_id, tenant.agent_id, None)
    assert tenant.platform.embedders.default_space == LOCAL_SPACE
    return Guest(tenant, visitor_id, known.customer_id)
