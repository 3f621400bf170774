"""What could be worth offering: phrases, what the visitor wants, and likeness to what others said before they bought."""

from collections.abc import Iterator
from typing import Any, Final

from concierge.intelligence.dimensions import Dimension, Readings
from concierge.intelligence.prototypes import likest
from concierge.intelligence.schemas import Evidence, Opportunity, OpportunityKind, Reading
from concierge.intelligence.view import MessageView

NAME: Final = "opportunities"
# Nobody in a rage is sold anything; they may be kept.
UNWELCOME_MOODS: Final = frozenset({"angry", "frustrated"})
UNWELCOME_INTENTS: Final = frozenset({"complaint", "problem_solving", "support_request"})
ALWAYS_WELCOME: Final = frozenset({"retention_save", "education"})
OF_INTENT: Final[dict[str, tuple[OpportunityKind, ...]]] = {
    "purchase_intent": ("purchase_help",),
    "comparison": ("purchase_help", "upsell"),
    "exploration": ("purchase_help", "cross_sell"),
    "cancellation": ("retention_save",),
}
OF_MOOD: Final[dict[str, tuple[OpportunityKind, ...]]] = {"confused": ("education",)}
LIKENESS: Final = 0.6
FOUND: Final = 0.75
NOT_FOUND: Final = 0.65
LEAST_CONFIDENCE: Final = 0.4


def read(view: MessageView, so_far: Readings) -> Reading[Any]:
    mood, intent = so_far["emotional_state"], so_far["intent_category"]
    unwelcome = mood.value in UNWELCOME_MOODS or intent.value in UNWELCOME_INTENTS
    found: dict[str, Opportunity] = {}
    evidence: list[Evidence] = []
    for opportunity, reason in [*_said(view), *_wanted(so_far), *_alike(view)]:
        welcome = opportunity.kind in ALWAYS_WELCOME or not unwelcome
        if welcome and _fits(opportunity.kind, str(intent.value)) and opportunity.kind not in found:
            found[opportunity.kind] = opportunity
            evidence.append(reason)
    return Reading(tuple(found.values()), FOUND if found else NOT_FOUND, tuple(evidence))


def _fits(kind: OpportunityKind, intent: str) -> bool:
    """Only who is about to leave needs to be kept, and who is leaving is sold nothing else."""
    return (kind == "retention_save") == (intent == "cancellation")


def _said(view: MessageView) -> Iterator[tuple[Opportunity, Evidence]]:
    for cue in view.cues("opportunity"):
        if not cue.denied:
            text = view.text[cue.start : cue.end]
            kind: Any = cue.speaks_for
            yield (
                Opportunity(kind, text, cue.start, cue.end),
                Evidence(f"says “{text}”", cue.weight, "message", cue.start, cue.end),
            )


def _wanted(so_far: Readings) -> Iterator[tuple[Opportunity, Evidence]]:
    for dimension, kinds in (("intent_category", OF_INTENT), ("emotional_state", OF_MOOD)):
        reading = so_far[dimension]
        if reading.confidence < LEAST_CONFIDENCE:
            continue
        for kind in kinds.get(str(reading.value), ()):
            shown = next((own for own in reading.evidence if own.start is not None), None)
            start, end = (shown.start, shown.end) if shown else (None, None)
            because = str(reading.value).replace("_", " ")
            yield Opportunity(kind, because, start, end), Evidence(because, 0.5, "reading", start, end)


def _alike(view: MessageView) -> Iterator[tuple[Opportunity, Evidence]]:
    near = likest(NAME, view)
    if near is not None and near.similarity >= LIKENESS and view.words:
        start, end = view.words[0].start, view.words[-1].end
        kind: Any = near.kind
        reason = Evidence(f"is like “{near.text}”", round(near.similarity, 3), "model", start, end)
        yield Opportunity(kind, view.text[start:end][:200], start, end), reason


DIMENSION = Dimension(NAME, read, needs=("emotional_state", "intent_category"))
