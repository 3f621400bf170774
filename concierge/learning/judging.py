"""How a conversation ended that nobody said anything about, by its last turn. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Literal

from concierge.conversations.schemas import LastTurn

# So long nothing more was said.
SILENCE: Final = timedelta(hours=24)

UNANSWERED: Final = frozenset({"partial", "unsupported"})
LEFT_FEELING: Final = frozenset({"angry", "frustrated"})
PLEASED: Final = frozenset({"satisfied", "happy"})
CLOSING: Final = "close_warmly"


def judged(last: LastTurn) -> Literal["resolved", "abandoned"] | None:
    """What the last turn shows; None where it may have been either, which teaches nothing.

    Whoever only says thank you asks nothing that could be left unanswered.
    """
    mood = last.analysis.get("emotional_state")
    if last.status != "completed" or mood in LEFT_FEELING:
        return "abandoned"
    if CLOSING in _actions(last.analysis):
        return "resolved"
    if last.answer.get("outcome") in UNANSWERED:
        return "abandoned"
    return "resolved" if mood in PLEASED else None


def _actions(analysis: Mapping[str, Any]) -> list[Any]:
    return list(analysis.get("next_best_actions") or ())
