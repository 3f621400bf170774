"""What it is about: phrases in the visitor's words, named as the organization names them where it does."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from concierge.intelligence.dimensions import Dimension, Readings
from concierge.intelligence.language import common_words, stop_words
from concierge.intelligence.schemas import Evidence, Reading
from concierge.intelligence.tokens import Token
from concierge.intelligence.view import MessageView

NAME: Final = "key_topics"
MOST_TOPICS: Final = 5
LONGEST: Final = 3
KNOWN_WEIGHT: Final = 2.0
NAME_WEIGHT: Final = 0.6
LENGTH_WEIGHT: Final = 0.4
NO_TOPIC: Final = 0.4
LEAST_CONFIDENCE: Final = 0.55

TOLD_BY: Final = ("problem", "moods")
END: Final = Token("\n", 0, 0)

Phrase = Sequence[Token]


def read(view: MessageView, _: Readings) -> Reading[Any]:
    rated = [(phrase, *_rated(view, phrase, place)) for place, phrase in enumerate(_phrases(view))]
    best = sorted(rated, key=lambda entry: -entry[2])
    topics: list[str] = []
    evidence: list[Evidence] = []
    for phrase, name, weight in best:
        if name not in topics and len(topics) < MOST_TOPICS:
            topics.append(name)
            evidence.append(
                Evidence(f"names “{name}”", round(weight, 2), "message", phrase[0].start, phrase[-1].end)
            )
    if not topics:
        return Reading((), NO_TOPIC)
    known = sum(weight >= KNOWN_WEIGHT for _, _, weight in best)
    confidence = min(0.95, LEAST_CONFIDENCE + 0.2 * bool(known) + 0.05 * len(topics))
    return Reading(tuple(topics), round(confidence, 4), tuple(evidence))


def _phrases(view: MessageView) -> Iterator[Phrase]:
    """Runs of words that say something by themselves, in one clause; of long runs, the last words."""
    small = stop_words() | common_words(view.language.code)
    run: list[Token] = []
    for token in (*view.tokens, END):
        if token.is_word and token.text not in small and not token.text.isdigit() and len(token.text) > 1:
            run.append(token)
        elif run:
            if _names_something(view, run):
                yield run[-LONGEST:]
            run = []


def _names_something(view: MessageView, run: Phrase) -> bool:
    """Not the word alone that tells of trouble or of a mood; in German, only what has a noun, which is a capital."""
    first, last = run[0], run[-1]
    if view.language.code == "de" and not any(view.text[token.start].isupper() for token in run):
        return False
    return len(run) > 1 or not any(
        cue.start <= first.start and last.end <= cue.end for name in TOLD_BY for cue in view.cues(name)
    )


def _rated(view: MessageView, phrase: Phrase, place: int) -> tuple[str, float]:
    """Return the name of a topic, and how much it is one."""
    said = view.text[phrase[0].start : phrase[-1].end].lower()
    known = view.vocabulary.name_of([token.text for token in phrase])
    named = any(view.text[token.start].isupper() for token in phrase if token.start)
    weight = LENGTH_WEIGHT * len(phrase) + NAME_WEIGHT * named - 0.02 * place
    return (known, weight + KNOWN_WEIGHT) if known else (said, weight)


DIMENSION = Dimension(NAME, read)
