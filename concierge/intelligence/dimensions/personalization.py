"""How to speak with this visitor: what they know, how much they want to read, how they speak, in which language."""

from typing import Any, Final, Literal

from concierge.intelligence.dimensions import Dimension, Readings
from concierge.intelligence.schemas import Evidence, PersonalizationCues, Reading
from concierge.intelligence.view import MessageView
from concierge.intelligence.weighing import Weighing

NAME: Final = "personalization_cues"
EXPERT_PAGES: Final = ("/api", "/docs", "/developers", "/reference")
EXPERT_PAGE_WEIGHT: Final = 0.7
PHONE_WEIGHT: Final = 1.8
LONG_WORDS: Final = 45
LONG_WEIGHT: Final = 0.8
LOWER_CASE_WORDS: Final = 4
LOWER_CASE_WEIGHT: Final = 1.2
# What is taken for granted until something speaks for another value, in log-odds.
STARTS: Final[dict[str, dict[str, float]]] = {
    "technical_level": {"beginner": -0.6, "intermediate": 0.8, "expert": -0.6},
    "response_style": {"concise": -0.5, "detailed": -0.5, "neutral": 1.0},
    "communication_style": {"formal": -0.5, "casual": -0.5, "neutral": 1.0},
}
HISTORY_SHARE: Final = 0.5

Part = Literal["technical_level", "response_style", "communication_style"]
LEXICONS: Final[dict[Part, str]] = {
    "technical_level": "technical",
    "response_style": "style",
    "communication_style": "tone",
}


def read(view: MessageView, _: Readings) -> Reading[Any]:
    parts: dict[Part, Weighing] = {part: _weighed(part, view) for part in LEXICONS}
    _weigh_surroundings(parts, view)
    _weigh_writing(parts["communication_style"], parts["response_style"], view)
    chosen: dict[Part, Any] = {part: weighing.likeliest for part, weighing in parts.items()}
    sure = [weighing.probabilities()[chosen[part]] for part, weighing in parts.items()]
    tongue = view.language
    evidence = [reason for part, weighing in parts.items() for reason in weighing.reasons_for(chosen[part])]
    if tongue.telling:
        first, last = tongue.telling[0], tongue.telling[-1]
        evidence.append(
            Evidence(
                f"writes in “{tongue.code}”", round(tongue.confidence, 2), "message", first.start, last.end
            )
        )
    confidence = (sum(sure) + tongue.confidence) / (len(sure) + 1)
    scores = {f"{part} {chosen[part]}": round(own, 4) for part, own in zip(parts, sure, strict=True)}
    return Reading(
        PersonalizationCues(**chosen, language=tongue.code), round(confidence, 4), tuple(evidence), scores
    )


def _weighed(part: Part, view: MessageView) -> Weighing:
    weighing = Weighing(STARTS[part])
    for cue in view.cues(LEXICONS[part]):
        if not cue.denied:
            weighing.add_cue(cue, cue.speaks_for, cue.weight, f"says “{view.text[cue.start : cue.end]}”")
    for earlier in view.earlier:
        for cue in earlier.cues(LEXICONS[part]):
            if not cue.denied:
                said = earlier.text[cue.start : cue.end]
                weighing.add(
                    cue.speaks_for, cue.weight * HISTORY_SHARE, f"said “{said}” before", source="history"
                )
    return weighing


def _weigh_surroundings(parts: dict[Part, Weighing], view: MessageView) -> None:
    page = next((page for page in EXPERT_PAGES if page in view.surroundings.page), None)
    if page is not None:
        parts["technical_level"].add("expert", EXPERT_PAGE_WEIGHT, f"writes from {page}", source="context")
    if view.surroundings.device == "mobile":
        parts["response_style"].add("concise", PHONE_WEIGHT, "reads on a phone", source="context")


def _weigh_writing(tone: Weighing, length: Weighing, view: MessageView) -> None:
    words = view.words
    if len(words) >= LOWER_CASE_WORDS and view.text.islower():
        span = (words[0].start, words[-1].end)
        tone.add("casual", LOWER_CASE_WEIGHT, "writes without capitals", span=span)
    if len(words) >= LONG_WORDS:
        length.add("detailed", LONG_WEIGHT, "writes at length", span=(words[0].start, words[-1].end))


DIMENSION = Dimension(NAME, read)
