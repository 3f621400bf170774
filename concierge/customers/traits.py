"""What somebody is like, as far as their messages show: it moves with evidence and fades with time. Pure.

Every value of a trait has a weight: each reading of a message adds its confidence, and all of it halves in thirty days.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

HALF_LIFE_DAYS: Final = 30.0
# A reading below this is a guess, which moves nothing.
LEAST_CONFIDENCE: Final = 0.5
# So much weight, about two sure readings, is believed half; a lead of this share over the rest is needed at all.
BELIEVED_HALF: Final = 2.0
LEAST_SHARE: Final = 0.5
FAINTEST: Final = 0.01
TRAITS: Final = ("communication_style", "technical_level", "response_style", "language", "mood")
_DAY_S: Final = 86_400

Weights = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Shown:
    """What one message shows of a trait."""

    trait: str
    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Traits:
    """Weights by trait and value, as they were at `at`."""

    weights: Weights = field(default_factory=dict[str, dict[str, float]])
    at: datetime | None = None

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """Read what is stored with a customer, whatever it is."""
        try:
            weights = {
                name: {str(value): float(weight) for value, weight in stored["weights"][name].items()}
                for name in TRAITS
                if name in stored["weights"]
            }
            return cls(weights, datetime.fromisoformat(stored["at"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            return cls()

    def stored(self) -> dict[str, Any]:
        if self.at is None:
            return {}
        return {"at": self.at.isoformat(), "weights": {name: dict(own) for name, own in self.weights.items()}}

    def faded(self, now: datetime) -> Self:
        """As they are now; the past is not made stronger by a clock that goes wrong."""
        days = 0.0 if self.at is None else max(0.0, (now - self.at).total_seconds() / _DAY_S)
        share = 0.5 ** (days / HALF_LIFE_DAYS)
        left = {
            name: {value: weight * share for value, weight in own.items() if weight * share >= FAINTEST}
            for name, own in self.weights.items()
        }
        return type(self)({name: own for name, own in left.items() if own}, max(now, self.at or now))

    def moved(self, shown: tuple[Shown, ...], now: datetime) -> Self:
        faded = self.faded(now)
        weights = {name: dict(own) for name, own in faded.weights.items()}
        for one in shown:
            if one.trait in TRAITS and one.confidence >= LEAST_CONFIDENCE and one.value != "neutral":
                own = weights.setdefault(one.trait, {})
                own[one.value] = own.get(one.value, 0.0) + one.confidence
        return type(self)(weights, faded.at)

    def leading(self, trait: str, now: datetime) -> tuple[str, float] | None:
        """The value of a trait and how sure it is, 0 to 1; None where nothing leads."""
        own = self.faded(now).weights.get(trait)
        if not own:
            return None
        value, weight = max(own.items(), key=lambda entry: (entry[1], entry[0]))
        share = weight / sum(own.values())
        if share < LEAST_SHARE:
            return None
        return value, round(share * weight / (weight + BELIEVED_HALF), 3)
