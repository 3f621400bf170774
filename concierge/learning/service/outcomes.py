"""What conversations came to: said by visitors and businesses, or concluded; and counted at once."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.agents.errors import AgentNotFoundError
from concierge.conversations.errors import ConversationNotFoundError
from concierge.conversations.service import ConversationService
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id
from concierge.learning.errors import EventIdReusedError
from concierge.learning.models import Outcome, StrategyUseRow
from concierge.learning.repository import CountKey, LearningRepository
from concierge.learning.rewards import NO_CREDIT, Credit, Ending, Followed, credits_of
from concierge.learning.schemas.outcomes import EventIn, FeedbackIn, OutcomeKind, RatingIn

# A visitor's sale belongs to their latest conversation, when that was not longer ago.
SALE_WINDOW: Final = timedelta(days=30)


class OutcomeService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._scope = unit.scope
        self._repository = LearningRepository(unit.session, unit.scope)
        self._conversations = ConversationService(unit, clock)
        self._clock = clock

    async def feedback(self, agent_id: UUID, turn_id: UUID, said: FeedbackIn) -> Outcome:
        """Note what was thought of a reply, by its visitor or on their behalf.

        Errors: AgentNotFoundError, TurnNotFoundError, also for another visitor's turn.
        """
        self._check_agent(agent_id)
        turn = await self._conversations.turn(turn_id, agent_id=agent_id)
        conversation = await self._conversations.get(turn.conversation_id)
        outcome = self._outcome("thumbs_up" if said.thumbs == "up" else "thumbs_down", f"turn:{turn_id}")
        outcome.conversation_id, outcome.turn_id = turn.conversation_id, turn_id
        outcome.visitor_id, outcome.comment = conversation.visitor_id, said.comment
        return await self._store(outcome)

    async def rate(self, agent_id: UUID, conversation_id: UUID, said: RatingIn) -> Outcome:
        """Note what was thought of a conversation, by its visitor or on their behalf.

        Errors: AgentNotFoundError, ConversationNotFoundError, also for another visitor's conversation.
        """
        self._check_agent(agent_id)
        conversation = await self._conversations.get(conversation_id)
        actor = self._scope.actor
        if conversation.agent_id != agent_id or (
            actor.kind == "visitor" and conversation.visitor_id != actor.id
        ):
            raise ConversationNotFoundError
        outcome = self._outcome("csat", f"rating:{conversation_id}")
        outcome.conversation_id, outcome.visitor_id = conversation_id, conversation.visitor_id
        outcome.value, outcome.comment = said.rating, said.comment
        return await self._store(outcome)

    async def event(self, told: EventIn) -> Outcome:
        """Note what became of a visitor elsewhere. The same event told again changes nothing.

        Errors: ConversationNotFoundError, EventIdReusedError.
        """
        once = f"event:{told.id}"
        visitor_id, conversation_id = await self._whose(told)
        await self._repository.lock()
        known = await self._repository.outcome(once)
        if known is not None:
            if (known.kind, known.name, known.value) != (told.kind, told.name, told.value):
                raise EventIdReusedError
            return known
        outcome = self._outcome(told.kind, once)
        outcome.conversation_id, outcome.visitor_id = conversation_id, visitor_id
        outcome.name, outcome.value = told.name, told.value
        return await self._store(outcome)

    async def conclude(
        self, conversation_id: UUID, kind: OutcomeKind, turn_id: UUID | None = None
    ) -> Outcome:
        """Note what the product itself saw, such as that a person took over (“handed_over”)."""
        name = "handed_over" if kind == "handed_over" else "judged"
        outcome = self._outcome(kind, f"{name}:{conversation_id}")
        outcome.conversation_id, outcome.turn_id, outcome.source = conversation_id, turn_id, "system"
        return await self._store(outcome)

    def _check_agent(self, agent_id: UUID) -> None:
        """A visitor's token is for one agent."""
        if self._scope.actor.kind == "visitor" and self._scope.actor.agent_id != agent_id:
            raise AgentNotFoundError

    async def _whose(self, told: EventIn) -> tuple[UUID | None, UUID | None]:
        """The visitor and the conversation an event is of; no conversation, where the visitor had none lately."""
        if told.conversation_id is not None:
            conversation = await self._conversations.get(told.conversation_id)
            return conversation.visitor_id, conversation.id
        assert told.visitor_id is not None
        since = self._clock() - SALE_WINDOW
        return told.visitor_id, await self._repository.latest_conversation(told.visitor_id, since)

    def _outcome(self, kind: OutcomeKind, once: str) -> Outcome:
        return Outcome(
            org_id=self._scope.org_id,
            id=new_id(),
            kind=kind,
            value=0.0,
            name="",
            comment="",
            source=self._scope.actor.kind,
            once=once,
            at=self._clock(),
        )

    async def _store(self, outcome: Outcome) -> Outcome:
        """Put an outcome in the place of what was said before, and count its conversation anew."""
        setting = await self._repository.lock()
        earlier = await self._repository.outcome(outcome.once)
        if earlier is not None:
            outcome.id = earlier.id
        await self._repository.put(outcome)
        if outcome.conversation_id is not None:
            await self._count(outcome.conversation_id, setting.reset_at)
        return outcome

    async def _count(self, conversation_id: UUID, reset_at: datetime | None) -> None:
        """Credit a conversation's turns by all its outcomes, and change the counts by what that changed."""
        uses = await self._repository.uses_of(conversation_id)
        endings = [
            Ending(_kind(own), own.value, own.at, own.turn_id)
            for own in await self._repository.outcomes_of(conversation_id)
        ]
        credited = credits_of([Followed(use.turn_id, use.at) for use in uses], endings)
        changes: dict[CountKey, Credit] = {}
        for use in uses:
            change = _give(use, credited[use.turn_id])
            if change != NO_CREDIT and (reset_at is None or use.at >= reset_at):
                changes[_key(use)] = changes.get(_key(use), NO_CREDIT) + change
        await self._repository.add_counts(changes)


def _kind(outcome: Outcome) -> OutcomeKind:
    kind: OutcomeKind = outcome.kind  # pyright: ignore[reportAssignmentType]  # The table holds no other.
    return kind


def _key(use: StrategyUseRow) -> CountKey:
    return CountKey(use.segment, use.rule, use.strategy, use.at.astimezone(UTC).date())


def _give(use: StrategyUseRow, credit: Credit) -> Credit:
    """Give a use its credit. Returns what it has more than before."""
    change = Credit(credit.success - use.success, credit.failure - use.failure)
    use.success, use.failure = credit.success, credit.failure
    return change
