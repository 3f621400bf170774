"""Visitors: a signed token per browser, handed out only to pages of allowed origins."""

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from concierge.accounts.errors import AudiencesNotAllowedError, TokenError
from concierge.accounts.scope import TenantScope, Unit
from concierge.accounts.service import Authentication
from concierge.agents.schemas import AgentConfiguration
from concierge.agents.service import AgentService
from concierge.chat.errors import OriginNotAllowedError
from concierge.customers.errors import NotAVisitorError
from concierge.customers.schemas.customers import IdentifyIn
from concierge.customers.service import ArrivalService, IdentityService
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.kit.ids import new_id
from concierge.kit.sealing import Sealer


class VisitorService:
    def __init__(
        self,
        db: Database,
        authentication: Authentication,
        own_origins: frozenset[str],
        sealer: Sealer,
        clock: Clock = utc_now,
    ) -> None:
        self._db = db
        self._authentication = authentication
        self._own_origins = own_origins
        self._sealer = sealer
        self._clock = clock

    async def token(
        self,
        scope: TenantScope,
        agent_id: UUID,
        *,
        origin: str | None,
        earlier: str | None,
        audiences: Collection[str] = (),
    ) -> tuple[str, UUID, datetime]:
        """Return a token, whose it is, and until when. It is for just these audiences, whatever an earlier one was for.

        Errors: AgentNotFoundError, OriginNotAllowedError, AudiencesNotAllowedError.
        """
        if audiences and not scope.actor.is_believed:
            raise AudiencesNotAllowedError
        visitor_id = self._earlier_visitor(scope.org_id, agent_id, earlier)
        async with self._db.transaction(scope.org_id) as session:
            unit = Unit(session, scope)
            agent = await AgentService(unit).configuration(agent_id)
            if visitor_id is None or await ArrivalService(unit).has_ended(visitor_id):
                visitor_id = new_id()
        check_origin(agent, origin, self._own_origins)
        token, expires = self._authentication.visitor_token(
            scope.org_id, agent_id, visitor_id, origin, audiences
        )
        return token, visitor_id, expires

    async def identify(
        self, scope: TenantScope, proof: IdentifyIn, *, origin: str | None
    ) -> tuple[str, UUID, datetime]:
        """Have the caller be the customer that the business's server names. Returns the token to go on with.

        Errors: NotAVisitorError, AgentNotFoundError, OriginNotAllowedError, and those of `IdentityService.identify`.
        """
        visitor_id, agent_id = _visitor_of(scope)
        async with self._allowed(scope, agent_id, origin) as unit:
            visitor_id = await IdentityService(unit, self._sealer, self._clock).identify(
                visitor_id, agent_id, proof
            )
        return self._next_token(scope, agent_id, visitor_id, origin)

    async def reset(self, scope: TenantScope, *, origin: str | None) -> tuple[str, UUID, datetime]:
        """End the caller on this device. Returns the token of a fresh visitor.

        Errors: NotAVisitorError, AgentNotFoundError, OriginNotAllowedError.
        """
        visitor_id, agent_id = _visitor_of(scope)
        async with self._allowed(scope, agent_id, origin) as unit:
            visitor_id = await IdentityService(unit, self._sealer, self._clock).reset(visitor_id, agent_id)
        return self._next_token(scope, agent_id, visitor_id, origin)

    @asynccontextmanager
    async def _allowed(self, scope: TenantScope, agent_id: UUID, origin: str | None) -> AsyncGenerator[Unit]:
        async with self._db.transaction(scope.org_id) as session:
            unit = Unit(session, scope)
            check_origin(await AgentService(unit).configuration(agent_id), origin, self._own_origins)
            yield unit

    def _next_token(
        self, scope: TenantScope, agent_id: UUID, visitor_id: UUID, origin: str | None
    ) -> tuple[str, UUID, datetime]:
        """A visitor who changes keeps no label of an audience: these are for the business's server to give."""
        actor = scope.actor
        audiences = actor.audiences if visitor_id == actor.id else ()
        token, expires = self._authentication.visitor_token(
            scope.org_id, agent_id, visitor_id, actor.origin or origin, audiences
        )
        return token, visitor_id, expires

    def _earlier_visitor(self, org_id: UUID, agent_id: UUID, earlier: str | None) -> UUID | None:
        """Believe an earlier token only as far as it is signed, valid, and of the same agent."""
        if earlier is None:
            return None
        try:
            scope = self._authentication.visitor_of(earlier)
        except TokenError:
            return None
        same = scope.org_id == org_id and scope.actor.agent_id == agent_id
        return scope.actor.id if same else None


def check_origin(agent: AgentConfiguration, origin: str | None, own_origins: frozenset[str]) -> None:
    """Errors: OriginNotAllowedError. A caller without an origin is no browser, so there is no page to check."""
    if origin is None or origin.lower() in own_origins or origin.lower() in agent.allowed_origins:
        return
    raise OriginNotAllowedError(origin[:200])


def _visitor_of(scope: TenantScope) -> tuple[UUID, UUID]:
    """Return the visitor who calls, and their agent. Errors: NotAVisitorError."""
    actor = scope.actor
    if actor.kind != "visitor" or actor.id is None or actor.agent_id is None:
        raise NotAVisitorError
    return actor.id, actor.agent_id
