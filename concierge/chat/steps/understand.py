"""What a message says about its writer, read beside the search for an answer."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from concierge.chat.steps.receive import Received
from concierge.intelligence.analyst import Analyst, Message, Understood
from concierge.intelligence.vocabulary import Vocabulary
from concierge.knowledge.service import KnownNames

KEPT: Final = 200


class Vocabularies:
    """Makes a vocabulary of an agent's packs once for as long as their names stay."""

    def __init__(self, names: KnownNames) -> None:
        self._names = names
        self._kept: OrderedDict[int, tuple[Sequence[str], Vocabulary]] = OrderedDict()

    async def of(self, received: Received) -> Vocabulary:
        names = await self._names.of(received.scope, received.agent.pack_ids)
        known = self._kept.get(id(names))
        if known is None or known[0] is not names:
            known = self._kept[id(names)] = names, Vocabulary.of(names)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return known[1]


async def understand(analyst: Analyst, vocabularies: Vocabularies, received: Received) -> Understood:
    request = received.request
    history = tuple(exchange.message for exchange in received.turn.history)
    message = Message(request.message, history, request.session_context)
    vocabulary = await vocabularies.of(received)
    return await analyst.read(received.scope, message, vocabulary=vocabulary)
