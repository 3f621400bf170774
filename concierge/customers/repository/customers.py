from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from concierge.accounts.scope import TenantScope
from concierge.accounts.service.audit import audit_event
from concierge.customers.models import Customer, CustomerMerge, CustomerSetting, IdentityToken, Visitor
from concierge.kit.db import Session

ESCAPE: Final = "\\"


class CustomerRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def get(self, customer_id: UUID, *, to_change: bool = False) -> Customer | None:
        query = select(Customer).where(Customer.org_id == self._scope.org_id, Customer.id == customer_id)
        return await self._session.scalar(query.with_for_update() if to_change else query)

    async def by_external_id(self, external_id: str) -> Customer | None:
        """Return the customer, to be changed."""
        return await self._session.scalar(
            select(Customer)
            .where(Customer.org_id == self._scope.org_id, Customer.external_id == external_id)
            .with_for_update()
        )

    async def take_turns(self, who: str) -> None:
        """Wait until nobody else is identifying the same visitor or person, until the transaction ends."""
        key = func.hashtextextended(f"{self._scope.org_id}:{who}", 0)
        await self._session.execute(select(func.pg_advisory_xact_lock(key)))

    async def made(self, customer_id: UUID, external_id: str, now: datetime) -> Customer:
        """Return the customer of an external id, made if there is none; also when somebody makes them just now."""
        await self._session.execute(
            insert(Customer)
            .values(
                org_id=self._scope.org_id,
                id=customer_id,
                external_id=external_id,
                profile_type="identified",
                visits=0,
                created_at=now,
                updated_at=now,
                last_seen_at=now,
            )
            .on_conflict_do_nothing(index_elements=["org_id", "external_id"])
        )
        found = await self.by_external_id(external_id)
        assert found is not None, "it was made, or was there"
        return found

    async def list(
        self, *, profile_type: str | None, search: str | None, before: UUID | None, limit: int
    ) -> Sequence[Customer]:
        """Return the newest first. `search` is the beginning of an e-mail address, a name or an external id."""
        query = select(Customer).where(Customer.org_id == self._scope.org_id)
        if profile_type is not None:
            query = query.where(Customer.profile_type == profile_type)
        if search is not None:
            columns = (Customer.email, Customer.name, Customer.external_id)
            query = query.where(
                or_(*(func.lower(column).startswith(search.lower(), autoescape=True) for column in columns))
            )
        if before is not None:
            query = query.where(Customer.id < before)
        return (await self._session.scalars(query.order_by(Customer.id.desc()).limit(limit))).all()

    async def remove(self, customer: Customer) -> None:
        await self._session.delete(customer)
        await self._session.flush()

    async def flush(self) -> None:
        await self._session.flush()

    async def add(self, row: Customer | Visitor | CustomerMerge) -> None:
        self._session.add(row)
        await self._session.flush()

    async def visitor(self, visitor_id: UUID) -> Visitor | None:
        """Return a visitor, to be changed. Their conversations may begin meanwhile, which refer to them."""
        return await self._session.scalar(
            select(Visitor)
            .where(Visitor.org_id == self._scope.org_id, Visitor.id == visitor_id)
            .with_for_update(key_share=True)
        )

    async def has_ended(self, visitor_id: UUID) -> bool:
        query = select(Visitor.ended_at.is_not(None)).where(
            Visitor.org_id == self._scope.org_id, Visitor.id == visitor_id
        )
        return bool(await self._session.scalar(query))

    async def add_visitor(
        self, visitor_id: UUID, customer_id: UUID, agent_id: UUID, now: datetime, *, ended: bool = False
    ) -> bool:
        """Returns False when there is such a visitor, also one that wrote their first message just now."""
        made = await self._session.scalar(
            insert(Visitor)
            .values(
                org_id=self._scope.org_id,
                id=visitor_id,
                customer_id=customer_id,
                agent_id=agent_id,
                created_at=now,
                ended_at=now if ended else None,
            )
            .on_conflict_do_nothing(index_elements=["org_id", "id"])
            .returning(Visitor.id)
        )
        return made is not None

    async def add_anonymous(self, customer_id: UUID, now: datetime) -> None:
        """Have an anonymous customer who has said nothing."""
        await self._session.execute(
            insert(Customer)
            .values(
                org_id=self._scope.org_id,
                id=customer_id,
                visits=0,
                created_at=now,
                updated_at=now,
                last_seen_at=now,
            )
            .on_conflict_do_nothing(index_elements=["org_id", "id"])
        )

    async def visitors(self, customer_id: UUID) -> Sequence[Visitor]:
        found = await self._session.scalars(
            select(Visitor)
            .where(Visitor.org_id == self._scope.org_id, Visitor.customer_id == customer_id)
            .order_by(Visitor.id)
        )
        return found.all()

    async def give_visitors(self, visitor_ids: Sequence[UUID], customer_id: UUID) -> None:
        await self._session.execute(
            update(Visitor)
            .where(Visitor.org_id == self._scope.org_id, Visitor.id.in_(visitor_ids))
            .values(customer_id=customer_id)
        )

    async def merges(self, customer_id: UUID) -> Sequence[CustomerMerge]:
        found = await self._session.scalars(
            select(CustomerMerge)
            .where(CustomerMerge.org_id == self._scope.org_id, CustomerMerge.into_customer_id == customer_id)
            .order_by(CustomerMerge.id.desc())
        )
        return found.all()

    async def merge(self, merge_id: UUID) -> CustomerMerge | None:
        """Return a merge, to be undone."""
        return await self._session.scalar(
            select(CustomerMerge)
            .where(CustomerMerge.org_id == self._scope.org_id, CustomerMerge.id == merge_id)
            .with_for_update()
        )

    async def note(self, action: str, subject: UUID | None, details: Mapping[str, Any] | None = None) -> None:
        """Leave a line in the audit log."""
        self._session.add(audit_event(self._scope, action, subject=subject, details=details))
        await self._session.flush()


class IdentityRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def settings(self) -> CustomerSetting | None:
        return await self._session.get(CustomerSetting, self._scope.org_id)

    async def save_settings(self, **values: Any) -> None:
        """Change what is named, and leave the rest as it is."""
        await self._session.execute(
            insert(CustomerSetting)
            .values(org_id=self._scope.org_id, **values)
            .on_conflict_do_update(index_elements=["org_id"], set_=values)
        )
        self._session.expire_all()

    async def take_token(self, digest: bytes, visitor_id: UUID, expires_at: datetime, now: datetime) -> bool:
        """Let a token serve this visitor. Returns whether it does, and did not serve another before."""
        await self._session.execute(
            delete(IdentityToken).where(
                IdentityToken.org_id == self._scope.org_id, IdentityToken.expires_at < now
            )
        )
        await self._session.execute(
            insert(IdentityToken)
            .values(org_id=self._scope.org_id, digest=digest, visitor_id=visitor_id, expires_at=expires_at)
            .on_conflict_do_nothing(index_elements=["org_id", "digest"])
        )
        owner = await self._session.scalar(
            select(IdentityToken.visitor_id).where(
                IdentityToken.org_id == self._scope.org_id, IdentityToken.digest == digest
            )
        )
        return owner == visitor_id
