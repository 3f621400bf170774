"""What a conversation was about, in its own words: what was asked, and what came of it. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from concierge.customers.extraction import is_order, is_private

LONGEST: Final = 300
LONGEST_ASKED: Final = 120
LONGEST_ANSWER: Final = 100

Outcome = Literal["answered", "handed_over", "unanswered", "failed"]
OUTCOMES: Final[dict[Outcome, str]] = {
    "answered": "Answered: {answer}",
    "handed_over": "A person was offered.",
    "unanswered": "No answer was found.",
    "failed": "The reply failed.",
}
_SENTENCE: Final = re.compile(r"(?<=[.!?…])\s+|\n+")
_CITED: Final = re.compile(r"\s*\[\d+(?:,\s*\d+)*\]|[*_`#]+")
_GREETING: Final = re.compile(
    r"\W*(?:(?:hi|hello|hey|hallo|moin|guten (?:tag|morgen|abend)|good (?:morning|afternoon|evening)|thanks|thank you|danke|"
    r"please|bitte|there|all|zusammen)\W*)+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Told:
    """One message and what came of it; `answer` is the reply's text."""

    message: str
    answer: str
    outcome: Outcome


def summary_of(turns: Sequence[Told]) -> str:
    """Return at most 300 characters; empty where nothing was said that may be kept. `turns` are oldest first."""
    asked = [question for turn in turns if (question := _asked(turn.message))]
    if not asked:
        return ""
    lines = [f"Asked: {asked[0]}"]
    if len(asked) > 1 and asked[-1] != asked[0]:
        lines.append(f"Last: {asked[-1]}")
    came_of_it = OUTCOMES[turns[-1].outcome].format(answer=_first(turns[-1].answer, LONGEST_ANSWER))
    room = LONGEST - len(came_of_it) - 1
    return f"{_clipped(' '.join(lines), room)} {came_of_it}".strip()


def _asked(message: str) -> str:
    """The sentence that asks, or else the first that says something."""
    sentences = [own for own in map(str.strip, _SENTENCE.split(message[:4_000])) if _may_be_kept(own)]
    asking = next((own for own in sentences if own.endswith("?")), None)
    return _clipped(asking or next(iter(sentences), ""), LONGEST_ASKED)


def _may_be_kept(sentence: str) -> bool:
    return bool(sentence) and not (
        is_private(sentence) or is_order(sentence) or _GREETING.fullmatch(sentence)
    )


def _first(answer: str, most: int) -> str:
    sentences = _SENTENCE.split(_CITED.sub("", answer[:4_000]).strip())
    return _clipped(next((own.strip() for own in sentences if not is_private(own)), ""), most)


def _clipped(text: str, most: int) -> str:
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    return text[: most - 1].rsplit(" ", 1)[0][: most - 1] + "…"
