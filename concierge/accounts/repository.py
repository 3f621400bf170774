from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError

from concierge.accounts.errors import AlreadyMemberError, EmailTakenError
from concierge.accounts.models import ApiKey, AuditEvent, Member, Organization, SignIn, User
from concierge.accounts.scope import Role, TenantScope
from concierge.kit.db import Session

# A key's last use is written at most this often, so that a busy key does not cost a write per request.
LAST_USED_STEP = timedelta(minutes=1)


class PeopleRepository:
    """People before they have an organization: sign-up and login."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add_user(self, user: User) -> None:
        self._session.add(user)
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise EmailTakenError from error

    async def user_by_email(self, email: str) -> User | None:
        return await self._session.scalar(select(User).where(User.email == email))

    async def user_by_id(self, user_id: UUID) -> User | None:
        return await self._session.scalar(select(User).where(User.id == user_id))

    async def memberships(self, user_id: UUID) -> Sequence[tuple[Member, Organization]]:
        rows = await self._session.execute(
            select(Member, Organization)
            .join(Organization, Organization.id == Member.org_id)
            .where(Member.user_id == user_id)
            .order_by(Member.created_at)
        )
        return [(row[0], row[1]) for row in rows]


class AccountRepository:
    """The organization's own rows: itself, its members, sign-ins, keys and audit log."""

    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def add(self, *rows: Organization | Member | SignIn | ApiKey | AuditEvent) -> None:
        self._session.add_all(rows)
        await self._session.flush()

    async def add_member(self, member: Member) -> None:
        """Errors: AlreadyMemberError."""
        self._session.add(member)
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise AlreadyMemberError from error

    async def organization(self) -> Organization | None:
        return await self._session.scalar(select(Organization).where(Organization.id == self._scope.org_id))

    async def members(self) -> Sequence[tuple[Member, User]]:
        rows = await self._session.execute(
            select(Member, User)
            .join(User, User.id == Member.user_id)
            .where(Member.org_id == self._scope.org_id)
            .order_by(Member.created_at)
        )
        return [(row[0], row[1]) for row in rows]

    async def member(self, member_id: UUID) -> Member | None:
        return await self._session.scalar(
            select(Member).where(Member.org_id == self._scope.org_id, Member.id == member_id)
        )

    async def remove(self, row: Member) -> None:
        await self._session.delete(row)
        await self._session.flush()

    async def lock_owners(self) -> int:
        """Count the owners and hold them, so that two owners cannot demote each other at once."""
        owners = await self._session.scalars(
            select(Member.id)
            .where(Member.org_id == self._scope.org_id, Member.role == Role.OWNER)
            .with_for_update()
        )
        return len(owners.all())

    async def session_member(self, session_id: UUID, now: datetime) -> tuple[UUID, Role] | None:
        """Return the user and their role as of now, or None when the sign-in has ended."""
        row = (
            await self._session.execute(
                select(SignIn.user_id, Member.role)
                .join(Member, (Member.org_id == SignIn.org_id) & (Member.user_id == SignIn.user_id))
                .where(
                    SignIn.org_id == self._scope.org_id,
                    SignIn.id == session_id,
                    SignIn.revoked_at.is_(None),
                    SignIn.expires_at > now,
                )
            )
        ).first()
        return (row[0], Role(row[1])) if row else None

    async def advance_session(
        self, session_id: UUID, generation: int, now: datetime, expires: datetime
    ) -> bool:
        """Trade one generation of refresh token for the next; False when this one was traded before."""
        result = await self._session.execute(
            update(SignIn)
            .where(
                SignIn.org_id == self._scope.org_id,
                SignIn.id == session_id,
                SignIn.generation == generation,
                SignIn.revoked_at.is_(None),
                SignIn.expires_at > now,
            )
            .values(generation=generation + 1, last_used_at=now, expires_at=expires)
        )
        return cast("CursorResult[object]", result).rowcount == 1

    async def revoke_session(self, session_id: UUID, now: datetime, because: str) -> bool:
        result = await self._session.execute(
            update(SignIn)
            .where(SignIn.org_id == self._scope.org_id, SignIn.id == session_id, SignIn.revoked_at.is_(None))
            .values(revoked_at=now, revoked_because=because)
        )
        return cast("CursorResult[object]", result).rowcount == 1

    async def keys(self) -> Sequence[ApiKey]:
        rows = await self._session.scalars(
            select(ApiKey).where(ApiKey.org_id == self._scope.org_id).order_by(ApiKey.created_at)
        )
        return rows.all()

    async def key(self, key_id: UUID) -> ApiKey | None:
        return await self._session.scalar(
            select(ApiKey).where(ApiKey.org_id == self._scope.org_id, ApiKey.id == key_id)
        )

    async def key_in_use(self, digest: bytes, now: datetime) -> ApiKey | None:
        """Find a key that is not revoked and note that it was used."""
        key = await self._session.scalar(
            select(ApiKey).where(
                ApiKey.org_id == self._scope.org_id,
                ApiKey.secret_hash == digest,
                ApiKey.revoked_at.is_(None),
            )
        )
        if key is not None and (key.last_used_at is None or now - key.last_used_at > LAST_USED_STEP):
            key.last_used_at = now
        return key

    async def audit_events(self, before: UUID | None, limit: int) -> Sequence[AuditEvent]:
        query = select(AuditEvent).where(AuditEvent.org_id == self._scope.org_id)
        if before is not None:
            query = query.where(AuditEvent.id < before)
        return (await self._session.scalars(query.order_by(AuditEvent.id.desc()).limit(limit))).all()
