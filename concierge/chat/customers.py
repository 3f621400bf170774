"""All that is kept of a customer across the rooms: handed over as one document, or erased."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from pydantic_core import to_json

from concierge.accounts.scope import TenantScope, Unit
from concierge.chat.turn import ChatService
from concierge.conversations.schemas import ConversationRecordOut
from concierge.conversations.service import ConversationService
from concierge.customers.schemas.records import CustomerRecord
from concierge.customers.service import MemoryView
from concierge.customers.service.records import RecordService
from concierge.intelligence.analyst import Analyst
from concierge.intelligence.service import CorrectionService
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.llm.embedders import QuestionVectors

PORTION: Final = 20  # Conversations that are in memory together.


class Section(Protocol):
    """What a room keeps of a customer besides their profile. Its rows go with the customer's own when that is erased."""

    @property
    def name(self) -> str: ...

    async def of(self, unit: Unit, customer_id: UUID) -> Any:
        """Return what can be written as JSON."""
        ...


class MemorySection:
    """What is remembered: facts, those that hold no longer as well, and summaries of conversations."""

    name = "memory"

    async def of(self, unit: Unit, customer_id: UUID) -> Any:
        return await MemoryView(unit).export(customer_id)


@dataclass(frozen=True, slots=True)
class Erased:
    """How much went with a customer."""

    visitors: int
    conversations: int


class CustomerData:
    def __init__(
        self,
        db: Database,
        chat: ChatService,
        analyst: Analyst,
        vectors: QuestionVectors,
        sections: Sequence[Section] = (),
        clock: Clock = utc_now,
    ) -> None:
        self._db = db
        self._chat = chat
        self._analyst = analyst
        self._vectors = vectors
        self._sections = sections
        self._clock = clock

    async def get(self, scope: TenantScope, customer_id: UUID) -> CustomerRecord:
        """Errors: CustomerNotFoundError."""
        async with self._db.transaction(scope.org_id) as session:
            return await RecordService(Unit(session, scope)).get(customer_id)

    async def taken(self, scope: TenantScope, customer_id: UUID) -> CustomerRecord:
        """Return the record of a customer whose data is about to leave, and note that. Errors: CustomerNotFoundError."""
        async with self._db.transaction(scope.org_id) as session:
            service = RecordService(Unit(session, scope))
            record = await service.get(customer_id)
            await service.exported(customer_id)
        return record

    async def stream(self, scope: TenantScope, record: CustomerRecord) -> AsyncGenerator[bytes]:
        """Yield one JSON object piece by piece. Each portion of conversations is read in a transaction of its own."""
        head = {"exported_at": self._clock(), "customer": record, **await self._said(scope, record.id)}
        yield to_json(head)[:-1] + b',"conversations":['
        comma, after = b"", None
        while True:
            portion = await self._portion(scope, record.visitor_ids, after)
            for told in portion:
                yield comma + to_json(told)
                comma = b","
            if len(portion) < PORTION:
                break
            after = portion[-1]["id"]
        yield b"]}"

    async def erase(self, scope: TenantScope, customer_id: UUID) -> Erased:
        """Erase a customer with everything they ever wrote, here and in this process's memory.

        Errors: CustomerNotFoundError.
        """
        async with self._db.transaction(scope.org_id) as session:
            unit = Unit(session, scope)
            service = RecordService(unit)
            visitor_ids = await service.lock(customer_id)
            conversations, running = await ConversationService(unit).extent(visitor_ids)
            await service.erase(customer_id, visitor_ids, conversations)
        # A client that hangs up just now must not keep this process from forgetting.
        await asyncio.shield(self._forget(scope, running))
        return Erased(len(visitor_ids), conversations)

    async def _forget(self, scope: TenantScope, running: frozenset[UUID]) -> None:
        """Turns under way are given up first, lest they remember again what they are reading."""
        await self._chat.give_up(running)
        self._analyst.forget(scope.org_id)
        self._vectors.forget()

    async def _said(self, scope: TenantScope, customer_id: UUID) -> dict[str, Any]:
        async with self._db.transaction(scope.org_id) as session:
            unit = Unit(session, scope)
            return {section.name: await section.of(unit, customer_id) for section in self._sections}

    async def _portion(
        self, scope: TenantScope, visitor_ids: Sequence[UUID], after: UUID | None
    ) -> list[Mapping[str, Any]]:
        async with self._db.transaction(scope.org_id) as session:
            unit = Unit(session, scope)
            found = await ConversationService(unit).records(visitor_ids, after=after, limit=PORTION)
            corrections = await CorrectionService(unit).of_turns(_turn_ids(found))
        return [
            {
                **conversation.model_dump(),
                "corrections": [
                    correction
                    for correction in corrections
                    if correction.turn_id in _turn_ids([conversation])
                ],
            }
            for conversation in found
        ]


def _turn_ids(conversations: Sequence[ConversationRecordOut]) -> frozenset[UUID]:
    return frozenset(turn.id for conversation in conversations for turn in conversation.turns)
