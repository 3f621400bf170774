"""The vectors of a message and of the questions before it."""

from concierge.chat.steps.receive import Received
from concierge.knowledge.context import EARLIER_QUESTIONS
from concierge.knowledge.search import Query, Search


async def embed(search: Search, received: Received) -> Query:
    """Return what a message means, ready to search the agent's packs with, in its conversation. Errors: UnavailableError."""
    earlier = [exchange.message for exchange in reversed(received.turn.history)][:EARLIER_QUESTIONS]
    return await search.ask(received.scope, received.agent.pack_ids, received.meant, earlier)
