"""Find what the agent's packs know about the message."""

from concierge.chat.steps.receive import Received
from concierge.knowledge.search import Found, Query, Search

PASSAGES = 8


async def retrieve(search: Search, received: Received, query: Query) -> Found:
    return await search.find(
        received.scope, received.agent.pack_ids, query, audiences=received.audiences, limit=PASSAGES
    )
