"""How conversations ended that nobody said anything about, looked at once they fell silent."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from concierge.accounts.scope import TenantScope, Unit
from concierge.conversations.schemas import LastTurn
from concierge.conversations.service import ConversationService
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.kit.jobs import defer, withdraw
from concierge.learning.judging import SILENCE, judged
from concierge.learning.repository import LearningRepository
from concierge.learning.service.outcomes import OutcomeService

JUDGE_TASK: Final = "learning.judge"
# What was said longer ago is not looked at any more, at the first time.
REACH: Final = timedelta(days=30)
PORTION: Final = 100


class Judgement:
    def __init__(self, db: Database, clock: Clock = utc_now) -> None:
        self._db = db
        self._clock = clock

    async def ask_for(self, scope: TenantScope) -> None:
        """Have an organization's silent conversations looked at soon, and once more when those of now are silent."""
        lock = f"{JUDGE_TASK}:{scope.org_id}"
        later = self._clock() + SILENCE
        async with self._db.transaction(scope.org_id) as session:
            # Of two processes that ask at the same moment one waits, and then takes the place of the other.
            await LearningRepository(session, scope).lock()
            await withdraw(session, [lock, f"{lock}:later"])
            args = {"org_id": str(scope.org_id)}
            await defer(session, JUDGE_TASK, args=args, lock=lock, once=lock)
            await defer(session, JUDGE_TASK, args=args, lock=lock, once=f"{lock}:later", at=later)

    async def run(self, scope: TenantScope) -> int:
        """Judge what fell silent since the last time. Returns how many conversations were. Running twice is harmless."""
        until = self._clock() - SILENCE
        async with self._db.transaction(scope.org_id) as session:
            repository = LearningRepository(session, scope)
            setting = await repository.lock()
            after = setting.judged_until or until - REACH
            silent = list(await repository.silent(after, until))
        for start in range(0, len(silent), PORTION):
            await self._judge(scope, silent[start : start + PORTION])
        async with self._db.transaction(scope.org_id) as session:
            await LearningRepository(session, scope).mark_judged(until)
        return len(silent)

    async def _judge(self, scope: TenantScope, conversation_ids: list[UUID]) -> None:
        async with self._db.transaction(scope.org_id) as session:
            unit = Unit(session, scope)
            last = await ConversationService(unit).last_turns(conversation_ids)
            await _conclude(OutcomeService(unit, self._clock), {own.conversation_id: own for own in last})


async def _conclude(outcomes: OutcomeService, last: Mapping[UUID, LastTurn]) -> None:
    for conversation_id, turn in last.items():
        kind = judged(turn)
        if kind is not None:
            await outcomes.conclude(conversation_id, kind)
