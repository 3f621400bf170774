"""How soon it must be dealt with: points from words, page, clock, manner, repetition and mood, each of them listed."""

from typing import Any, Final

from concierge.intelligence.cues import Cue
from concierge.intelligence.dimensions import Dimension, Readings
from concierge.intelligence.schemas import PLEASANT, URGENCIES, Evidence, Reading, UrgencyLevel
from concierge.intelligence.view import MessageView

NAME: Final = "urgency_level"
WANTS: Final = "wants"
# From how many points a level begins.
LEVELS: Final[tuple[tuple[UrgencyLevel, float], ...]] = (
    ("critical", 6.3),
    ("high", 3.0),
    ("medium", 1.2),
    ("low", float("-inf")),
)
MOST_OF_WORDS: Final = 6.5
MOST_AROUND: Final = 3.2
DENIED: Final = 0.5
LATER_WORDS: Final = 0.6  # What a second, third … phrase counts beside the first.
PAGES: Final = (
    (("/status", "/outage", "/incident", "/emergency"), 1.8),
    (("/support", "/help", "/contact"), 0.8),
    (("/checkout", "/cart", "/payment"), 0.8),
    (("/error", "/troubleshoot"), 1.0),
)
MOODS: Final = {"angry": 1.2, "frustrated": 0.8, "worried": 0.6}
INTENTS: Final = {"problem_solving": 1.2, "complaint": 1.0, "support_request": 0.5, "cancellation": 0.4}
INTENT_FLOOR: Final = 0.45  # An intent less sure than this adds nothing.
TROUBLED: Final = 0.8
# A date presses whoever wants something done by then.
DEADLINE: Final = 1.4
PLEASED: Final = -2.5
SHOUTING: Final = 0.8
EXCLAMATION: Final = 0.5
INSISTENCE: Final = 0.5
REPEATED: Final = 0.8
MOST_REPETITIONS: Final = 3
OUT_OF_HOURS: Final = 0.5
# The clock alone makes nothing urgent; who has trouble while nobody is there has more of it.
TROUBLE: Final = 1.2
SURE: Final = 0.93
UNSURE: Final = 0.5
SURE_DISTANCE: Final = 1.5


def read(view: MessageView, so_far: Readings) -> Reading[Any]:
    said = _words(view)
    around = [
        *_page(view),
        *_manner(view, so_far),
        *_mood(so_far),
        *_repetition(view),
        *_trouble(view),
    ]
    spoken = sum(factor.weight for factor in said)
    # However much is around it, nobody's shop burns down for being angry: the utmost is in the words.
    points = spoken + min(MOST_AROUND, sum(factor.weight for factor in around))
    clock = _clock(view) if points >= TROUBLE else None
    if clock is not None:
        around.append(clock)
        points += clock.weight
    level = next(name for name, least in LEVELS if points >= least)
    ordered = tuple(sorted([*said, *around], key=lambda factor: -abs(factor.weight)))
    return Reading(level, _confidence(points), ordered, _scores(points))


def _words(view: MessageView) -> list[Evidence]:
    found = view.cues("urgency")
    wants = any(cue.speaks_for == WANTS for cue in found)
    cues = sorted((cue for cue in found if cue.speaks_for != WANTS), key=lambda cue: -cue.weight)
    factors: list[Evidence] = []
    total = 0.0
    for cue in cues:
        weight = _weight(cue, wants=wants)
        if weight > 0:
            weight = min(weight * (LATER_WORDS if total else 1.0), MOST_OF_WORDS - total)
            total += weight
        if cue.weight:
            words = f"says “{view.text[cue.start : cue.end]}”" + (
                ", but denies it" if _is_denied(cue) else ""
            )
            factors.append(Evidence(words, round(weight, 2), "message", cue.start, cue.end))
    return factors


def _weight(cue: Cue, *, wants: bool) -> float:
    if cue.speaks_for == "lowers":
        return cue.weight / 2 if _is_denied(cue) else -cue.weight
    if _is_denied(cue):
        return -DENIED
    return cue.weight + (DEADLINE if cue.speaks_for == "dates" and wants else 0.0)


def _is_denied(cue: Cue) -> bool:
    """“Not urgent” denies; “if it isn't back by tomorrow” does not deny the day."""
    return cue.denied and len(cue.phrase.words) == 1 and cue.speaks_for != "dates"


def _trouble(view: MessageView) -> list[Evidence]:
    if not view.trouble:
        return []
    cue = view.trouble[0]
    said = f"tells of trouble: “{view.text[cue.start : cue.end]}”"
    return [Evidence(said, TROUBLED, "message", cue.start, cue.end)]


def _page(view: MessageView) -> list[Evidence]:
    return [
        Evidence(f"writes from {part}", weight, "context")
        for parts, weight in PAGES
        for part in parts
        if part in view.surroundings.page
    ][:1]


def _manner(view: MessageView, so_far: Readings) -> list[Evidence]:
    """Exclamation marks of somebody glad are no alarm."""
    if so_far["emotional_state"].value in PLEASANT:
        return []
    factors: list[Evidence] = []
    if view.is_shouted and view.shouted_span is not None:
        factors.append(Evidence("writes in capitals", SHOUTING, "message", *view.shouted_span))
    for token in view.tokens:
        if len(token.text) >= 2 and token.text[0] in "!?":
            weight = EXCLAMATION if "!" in token.text else INSISTENCE
            factors.append(
                Evidence(f"insists with “{token.text[:5]}”", weight, "message", token.start, token.end)
            )
            break
    return factors


def _mood(so_far: Readings) -> list[Evidence]:
    mood, intent = so_far["emotional_state"], so_far["intent_category"]
    factors: list[Evidence] = []
    if mood.value in {"satisfied", "happy"}:
        return [Evidence(f"is {mood.value}", PLEASED, "reading")]
    if mood.value in MOODS:
        factors.append(Evidence(f"is {mood.value}", round(MOODS[mood.value] * mood.confidence, 2), "reading"))
    if intent.value in INTENTS and intent.confidence >= INTENT_FLOOR:
        named = str(intent.value).replace("_", " ")
        factors.append(Evidence(f"wants: {named}", INTENTS[intent.value], "reading"))
    return factors


def _repetition(view: MessageView) -> list[Evidence]:
    """Trouble told of again and again is trouble nobody has dealt with."""
    if not _troubled(view):
        return []
    times = min(MOST_REPETITIONS, sum(map(_troubled, view.earlier)))
    if not times:
        return []
    because = "told of trouble once before" if times == 1 else f"told of trouble {times} times before"
    return [Evidence(because, round(REPEATED * times, 2), "history")]


def _troubled(view: MessageView) -> bool:
    return bool(view.trouble) or any(
        cue.speaks_for == "raises" and cue.weight >= 1.4 and not cue.denied for cue in view.cues("urgency")
    )


def _clock(view: MessageView) -> Evidence | None:
    moment = view.surroundings.local_time
    if moment is None or view.office_hours.open_at(moment):
        return None
    return Evidence(f"writes at {moment:%H:%M}, outside office hours", OUT_OF_HOURS, "context")


def _confidence(points: float) -> float:
    """The further from the nearest border between two levels, the surer."""
    borders = [least for _, least in LEVELS[:-1]]
    distance = min(abs(points - border) for border in borders)
    return round(UNSURE + (SURE - UNSURE) * min(1.0, distance / SURE_DISTANCE), 4)


def _scores(points: float) -> dict[str, float]:
    """How close each level is, as shares that sum to one."""
    centres = {"low": 0.0, "medium": 2.1, "high": 4.4, "critical": 7.5}
    nearness = {level: 2.0 ** -abs(points - centres[level]) for level in URGENCIES}
    total = sum(nearness.values())
    return {level: round(near / total, 4) for level, near in nearness.items()}


DIMENSION = Dimension(NAME, read, needs=("emotional_state", "intent_category"))
