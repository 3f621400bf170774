"""How it is said: tone, opening, depth, length, temperature, the next step. Tables, and the few rules over them. Pure."""

from collections.abc import Mapping
from typing import Final

from concierge.agents.schemas.policy import FallbackStrategy
from concierge.agents.schemas.stages import Tone as PersonaTone
from concierge.chat.strategy.fallback import Situation
from concierge.chat.strategy.schemas import Depth, Length, NextStep, Opening, Parameters, Tone
from concierge.customers.schemas.context import ResponseStyle
from concierge.intelligence.schemas import EmotionalState

TONES: Final[Mapping[EmotionalState, Tone]] = {
    "angry": "empathetic",
    "frustrated": "empathetic",
    "worried": "reassuring",
    "confused": "patient",
    "excited": "energetic",
    "happy": "warm",
    "satisfied": "warm",
    "neutral": "neutral",
}
OPENINGS: Final[Mapping[EmotionalState, Opening]] = {
    "angry": "acknowledge",
    "frustrated": "acknowledge",
    "worried": "reassure",
    "excited": "share_joy",
}
STEPS: Final[Mapping[FallbackStrategy, NextStep]] = {
    "discovery": "ask_need",
    "assumption": "recommend",
    "exploration": "show_ways",
    "showcase": "show_ways",
    "helpful": "none",
}
LEVELS: Final[Mapping[str, Depth]] = {"expert": "technical", "intermediate": "standard", "beginner": "simple"}
# How a persona's tone is written where the visitor shows no style of their own.
STYLES: Final[Mapping[PersonaTone, str]] = {
    "formal": "formal",
    "executive": "formal",
    "technical": "formal",
    "systematic": "formal",
    "casual": "casual",
}
LENGTHS: Final[Mapping[ResponseStyle, Length]] = {
    "concise": "brief",
    "neutral": "normal",
    "detailed": "detailed",
}
SENTENCES: Final[Mapping[Length, int]] = {"brief": 2, "normal": 3, "detailed": 6}
LOOKING: Final = frozenset({"exploration", "comparison", "purchase_intent"})


def tone_of(it: Situation) -> Tone:
    return TONES[it.analysis.emotional_state]


def opening_of(it: Situation) -> Opening:
    if it.moment.is_greeting:
        return "welcome_back" if it.customer.returning else "welcome"
    mood: Opening = OPENINGS.get(it.analysis.emotional_state, "none")
    if mood == "acknowledge" and _was_let_down(it):
        return "apologise"
    return mood


def _was_let_down(it: Situation) -> bool:
    """Whether there is something to be sorry for: a complaint, or trouble that was told before."""
    return it.analysis.intent_category == "complaint" or it.moment.unresolved > 1


def depth_of(it: Situation) -> Depth:
    """As their level asks; a persona's own depth for somebody who shows none."""
    level = _level(it)
    if level in {"expert", "beginner"}:
        return LEVELS[level]
    if it.analysis.emotional_state == "confused":
        return "simple"
    return it.lead.persona.manner.technical_depth if it.lead and level is None else "standard"


def _level(it: Situation) -> str | None:
    """What the message itself shows comes before what is known from elsewhere."""
    own = it.analysis.personalization_cues.technical_level
    return own if own != "intermediate" else it.customer.technical_level


def length_of(it: Situation) -> Length:
    """As the message asks; what is known of the person, or of their device, where it asks for nothing; else as the persona
    speaks.
    """
    asked = it.analysis.personalization_cues.response_style
    wished = asked if asked != "neutral" else it.customer.response_style
    usual = it.lead.persona.manner.response_length if it.lead else "neutral"
    return LENGTHS[wished if wished != "neutral" else usual]


def purchase_step_is_welcome(it: Situation) -> bool:
    """A step towards buying is for somebody who buys and is neither upset nor in trouble."""
    wants = it.analysis.intent_category == "purchase_intent" or (
        it.customer.journey_stage == "decision" and it.moment.asks_price
    )
    return wants and it.policy.purchase_steps and not (it.moment.is_greeting or it.is_upset or it.is_troubled)


def is_open_ended(it: Situation) -> bool:
    return it.moment.is_greeting or it.analysis.intent_category in LOOKING


def next_step_of(it: Situation, fallback: FallbackStrategy, *, escalates: bool) -> NextStep:
    actions = it.analysis.next_best_actions
    if escalates:
        return "offer_human"
    if "close_warmly" in actions:
        return "close"
    if fallback == "helpful":
        return "ask_detail" if "ask_for_detail" in actions else "none"
    if it.is_upset:
        return "none"
    if purchase_step_is_welcome(it) and fallback in {"assumption", "exploration"}:
        return "offer_purchase"
    return STEPS[fallback]


def parameters_of(it: Situation) -> Parameters:
    length = length_of(it)
    policy, style = it.policy, _style(it)
    temperatures = {"formal": policy.formal_temperature, "casual": policy.casual_temperature}
    tokens: Mapping[Length, int] = {
        "brief": policy.brief_tokens,
        "normal": policy.usual_tokens,
        "detailed": policy.detailed_tokens,
    }
    level = _level(it)
    return Parameters(
        temperature=temperatures.get(style, policy.usual_temperature),
        max_tokens=tokens[length],
        length=length,
        max_sentences=SENTENCES[length],
        step_by_step=level == "beginner" or "step_by_step" in it.analysis.next_best_actions,
        api_examples=level == "expert",
    )


def _style(it: Situation) -> str:
    own = it.analysis.personalization_cues.communication_style
    known = own if own != "neutral" else it.customer.communication_style
    if known != "neutral" or it.lead is None:
        return known
    return STYLES.get(it.lead.persona.manner.tone, "neutral")
