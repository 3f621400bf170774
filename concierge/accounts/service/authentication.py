"""From a bearer credential to a `TenantScope`."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from concierge.accounts.errors import SessionEndedError, TokenError
from concierge.accounts.repository import AccountRepository
from concierge.accounts.scope import (
    ROLE_PERMISSIONS,
    VISITOR_PERMISSIONS,
    Actor,
    Permission,
    TenantScope,
)
from concierge.accounts.tokens import TokenSigner, claimed_id, key_digest, key_organization
from concierge.kit.clock import Clock
from concierge.kit.db import Database


class Authentication:
    """Says who a bearer credential speaks for: a member, an API key, or a visitor."""

    def __init__(self, db: Database, signer: TokenSigner, visitor_life: timedelta, clock: Clock) -> None:
        self._db = db
        self._signer = signer
        self._visitor_life = visitor_life
        self._clock = clock

    async def scope_of(self, credential: str) -> TenantScope:
        """Return who acts for which organization. Errors: TokenError, SessionEndedError."""
        if credential.startswith(("sk_", "pk_")):
            return await self._key_scope(credential)
        if self._signer.audience_of(credential) == "visitor":
            return self._visitor_scope(credential)
        return await self._member_scope(credential)

    def visitor_token(
        self, org_id: UUID, agent_id: UUID, visitor_id: UUID, origin: str | None, audiences: Collection[str]
    ) -> tuple[str, datetime]:
        claims: dict[str, Any] = {
            "org": str(org_id),
            "agent": str(agent_id),
            "sub": str(visitor_id),
            "origin": origin,
        }
        if audiences:
            claims["audiences"] = sorted(audiences)
        return self._signer.sign("visitor", claims, self._visitor_life)

    def visitor_of(self, token: str) -> TenantScope:
        """Read a visitor's token. Errors: TokenError."""
        return self._visitor_scope(token)

    def _visitor_scope(self, token: str) -> TenantScope:
        claims = self._signer.verify("visitor", token)
        actor = Actor(
            "visitor",
            claimed_id(claims, "sub"),
            VISITOR_PERMISSIONS,
            agent_id=claimed_id(claims, "agent"),
            origin=claims.get("origin"),
            audiences=frozenset(claims.get("audiences", ())),
        )
        return TenantScope(claimed_id(claims, "org"), actor)

    async def _member_scope(self, token: str) -> TenantScope:
        claims = self._signer.verify("access", token)
        org_id, session_id = claimed_id(claims, "org"), claimed_id(claims, "sid")
        async with self._db.transaction(org_id) as session:
            found = await AccountRepository(session, TenantScope(org_id)).session_member(
                session_id, self._clock()
            )
        if found is None:
            raise SessionEndedError
        user_id, role = found
        return TenantScope(
            org_id, Actor("member", user_id, ROLE_PERMISSIONS[role], role=role, session_id=session_id)
        )

    async def _key_scope(self, plain: str) -> TenantScope:
        org_id = key_organization(plain)
        async with self._db.transaction(org_id) as session:
            key = await AccountRepository(session, TenantScope(org_id)).key_in_use(
                key_digest(plain), self._clock()
            )
        if key is None:
            raise TokenError("This API key is not known here, or was revoked.", code="key_invalid")
        permissions = frozenset(Permission(scope) for scope in key.scopes)
        return TenantScope(org_id, Actor("key", key.id, permissions, published=key.kind == "publishable"))
