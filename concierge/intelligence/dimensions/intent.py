"""What the writer wants: a linear head over the message, moved by phrases, by the page, and by the history."""

from collections.abc import Mapping
from typing import Any, Final

from concierge.intelligence.dimensions import Dimension, Readings
from concierge.intelligence.language import stop_words
from concierge.intelligence.schemas import INTENTS, PLEASANT, Reading
from concierge.intelligence.view import MessageView
from concierge.intelligence.weighing import Opinion, Weighing

NAME: Final = "intent_category"
CUE_SHARE: Final = 0.5
FOREIGN_CUE_SHARE: Final = 1.0
FOREIGN_START: Final = {intent: 1.0 if intent == "information_seeking" else 0.0 for intent in INTENTS}
DENIED: Final = -1.6
# What the page a visitor writes from says about them, by a part of its address.
PAGES: Final = (
    (("/pricing", "/plans", "/quote"), "purchase_intent", 0.5),
    (("/checkout", "/cart", "/basket"), "purchase_intent", 0.5),
    (("/compare", "/vs"), "comparison", 0.9),
    (("/support", "/help", "/contact"), "support_request", 0.5),
    (("/status", "/outage", "/error", "/troubleshoot"), "problem_solving", 0.7),
    (("/cancel", "/unsubscribe", "/close-account"), "cancellation", 1.0),
    (("/docs", "/api", "/faq", "/guide"), "information_seeking", 0.4),
    (("/products", "/shop", "/collections", "/category", "/catalog"), "exploration", 0.3),
)
SAYS_NOTHING: Final = 0.4
BARE_WORDS: Final = 3
BARE_NAME: Final = 2.0
PLEASED: Final = -4.0
REPETITION: Final = 0.6


def read(view: MessageView, so_far: Readings) -> Reading[Any]:
    opinion = Opinion.of(NAME, view, FOREIGN_START)
    weighing = weighed(opinion.start, view, CUE_SHARE if opinion.is_heard else FOREIGN_CUE_SHARE)
    _weigh_mood(weighing, so_far["emotional_state"])
    return opinion.reading(weighing, at_most=1.0 if _says_something(view) else SAYS_NOTHING)


def weighed(start: Mapping[str, float], view: MessageView, share: float = CUE_SHARE) -> Weighing:
    """Move what the head makes of a message by everything else that is known; phrases count by their `share`."""
    weighing = Weighing(start)
    _weigh_phrases(weighing, view, share)
    _weigh_bare_name(weighing, view)
    _weigh_page(weighing, view)
    _weigh_history(weighing, view)
    return weighing


def _weigh_phrases(weighing: Weighing, view: MessageView, share: float) -> None:
    for cue in view.cues("purposes"):
        if not cue.denied:
            weighing.add_cue(cue, cue.speaks_for, cue.weight, f"says “{view.text[cue.start : cue.end]}”")
    for cue in view.cues("intent"):
        said = f"says “{view.text[cue.start : cue.end]}”"
        if cue.denied:
            weighing.add_cue(cue, cue.speaks_for, DENIED * cue.weight, f"{said}, but denies it")
        else:
            weighing.add_cue(cue, cue.speaks_for, cue.weight * share, said)


def _weigh_bare_name(weighing: Weighing, view: MessageView) -> None:
    """Who only names a thing looks for it."""
    words = view.words
    small = stop_words()
    told = any(view.cues(name) for name in ("intent", "purposes", "problem", "moods"))
    if 0 < len(words) <= BARE_WORDS and not told and not any(own.text in small for own in words):
        weighing.add("exploration", BARE_NAME, "only names a thing", span=(words[0].start, words[-1].end))


def _says_something(view: MessageView) -> bool:
    """A greeting alone wants nothing yet."""
    told = any(view.cues(name) for name in ("intent", "purposes", "problem"))
    return told or any(word.text not in stop_words() for word in view.words)


def _weigh_mood(weighing: Weighing, mood: Reading[Any]) -> None:
    """Nobody complains of what they praise."""
    if mood.value in PLEASANT:
        weighing.add("complaint", PLEASED, f"is {mood.value}", source="reading")
        weighing.add("problem_solving", PLEASED / 2, f"is {mood.value}", source="reading")


def _weigh_page(weighing: Weighing, view: MessageView) -> None:
    page = view.surroundings.page
    for parts, intent, weight in PAGES:
        part = next((part for part in parts if part in page), None)
        if part is not None:
            weighing.add(intent, weight, f"writes from {part}", source="context")


def _weigh_history(weighing: Weighing, view: MessageView) -> None:
    if view.trouble and any(own.trouble for own in view.earlier[-2:]):
        weighing.add("problem_solving", REPETITION, "has told of trouble before", source="history")


DIMENSION = Dimension(NAME, read, needs=("emotional_state",))
