"""Sign-up, login, rotating refresh tokens, logout."""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pwdlib import PasswordHash

from concierge.accounts.errors import EmailTakenError, SessionEndedError, TokenError, WrongCredentialsError
from concierge.accounts.models import Member, Organization, SignIn, User
from concierge.accounts.repository import AccountRepository, PeopleRepository
from concierge.accounts.scope import ROLE_PERMISSIONS, Actor, Role, TenantScope
from concierge.accounts.service.audit import audit_event
from concierge.accounts.tokens import TokenSigner, claimed_id
from concierge.kit.clock import Clock
from concierge.kit.db import Database, Session
from concierge.kit.ids import new_id
from concierge.kit.settings import Tokens

HASHER = PasswordHash.recommended()


@dataclass(frozen=True, slots=True)
class TokenPair:
    access_token: str
    access_expires_at: datetime
    refresh_token: str
    org_id: UUID
    user_id: UUID


async def hashed(password: str) -> str:
    """Argon2 takes tens of milliseconds of pure computing, so it runs beside the event loop."""
    return await asyncio.to_thread(HASHER.hash, password)


async def verified(password: str, password_hash: str) -> bool:
    return await asyncio.to_thread(HASHER.verify, password, password_hash)


class SignInService:
    """Opens its own transactions: who the tenant is, is what it finds out."""

    def __init__(self, db: Database, signer: TokenSigner, tokens: Tokens, clock: Clock) -> None:
        self._db = db
        self._signer = signer
        self._tokens = tokens
        self._clock = clock

    async def sign_up(self, *, organization: str, name: str, email: str, password: str) -> TokenPair:
        """Create an organization and its owner, signed in. Errors: EmailTakenError."""
        email = email.lower()
        password_hash = await hashed(password)
        user_id, scope = new_id(), TenantScope(new_id())
        async with self._db.transaction(scope.org_id, user_id=user_id, email=email) as session:
            people, accounts = PeopleRepository(session), AccountRepository(session, scope)
            if await people.user_by_email(email) is not None:
                raise EmailTakenError
            await people.add_user(User(id=user_id, email=email, name=name, password_hash=password_hash))
            slug = f"{_slug(organization)}-{scope.org_id.hex[-6:]}"
            await accounts.add(Organization(id=scope.org_id, name=organization, slug=slug))
            await accounts.add(Member(org_id=scope.org_id, id=new_id(), user_id=user_id, role=Role.OWNER))
            pair = await self._open(session, scope.org_id, user_id)
            await accounts.add(audit_event(_as_member(scope.org_id, user_id), "organization.created"))
        return pair

    async def login(self, *, email: str, password: str, org_id: UUID | None = None) -> TokenPair:
        """Sign in to the named organization, or to the one joined first. Errors: WrongCredentialsError."""
        email = email.lower()
        async with self._db.transaction(email=email) as session:
            user = await PeopleRepository(session).user_by_email(email)
        # An unknown address costs the same time as a wrong password, so that it does not show.
        matches = await verified(password, user.password_hash if user else await _decoy())
        if user is None:
            raise WrongCredentialsError
        chosen = await self._organization_of(user.id, org_id)
        if not matches:
            await self._note(chosen, user.id, "login.failed")
            raise WrongCredentialsError
        async with self._db.transaction(chosen) as session:
            pair = await self._open(session, chosen, user.id)
            await AccountRepository(session, TenantScope(chosen)).add(
                audit_event(_as_member(chosen, user.id), "login.succeeded")
            )
        return pair

    async def refresh(self, refresh_token: str) -> TokenPair:
        """Trade a refresh token for new ones. A token used twice ends the whole sign-in.

        Errors: TokenError, SessionEndedError.
        """
        claims = self._signer.verify("refresh", refresh_token)
        org_id, session_id, user_id = _session_of(claims)
        now = self._clock()
        expires = now + timedelta(days=self._tokens.refresh_days)
        async with self._db.transaction(org_id) as session:
            accounts = AccountRepository(session, TenantScope(org_id))
            generation = int(claims["gen"])
            if await accounts.advance_session(session_id, generation, now, expires):
                return self._pair(org_id, user_id, session_id, generation + 1)
            if not await accounts.revoke_session(session_id, now, "refresh token used twice"):
                raise SessionEndedError
            await accounts.add(
                audit_event(_as_member(org_id, user_id), "session.reuse_detected", subject=session_id)
            )
        raise TokenError(
            "This refresh token was already used, so the sign-in was ended to be safe. Please sign in again.",
            code="refresh_token_reused",
        )

    async def logout(self, refresh_token: str) -> None:
        """End a sign-in; ending it twice is fine."""
        org_id, session_id, user_id = _session_of(self._signer.verify("refresh", refresh_token))
        async with self._db.transaction(org_id) as session:
            accounts = AccountRepository(session, TenantScope(org_id))
            if await accounts.revoke_session(session_id, self._clock(), "logout"):
                await accounts.add(
                    audit_event(_as_member(org_id, user_id), "session.ended", subject=session_id)
                )

    async def _organization_of(self, user_id: UUID, wanted: UUID | None) -> UUID:
        async with self._db.transaction(user_id=user_id) as session:
            memberships = await PeopleRepository(session).memberships(user_id)
        for member, _organization in memberships:
            if wanted is None or member.org_id == wanted:
                return member.org_id
        raise WrongCredentialsError

    async def _note(self, org_id: UUID, user_id: UUID, action: str) -> None:
        async with self._db.transaction(org_id) as session:
            accounts = AccountRepository(session, TenantScope(org_id))
            await accounts.add(audit_event(TenantScope(org_id), action, subject=user_id))

    async def _open(self, session: Session, org_id: UUID, user_id: UUID) -> TokenPair:
        now = self._clock()
        sign_in = SignIn(
            org_id=org_id,
            id=new_id(),
            user_id=user_id,
            created_at=now,
            last_used_at=now,
            expires_at=now + timedelta(days=self._tokens.refresh_days),
        )
        await AccountRepository(session, TenantScope(org_id)).add(sign_in)
        return self._pair(org_id, user_id, sign_in.id, 0)

    def _pair(self, org_id: UUID, user_id: UUID, session_id: UUID, generation: int) -> TokenPair:
        claims: dict[str, Any] = {"org": str(org_id), "sub": str(user_id), "sid": str(session_id)}
        access, expires = self._signer.sign("access", claims, timedelta(minutes=self._tokens.access_minutes))
        refresh, _ = self._signer.sign(
            "refresh", {**claims, "gen": generation}, timedelta(days=self._tokens.refresh_days)
        )
        return TokenPair(access, expires, refresh, org_id, user_id)


def _as_member(org_id: UUID, user_id: UUID) -> TenantScope:
    return TenantScope(org_id, Actor("member", user_id, ROLE_PERMISSIONS[Role.VIEWER]))


def _session_of(claims: dict[str, Any]) -> tuple[UUID, UUID, UUID]:
    return claimed_id(claims, "org"), claimed_id(claims, "sid"), claimed_id(claims, "sub")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "organization"


_decoys: list[str] = []


async def _decoy() -> str:
    """Return the hash of a password nobody has, made on first need."""
    if not _decoys:
        _decoys.append(await hashed(new_id().hex))
    return _decoys[0]
