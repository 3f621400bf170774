"""An organization's own people and keys."""

from collections.abc import Sequence
from uuid import UUID

from concierge.accounts.errors import (
    AccountNotFoundError,
    AlreadyMemberError,
    EmailTakenError,
    LastOwnerError,
)
from concierge.accounts.models import ApiKey, AuditEvent, Member, Organization, User
from concierge.accounts.repository import AccountRepository, PeopleRepository
from concierge.accounts.scope import (
    PUBLISHABLE_KEY_PERMISSIONS,
    SECRET_KEY_PERMISSIONS,
    Permission,
    Role,
    TenantScope,
    Unit,
)
from concierge.accounts.service.audit import audit_event
from concierge.accounts.service.sign_in import hashed, verified
from concierge.accounts.tokens import KeyKind, mint_key
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.kit.errors import ForbiddenError, InvalidInputError
from concierge.kit.ids import new_id


class KeyService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._unit = unit
        self._repository = AccountRepository(unit.session, unit.scope)
        self._clock = clock

    async def create(
        self, *, kind: KeyKind, name: str, scopes: Sequence[Permission] | None
    ) -> tuple[ApiKey, str]:
        """Make a key; the second value is the key itself, which nobody can read again."""
        possible = SECRET_KEY_PERMISSIONS if kind == "secret" else PUBLISHABLE_KEY_PERMISSIONS
        wanted = possible if scopes is None else frozenset(scopes)
        if beyond := wanted - possible:
            raise InvalidInputError(
                f"A {kind} key cannot have: {', '.join(sorted(beyond))}.", code="scope_not_allowed"
            )
        minted = mint_key(kind, self._unit.scope.org_id)
        key = ApiKey(
            org_id=self._unit.scope.org_id,
            id=new_id(),
            kind=kind,
            name=name,
            hint=minted.hint,
            secret_hash=minted.digest,
            scopes=sorted(wanted),
            created_by=self._unit.scope.actor.id,
            created_at=self._clock(),
        )
        event = audit_event(self._unit.scope, "key.created", subject=key.id, details={"kind": kind})
        await self._repository.add(key, event)
        return key, minted.plain

    async def list(self) -> Sequence[ApiKey]:
        return await self._repository.keys()

    async def revoke(self, key_id: UUID) -> None:
        key = await self._repository.key(key_id)
        if key is None:
            raise AccountNotFoundError("API key")
        if key.revoked_at is None:
            key.revoked_at = self._clock()
            await self._repository.add(audit_event(self._unit.scope, "key.revoked", subject=key_id))


class MemberService:
    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._repository = AccountRepository(unit.session, unit.scope)

    async def organization(self) -> Organization:
        organization = await self._repository.organization()
        if organization is None:
            raise AccountNotFoundError("organization")
        return organization

    async def list(self) -> Sequence[tuple[Member, User]]:
        return await self._repository.members()

    async def change_role(self, member_id: UUID, role: Role) -> tuple[Member, User]:
        """Errors: AccountNotFoundError; LastOwnerError; ForbiddenError when an admin touches an owner."""
        member = await self._changeable(member_id)
        self._guard_ownership(member, role)
        if member.role == Role.OWNER and role != Role.OWNER and await self._repository.lock_owners() <= 1:
            raise LastOwnerError
        details = {"from": member.role, "to": role}
        member.role = role
        await self._repository.add(
            audit_event(self._unit.scope, "member.role_changed", subject=member_id, details=details)
        )
        return next(pair for pair in await self._repository.members() if pair[0].id == member_id)

    async def remove(self, member_id: UUID) -> None:
        member = await self._changeable(member_id)
        self._guard_ownership(member, Role.VIEWER)
        if member.role == Role.OWNER and await self._repository.lock_owners() <= 1:
            raise LastOwnerError
        await self._repository.remove(member)
        await self._repository.add(audit_event(self._unit.scope, "member.removed", subject=member_id))

    async def audit_log(self, before: UUID | None, limit: int) -> Sequence[AuditEvent]:
        return await self._repository.audit_events(before, limit)

    async def _changeable(self, member_id: UUID) -> Member:
        member = await self._repository.member(member_id)
        if member is None:
            raise AccountNotFoundError("member")
        return member

    def _guard_ownership(self, member: Member, wanted: Role) -> None:
        if Role.OWNER in {member.role, wanted} and self._unit.scope.actor.role != Role.OWNER:
            raise ForbiddenError("Only an owner can make, change or remove an owner.", code="owner_only")


class Invitations:
    """Adding a member crosses from the organization to a person, so it opens transactions that see both."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(
        self, scope: TenantScope, *, email: str, name: str, role: Role, password: str
    ) -> tuple[Member, User]:
        """Add a colleague, who signs in with the password given.

        Somebody who has an account joins only with its own password: who they are is theirs to prove, and an account
        that a stranger made in their name, with a password of the stranger's, must not open this organization.
        Errors: AlreadyMemberError; EmailTakenError for an account with another password.
        """
        if role == Role.OWNER and scope.actor.role != Role.OWNER:
            raise ForbiddenError("Only an owner can make, change or remove an owner.", code="owner_only")
        known = await self._known(scope, email.lower())
        if known is not None and not await verified(password, known.password_hash):
            raise EmailTakenError
        user = known or User(
            id=new_id(), email=email.lower(), name=name, password_hash=await hashed(password)
        )
        async with self._db.transaction(scope.org_id, email=user.email) as session:
            if known is None:
                await PeopleRepository(session).add_user(user)
            member = Member(org_id=scope.org_id, id=new_id(), user_id=user.id, role=role)
            event = audit_event(scope, "member.added", subject=member.id, details={"role": role})
            accounts = AccountRepository(session, scope)
            await accounts.add_member(member)
            await accounts.add(event)
        return member, user

    async def _known(self, scope: TenantScope, email: str) -> User | None:
        """Return who has an account with this address, if anybody. Errors: AlreadyMemberError."""
        async with self._db.transaction(scope.org_id, email=email) as session:
            user = await PeopleRepository(session).user_by_email(email)
            members = await AccountRepository(session, scope).members() if user else ()
        if user is not None and any(member.user_id == user.id for member, _ in members):
            raise AlreadyMemberError
        return user
