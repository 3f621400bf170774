"""After a turn: what its message says of the customer is told apart, embedded and stored, and the conversation summed up."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import structlog

from concierge.accounts.scope import TenantScope, Unit
from concierge.conversations.errors import TurnNotFoundError
from concierge.conversations.schemas import TurnStory
from concierge.conversations.service import ConversationService
from concierge.customers.extraction import extract, model
from concierge.customers.facts import NewFact
from concierge.customers.requests import memory_request
from concierge.customers.service import Memory, TurnMemory
from concierge.customers.summary import Outcome, Told, summary_of
from concierge.customers.traits import Shown
from concierge.intelligence.service import GuidanceService
from concierge.kit.db import Database
from concierge.llm.structured import StructuredModel

logger = structlog.get_logger(__name__)

# The parts of an analysis that show a trait, by the trait's name, and the dimension that says how sure they are.
SHOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "communication_style": ("personalization_cues", "communication_style"),
    "technical_level": ("personalization_cues", "technical_level"),
    "response_style": ("personalization_cues", "response_style"),
    "language": ("personalization_cues", "language"),
    "mood": ("emotional_state",),
}
# What an analysis says when the message shows nothing.
SILENT: Final = frozenset({"neutral", "intermediate"})


class Remembering:
    """`model` adds what patterns do not find, where there is one and the organization allows it."""

    def __init__(
        self, db: Database, memory: Memory, guidance: GuidanceService, language_model: StructuredModel | None
    ) -> None:
        self._db = db
        self._memory = memory
        self._guidance = guidance
        self._model = language_model

    async def run(self, scope: TenantScope, turn_id: UUID) -> None:
        """Remember a turn, once. One that is gone, or was nobody's, leaves nothing. Errors: UnavailableError."""
        try:
            async with self._db.transaction(scope.org_id) as session:
                story = await ConversationService(Unit(session, scope)).story(turn_id)
        except TurnNotFoundError:
            return
        if story.visitor_id is None:
            return
        stored = await self._memory.remember(
            scope,
            TurnMemory(
                visitor_id=story.visitor_id,
                conversation_id=story.conversation_id,
                turn_id=story.id,
                seq=story.seq,
                at=story.created_at,
                facts=await self._facts(scope, story),
                shown=shown_in(story.trace.get("analysis", {})),
                summary=summary_of(told_of(story)),
            ),
        )
        logger.info("turn remembered", turn_id=str(turn_id), stored=stored)

    async def _facts(self, scope: TenantScope, story: TurnStory) -> tuple[NewFact, ...]:
        *history, message = story.messages
        request = memory_request(message)
        if request is not None and request.kind != "correct":
            return ()
        message = request.statement if request is not None else message
        # A long message takes a tenth of a second, in which nothing else would run.
        found = await asyncio.to_thread(extract, message, history)
        return (*found, *await self._from_model(scope, message, found))

    async def _from_model(
        self, scope: TenantScope, message: str, found: tuple[NewFact, ...]
    ) -> tuple[NewFact, ...]:
        if self._model is None or not model.is_worth_asking(message):
            return ()
        if not (await self._guidance.of(scope)).llm_allowed:
            return ()
        reply = await self._model.ask(model.Statements, model.instructions(), model.shown(message))
        return () if reply.value is None else model.facts_of(reply.value, message, found)


def shown_in(analysis: Mapping[str, Any]) -> tuple[Shown, ...]:
    """What a stored analysis shows of its writer's traits."""
    shown: list[Shown] = []
    for trait, path in SHOWN.items():
        value: Any = analysis
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        confidence = analysis.get("confidence", {}).get(path[0], 0.0)
        if isinstance(value, str) and value not in SILENT:
            shown.append(Shown(trait, value, float(confidence)))
    return tuple(shown)


def told_of(story: TurnStory) -> list[Told]:
    pairs = zip(story.messages, story.replies, strict=True)
    return [Told(message, str(reply.get("response", "")), _outcome(reply)) for message, reply in pairs]


def _outcome(reply: Mapping[str, Any]) -> Outcome:
    if not reply:
        return "failed"
    if reply.get("sources"):
        return "answered"
    return "handed_over" if reply.get("escalation_suggested") else "unanswered"
