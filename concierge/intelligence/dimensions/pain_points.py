"""What hurts: the clauses that tell of trouble, in the visitor's words."""

from collections.abc import Iterator
from typing import Any, Final

from concierge.intelligence.cues import Cue
from concierge.intelligence.dimensions import Dimension, Readings
from concierge.intelligence.prototypes import likest
from concierge.intelligence.schemas import PLEASANT, UNPLEASANT, Evidence, Reading
from concierge.intelligence.tokens import Token
from concierge.intelligence.view import MessageView

NAME: Final = "pain_points"
MOST: Final = 4
LONGEST: Final = 10  # Words of a clause that are kept.
# Words a clause may begin with that say nothing of the trouble.
OPENERS: Final = frozenset(
    (
        *("and", "but", "so", "because", "since", "also", "hi", "hello", "hey", "please", "well"),
        *("then", "that", "if", "when", "while", "i", "im", "my", "the", "a", "is", "its", "it"),
    )
)
TOLD: Final = 0.85
UNTOLD: Final = 0.7
LIKE_TROUBLE: Final = 0.55
TROUBLE: Final = frozenset({"problem_solving", "complaint"})
FEWEST_WORDS: Final = 3
STOPS: Final = ".!?…\n"
END: Final = Token("\n", 0, 0)


def read(view: MessageView, so_far: Readings) -> Reading[Any]:
    mood, intent = so_far["emotional_state"].value, so_far["intent_category"].value
    found = dict(_told(view))
    if not found and (mood in UNPLEASANT or intent in TROUBLE) and mood not in PLEASANT:
        found = dict(_stated(view))
    if not found:
        return _like_trouble(view) if mood not in PLEASANT else Reading((), UNTOLD)
    kept = list(found.items())[:MOST]
    return Reading(tuple(text for text, _ in kept), TOLD, tuple(evidence for _, evidence in kept))


def _stated(view: MessageView) -> Iterator[tuple[str, Evidence]]:
    """What somebody in trouble states, rather than asks, is mostly the trouble."""
    sentence: list[Token] = []
    for token in (*view.tokens, END):
        if token.text[0] not in STOPS:
            sentence.append(token)
            continue
        words = [own for own in sentence if own.is_word]
        if len(words) >= FEWEST_WORDS and "?" not in token.text:
            start, end = words[0].start, words[min(len(words), 2 * LONGEST) - 1].end
            yield view.text[start:end], Evidence("states what is wrong", 0.5, "message", start, end)
        sentence = []


def _told(view: MessageView) -> Iterator[tuple[str, Evidence]]:
    for cue in view.trouble:
        clause = _clause(view, cue)
        start, end = clause[0].start, clause[-1].end
        because = f"tells of trouble ({cue.speaks_for})"
        yield view.text[start:end], Evidence(because, cue.weight, "message", start, end)


def _clause(view: MessageView, cue: Cue) -> list[Token]:
    """The words around a cue, up to the next stop, without what only leads up to it."""
    before: list[Token] = []
    inside: list[Token] = []
    for token in view.tokens:
        if token.end <= cue.start:
            before = [] if token.ends_clause else [*before, token]
        elif token.start < cue.end:
            inside.append(token)
        elif token.ends_clause or len(before) + len(inside) >= 2 * LONGEST:
            break
        else:
            inside.append(token)
    while before and before[0].text in OPENERS:
        before.pop(0)
    return [*before[-LONGEST:], *inside[:LONGEST]]


def _like_trouble(view: MessageView) -> Reading[Any]:
    """A message whose words tell of nothing may still be like those of people in trouble."""
    near = likest("pain_points", view)
    if near is None or near.similarity < LIKE_TROUBLE or not view.words:
        return Reading((), UNTOLD)
    words = view.words[:LONGEST]
    start, end = words[0].start, words[-1].end
    evidence = Evidence(f"is like “{near.text}”", round(near.similarity, 3), "model", start, end)
    return Reading((view.text[start:end],), round(near.similarity, 3), (evidence,))


DIMENSION = Dimension(NAME, read, needs=("emotional_state", "intent_category"))
