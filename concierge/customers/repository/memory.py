from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString, cast
from uuid import UUID

from pgvector import HalfVector
from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from concierge.accounts.scope import TenantScope
from concierge.customers.facts import LIFETIMES, Fact
from concierge.customers.models import (
    Customer,
    CustomerFact,
    CustomerSetting,
    ForgottenCustomer,
    RememberedTurn,
    StoredSummary,
    Visitor,
)
from concierge.customers.schemas.context import ConversationSummary, FactKind, RememberedFact
from concierge.customers.schemas.memory import Recalled
from concierge.kit.db import Session, fetch, jsonb

# A queue's job exists only where there is somebody to remember, and only if the turn's transaction commits.
DEFER: Final[LiteralString] = """
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('default', %(task)b::text, %(priority)b::integer, c.id::text, NULL,
       %(args)b::jsonb, NULL)::procrastinate_job_to_defer_v1])
FROM visitors v JOIN customers c ON c.org_id = v.org_id AND c.id = v.customer_id
LEFT JOIN customer_settings s ON s.org_id = v.org_id
WHERE v.org_id = %(org_id)b AND v.id = %(visitor_id)b AND v.ended_at IS NULL
  AND (coalesce(s.memory, 'on') = 'on' OR (s.memory = 'anonymous_off' AND c.profile_type <> 'anonymous'))
"""

# Turns that a job has yet to read, taken as read.
KEEP_OUT: Final[LiteralString] = """
INSERT INTO remembered_turns (org_id, turn_id, customer_id, at)
SELECT org_id, id, %(customer_id)b, %(now)b FROM turns
WHERE org_id = %(org_id)b AND conversation_id = %(conversation_id)b
ON CONFLICT DO NOTHING
"""

# The facts nearest to the message, whatever else there is, and the latest; ranking takes it from there.
RECALL: Final[LiteralString] = """
WITH live AS MATERIALIZED (
    SELECT id, kind, subject, value, confidence, valid_from, confirmed_at, turn_id,
           coalesce(1 - (embedding <=> %(vector)b::halfvec(384)), 0)::float8 AS relevance
    FROM customer_facts
    WHERE org_id = %(org_id)b AND customer_id = %(customer_id)b AND valid_until IS NULL
      AND (expires_at IS NULL OR expires_at > %(now)b)
)
SELECT (SELECT coalesce(jsonb_agg(jsonb_build_array(
            f.id, f.kind, f.subject, f.value, f.confidence, f.valid_from, f.confirmed_at, f.turn_id, f.relevance)), '[]')
        FROM (SELECT * FROM live ORDER BY relevance DESC, confirmed_at DESC LIMIT %(most)b) f),
       (SELECT coalesce(jsonb_agg(jsonb_build_array(s.conversation_id, s.at, s.text)), '[]')
        FROM (SELECT conversation_id, at, text FROM conversation_summaries
              WHERE org_id = %(org_id)b AND customer_id = %(customer_id)b
                AND conversation_id IS DISTINCT FROM %(but)b::uuid
              ORDER BY at DESC LIMIT %(summaries)b) s)
"""


@dataclass(frozen=True, slots=True)
class MemoryHolder:
    """A customer as far as remembering them needs to know, held until the transaction ends."""

    customer_id: UUID
    profile_type: str
    traits: Mapping[str, Any]
    memory: str
    memory_days: Mapping[FactKind, int]
    forgotten_at: datetime | None

    @property
    def lifetimes(self) -> Mapping[FactKind, int]:
        return {**LIFETIMES, **self.memory_days}

    @property
    def allows(self) -> bool:
        return self.memory == "on" or (self.memory == "anonymous_off" and self.profile_type != "anonymous")


class MemoryRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def defer(self, visitor_id: UUID, task: str, args: Mapping[str, Any], priority: int) -> None:
        """Queue a job about a visitor's customer, if there is one who may be remembered. Jobs of one customer wait for each other."""
        await fetch(
            self._session,
            DEFER,
            {
                "org_id": self._scope.org_id,
                "visitor_id": visitor_id,
                "task": task,
                "priority": priority,
                "args": jsonb(args),
            },
        )

    async def recall(
        self,
        customer_id: UUID,
        vector: Sequence[float] | None,
        *,
        now: datetime,
        but: UUID | None,
        most: int,
        summaries: int,
    ) -> tuple[list[Recalled], list[ConversationSummary]]:
        """Return live facts, those nearest to the vector first, and the latest summaries, but of one conversation."""
        parameters = {
            "org_id": self._scope.org_id,
            "customer_id": customer_id,
            "vector": None if vector is None else HalfVector(list(vector)),
            "now": now,
            "but": but,
            "most": most,
            "summaries": summaries,
        }
        ((facts, told),) = await fetch(self._session, RECALL, parameters)
        return [_recalled(row) for row in facts], [
            ConversationSummary(UUID(conversation_id), datetime.fromisoformat(at), text)
            for conversation_id, at, text in told
        ]

    async def customer_of(self, visitor_id: UUID) -> UUID | None:
        return await self._session.scalar(
            select(Visitor.customer_id).where(
                Visitor.org_id == self._scope.org_id, Visitor.id == visitor_id, Visitor.ended_at.is_(None)
            )
        )

    async def exists(self, customer_id: UUID) -> bool:
        query = select(Customer.id).where(Customer.org_id == self._scope.org_id, Customer.id == customer_id)
        return await self._session.scalar(query) is not None

    async def traits(self, customer_id: UUID) -> Mapping[str, Any]:
        query = select(Customer.traits).where(
            Customer.org_id == self._scope.org_id, Customer.id == customer_id
        )
        return await self._session.scalar(query) or {}

    async def hold(self, customer_id: UUID) -> MemoryHolder | None:
        """Return a customer, whose memory nobody else changes until the transaction ends."""
        row = (
            await self._session.execute(
                select(
                    Customer.id,
                    Customer.profile_type,
                    Customer.traits,
                    func.coalesce(CustomerSetting.memory, "on"),
                    CustomerSetting.memory_days,
                    ForgottenCustomer.at,
                )
                .outerjoin(CustomerSetting, CustomerSetting.org_id == Customer.org_id)
                .outerjoin(
                    ForgottenCustomer,
                    (ForgottenCustomer.org_id == Customer.org_id)
                    & (ForgottenCustomer.customer_id == Customer.id),
                )
                .where(Customer.org_id == self._scope.org_id, Customer.id == customer_id)
                .with_for_update(of=Customer, key_share=True)
            )
        ).first()
        if row is None:
            return None
        own_id, profile_type, traits, memory, days, forgotten_at = row
        return MemoryHolder(
            own_id, profile_type, traits, memory, cast("Mapping[FactKind, int]", days or {}), forgotten_at
        )

    async def claim(self, turn_id: UUID, customer_id: UUID, now: datetime) -> bool:
        """Say that a turn is remembered. Returns false when it was already."""
        claimed = await self._session.scalar(
            insert(RememberedTurn)
            .values(org_id=self._scope.org_id, turn_id=turn_id, customer_id=customer_id, at=now)
            .on_conflict_do_nothing()
            .returning(RememberedTurn.turn_id)
        )
        return claimed is not None

    async def keep_out(self, customer_id: UUID, conversation_id: UUID, now: datetime) -> None:
        """Have no turn of a conversation remembered that was not yet."""
        parameters = {"customer_id": customer_id, "conversation_id": conversation_id, "now": now}
        await fetch(self._session, KEEP_OUT, {"org_id": self._scope.org_id, **parameters})

    async def known(self, customer_id: UUID, kinds: Iterable[str]) -> list[Fact]:
        """Return all facts of these kinds, open and closed, without their vectors."""
        query = select(CustomerFact).where(
            CustomerFact.org_id == self._scope.org_id,
            CustomerFact.customer_id == customer_id,
            CustomerFact.kind.in_(list(kinds)),
        )
        return [_fact(row) for row in await self._session.scalars(query)]

    async def all_known(self, customer_id: UUID) -> list[Fact]:
        return await self.known(customer_id, LIFETIMES)

    async def store(self, customer_id: UUID, facts: Sequence[Fact]) -> None:
        """Write new and changed facts, those that end before those that begin."""
        for fact in sorted(facts, key=lambda fact: fact.is_open):
            values = _values(fact)
            statement = insert(CustomerFact).values(
                org_id=self._scope.org_id, customer_id=customer_id, **values
            )
            changed = {"customer_id": customer_id, **values}
            await self._session.execute(
                statement.on_conflict_do_update(index_elements=["org_id", "id"], set_=changed)
            )

    async def page(
        self, customer_id: UUID, *, before: UUID | None, limit: int, with_closed: bool, now: datetime
    ) -> Sequence[CustomerFact]:
        """Return facts, the newest first; without closed ones only what still holds."""
        query = select(CustomerFact).where(
            CustomerFact.org_id == self._scope.org_id, CustomerFact.customer_id == customer_id
        )
        if not with_closed:
            query = query.where(
                CustomerFact.valid_until.is_(None),
                or_(CustomerFact.expires_at.is_(None), CustomerFact.expires_at > now),
            )
        if before is not None:
            query = query.where(CustomerFact.id < before)
        return (await self._session.scalars(query.order_by(CustomerFact.id.desc()).limit(limit))).all()

    async def fact(self, customer_id: UUID, fact_id: UUID) -> CustomerFact | None:
        return await self._session.scalar(
            select(CustomerFact).where(
                CustomerFact.org_id == self._scope.org_id,
                CustomerFact.customer_id == customer_id,
                CustomerFact.id == fact_id,
            )
        )

    async def erase(self, customer_id: UUID, fact_ids: Sequence[UUID]) -> int:
        """Delete facts. Returns how many there were."""
        erased = await self._session.scalars(
            delete(CustomerFact)
            .where(
                CustomerFact.org_id == self._scope.org_id,
                CustomerFact.customer_id == customer_id,
                CustomerFact.id.in_(fact_ids),
            )
            .returning(CustomerFact.id)
        )
        return len(erased.all())

    async def forget(self, customer_id: UUID, now: datetime) -> int:
        """Delete all that is remembered of a customer, and have nothing from before remembered later on."""
        own = self._scope.org_id
        erased = await self._session.scalars(
            delete(CustomerFact)
            .where(CustomerFact.org_id == own, CustomerFact.customer_id == customer_id)
            .returning(CustomerFact.id)
        )
        count = len(erased.all())
        await self._session.execute(
            delete(StoredSummary).where(StoredSummary.org_id == own, StoredSummary.customer_id == customer_id)
        )
        await self._session.execute(
            update(Customer).where(Customer.org_id == own, Customer.id == customer_id).values(traits={})
        )
        await self._session.execute(
            insert(ForgottenCustomer)
            .values(org_id=own, customer_id=customer_id, at=now)
            .on_conflict_do_update(index_elements=["org_id", "customer_id"], set_={"at": now})
        )
        return count

    async def save_traits(self, customer_id: UUID, traits: Mapping[str, Any]) -> None:
        await self._session.execute(
            update(Customer)
            .where(Customer.org_id == self._scope.org_id, Customer.id == customer_id)
            .values(traits=dict(traits))
        )

    async def save_summary(
        self, conversation_id: UUID, customer_id: UUID, *, text: str, seq: int, at: datetime
    ) -> None:
        """Store a conversation's summary, unless there is one of a later turn."""
        values = {"customer_id": customer_id, "text": text, "seq": seq, "at": at}
        await self._session.execute(
            insert(StoredSummary)
            .values(org_id=self._scope.org_id, conversation_id=conversation_id, **values)
            .on_conflict_do_update(
                index_elements=["org_id", "conversation_id"], set_=values, where=StoredSummary.seq <= seq
            )
        )

    async def summaries(self, customer_id: UUID, limit: int) -> Sequence[StoredSummary]:
        """Return the latest summaries, the newest first."""
        query = (
            select(StoredSummary)
            .where(StoredSummary.org_id == self._scope.org_id, StoredSummary.customer_id == customer_id)
            .order_by(StoredSummary.at.desc())
            .limit(limit)
        )
        return (await self._session.scalars(query)).all()

    async def move(self, from_customer_id: UUID, to_customer_id: UUID) -> None:
        """Give what belongs to one customer and is not a fact to another."""
        for table in (RememberedTurn, StoredSummary):
            await self._session.execute(
                update(table)
                .where(table.org_id == self._scope.org_id, table.customer_id == from_customer_id)
                .values(customer_id=to_customer_id)
            )

    async def give_back(
        self, fact_ids: Sequence[UUID], conversation_ids: Sequence[UUID], customer_id: UUID
    ) -> None:
        """Give a customer what went to another with a merge; what the one said no longer closes what the other said."""
        own, other = CustomerFact, aliased(CustomerFact)
        org_id = self._scope.org_id
        await self._session.execute(
            update(own).where(own.org_id == org_id, own.id.in_(fact_ids)).values(customer_id=customer_id)
        )
        await self._session.execute(
            update(StoredSummary)
            .where(StoredSummary.org_id == org_id, StoredSummary.conversation_id.in_(conversation_ids))
            .values(customer_id=customer_id)
        )
        await self._session.execute(
            update(own)
            .where(
                own.org_id == org_id,
                exists().where(
                    other.org_id == own.org_id,
                    other.id == own.superseded_by,
                    other.customer_id != own.customer_id,
                ),
            )
            .values(valid_until=None, superseded_by=None)
        )


class MemorySettingRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def get(self) -> CustomerSetting | None:
        return await self._session.get(CustomerSetting, self._scope.org_id)

    async def save(self, memory: str, days: Mapping[FactKind, int]) -> None:
        values = {"memory": memory, "memory_days": dict(days)}
        await self._session.execute(
            insert(CustomerSetting)
            .values(org_id=self._scope.org_id, **values)
            .on_conflict_do_update(index_elements=["org_id"], set_=values)
        )


def _recalled(row: Sequence[Any]) -> Recalled:
    fact_id, kind, subject, value, confidence, valid_from, confirmed_at, turn_id, relevance = row
    fact = RememberedFact(
        id=UUID(fact_id),
        kind=kind,
        subject=subject,
        value=value,
        confidence=confidence,
        valid_from=datetime.fromisoformat(valid_from),
        relevance=relevance,
        turn_id=None if turn_id is None else UUID(turn_id),
    )
    return Recalled(fact, datetime.fromisoformat(confirmed_at))


_NAMES: Final = tuple(name for name in Fact.__slots__ if name != "embedding")


def _fact(row: CustomerFact) -> Fact:
    return Fact(**{name: getattr(row, name) for name in _NAMES})


def _values(fact: Fact) -> dict[str, Any]:
    """What is written of a fact; a vector only where one was made, so that an earlier one stays."""
    values = {name: getattr(fact, name) for name in _NAMES}
    return values if fact.embedding is None else {**values, "embedding": HalfVector(list(fact.embedding))}
