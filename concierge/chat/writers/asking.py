"""The questions in one message: “How wide is it, what does it cost and when would it come?” asks three. Pure."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from concierge.chat.writers.brief import AnswerBrief
from concierge.kit.everyday import also_called
from concierge.knowledge.lexical import terms

MOST: Final = 3
FEWEST_WORDS: Final = 3
_ASKS: Final = (
    r"(?:how|what|when|where|which|who|why|is|are|do|does|did|can|could|will|would|should|has|have)"
)
_BETWEEN: Final = re.compile(
    rf"(?:,\s*(?:and\s+|or\s+)?|\s+and\s+|[?;!]\s+(?:and\s+|or\s+)?)(?={_ASKS}\b\s+\w)", re.IGNORECASE
)
_QUESTION: Final = re.compile(rf"\b{_ASKS}\b", re.IGNORECASE)
_NAME: Final = re.compile(r"(?<=[\w,;’'(] )(?!I\b)[A-Z][\w’'-]+")


def questions_in(text: str) -> list[str]:
    """The questions of a message in their order, or the message itself where it asks one thing."""
    parts = [part.strip() for part in _BETWEEN.split(text) if part.strip()]
    asked = [part for part in parts if _QUESTION.search(part) and len(part.split()) >= FEWEST_WORDS]
    return asked[:MOST] if len(asked) > 1 else [text]


def briefs_of(brief: AnswerBrief) -> Iterator[AnswerBrief]:
    """A brief for each question of the message; of the others' words only those that name what all are asked of."""
    asked = questions_in(brief.asked)
    if len(asked) == 1:
        yield brief
        return
    named = set(terms(" ".join(_NAME.findall(brief.asked))))
    for part in asked:
        own = named.union(terms(part), also_called(part))
        yield replace(
            brief, meant=part, idf={term: weight for term, weight in brief.idf.items() if term in own}
        )
