"""The obvious design, to compare with: a mood is named by the words for it, wherever they stand."""

from collections.abc import Mapping, Sequence
from typing import Final

from concierge.intelligence.schemas import EmotionalState

WORDS: Final[Mapping[EmotionalState, Sequence[str]]] = {
    "angry": ("angry", "furious", "hate", "mad", "outrage", "terrible", "worst", "fuck", "stupid", "idiot"),
    "frustrated": (
        "frustrat",
        "annoy",
        "disappoint",
        "still not",
        "again",
        "ugh",
        "sick of",
        "fed up",
        "not working",
    ),
    "confused": ("confus", "understand", "what do you mean", "unclear", "lost", "how do", "??"),
    "worried": ("worr", "afraid", "scared", "nervous", "anxious", "concern", "fear", "panic"),
    "excited": ("excit", "can't wait", "amazing", "awesome", "wow", "yay", "!!"),
    "satisfied": ("thank", "thanks", "great job", "perfect", "works", "appreciate", "good"),
    "happy": ("happy", "glad", "love", "lol", "haha", "fun", "nice", ":)"),
}


def keyword_emotion(text: str) -> EmotionalState:
    """Return the first mood one of whose words stands in the text."""
    lowered = text.lower()
    for emotion, words in WORDS.items():
        if any(word in lowered for word in words):
            return emotion
    return "neutral"
