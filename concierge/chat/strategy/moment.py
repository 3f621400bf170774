"""What a turn is within its conversation: how it opens, what it asks for, how often the same trouble was told. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from concierge.agents.schemas.policy import FallbackStrategy
from concierge.intelligence.dimensions.actions import ASKS_FOR_PERSON, NAME
from concierge.intelligence.schemas import ConversationAnalysis
from concierge.intelligence.view import MessageView
from concierge.learning.schemas.strategies import Choice

LONGEST_GREETING: Final = 60
LOOKED_AT: Final = 2_000
_GREETING: Final = re.compile(
    r"\W*(?:(?:hi+|hello+|hey+|hiya|howdy|greetings|welcome|good (?:morning|afternoon|evening|day)|hallo|guten (?:tag|morgen|abend)|"
    r"moin|servus|grüezi|grüß (?:gott|dich)|bonjour|salut|bonsoir|hola|buen[oa]s? (?:d[ií]as|tardes|noches)?|ciao|buongiorno|ol[áa]|hoi|goedendag)"
    r"(?:\s+(?:there|everyone|all|you|team|again|zusammen|à tous))*\W*)+",
    re.IGNORECASE,
)  # fmt: skip
_PRICE: Final = re.compile(
    r"\b(?:pric(?:e|es|ing|ey)|costs?|how much|rates?|fees?|quote|cheap(?:er|est)?|expensive|affordable|budget|"
    r"preise?|kosten|kostet|wie ?viel|teuer|günstig\w*|tarif\w*|prix|combien|coûte\w*|precios?|cu[áa]nto|cuesta\w*)\b",
    re.IGNORECASE,
)


class Chooser(Protocol):
    """Chooses among the strategies that fit, where the fixed rules chose `rule`."""

    def choose(self, rule: FallbackStrategy, eligible: Collection[FallbackStrategy]) -> Choice: ...


@dataclass(frozen=True, slots=True)
class Moment:
    """`unresolved` counts the messages on trouble told one after another, this one included. `draws` chooses by what was
    learned, the same for the same turn; None where too little is known.
    """

    is_greeting: bool = False
    asks_price: bool = False
    asks_for_person: bool = False
    unresolved: int = 0
    turn: int = 1
    draws: Chooser | None = field(default=None, compare=False)


def moment_of(
    message: str,
    history: Sequence[str],
    analysis: ConversationAnalysis,
    draws: Chooser | None,
) -> Moment:
    """`history` are the visitor's earlier messages of the conversation, oldest first."""
    asked = (evidence.because for evidence in analysis.evidence.get(NAME, ()))
    return Moment(
        is_greeting=is_greeting(message),
        asks_price=asks_price(message),
        asks_for_person=ASKS_FOR_PERSON in asked,
        unresolved=_unresolved(history) + 1 if _is_trouble(analysis) else 0,
        turn=len(history) + 1,
        draws=draws,
    )


def is_greeting(message: str) -> bool:
    """Whether a message does nothing but greet."""
    return len(message) <= LONGEST_GREETING and bool(_GREETING.fullmatch(message))


def asks_price(message: str) -> bool:
    return bool(_PRICE.search(message[:LOOKED_AT]))


def _is_trouble(analysis: ConversationAnalysis) -> bool:
    return bool(analysis.pain_points) or analysis.intent_category in {"problem_solving", "complaint"}


def _unresolved(history: Sequence[str]) -> int:
    """How many of the last messages, without a break, told of trouble."""
    count = 0
    for message in reversed(history):
        if not MessageView(message).trouble:
            break
        count += 1
    return count
