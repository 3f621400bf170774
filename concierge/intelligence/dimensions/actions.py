"""What to do next, the most pressing first: a table of rules over the other dimensions and over what is asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from concierge.intelligence.cues import Cue
from concierge.intelligence.dimensions import Dimension, Readings
from concierge.intelligence.schemas import ActionKind, Evidence, Reading
from concierge.intelligence.view import MessageView

NAME: Final = "next_best_actions"
ASKS_FOR_PERSON: Final = "asks for a person"
MOST: Final = 4
VAGUE_WORDS: Final = 9
UPSET: Final = frozenset({"angry", "frustrated"})
PLEASED: Final = frozenset({"satisfied", "happy"})
TROUBLE: Final = frozenset({"problem_solving", "complaint", "support_request"})

ASKING: Final = frozenset(
    (
        *("what", "how", "when", "where", "which", "who", "why", "do", "does", "can", "could"),
        *("is", "are", "will", "would", "should", "may", "wie", "was", "wann", "wo", "warum"),
        *("comment", "quand", "où", "pourquoi", "combien", "cómo", "cuándo", "dónde", "cuánto"),
        *("come", "quando", "dove", "quanto", "como", "onde", "hoe", "wat", "wanneer", "waar"),
    )
)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the rules look at. `asked` are the actions that words call for."""

    view: MessageView
    emotion: str
    urgency: str
    intent: str
    level: str
    offers: frozenset[str]
    asked: frozenset[str]
    is_upset: bool
    is_troubled: bool
    asks: bool


@dataclass(frozen=True, slots=True)
class Rule:
    action: ActionKind
    because: str
    holds: Callable[[Situation], bool]


RULES: Final = (
    Rule("escalate_to_human", ASKS_FOR_PERSON, lambda it: "escalate_to_human" in it.asked),
    Rule(
        "escalate_to_human",
        "is angry about something that went wrong",
        lambda it: it.emotion == "angry" and it.intent in TROUBLE,
    ),
    Rule("escalate_to_human", "cannot wait", lambda it: it.urgency == "critical"),
    Rule(
        "escalate_to_human",
        "has had trouble again and again",
        lambda it: it.is_upset and it.urgency == "high" and len(it.view.history) >= 2,
    ),
    Rule("apologise", "was let down", lambda it: it.is_upset or it.intent == "complaint"),
    Rule(
        "check_order",
        "speaks of an order",
        lambda it: "check_order" in it.asked and it.intent != "cancellation",
    ),
    Rule("retain", "wants to leave", lambda it: it.intent == "cancellation"),
    Rule(
        "offer_discount_if_allowed",
        "finds the price too high, or asks for a better one",
        lambda it: "offer_discount_if_allowed" in it.asked and not it.is_upset,
    ),
    Rule(
        "ask_for_detail",
        "does not say what exactly is wrong or wanted",
        lambda it: "ask_for_detail" in it.asked and len(it.view.words) <= VAGUE_WORDS,
    ),
    Rule(
        "step_by_step",
        "has a problem to be solved",
        lambda it: it.intent == "problem_solving" and it.emotion not in PLEASED,
    ),
    Rule(
        "step_by_step",
        "needs to be led",
        lambda it: it.emotion not in PLEASED and (it.level == "beginner" or it.emotion == "confused"),
    ),
    Rule("compare_options", "weighs one thing against another", lambda it: it.intent == "comparison"),
    Rule("offer_demo", "would like to see it first", lambda it: "offer_demo" in it.offers),
    Rule(
        "close_warmly",
        "is content and asks nothing",
        lambda it: (it.emotion in PLEASED or "close_warmly" in it.asked) and not (it.asks or it.is_troubled),
    ),
    Rule(
        "answer", "asks something", lambda it: it.asks or it.intent in {"information_seeking", "exploration"}
    ),
    Rule("share_link", "would be helped by a page", lambda it: "share_link" in it.asked),
    Rule(
        "ask_for_detail",
        "has not said yet what for",
        lambda it: it.intent in {"exploration", "purchase_intent"} and len(it.view.words) <= VAGUE_WORDS,
    ),
    Rule(
        "share_link", "is ready for the next page", lambda it: it.intent in {"purchase_intent", "exploration"}
    ),
    Rule("answer", "is owed a reply", lambda it: it.intent in TROUBLE or it.intent == "purchase_intent"),
)
CERTAIN: Final = 0.8


def read(view: MessageView, so_far: Readings) -> Reading[Any]:
    cues = [cue for cue in view.cues("actions") if not cue.denied]
    situation = _situation(view, so_far, cues)
    found: dict[ActionKind, Evidence] = {}
    for rule in RULES:
        if (
            rule.action not in found
            and len(found) < MOST
            and _fits(rule.action, found)
            and rule.holds(situation)
        ):
            found[rule.action] = _evidence(rule, cues)
    if not found:
        return Reading(("answer",), 0.5, (Evidence("nothing else is called for", 0.5, "reading"),))
    sure = (so_far["emotional_state"].confidence + so_far["intent_category"].confidence) / 2
    return Reading(tuple(found), round(CERTAIN * sure + (1 - CERTAIN), 4), tuple(found.values()))


def _fits(action: ActionKind, found: dict[ActionKind, Evidence]) -> bool:
    """Who is said goodbye to is not answered as well."""
    return not (action == "answer" and "close_warmly" in found)


def _situation(view: MessageView, so_far: Readings, cues: list[Cue]) -> Situation:
    emotion = str(so_far["emotional_state"].value)
    return Situation(
        view=view,
        emotion=emotion,
        urgency=str(so_far["urgency_level"].value),
        intent=str(so_far["intent_category"].value),
        level=so_far["personalization_cues"].value.technical_level,
        offers=frozenset(offer.kind for offer in so_far["opportunities"].value),
        asked=frozenset(cue.speaks_for for cue in cues),
        is_upset=emotion in UPSET,
        is_troubled=bool(view.trouble),
        asks=view.has_question_mark or any(word.text in ASKING for word in view.words[:3]),
    )


def _evidence(rule: Rule, cues: list[Cue]) -> Evidence:
    return next(_spans(rule, cues), Evidence(rule.because, 1.0, "reading"))


def _spans(rule: Rule, cues: list[Cue]) -> Iterator[Evidence]:
    for cue in cues:
        if cue.speaks_for == rule.action:
            yield Evidence(rule.because, cue.weight, "message", cue.start, cue.end)


DIMENSION = Dimension(
    NAME,
    read,
    needs=(
        *("emotional_state", "urgency_level", "intent_category"),
        *("opportunities", "personalization_cues"),
    ),
)
