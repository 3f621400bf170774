"""A turn, in one direction. Each step takes what it needs and returns one frozen value."""

import asyncio
from dataclasses import dataclass
from typing import Any

from concierge.accounts.scope import Unit
from concierge.chat import proving
from concierge.chat.briefing import brief_of
from concierge.chat.evidence import gathered, with_sum
from concierge.chat.outside import Outside, with_web
from concierge.chat.steps import decide, embed, learn, persist, respond, retrieve, understand
from concierge.chat.steps.persist import Ended
from concierge.chat.steps.recall import Recollection
from concierge.chat.steps.receive import Received
from concierge.chat.steps.understand import Vocabularies
from concierge.chat.stream import TurnLog
from concierge.chat.sums import sum_of
from concierge.chat.trace import TraceBuilder
from concierge.chat.writers.brief import AnswerBrief, WrittenAnswer
from concierge.chat.writers.chosen import Writers
from concierge.intelligence.analyst import Analyst
from concierge.kit.clock import Clock
from concierge.kit.db import Database
from concierge.kit.errors import ConciergeError
from concierge.knowledge.contradictions import among
from concierge.knowledge.schemas import Passage
from concierge.knowledge.search import Search
from concierge.learning.service import Learning


@dataclass(frozen=True, slots=True)
class Attempt:
    """A reply that was only tried out, in the shape of `ChatOut`, and why it is as it is."""

    reply: dict[str, Any]
    trace: dict[str, Any]
    evidence: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Answering:
    """Who writes an answer, and who looks outside for what is missing."""

    writers: Writers
    outside: Outside


class Pipeline:
    def __init__(
        self,
        db: Database,
        search: Search,
        analyst: Analyst,
        vocabularies: Vocabularies,
        recollection: Recollection,
        learning: Learning,
        answering: Answering,
        clock: Clock,
    ) -> None:
        self._db = db
        self._search = search
        self._analyst = analyst
        self._vocabularies = vocabularies
        self._recollection = recollection
        self._learning = learning
        self._answering = answering
        self._clock = clock

    async def answer(self, received: Received, log: TurnLog) -> None:
        """Answer a message that is stored; ends with the event `message.completed`, after everything is stored."""
        trace = TraceBuilder(received)
        ended = await self._ended(received, log, trace)
        async with self._db.transaction(received.scope.org_id) as session:
            unit = Unit(session, received.scope)
            last = await persist.store(unit, received, log, ended, trace.finish(), self._clock)
            await learn.note(unit, received, ended.decided, self._clock)
        await log.say(last.type, last.data, last.insight)

    async def attempt(self, received: Received) -> Attempt:
        """Answer a message that nobody has stored, and store no more than what it used."""
        trace = TraceBuilder(received)
        ended = await self._ended(received, TurnLog(), trace)
        async with self._db.transaction(received.scope.org_id) as session:
            unit = Unit(session, received.scope)
            await persist.meter(unit, received.agent.id, ended, self._clock)
        return Attempt(persist.reply_of(received, ended), trace.finish(), ended.evidence)

    async def _ended(self, received: Received, log: TurnLog, trace: TraceBuilder) -> Ended:
        await log.say("turn.started", _identity(received))
        with trace.step("embed"):
            query = await embed.embed(self._search, received)
        await log.say("status", {"stage": "searching"})
        found, understood, recalled = await asyncio.gather(
            trace.timed("retrieve", retrieve.retrieve(self._search, received, query)),
            trace.timed("understand", understand.understand(self._analyst, self._vocabularies, received)),
            trace.timed("recall", self._recollection.recall(received)),
        )
        segment = learn.segment(received, understood.analysis, recalled)
        draws = await learn.draws(self._learning, received, segment)
        with trace.step("decide"):
            decided = decide.decide(received, understood.analysis, recalled, segment, draws)
            asked_sum = sum_of(received.request.message, recalled.product)
            evidence = with_sum(gathered(found, recalled.product), asked_sum)
            contradictions = among(evidence.passages)
        brief = brief_of(received, found, evidence, contradictions, decided, asked_sum)
        told = await self._recollection.reply_to_request(received)
        looked = None
        if told is None:
            looked = await trace.timed(
                "web", self._answering.outside.looked(received, brief, log, found.vector)
            )
        if looked is not None and looked.used:
            evidence = with_web(evidence, looked, found.vector)
            brief = brief_of(received, found, evidence, contradictions, decided, asked_sum)
        with trace.step("respond"):
            written = await self._written(received, log, brief, told)
        with trace.step("verify"):
            verified = await proving.verified(written, brief, evidence.citable)
            await respond.cite(verified.answer, log)
            decided = decided.after(verified.answer.outcome, received.agent.policy)
        trace.understood(understood).recalled(recalled).found(found).contradicted(contradictions)
        trace.decided(decided).verified(verified).looked(looked)
        return Ended(decided, verified, looked, evidence.passages)

    async def _written(
        self, received: Received, log: TurnLog, brief: AnswerBrief, told: str | None
    ) -> WrittenAnswer:
        """A request about what is remembered is done and answered; everything else is written."""
        if told is not None:
            return await respond.tell(told, log)
        writer = await self._answering.writers.of(received.scope, received.agent)
        return await respond.respond(writer, brief, log)

    async def note_failure(self, received: Received, log: TurnLog, error: ConciergeError) -> None:
        """Store that a turn failed and why. Errors: UnavailableError."""
        await persist.persist_failure(self._db, received, log, error, self._clock)


def _identity(received: Received) -> dict[str, str]:
    return {
        "turn_id": str(received.turn.id),
        "conversation_id": str(received.turn.conversation_id),
    }
