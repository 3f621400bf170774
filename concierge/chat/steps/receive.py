"""Who asks which agent what: check the message and store it before anything is done about it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from concierge.accounts.errors import AudiencesNotAllowedError
from concierge.accounts.scope import Actor, Audiences, TenantScope, Unit
from concierge.agents.entitled import NOTHING, Paused, within
from concierge.agents.errors import AgentNotFoundError
from concierge.agents.schemas import AgentConfiguration
from concierge.agents.service import AgentService
from concierge.billing.service import Plans
from concierge.chat.errors import MessageEmptyError, MessageTooLongError
from concierge.chat.following import meant_by, meant_on
from concierge.chat.schemas import ChatIn
from concierge.chat.visitors import check_origin
from concierge.conversations.errors import TurnAlreadyStartedError
from concierge.conversations.schemas import StartedTurn, TurnRequest
from concierge.conversations.service import ConversationService
from concierge.customers.schemas.known import KnownCustomer
from concierge.customers.service import ArrivalService
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database


@dataclass(frozen=True, slots=True)
class Received:
    """`agent` is as its organization's plan lets it be; `held_back` is what of it the plan does not hold."""

    scope: TenantScope
    agent: AgentConfiguration
    request: TurnRequest
    turn: StartedTurn
    customer: KnownCustomer | None = None
    held_back: Paused = NOTHING

    @property
    def meant(self) -> str:
        """The message as it reads with what was said before, or on the page it begins from."""
        if not self.turn.history:
            return meant_on(str(self.request.session_context.get("current_page", "")), self.request.message)
        return meant_by(self.request.message, self.turn.history)

    @property
    def audiences(self) -> Audiences:
        return Audiences.of(self.request.audiences)


@dataclass(frozen=True, slots=True)
class Reception:
    """`message_chars` is the longest message; `own_origins` are the server's own pages."""

    db: Database
    message_chars: int
    own_origins: frozenset[str]
    plans: Plans
    clock: Clock = utc_now

    async def receive(
        self,
        scope: TenantScope,
        agent_id: UUID,
        body: ChatIn,
        *,
        idempotency_key: str | None,
        origin: str | None,
        given_up_after: timedelta,
    ) -> Received:
        """Errors: AgentNotFoundError, MessageEmptyError, MessageTooLongError, OriginNotAllowedError,
        AudiencesNotAllowedError, VisitorEndedError, and those of `ConversationService.start_turn`.
        """
        if not body.message:
            raise MessageEmptyError
        if len(body.message) > self.message_chars:
            raise MessageTooLongError(self.message_chars)
        if scope.actor.kind == "visitor" and scope.actor.agent_id != agent_id:
            raise AgentNotFoundError
        request = _request(scope, agent_id, body, idempotency_key)
        if body.user_id is not None and body.visitor_id is None and scope.actor.is_believed:
            request = replace(request, visitor_id=await self._visitor_of(scope, agent_id, body.user_id))
        entitlements = await self.plans.of(scope)
        try:
            received = await self._stored(scope, request, origin, given_up_after)
        except TurnAlreadyStartedError:
            received = await self._stored(scope, request, origin, given_up_after)
        agent, held_back = within(received.agent, entitlements)
        return replace(received, agent=agent, held_back=held_back)

    async def admit(self, unit: Unit, agent_id: UUID, origin: str | None) -> AgentConfiguration:
        """Return the agent, if this caller may speak to it from where they are.

        Errors: AgentNotFoundError, OriginNotAllowedError.
        """
        agent = await AgentService(unit).configuration(agent_id)
        if unit.scope.actor.kind == "visitor":
            check_origin(agent, origin, self.own_origins)
        return agent

    async def _stored(
        self, scope: TenantScope, request: TurnRequest, origin: str | None, given_up_after: timedelta
    ) -> Received:
        async with self.db.transaction(scope.org_id) as session:
            unit = Unit(session, scope)
            agent = await self.admit(unit, request.agent_id, origin)
            customer = await self._arrived(unit, request)
            turn = await ConversationService(unit, self.clock).start_turn(
                request, given_up_after=given_up_after
            )
        return Received(scope, agent, request, turn, customer)

    async def _visitor_of(self, scope: TenantScope, agent_id: UUID, user_id: str) -> UUID:
        async with self.db.transaction(scope.org_id) as session:
            return await ArrivalService(Unit(session, scope), self.clock).visitor_of(user_id, agent_id)

    async def _arrived(self, unit: Unit, request: TurnRequest) -> KnownCustomer | None:
        if request.visitor_id is None:
            return None
        page = request.session_context.get("current_page")
        return await ArrivalService(unit, self.clock).arrive(request.visitor_id, request.agent_id, page)


def _request(scope: TenantScope, agent_id: UUID, body: ChatIn, idempotency_key: str | None) -> TurnRequest:
    """A visitor is who their token says; only other callers may say on whose behalf they ask."""
    visitor_id = scope.actor.id if scope.actor.kind == "visitor" else body.visitor_id
    return TurnRequest(
        agent_id=agent_id,
        message=body.message,
        conversation_id=body.conversation_id,
        visitor_id=visitor_id,
        session_context=body.session_context.model_dump(exclude_none=True),
        idempotency_key=idempotency_key,
        audiences=audiences_of(scope.actor, body.audiences),
    )


def audiences_of(actor: Actor, named: Collection[str]) -> frozenset[str]:
    """What besides public documents may be used: a reply is made to be shown to a visitor, whoever asks for it.

    Errors: AudiencesNotAllowedError.
    """
    if actor.is_believed:
        return frozenset(named)
    if named:
        raise AudiencesNotAllowedError
    return actor.audiences
