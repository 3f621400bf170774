"""What was learned, as an operator reads it, and how learning is set."""

from datetime import datetime

from pydantic import BaseModel, Field

from concierge.kit.fields import Out
from concierge.learning.schemas.strategies import FallbackStrategy


class LearningSettings(BaseModel):
    """How learning works for an organization. What is left out is as at first."""

    enabled: bool = True
    min_outcomes: int = Field(
        default=200,
        ge=20,
        le=1_000_000,
        description="So many conversations must have ended before it begins.",
    )
    floor: float = Field(
        default=0.95,
        ge=0.5,
        le=0.999,
        description="A strategy that is worse than the rules with this probability is not tried any more.",
    )
    explore_share: float = Field(
        default=0.1,
        ge=0,
        le=0.5,
        description="The most of a segment's turns, on average, that try a strategy although another one leads.",
    )
    half_life_days: float = Field(
        default=60, ge=1, le=3_650, description="After so many days a conversation counts half."
    )


class StrategyOut(Out):
    """How a strategy did where the fixed rules would have chosen `rule`.

    `successes` and `failures` are conversations, in parts and faded with age; `mean` is the success rate that is believed,
    and lies between `low` and `high` with a probability of 95 %. `leads` marks what is followed, `ruled_out` what is not
    tried any more.
    """

    rule: FallbackStrategy
    strategy: FallbackStrategy
    uses: int
    explored: int
    explored_share: float
    successes: float
    failures: float
    mean: float
    low: float
    high: float
    leads: bool
    ruled_out: bool
    since: datetime


class SegmentOut(Out):
    segment: str
    uses: int
    strategies: list[StrategyOut]


class LearningOut(Out):
    """What was learned since the last reset. While `outcomes_missing` is above 0 the fixed rules alone decide."""

    enabled: bool
    active: bool
    outcomes: int
    outcomes_missing: int
    reset_at: datetime | None
    segments: list[SegmentOut]
