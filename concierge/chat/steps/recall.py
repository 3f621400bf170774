"""What is known of who writes and of what the business offers. A turn goes on without what cannot be had."""

import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, TypeVar

import structlog

from concierge.accounts.scope import Unit
from concierge.catalog.schemas.context import ProductContext
from concierge.catalog.service import ProductContexts
from concierge.chat.steps.receive import Received
from concierge.customers.knowing import Sources, context_of
from concierge.customers.requests import memory_request
from concierge.customers.schemas.context import CustomerContext, Inferred
from concierge.customers.schemas.memory import Memories
from concierge.customers.service import MemoryRequests, RecallService, SessionInferenceService
from concierge.customers.traits import TRAITS, Traits
from concierge.kit.clock import Clock
from concierge.kit.db import Database
from concierge.llm.embedders import QuestionVectors
from concierge.llm.embeddings import LOCAL_SPACE

logger = structlog.get_logger(__name__)
Had = TypeVar("Had")
# From here on a trait is believed: about two messages that show it.
BELIEVED: Final = 0.4
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_AMOUNT: Final = re.compile(r"\d")
_MONEY: Final = re.compile(r"[$€£]\s?\d[\d,.]*\d|\d[\d,.]*\s?(?:[$€£]|EUR|USD|euros?|dollars?)")
_BUDGET: Final = re.compile(r"\bbudget\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Recalled:
    """`missing` names what could not be had, and why."""

    customer: CustomerContext = field(default_factory=CustomerContext)
    product: ProductContext = field(default_factory=ProductContext)
    missing: Mapping[str, str] = field(default_factory=dict[str, str])


class Recollection:
    def __init__(
        self,
        db: Database,
        sessions: SessionInferenceService,
        requests: MemoryRequests,
        products: ProductContexts,
        vectors: QuestionVectors,
        clock: Clock,
    ) -> None:
        self._db = db
        self._sessions = sessions
        self._requests = requests
        self._products = products
        self._vectors = vectors
        self._clock = clock

    async def recall(self, received: Received) -> Recalled:
        """Never raises: what fails is missing, and the trace says so."""
        missing: dict[str, str] = {}
        session = await _or(self._session(received), (), "session", missing)
        memories = await _or(self._memories(received), Memories(), "memory", missing)
        customer = self._customer(received, session, memories)
        product = await _or(self._product(received, customer), ProductContext(), "product", missing)
        return Recalled(customer, product, missing)

    async def reply_to_request(self, received: Received) -> str | None:
        """What is answered to somebody who asks what is remembered of them, or wants it changed or gone: it is done.

        None for every other message. Errors: UnavailableError.
        """
        request = memory_request(received.request.message)
        if request is None:
            return None
        known, turn = received.customer, received.turn
        return await self._requests.answer(
            received.scope,
            known.customer_id if known else None,
            request,
            conversation_id=turn.conversation_id,
            turn_id=turn.id,
        )

    async def _session(self, received: Received) -> tuple[Inferred, ...]:
        return await self._sessions.infer(received.scope, received.request.session_context)

    async def _memories(self, received: Received) -> Memories:
        known = received.customer
        if known is None or not known.memory_allowed:
            return Memories()
        (vector,) = await self._vectors.of(LOCAL_SPACE, [received.request.message])
        async with self._db.transaction(received.scope.org_id) as session:
            return await RecallService(Unit(session, received.scope), self._clock).recall(
                known.customer_id, vector.tolist(), conversation_id=received.turn.conversation_id
            )

    async def _product(self, received: Received, customer: CustomerContext) -> ProductContext:
        """What fits the message; a budget that was told before bounds it, where it is about the same thing."""
        message, kept = received.meant, wish_of(received.request.message, customer)
        (vector,) = await self._vectors.of(LOCAL_SPACE, [message])
        return await self._products.of(
            received.scope,
            " ".join([message, *kept]),
            vector,
            audiences=received.audiences,
            today=_day_of(received.request.session_context.get("local_time")),
            earlier=[exchange.message for exchange in reversed(received.turn.history)],
        )

    def _customer(
        self, received: Received, session: tuple[Inferred, ...], memories: Memories
    ) -> CustomerContext:
        known, now = received.customer, self._clock()
        return context_of(
            Sources(
                visitor_id=received.request.visitor_id,
                known=known,
                session=session,
                now=now,
                memories=memories.facts,
                summaries=memories.summaries,
                traits=_believed(Traits.of(known.traits), now) if known else {},
                recent_turns=[exchange.message for exchange in received.turn.history],
            )
        )


def wish_of(message: str, customer: CustomerContext) -> list[str]:
    """The budget that was told before for what is asked about now, unless the message names an amount itself."""
    if _AMOUNT.search(message):
        return []
    asked = _words(message)
    budgets = [fact for fact in customer.memories if fact.kind == "preference" and _MONEY.search(fact.value)]
    fitting = [fact for fact in budgets if asked & _words(fact.subject)] or [
        fact for fact in budgets if _BUDGET.search(fact.subject)
    ]
    return [f"up to {found.group()}" for fact in fitting[:1] if (found := _MONEY.search(fact.value))]


def _words(text: str) -> set[str]:
    return {word.rstrip("s") for word in _WORD.findall(text.lower())}


def _day_of(local_time: object) -> date | None:
    """The visitor's day, where their clock can be believed."""
    if not isinstance(local_time, str):
        return None
    try:
        return datetime.fromisoformat(local_time).date()
    except ValueError:
        return None


def _believed(traits: Traits, now: datetime) -> dict[str, str]:
    leading = {name: traits.leading(name, now) for name in TRAITS}
    return {name: found[0] for name, found in leading.items() if found and found[1] >= BELIEVED}


async def _or(wanted: Awaitable[Had], otherwise: Had, name: str, missing: dict[str, str]) -> Had:
    try:
        return await wanted
    except Exception as error:  # Whatever went wrong, the visitor gets an answer.
        missing[name] = getattr(error, "code", type(error).__name__)
        logger.warning("a turn goes on without a part of its context", part=name, exc_info=True)
        return otherwise
