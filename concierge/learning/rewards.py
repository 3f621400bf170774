"""What the end of a conversation says of the strategies that were followed in it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from concierge.learning.schemas.outcomes import BEST_RATING, WORST_RATING, OutcomeKind


@dataclass(frozen=True, slots=True)
class Reward:
    """`success` is how probably a conversation that ends like this was a success. Of several ends the one of the greatest
    `strength` decides, and of equally strong ones the latest.
    """

    success: float
    strength: int


# What a visitor did counts more than what they said, and both more than what was concluded from their silence. A
# visitor who is handed over was not served by the strategy, but was not lost either.
REWARDS: Final[Mapping[OutcomeKind, Reward]] = {
    "converted": Reward(1.0, strength=4),
    "csat": Reward(0.5, strength=3),  # Its success is the rating's.
    "thumbs_up": Reward(0.9, strength=2),
    "thumbs_down": Reward(0.1, strength=2),
    "handed_over": Reward(0.3, strength=1),
    "resolved": Reward(0.8, strength=1),
    "abandoned": Reward(0.1, strength=1),
}
# A strategy counts half as much as the one of the next turn, which was nearer to the end.
FADING: Final = 0.5


@dataclass(frozen=True, slots=True)
class Ending:
    """An outcome of a conversation; `turn_id` where it is of one turn. `value` is the rating or the worth of a sale."""

    kind: OutcomeKind
    value: float
    at: datetime
    turn_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """That a turn followed a strategy, at some time."""

    turn_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Credit:
    """A turn's part in how its conversation ended. Those of one conversation add up to 1."""

    success: float = 0.0
    failure: float = 0.0

    def __add__(self, other: "Credit") -> "Credit":
        return Credit(self.success + other.success, self.failure + other.failure)


NO_CREDIT: Final = Credit()


def deciding(endings: Sequence[Ending]) -> Ending | None:
    """The one outcome that a conversation is judged by."""
    return max(endings, key=lambda own: (REWARDS[own.kind].strength, own.at), default=None)


def success_of(ending: Ending) -> float:
    """How probably the conversation was a success, 0 to 1."""
    if ending.kind != "csat":
        return REWARDS[ending.kind].success
    return (min(max(ending.value, WORST_RATING), BEST_RATING) - WORST_RATING) / (BEST_RATING - WORST_RATING)


def credits_of(followed: Sequence[Followed], endings: Sequence[Ending]) -> Mapping[UUID, Credit]:
    """What each turn, in the order of the conversation, is credited with. Turns after the outcome have no part in it."""
    ending = deciding(endings)
    involved = [] if ending is None else _until(followed, ending)
    weights = [FADING**age for age in reversed(range(len(involved)))]
    success = 0.0 if ending is None else success_of(ending)
    shares = {own.turn_id: weight / sum(weights) for own, weight in zip(involved, weights, strict=True)}
    return {
        own.turn_id: Credit(shares[own.turn_id] * success, shares[own.turn_id] * (1 - success))
        if own.turn_id in shares
        else NO_CREDIT
        for own in followed
    }


def _until(followed: Sequence[Followed], ending: Ending) -> list[Followed]:
    for place, own in enumerate(followed):
        if own.turn_id == ending.turn_id:
            return list(followed[: place + 1])
    return [own for own in followed if own.at <= ending.at]
