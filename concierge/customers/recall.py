"""Which of what is remembered is worth a turn's attention. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from concierge.customers.schemas.context import FactKind, RememberedFact
from concierge.customers.schemas.memory import Recalled

TOKENS: Final = 200
RELEVANCE: Final = 0.55
RECENCY: Final = 0.25
CONFIDENCE: Final = 0.2
HALF_LIFE_DAYS: Final = 60.0
# What must not be got wrong counts whatever the message is about.
KINDS: Final[Mapping[FactKind, float]] = {"constraint": 0.1, "problem": 0.05}
CHARS_PER_TOKEN: Final = 4
TOKENS_AROUND: Final = 4  # A bullet, a line break, what stands before it.
_DAY_S: Final = 86_400


def ranked(found: Sequence[Recalled], now: datetime, tokens: int = TOKENS) -> tuple[RememberedFact, ...]:
    """Return the facts to use, the best first, as many as the budget of tokens holds."""
    kept: list[RememberedFact] = []
    for recalled in sorted(found, key=lambda one: (-score(one, now), one.fact.id)):
        cost = cost_of(recalled.fact)
        if cost <= tokens:
            kept.append(recalled.fact)
            tokens -= cost
    return tuple(kept)


def score(recalled: Recalled, now: datetime) -> float:
    days = max(0.0, (now - recalled.confirmed_at).total_seconds() / _DAY_S)
    return (
        RELEVANCE * max(0.0, recalled.fact.relevance)
        + RECENCY * 0.5 ** (days / HALF_LIFE_DAYS)
        + CONFIDENCE * recalled.fact.confidence
        + KINDS.get(recalled.fact.kind, 0.0)
    )


def cost_of(fact: RememberedFact) -> int:
    """About how many tokens it takes in a prompt."""
    return len(fact.value) // CHARS_PER_TOKEN + TOKENS_AROUND
