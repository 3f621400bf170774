"""What follows from a profile by itself: how engaged somebody is, how far on their way, how well they are known. Pure.

Each is a table of rules in order; the first that holds decides, and its name is kept with the value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from concierge.customers.schemas.context import EngagementLevel, Inferred, JourneyStage
from concierge.customers.schemas.known import KnownCustomer

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is looked at. `known` is None for somebody who came without a visitor; `facts` is how many are remembered."""

    known: KnownCustomer | None
    session: Sequence[Inferred]
    facts: int
    now: datetime

    @property
    def visits(self) -> int:
        return self.known.visits if self.known else 1

    @property
    def turns(self) -> int:
        return self.known.turns if self.known else 1

    @property
    def has_bought(self) -> bool:
        return self.known is not None and (
            self.known.conversions > 0 or bool(self.known.labels & {"customer", "buyer"})
        )

    @property
    def away_for(self) -> timedelta:
        before = self.known.previous_visit_at if self.known else None
        return self.now - before if before else timedelta(0)

    def stage(self) -> Inferred | None:
        """What the session says of the way to a purchase, the surest of it."""
        said = [inferred for inferred in self.session if inferred.what == "stage"]
        return max(said, key=lambda inferred: inferred.confidence, default=None)

    def needs_help(self) -> bool:
        return any(inferred.what == "need" for inferred in self.session)


@dataclass(frozen=True, slots=True)
class Rule(Generic[Value]):
    name: str
    value: Value
    holds: Callable[[Evidence], bool]


ENGAGEMENT: Final[Sequence[Rule[EngagementLevel]]] = (
    Rule("has bought and comes often", "highly_engaged", lambda it: it.has_bought and it.visits >= 3),
    Rule("comes very often", "highly_engaged", lambda it: it.visits >= 6 or it.turns >= 40),
    Rule("was away for three months", "casual", lambda it: it.away_for > timedelta(days=90)),
    Rule("has bought", "engaged", lambda it: it.has_bought),
    Rule("comes back and talks", "engaged", lambda it: it.visits >= 3 or it.turns >= 10),
    Rule("has been here before", "casual", lambda it: it.visits >= 2 or it.turns >= 4),
    Rule("is here for the first time", "new", lambda _: True),
)
JOURNEY: Final[Sequence[Rule[JourneyStage]]] = (
    Rule(
        "has bought, is content and comes often",
        "advocacy",
        lambda it: (
            it.has_bought and it.known is not None and (it.known.satisfaction or 0) >= 0.9 and it.visits >= 5
        ),
    ),
    Rule(
        "is about to buy",
        "decision",
        lambda it: (stage := it.stage()) is not None and stage.value == "decision",
    ),
    Rule("has bought", "retention", lambda it: it.has_bought),
    Rule(
        "weighs a purchase",
        "consideration",
        lambda it: (stage := it.stage()) is not None and stage.value == "consideration",
    ),
    Rule("comes back", "consideration", lambda it: it.visits >= 2 and not it.needs_help()),
    Rule("nothing else is known", "awareness", lambda _: True),
)


def engagement_of(evidence: Evidence) -> Rule[EngagementLevel]:
    return next(rule for rule in ENGAGEMENT if rule.holds(evidence))


def journey_of(evidence: Evidence) -> Rule[JourneyStage]:
    return next(rule for rule in JOURNEY if rule.holds(evidence))


# What each thing that is known adds to how well somebody is known: of what is left to know, this share.
IDENTIFIED: Final = 0.35
BOUGHT: Final = 0.3
RETURNED: Final = 0.15
REMEMBERED: Final = 0.12
SAID_BY_BUSINESS: Final = 0.1
SESSION: Final = 0.06
MOST_FACTS: Final = 6
MOST_VISITS: Final = 4
MOST_INFERRED: Final = 3


def confidence_of(evidence: Evidence) -> float:
    """From 0, nothing is known, towards 1. A first visit that only shows its page and device stays under 0.2."""
    known = evidence.known
    shares = [SESSION] * min(MOST_INFERRED, len(evidence.session))
    shares += [REMEMBERED] * min(MOST_FACTS, evidence.facts)
    shares += [RETURNED] * min(MOST_VISITS, evidence.visits - 1)
    if known is not None:
        shares += [IDENTIFIED] * (known.profile_type != "anonymous")
        shares += [BOUGHT] * evidence.has_bought
        shares += [SAID_BY_BUSINESS] * bool(known.labels or known.attributes)
    unknown = 1.0
    for share in shares:
        unknown *= 1 - share
    return round(1 - unknown, 4)
