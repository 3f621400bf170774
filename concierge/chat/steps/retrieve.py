"""Find what the agent's packs know about the message."""

import numpy as np
from numpy.typing import NDArray

from concierge.chat.steps.receive import Received
from concierge.knowledge.search import Found, Query, Search

PASSAGES = 8


async def retrieve(search: Search, received: Received, vector: NDArray[np.float32]) -> Found:
    return await search.find(
        received.scope,
        received.agent.pack_ids,
        Query(received.request.message, vector),
        limit=PASSAGES,
    )
