"""How the writer feels: a linear head over the message, moved by phrases, by how it is written, and by the history."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from concierge.intelligence.cues import Cue
from concierge.intelligence.dimensions import Dimension, Readings
from concierge.intelligence.schemas import EMOTIONS, PLEASANT, UNPLEASANT, Reading
from concierge.intelligence.view import MessageView
from concierge.intelligence.weighing import Opinion, Weighing

NAME: Final = "emotional_state"
SARCASM: Final = "sarcasm"
MOOD_SHARE: Final = 0.8
# How much a common word counts beside the head, which has learned its worth.
CUE_SHARE: Final = 0.05
FOREIGN_CUE_SHARE: Final = 1.0
# Without a head's opinion, a message is neutral until something says otherwise.
FOREIGN_START: Final = {emotion: 1.2 if emotion == "neutral" else 0.0 for emotion in EMOTIONS}
DENIED_PLEASURE: Final = 0.8  # "Not happy" is half a complaint.
DENIED_WORRY: Final = 0.7  # "Not angry" is a plain remark.
REPEATED: Final = frozenset({"again", "another", "yet"})
THANKING: Final = frozenset({"thank", "thanks", "thx", "fixed", "solved", "works", "but"})
MOCKERY: Final = 2.5
MOCKING_WEIGHT: Final = 4.0  # What only mockers say weighs so much in the lexicon.
COURTESY: Final = 3.0
SHOUTING: Final = {"angry": 2.2, "frustrated": 1.8, "excited": 0.3}
INSISTENCE: Final = {"frustrated": 0.4, "angry": 0.2}
REPETITION: Final = 0.9
MOST_REPETITIONS: Final = 3


def read(view: MessageView, _: Readings) -> Reading[Any]:
    opinion = Opinion.of(NAME, view, FOREIGN_START)
    return opinion.reading(weighed(opinion.start, view, CUE_SHARE if opinion.is_heard else FOREIGN_CUE_SHARE))


def weighed(start: Mapping[str, float], view: MessageView, share: float = CUE_SHARE) -> Weighing:
    """Move what the head makes of a message by everything else that is known; phrases count by their `share`."""
    weighing = Weighing(start)
    _weigh_phrases(weighing, view, share)
    _weigh_manner(weighing, view)
    _weigh_courtesy(weighing, view)
    _weigh_history(weighing, view)
    return weighing


def _weigh_phrases(weighing: Weighing, view: MessageView, share: float) -> None:
    """A phrase that leaves no doubt counts whole; of the others the head has made what they are worth."""
    sure = view.cues("moods")
    mocking = _is_mocking(view, sure)
    for cue in sure:
        if not (mocking and cue.speaks_for in PLEASANT):
            _weigh_phrase(weighing, cue, MOOD_SHARE * cue.weight, view)
    for cue in view.cues("emotion"):
        if cue.speaks_for == SARCASM or (mocking and cue.speaks_for in PLEASANT):
            if mocking:
                said = f"says “{view.text[cue.start : cue.end]}”, and cannot mean it"
                weighing.add_cue(cue, "frustrated", MOCKERY, said)
        elif not any(own.start <= cue.start < own.end for own in sure):
            _weigh_phrase(weighing, cue, cue.weight * share, view)


def _is_mocking(view: MessageView, sure: Sequence[Cue]) -> bool:
    """Praise of what went wrong is none."""
    praised = any(cue.speaks_for in {*PLEASANT, SARCASM} and not cue.denied for cue in view.cues("emotion"))
    upset = any(cue.speaks_for == "frustrated" and cue.weight >= MOCKING_WEIGHT for cue in sure)
    marked = any(cue.speaks_for == SARCASM for cue in view.cues("emotion"))
    words = {word.text for word in view.words}
    repeated = not words.isdisjoint(REPEATED) and words.isdisjoint(THANKING)
    return praised and (upset or (bool(view.trouble) and (marked or repeated)))


def _weigh_phrase(weighing: Weighing, cue: Cue, weight: float, view: MessageView) -> None:
    said = f"says “{view.text[cue.start : cue.end]}”"
    if cue.denied:
        _weigh_denied(weighing, cue, weight, f"{said}, but denies it")
    else:
        weighing.add_cue(cue, cue.speaks_for, weight, said)


def _weigh_denied(weighing: Weighing, cue: Cue, weight: float, said: str) -> None:
    weighing.add_cue(cue, cue.speaks_for, -weight, said)
    if cue.speaks_for in PLEASANT:
        weighing.add_cue(cue, "frustrated", weight * DENIED_PLEASURE, said)
    elif cue.speaks_for in UNPLEASANT:
        weighing.add_cue(cue, "neutral", weight * DENIED_WORRY, said)


def _weigh_manner(weighing: Weighing, view: MessageView) -> None:
    pressing = view.has_question_mark or view.trouble or any(not cue.denied for cue in view.cues("urgency"))
    if view.is_shouted and pressing:
        pleasant = any(cue.speaks_for in PLEASANT and not cue.denied for cue in view.cues("moods"))
        for emotion, weight in SHOUTING.items():
            if pleasant == (emotion in PLEASANT):
                weighing.add(emotion, weight, "writes in capitals", span=view.shouted_span)
    marks = next((token for token in view.tokens if token.text.count("?") >= 2), None)
    if marks is not None and weighing.likeliest not in PLEASANT:
        for emotion, weight in INSISTENCE.items():
            weighing.add(emotion, weight, f"insists with “{marks.text[:5]}”", span=(marks.start, marks.end))


def _weigh_courtesy(weighing: Weighing, view: MessageView) -> None:
    """Thanks before a question are a courtesy."""
    thanks = next((cue for cue in view.cues("emotion") if cue.speaks_for == "satisfied"), None)
    if (
        thanks is not None
        and view.has_question_mark
        and not any(cue.speaks_for in PLEASANT for cue in view.cues("moods"))
    ):
        weighing.add_cue(thanks, "neutral", COURTESY, "thanks, and asks on")


def _weigh_history(weighing: Weighing, view: MessageView) -> None:
    """A third "still not working" is not neutral."""
    before = sum(bool(own.trouble) for own in view.earlier) if view.trouble else 0
    if before:
        weight = REPETITION * min(before, MOST_REPETITIONS)
        because = (
            "has told of trouble before" if before == 1 else f"has told of trouble {before} times before"
        )
        weighing.add("frustrated", weight, because, source="history")


DIMENSION = Dimension(NAME, read)
