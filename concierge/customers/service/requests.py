"""Does what people ask of what is remembered of them, and says so."""

from collections.abc import Sequence
from uuid import UUID

from concierge.accounts.scope import TenantScope, Unit
from concierge.customers.extraction import extract
from concierge.customers.facts import Said, folded
from concierge.customers.models import CustomerFact
from concierge.customers.requests import MemoryRequest, ReplyKind, reply_to
from concierge.customers.service.memory import Memory, MemoryView
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database

MOST_SHOWN = 200
# Words that a named fact is not told by.
COMMON = frozenset(
    [
        "a",
        "an",
        "the",
        "is",
        "are",
        "am",
        "was",
        "were",
        "has",
        "have",
        "had",
        "do",
        "does",
        "not",
        "that",
        "this",
        "it",
        "of",
        "in",
        "on",
        "at",
        "for",
        "to",
        "and",
        "or",
        "my",
        "our",
        "me",
        "i",
        "we",
        "you",
        "about",
        "live",
        "want",
        "need",
        "like",
        "prefer",
        "der",
        "die",
        "das",
        "ein",
        "eine",
        "ist",
        "sind",
        "habe",
        "haben",
        "hat",
        "auf",
        "für",
        "und",
        "mein",
        "meine",
    ]
)


class MemoryRequests:
    """Answers what `memory_request` recognises."""

    def __init__(self, db: Database, memory: Memory, clock: Clock = utc_now) -> None:
        self._db = db
        self._memory = memory
        self._clock = clock

    async def answer(
        self,
        scope: TenantScope,
        customer_id: UUID | None,
        request: MemoryRequest,
        *,
        conversation_id: UUID | None = None,
        turn_id: UUID | None = None,
    ) -> str:
        """Do what is asked, and return the reply. `turn_id` is the turn that asks. Errors: UnavailableError."""
        seed = f"{turn_id}{customer_id}{request.kind}"
        if customer_id is None:
            kind: ReplyKind = "nothing_known" if request.kind == "know" else "nothing_to_forget"
            return reply_to(kind, request.language, seed=seed)
        kind, values = await self._done(scope, customer_id, request, conversation_id, turn_id)
        return reply_to(kind, request.language, values, seed)

    async def _done(
        self,
        scope: TenantScope,
        customer_id: UUID,
        request: MemoryRequest,
        conversation_id: UUID | None,
        turn_id: UUID | None,
    ) -> tuple[ReplyKind, list[str]]:
        if request.kind == "forget_all":
            await self._memory.forget(scope, customer_id)
            return "all_forgotten", []
        known = await self._known(scope, customer_id)
        if request.kind == "know":
            return ("known" if known else "nothing_known"), [fact.value for fact in known]
        if request.kind == "correct":
            return await self._corrected(
                scope, customer_id, request, known, Said(self._clock(), conversation_id, turn_id)
            )
        erased = _meant(known, request.about, conversation_id)
        if erased:
            await self._memory.erase(scope, customer_id, [fact.id for fact in erased])
        # What was said a moment ago may still wait to be remembered.
        if not request.about and conversation_id is not None:
            await self._memory.keep_out(scope, customer_id, conversation_id)
        if request.kind == "keep_out":
            return "kept_out", []
        return ("forgotten" if erased else "nothing_to_forget"), [fact.value for fact in erased]

    async def _corrected(
        self,
        scope: TenantScope,
        customer_id: UUID,
        request: MemoryRequest,
        known: Sequence[CustomerFact],
        said: Said,
    ) -> tuple[ReplyKind, list[str]]:
        facts = extract(request.statement)
        if not facts:
            return "not_kept", []
        replaced = await self._memory.correct(scope, customer_id, facts, said)
        new = [fact.value for fact in facts if not fact.ends]
        if not new:
            return ("forgotten" if replaced else "nothing_to_forget"), replaced
        return ("corrected" if known else "noted"), new

    async def _known(self, scope: TenantScope, customer_id: UUID) -> Sequence[CustomerFact]:
        async with self._db.transaction(scope.org_id) as session:
            view = MemoryView(Unit(session, scope), self._clock)
            return await view.of(customer_id, before=None, limit=MOST_SHOWN, with_closed=False)


def _meant(known: Sequence[CustomerFact], about: str, conversation_id: UUID | None) -> list[CustomerFact]:
    """The facts that are named, or else those of the message before: the latest that left any in this conversation."""
    if about:
        named = _telling(about)
        return [fact for fact in known if named & _telling(f"{fact.subject} {fact.slot} {fact.value}")]
    here = [
        fact
        for fact in known
        if fact.turn_id is not None and (conversation_id is None or fact.conversation_id == conversation_id)
    ]
    latest = max((fact.turn_id for fact in here if fact.turn_id is not None), default=None)
    return [fact for fact in here if fact.turn_id == latest]


def _telling(text: str) -> set[str]:
    words = (word.strip(".,:;'") for word in folded(text.replace(".", " ").replace("*", " ")).split())
    return {word.removesuffix("s") for word in words if word and word not in COMMON}
