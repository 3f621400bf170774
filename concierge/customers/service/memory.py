"""What is remembered of customers: stored after a turn, recalled for one, shown, corrected and erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from concierge.accounts.scope import TenantScope, Unit
from concierge.customers.errors import CustomerNotFoundError, FactNotFoundError
from concierge.customers.facts import Fact, NewFact, Said, all_placed, merged, slot_of
from concierge.customers.models import CustomerFact, StoredSummary
from concierge.customers.recall import TOKENS, ranked
from concierge.customers.repository.memory import MemoryHolder, MemoryRepository, MemorySettingRepository
from concierge.customers.schemas.context import FactKind
from concierge.customers.schemas.memory import (
    FactIn,
    Memories,
    MemoryExport,
    MemorySettings,
    MemorySettingsOut,
)
from concierge.customers.traits import Shown, Traits
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.kit.errors import UnavailableError
from concierge.llm.embedders import QuestionVectors
from concierge.llm.embeddings import LOCAL_SPACE

REMEMBER_TASK: Final = "remember"
# Before pages that are read anew: what was just said may matter in the next message.
PRIORITY: Final = 10
# So many facts are ranked, and so many earlier conversations told of.
MOST_RECALLED: Final = 40
MOST_SUMMARIES: Final = 3
MOST_EXPORTED: Final = 100_000


@dataclass(frozen=True, slots=True)
class MovedMemory:
    """What went from one customer to another: facts, and the conversations that summaries are of."""

    facts: Sequence[UUID]
    conversations: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class TurnMemory:
    """What a turn leaves behind: what its message states, what it shows of its writer, and the conversation so far."""

    visitor_id: UUID
    conversation_id: UUID
    turn_id: UUID
    seq: int
    at: datetime
    facts: Sequence[NewFact] = ()
    shown: tuple[Shown, ...] = ()
    summary: str = ""

    @property
    def said(self) -> Said:
        return Said(self.at, self.conversation_id, self.turn_id)


class RecallService:
    """For a turn, within its transaction: one statement each."""

    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._scope = unit.scope
        self._repository = MemoryRepository(unit.session, unit.scope)
        self._clock = clock

    async def recall(
        self,
        customer_id: UUID,
        vector: Sequence[float] | None,
        *,
        conversation_id: UUID | None = None,
        tokens: int = TOKENS,
    ) -> Memories:
        """Return what is worth knowing now, by the message's vector (384 numbers of the local model), and the latest
        conversations but this one. Whether it may be used at all is for `KnownCustomer.memory_allowed` to say.
        """
        now = self._clock()
        found, summaries = await self._repository.recall(
            customer_id, vector, now=now, but=conversation_id, most=MOST_RECALLED, summaries=MOST_SUMMARIES
        )
        return Memories(ranked(found, now, tokens), tuple(summaries))

    async def traits_of(self, customer_id: UUID) -> Mapping[str, Any]:
        """Return a customer's traits as they are stored, for `Traits.of`."""
        return await self._repository.traits(customer_id)

    async def remember_later(self, visitor_id: UUID, turn_id: UUID) -> None:
        """Have a turn remembered once the transaction is done, if its visitor may be remembered."""
        args = {"org_id": str(self._scope.org_id), "turn_id": str(turn_id)}
        await self._repository.defer(visitor_id, REMEMBER_TASK, args, PRIORITY)


class Memory:
    """Opens its own transactions, for nothing is embedded within one."""

    def __init__(self, db: Database, vectors: QuestionVectors, clock: Clock = utc_now) -> None:
        self._db = db
        self._vectors = vectors
        self._clock = clock

    async def remember(self, scope: TenantScope, turn: TurnMemory) -> bool:
        """Store what a turn leaves behind, once. Returns whether it was stored now."""
        facts = await self._embedded(turn.facts)
        async with self._db.transaction(scope.org_id) as session:
            repository = MemoryRepository(session, scope)
            customer_id = await repository.customer_of(turn.visitor_id)
            holder = None if customer_id is None else await repository.hold(customer_id)
            if holder is None or not _may_remember(holder, turn.at):
                return False
            if not await repository.claim(turn.turn_id, holder.customer_id, self._clock()):
                return False
            await _place(repository, holder, facts, turn.said)
            if turn.shown:
                traits = Traits.of(holder.traits).moved(turn.shown, turn.at)
                await repository.save_traits(holder.customer_id, traits.stored())
            if turn.summary:
                await repository.save_summary(
                    turn.conversation_id, holder.customer_id, text=turn.summary, seq=turn.seq, at=turn.at
                )
        return True

    async def add(self, scope: TenantScope, customer_id: UUID, wanted: FactIn) -> Fact:
        """Remember what somebody wrote down. Errors: CustomerNotFoundError."""
        new = NewFact(
            kind=wanted.kind,
            subject=wanted.subject,
            slot=slot_of(wanted.subject),
            value=wanted.value,
            confidence=wanted.confidence,
        )
        (new,) = await self._embedded([new])
        async with self._db.transaction(scope.org_id) as session:
            repository = MemoryRepository(session, scope)
            holder = await _held(repository, customer_id)
            changed = await _place(repository, holder, [new], Said(self._clock()))
        return changed[-1]

    async def change(
        self, scope: TenantScope, customer_id: UUID, fact_id: UUID, value: str, *, erasing: bool = False
    ) -> Fact:
        """Have another value hold from now on. With `erasing` the earlier one is gone, otherwise it is history.

        Errors: FactNotFoundError, also for one that no longer holds.
        """
        vector = await self._vectors_of([value])
        async with self._db.transaction(scope.org_id) as session:
            repository = MemoryRepository(session, scope)
            holder = await _held(repository, customer_id, FactNotFoundError)
            row = await repository.fact(customer_id, fact_id)
            if row is None or row.valid_until is not None:
                raise FactNotFoundError
            new = NewFact(_kind(row), row.subject, row.slot, value, 0.95, embedding=vector[0])
            if erasing:
                await repository.erase(customer_id, [fact_id])
            changed = await _place(repository, holder, [new], Said(self._clock()))
            return changed[-1]

    async def correct(
        self, scope: TenantScope, customer_id: UUID, facts: Sequence[NewFact], said: Said
    ) -> list[str]:
        """Erase what these statements contradict, and store what they say. Returns the values that are gone."""
        facts = await self._embedded(facts)
        async with self._db.transaction(scope.org_id) as session:
            repository = MemoryRepository(session, scope)
            holder = await _held(repository, customer_id)
            known = await repository.known(customer_id, {fact.kind for fact in facts})
            changed = all_placed(known, facts, said, holder.lifetimes)
            gone = [fact for fact in changed if not fact.is_open]
            if gone:
                await repository.erase(customer_id, [fact.id for fact in gone])
            if holder.allows:
                await repository.store(customer_id, [fact for fact in changed if fact.is_open])
        return [fact.value for fact in gone]

    async def keep_out(self, scope: TenantScope, customer_id: UUID, conversation_id: UUID) -> None:
        """Have no turn of a conversation remembered that was not yet."""
        async with self._db.transaction(scope.org_id) as session:
            await MemoryRepository(session, scope).keep_out(customer_id, conversation_id, self._clock())

    async def erase(self, scope: TenantScope, customer_id: UUID, fact_ids: Sequence[UUID]) -> int:
        """Erase facts. Returns how many there were. Errors: FactNotFoundError when there was none."""
        async with self._db.transaction(scope.org_id) as session:
            erased = await MemoryRepository(session, scope).erase(customer_id, fact_ids)
        if not erased:
            raise FactNotFoundError
        return erased

    async def forget(self, scope: TenantScope, customer_id: UUID) -> int:
        """Erase all that is remembered of a customer. Returns how many facts there were. Errors: CustomerNotFoundError."""
        async with self._db.transaction(scope.org_id) as session:
            repository = MemoryRepository(session, scope)
            await _held(repository, customer_id)
            return await repository.forget(customer_id, self._clock())

    async def customer_of(self, scope: TenantScope) -> UUID | None:
        """Return the customer that a visitor is; None for everybody else, and for a visitor nobody knows."""
        if scope.actor.kind != "visitor" or scope.actor.id is None:
            return None
        async with self._db.transaction(scope.org_id) as session:
            return await MemoryRepository(session, scope).customer_of(scope.actor.id)

    async def _embedded(self, facts: Sequence[NewFact]) -> list[NewFact]:
        vectors = await self._vectors_of([fact.value for fact in facts if not fact.ends])
        own = iter(vectors)
        return [fact if fact.ends else replace(fact, embedding=next(own)) for fact in facts]

    async def _vectors_of(self, texts: Sequence[str]) -> list[list[float] | None]:
        """None for each while the model cannot be asked: what is remembered without is found by its age alone."""
        try:
            return [list(map(float, vector)) for vector in await self._vectors.of(LOCAL_SPACE, texts)]
        except UnavailableError:
            return [None for _ in texts]


class MemoryView:
    """What may be seen of memory, within the request's transaction; and of what customers are, by whom."""

    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._repository = MemoryRepository(unit.session, unit.scope)
        self._settings = MemorySettingRepository(unit.session, unit.scope)
        self._clock = clock

    async def of(
        self, customer_id: UUID, *, before: UUID | None, limit: int, with_closed: bool
    ) -> Sequence[CustomerFact]:
        """Return facts, the newest first. Errors: CustomerNotFoundError."""
        if not await self._repository.exists(customer_id):
            raise CustomerNotFoundError
        return await self._repository.page(
            customer_id, before=before, limit=limit, with_closed=with_closed, now=self._clock()
        )

    async def customer_of(self, visitor_id: UUID) -> UUID | None:
        return await self._repository.customer_of(visitor_id)

    async def export(self, customer_id: UUID) -> MemoryExport:
        """Return all that is remembered of a customer, closed facts as well."""
        facts = await self._repository.page(
            customer_id, before=None, limit=MOST_EXPORTED, with_closed=True, now=self._clock()
        )
        summaries = await self._repository.summaries(customer_id, MOST_EXPORTED)
        return MemoryExport([_plain(fact) for fact in facts], [_told(one) for one in summaries])

    async def absorb(self, from_customer_id: UUID, into_customer_id: UUID) -> MovedMemory:
        """Give what is remembered of one customer to another, of whom it turned out to be. Returns what moved.

        Where both said something of the same slot, what was said later holds.
        """
        await self._repository.hold(into_customer_id)
        moving = await self._repository.all_known(from_customer_id)
        staying = await self._repository.all_known(into_customer_id)
        summaries = await self._repository.summaries(from_customer_id, MOST_EXPORTED)
        moved = MovedMemory([fact.id for fact in moving], [one.conversation_id for one in summaries])
        await self._repository.store(into_customer_id, merged(staying, moving))
        await self._repository.move(from_customer_id, into_customer_id)
        return moved

    async def give_back(self, moved: MovedMemory, customer_id: UUID) -> None:
        """Undo what `absorb` did, for a customer who is there again."""
        await self._repository.give_back(moved.facts, moved.conversations, customer_id)

    async def settings(self) -> MemorySettingsOut:
        stored = await self._settings.get()
        if stored is None:
            return MemorySettingsOut(memory="on", days={})
        return MemorySettingsOut.model_validate({"memory": stored.memory, "days": stored.memory_days})

    async def change_settings(self, wanted: MemorySettings) -> MemorySettingsOut:
        await self._settings.save(wanted.memory, dict(wanted.days))
        return MemorySettingsOut(memory=wanted.memory, days=dict(wanted.days))


def _may_remember(holder: MemoryHolder, at: datetime) -> bool:
    return holder.allows and (holder.forgotten_at is None or at > holder.forgotten_at)


async def _held(
    repository: MemoryRepository, customer_id: UUID, missing: type[Exception] = CustomerNotFoundError
) -> MemoryHolder:
    holder = await repository.hold(customer_id)
    if holder is None:
        raise missing
    return holder


async def _place(
    repository: MemoryRepository, holder: MemoryHolder, facts: Sequence[NewFact], said: Said
) -> list[Fact]:
    if not facts:
        return []
    known = await repository.known(holder.customer_id, {fact.kind for fact in facts})
    changed = all_placed(known, facts, said, holder.lifetimes)
    await repository.store(holder.customer_id, changed)
    return changed


def _kind(row: CustomerFact) -> FactKind:
    return cast("FactKind", row.kind)


def _plain(row: CustomerFact) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "subject": row.subject,
        "value": row.value,
        "confidence": round(row.confidence, 3),
        "valid_from": row.valid_from.isoformat(),
        "valid_until": row.valid_until and row.valid_until.isoformat(),
        "expires_at": row.expires_at and row.expires_at.isoformat(),
        "conversation_id": row.conversation_id and str(row.conversation_id),
        "turn_id": row.turn_id and str(row.turn_id),
    }


def _told(row: StoredSummary) -> dict[str, Any]:
    return {"conversation_id": str(row.conversation_id), "at": row.at.isoformat(), "text": row.text}
