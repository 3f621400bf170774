"""What follows from a profile by itself: how engaged somebody is, how far on their way, how well they are known. Pure.

Each is a table of rules in order; the first that holds decides, and its name is kept with the value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from concierge.customers.schemas.context import EngagementLevel, Inferred, JourneyStage, ProfileType
from concierge.customers.schemas.known import KnownCustomer

Value = TypeVar("Value")


# What a business may write of somebody who has bought: a label, or an attribute that is neither empty nor nought.
BUYERS: Final = frozenset({"customer", "buyer"})
PURCHASES: Final = (
    "orders",
    "order_count",
    "purchases",
    "past_purchases",
    "last_purchase",
    "last_order",
    "last_order_at",
    "total_spent",
    "lifetime_value",
)
NOTHING: Final = frozenset({"", "0", "0.0", "0.00", "no", "none", "never", "false", "null"})


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
            self.known.conversions > 0
            or bool(self.known.labels & BUYERS)
            or any(_says_yes(self.known.attributes.get(name)) for name in PURCHASES)
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


def _says_yes(value: Any) -> bool:
    return value.strip().lower() not in NOTHING if isinstance(value, str) else bool(value)


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


PROFILE: Final[Sequence[Rule[ProfileType]]] = (
    Rule("came without a visitor", "unknown", lambda it: it.known is None),
    Rule("the business says so", "registered", lambda it: _profile_of(it) == "registered"),
    Rule("the business's server vouched for them", "identified", lambda it: _profile_of(it) == "identified"),
    Rule("nobody vouched for them", "anonymous", lambda _: True),
)


def _profile_of(evidence: Evidence) -> ProfileType | None:
    return evidence.known.profile_type if evidence.known else None


def profile_of(evidence: Evidence) -> Rule[ProfileType]:
    return next(rule for rule in PROFILE if rule.holds(evidence))


@dataclass(frozen=True, slots=True)
class Share:
    """What one thing that is known adds to how well somebody is known: `part` of what is left to know, so many times."""

    name: str
    part: float
    times: Callable[[Evidence], int]


MOST_FACTS: Final = 6
MOST_VISITS: Final = 4
MOST_INFERRED: Final = 3
SHARES: Final = (
    Share("vouched for", 0.35, lambda it: int(_profile_of(it) in {"identified", "registered"})),
    Share("has bought", 0.3, lambda it: int(it.has_bought)),
    Share("came back", 0.15, lambda it: min(MOST_VISITS, it.visits - 1)),
    Share("remembered", 0.12, lambda it: min(MOST_FACTS, it.facts)),
    Share(
        "described by the business",
        0.1,
        lambda it: int(it.known is not None and bool(it.known.labels or it.known.attributes)),
    ),
    Share("session", 0.06, lambda it: min(MOST_INFERRED, len(it.session))),
)
UNKNOWN: Final = "nothing is known"


def confidence_of(evidence: Evidence) -> Rule[float]:
    """From 0, nothing is known, towards 1. A first visit that only shows its page and device stays under 0.2.

    The name says what it came from, the weightiest first: “vouched for, came back ×2”.
    """
    unknown, names = 1.0, list[str]()
    for share in SHARES:
        times = max(0, share.times(evidence))
        unknown *= (1 - share.part) ** times
        if times:
            names.append(share.name if times == 1 else f"{share.name} ×{times}")
    return Rule(", ".join(names) or UNKNOWN, round(1 - unknown, 4), lambda _: True)
