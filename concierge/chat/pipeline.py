"""A turn, in one direction. Each step takes what it needs and returns one frozen value."""

import asyncio

from concierge.accounts.scope import Unit
from concierge.chat.briefing import brief_of
from concierge.chat.evidence import gathered
from concierge.chat.proving import Prover
from concierge.chat.steps import decide, embed, learn, persist, respond, retrieve, understand
from concierge.chat.steps.recall import Recollection
from concierge.chat.steps.receive import Received
from concierge.chat.steps.understand import Vocabularies
from concierge.chat.stream import TurnLog
from concierge.chat.trace import TraceBuilder
from concierge.chat.writers.brief import AnswerBrief, WrittenAnswer
from concierge.chat.writers.chosen import Writers
from concierge.intelligence.analyst import Analyst
from concierge.kit.clock import Clock
from concierge.kit.db import Database
from concierge.kit.errors import ConciergeError
from concierge.knowledge.contradictions import among
from concierge.knowledge.search import Search
from concierge.learning.service import Learning


class Pipeline:
    def __init__(
        self,
        db: Database,
        search: Search,
        analyst: Analyst,
        vocabularies: Vocabularies,
        recollection: Recollection,
        learning: Learning,
        writers: Writers,
        prover: Prover,
        clock: Clock,
    ) -> None:
        self._db = db
        self._search = search
        self._analyst = analyst
        self._vocabularies = vocabularies
        self._recollection = recollection
        self._learning = learning
        self._writers = writers
        self._prover = prover
        self._clock = clock

    async def answer(self, received: Received, log: TurnLog) -> None:
        """Answer a message that is stored; ends with the event `message.completed`, after everything is stored."""
        trace = TraceBuilder(received)
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
            evidence = gathered(found, recalled.product)
            contradictions = among(evidence.passages)
        brief = brief_of(received, found, evidence, contradictions, decided)
        with trace.step("respond"):
            written = await self._written(received, log, brief)
        with trace.step("verify"):
            verified = await self._prover.verified(written, brief, evidence.citable, found.models)
            await respond.cite(verified.answer, log)
            decided = decided.after(verified.answer.outcome, received.agent.policy)
        reply = persist.reply_of(received, verified, decided)
        stage = persist.stage_of(received, verified, decided)
        trace.understood(understood).recalled(recalled).found(found).contradicted(contradictions)
        trace.decided(decided).verified(verified)
        async with self._db.transaction(received.scope.org_id) as session:
            unit = Unit(session, received.scope)
            last = await persist.store(
                unit, received, log, reply, stage, decided, trace.finish(), self._clock
            )
            await learn.note(unit, received, decided, self._clock)
        await log.say(last.type, last.data, last.insight)

    async def _written(self, received: Received, log: TurnLog, brief: AnswerBrief) -> WrittenAnswer:
        """A request about what is remembered is done and answered; everything else is written."""
        told = await self._recollection.reply_to_request(received)
        if told is not None:
            return await respond.tell(told, log)
        writer = await self._writers.of(received.scope, received.agent)
        return await respond.respond(writer, brief, log)

    async def note_failure(self, received: Received, log: TurnLog, error: ConciergeError) -> None:
        """Store that a turn failed and why. Errors: UnavailableError."""
        await persist.persist_failure(self._db, received, log, error, self._clock)


def _identity(received: Received) -> dict[str, str]:
    return {
        "turn_id": str(received.turn.id),
        "conversation_id": str(received.turn.conversation_id),
    }
