"""What a question means within its conversation: its own words and vector, and what the earlier ones were about. Pure.

"And how much is it?" is searched with the words and the meaning of the questions before it, the older the less. A question
that stands alone gains from them too, by half as much: people seldom change the subject.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from concierge.kit.everyday import also_called
from concierge.knowledge.lexical import terms

Vector = NDArray[np.float32]

EARLIER_QUESTIONS: Final = 4
FADING: Final = 0.6  # What the question before counts more than the one before that.
FEW_WORDS: Final = 2
# What a word counts that a business may use where the visitor used another.
OTHERWISE: Final = 0.8

_LEANS = re.compile(
    r"^\W*(?:and|or|but|so|then|why|ok|okay|yes|no|what about|how about)\b"
    r"|\b(?:it|its|they|them|their|that|this|these|those|one|ones|there)\b",
    re.IGNORECASE,
)
_COMPOUND = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Share:
    """How much of the latest earlier question goes into this one: of its vector, and of the weight of its words."""

    vector: float
    words: float


# Found on mtrag_cloud and mtrag_un, whose last questions were asked in conversations.
STANDS_ALONE: Final = Share(0.2, 0.1)
LEANS: Final = Share(0.4, 0.25)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is searched. `vector` is of length 1; `own` are its terms in order, `also` those that help to
    find it, with the weight of each: parts of compound words, what else is said for them, and words of earlier questions.
    """

    vector: Vector
    own: tuple[str, ...]
    also: dict[str, float]


def in_context(text: str, vector: Vector, earlier: Sequence[tuple[str, Vector]] = ()) -> Asked:
    """Blend a question with the earlier ones, given newest first; vectors are of one model and of length 1."""
    own = tuple(dict.fromkeys(terms(text)))
    also = {part: 1.0 for part in _parts_of_compounds(text) if part not in own}
    also |= {word: OTHERWISE for word in also_called(text) if word not in own}
    share = LEANS if leans(text) else STANDS_ALONE
    blended = vector
    for age, (words, meaning) in enumerate(earlier[:EARLIER_QUESTIONS]):
        faded = FADING**age
        blended = blended + share.vector * faded * meaning
        for word in terms(words):
            if word not in own:
                also[word] = max(also.get(word, 0.0), share.words * faded)
    return Asked(blended / (np.linalg.norm(blended) or 1.0), own, also)


def leans(text: str) -> bool:
    """Whether a message needs what was said before: it points back, goes on, or is a word or two."""
    return bool(_LEANS.search(text)) or len(terms(text)) <= FEW_WORDS


def _parts_of_compounds(text: str) -> list[str]:
    """What is written "GroundTruth" in one place is often "Ground Truth" in another."""
    return [
        part for word in text.split() if _COMPOUND.search(word) for part in terms(_COMPOUND.sub(" ", word))
    ]
