"""What a benchmark reports: figures with their targets, and the timings they come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a figure must keep: at most, or at least, `bound`."""

    bound: float
    sense: Literal["at most", "at least"] = "at most"

    def met_by(self, value: float) -> bool:
        return value <= self.bound if self.sense == "at most" else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.sense == 'at most' else '≥'} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. Without a target it is there to be known, and cannot fail."""

    name: str
    value: float
    unit: str
    target: Target | None = None
    detail: str = ""

    @property
    def met(self) -> bool:
        return self.target is None or self.target.met_by(self.value)


@dataclass(frozen=True, slots=True)
class Timings:
    """Durations in milliseconds."""

    values: tuple[float, ...]

    @property
    def p50(self) -> float:
        return median(self.values)

    @property
    def p95(self) -> float:
        return percentile(self.values, 0.95)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
