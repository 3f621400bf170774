"""Worlds whose truth is known: who comes, what the fixed rules would do, and how often each strategy goes well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from concierge.learning.schemas.strategies import FallbackStrategy

ELIGIBLE: Final[tuple[FallbackStrategy, ...]] = ("discovery", "assumption", "exploration", "showcase")
VISITS: Final = 5_000
Chances = Mapping[FallbackStrategy, float]


@dataclass(frozen=True, slots=True)
class Situation:
    """A kind of visit, and its share of all. `later` are the chances after the drift, where there is one."""

    segment: str
    rule: FallbackStrategy
    share: float
    chances: Chances
    later: Chances | None = None

    def chance(self, strategy: FallbackStrategy, visit: int) -> float:
        """How probably the strategy goes well; it drifts evenly between two fifths and three fifths of all visits."""
        if self.later is None:
            return self.chances[strategy]
        moved = min(max((visit / VISITS - 0.4) / 0.2, 0.0), 1.0)
        return (1 - moved) * self.chances[strategy] + moved * self.later[strategy]


@dataclass(frozen=True, slots=True)
class World:
    name: str
    situations: Sequence[Situation]
    bad: FallbackStrategy | None = None


def _chances(discovery: float, assumption: float, exploration: float, showcase: float) -> Chances:
    return dict(zip(ELIGIBLE, (discovery, assumption, exploration, showcase), strict=True))


# By segment: how often discovery, assumption, exploration and showcase go well. Discovery is bad for everybody.
NEW_LOOKING_MOBILE: Final = _chances(0.20, 0.35, 0.40, 0.62)
NEW_LOOKING_DESKTOP: Final = _chances(0.25, 0.40, 0.60, 0.45)
NEW_BUYING_MOBILE: Final = _chances(0.20, 0.60, 0.35, 0.45)
NEW_BUYING_DESKTOP: Final = _chances(0.25, 0.45, 0.40, 0.60)
RETURNING_LOOKING: Final = _chances(0.25, 0.55, 0.45, 0.35)
RETURNING_BUYING: Final = _chances(0.20, 0.65, 0.40, 0.50)

DIFFERENT: Final = World(
    "Visitors differ, and the rules do not know",
    (
        Situation("new · looking · mobile", "showcase", 0.10, NEW_LOOKING_MOBILE),
        Situation("new · looking · mobile", "discovery", 0.12, NEW_LOOKING_MOBILE),
        Situation("new · looking · desktop", "showcase", 0.10, NEW_LOOKING_DESKTOP),
        Situation("new · looking · desktop", "discovery", 0.12, NEW_LOOKING_DESKTOP),
        Situation("new · buying · mobile", "discovery", 0.10, NEW_BUYING_MOBILE),
        Situation("new · buying · mobile", "assumption", 0.08, NEW_BUYING_MOBILE),
        Situation(
            "new · buying · desktop",
            *("assumption", 0.12, NEW_BUYING_DESKTOP),
            later=_chances(0.25, 0.65, 0.40, 0.45),
        ),
        Situation(
            "returning · looking · desktop",
            *("exploration", 0.14, RETURNING_LOOKING),
            later=_chances(0.25, 0.45, 0.60, 0.35),
        ),
        Situation("returning · buying · desktop", "assumption", 0.12, RETURNING_BUYING),
    ),
    bad="discovery",
)

RIGHT: Final = World(
    "The rules are right already",
    (
        Situation("new · looking · mobile", "showcase", 0.20, _chances(0.40, 0.40, 0.45, 0.55)),
        Situation("new · looking · mobile", "discovery", 0.10, _chances(0.50, 0.35, 0.40, 0.40)),
        Situation("new · looking · desktop", "discovery", 0.20, _chances(0.50, 0.35, 0.45, 0.40)),
        Situation("new · buying · mobile", "assumption", 0.10, _chances(0.40, 0.60, 0.45, 0.50)),
        Situation("new · buying · desktop", "assumption", 0.15, _chances(0.45, 0.60, 0.40, 0.50)),
        Situation("returning · looking · desktop", "exploration", 0.15, _chances(0.40, 0.45, 0.55, 0.40)),
        Situation("returning · buying · desktop", "assumption", 0.10, _chances(0.35, 0.65, 0.50, 0.55)),
    ),
)
WORLDS: Final = (DIFFERENT, RIGHT)
