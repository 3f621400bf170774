"""Plays scripted conversations through the product's own service, turn by turn, and leaves nothing of them behind."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID

from concierge.accounts.scope import TenantScope, Unit
from concierge.chat.schemas import ChatIn
from concierge.conversations.service import ConversationService
from concierge.customers.service import ArrivalService
from concierge.entrypoints.evaluation.dialogues.checks import judge
from concierge.entrypoints.evaluation.dialogues.replies import Reply
from concierge.entrypoints.evaluation.dialogues.report import PlayedTurn
from concierge.entrypoints.evaluation.dialogues.script import Dialogue, Script, ScriptedTurn
from concierge.entrypoints.wiring import Platform
from concierge.kit.clock import utc_now
from concierge.kit.ids import new_id

BETWEEN_TURNS = timedelta(minutes=1)


@dataclass(slots=True)
class TurnedClock:
    """A clock that runs on from where it was turned to."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead

    def turn_to(self, moment: datetime) -> None:
        self.ahead = moment - utc_now()

    def turn_on(self, by: timedelta) -> None:
        self.ahead += by


@dataclass(slots=True)
class _Visit:
    """Where a dialogue has come to. `asked` and `before` are of the conversation that is going on."""

    visitor_id: UUID
    context: dict[str, Any]
    conversation_id: UUID | None = None
    asked: tuple[str, ...] = ()
    before: tuple[str, ...] = ()

    def return_later(self) -> None:
        self.conversation_id, self.asked, self.before = None, (), ()


@dataclass(frozen=True, slots=True)
class Player:
    """`clock` is the one the platform was built with. `played` is called after each turn."""

    platform: Platform
    scope: TenantScope
    agent_id: UUID
    clock: TurnedClock
    played: Callable[[], None] = lambda: None

    async def play_all(self, script: Script) -> list[PlayedTurn]:
        """Play every dialogue from the script's time on; the clock is right again afterwards."""
        turns: list[PlayedTurn] = []
        for dialogue in script.dialogues:
            self.clock.turn_to(script.begins or utc_now())
            turns.extend(await self.play(dialogue))
        self.clock.turn_to(utc_now())
        return turns

    async def play(self, dialogue: Dialogue) -> list[PlayedTurn]:
        """Play one dialogue as a visitor nobody has seen before, who is erased at its end."""
        visit = _Visit(await self._visitor(dialogue), dialogue.context.model_dump(exclude_none=True))
        try:
            return [await self._turn(dialogue, number, visit) for number in range(1, len(dialogue.turns) + 1)]
        finally:
            await self._erase(visit.visitor_id)

    async def _visitor(self, dialogue: Dialogue) -> UUID:
        if dialogue.known_as is None:
            return new_id()
        async with self.platform.db.transaction(self.scope.org_id) as session:
            arrivals = ArrivalService(Unit(session, self.scope), self.clock)
            return await arrivals.visitor_of(f"{dialogue.known_as}-{new_id().hex}", self.agent_id)

    async def _turn(self, dialogue: Dialogue, number: int, visit: _Visit) -> PlayedTurn:
        turn = dialogue.turns[number - 1]
        self._pass_time(turn, visit)
        visit.asked = (*visit.asked, turn.says)
        began = perf_counter()
        body, trace = await self._ask(turn, visit)
        milliseconds = (perf_counter() - began) * 1000
        reply = Reply.of(body, trace, asked=visit.asked, before=visit.before)
        visit.conversation_id, visit.before = UUID(body["conversation_id"]), (*visit.before, reply.text)
        self.played()
        return PlayedTurn(
            dialogue=dialogue.name,
            number=number,
            held_out=dialogue.held_out,
            asked=turn.says,
            answer=reply.text,
            sources=tuple(source.title for source in reply.sources),
            verdicts=tuple(judge(turn, reply)),
            milliseconds=milliseconds,
        )

    def _pass_time(self, turn: ScriptedTurn, visit: _Visit) -> None:
        self.clock.turn_on(BETWEEN_TURNS)
        if turn.days_later is not None:
            self.clock.turn_on(timedelta(days=turn.days_later))
            visit.return_later()
        if turn.context is not None:
            visit.context |= turn.context.model_dump(exclude_unset=True)

    async def _ask(self, turn: ScriptedTurn, visit: _Visit) -> tuple[dict[str, Any], dict[str, Any]]:
        """Ask, wait for the reply, and have it remembered as the job behind every turn does."""
        local = {"local_time": self.clock().isoformat(timespec="seconds")}
        message = ChatIn.model_validate(
            {
                "message": turn.says,
                "visitor_id": visit.visitor_id,
                "conversation_id": visit.conversation_id,
                "session_context": {**local, **visit.context},
            }
        )
        turn_id = await self.platform.chat.begin(self.scope, self.agent_id, message)
        body = dict(await self.platform.chat.reply(self.scope, self.agent_id, turn_id))
        async with self.platform.db.transaction(self.scope.org_id) as session:
            found = await ConversationService(Unit(session, self.scope)).trace(turn_id)
        await self.platform.remembering.run(self.scope, turn_id)
        return body, dict(found.trace)

    async def _erase(self, visitor_id: UUID) -> None:
        async with self.platform.db.transaction(self.scope.org_id) as session:
            arrivals = ArrivalService(Unit(session, self.scope), self.clock)
            known = await arrivals.arrive(visitor_id, self.agent_id, None)
        await self.platform.customer_data.erase(self.scope, known.customer_id)
