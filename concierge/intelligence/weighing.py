"""Puts together what speaks for each value of a dimension, and says how sure that makes it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp
from typing import Any, Final, Self

from concierge.intelligence.cues import Cue
from concierge.intelligence.heads import Calibration, Judgement, judge
from concierge.intelligence.language import ENGLISH
from concierge.intelligence.schemas import Evidence, Reading, Source
from concierge.intelligence.view import MessageView

SHOWN_EVIDENCE: Final = 8
# Outside English the heads have learned nothing, and words alone are less sure.
FOREIGN_CONFIDENCE: Final = 0.5


class Weighing:
    """Log-odds of each value, and the reasons that moved them."""

    def __init__(self, start: Mapping[str, float]) -> None:
        self._odds = dict(start)
        self._reasons: list[tuple[str, Evidence]] = []

    def add(
        self,
        value: str,
        weight: float,
        because: str,
        *,
        source: Source = "message",
        span: tuple[int, int] | None = None,
    ) -> None:
        self._odds[value] += weight
        start, end = span or (None, None)
        self._reasons.append((value, Evidence(because, round(weight, 3), source, start, end)))

    def add_cue(self, cue: Cue, value: str, weight: float, because: str) -> None:
        self.add(value, weight, because, span=(cue.start, cue.end))

    def probabilities(self) -> dict[str, float]:
        most = max(self._odds.values())
        parts = {value: exp(odds - most) for value, odds in self._odds.items()}
        total = sum(parts.values())
        return {value: part / total for value, part in parts.items()}

    def reasons_for(self, value: str) -> tuple[Evidence, ...]:
        own = [reason for named, reason in self._reasons if named == value and reason.weight > 0]
        return tuple(sorted(own, key=lambda reason: -reason.weight)[:SHOWN_EVIDENCE])

    def reading(
        self, calibration: Calibration, extra: Iterable[Evidence] = (), *, at_most: float = 1.0
    ) -> Reading[Any]:
        """Return the likeliest value; `extra` is evidence for it that the weights above do not hold."""
        odds = self.probabilities()
        value = max(odds, key=lambda own: odds[own])
        confidence = min(at_most, calibration(odds[value]))
        scores = {own: round(share, 4) for own, share in odds.items()}
        return Reading(value, round(confidence, 4), (*self.reasons_for(value), *extra), scores)

    @property
    def likeliest(self) -> str:
        return max(self._odds, key=lambda own: self._odds[own])


@dataclass(frozen=True, slots=True)
class Opinion:
    """Where a weighing begins: with what a head makes of a message, or outside English with `judged` put aside."""

    judged: Judgement
    view: MessageView
    is_heard: bool
    start: Mapping[str, float]

    @classmethod
    def of(cls, dimension: str, view: MessageView, unheard: Mapping[str, float]) -> Self:
        """`unheard` is where it begins when the head has learned nothing of the language."""
        judged, is_heard = judge(dimension, view), view.language.code == ENGLISH
        return cls(judged, view, is_heard, judged.start if is_heard else unheard)

    def reading(self, weighing: Weighing, *, at_most: float = 1.0) -> Reading[Any]:
        value = weighing.likeliest
        shown = not self.is_heard or bool(weighing.reasons_for(value))
        extra = () if shown else telling_words(self.judged, value, self.view)
        limit = at_most if self.is_heard else FOREIGN_CONFIDENCE
        return weighing.reading(self.judged.calibration, extra, at_most=limit)


def telling_words(judged: Judgement, value: str, view: MessageView) -> tuple[Evidence, ...]:
    """The words that made a head choose a value; nothing where no word stands out."""
    place = judged.head.telling(judged.head.labels.index(value), view.features, len(view.tokens))
    if place is None or not view.tokens:
        return ()
    first, last, weight = place
    start, end = view.tokens[first].start, view.tokens[last].end
    return (Evidence("what such messages say", round(weight, 3), "model", start, end),)
