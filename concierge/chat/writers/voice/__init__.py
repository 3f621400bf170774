"""How the house sounds: an opening that fits the mood, and one fitting step on, around what the evidence says. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from concierge.chat.writers.brief import AnswerBrief, WrittenAnswer
from concierge.chat.writers.voice.joining import is_prose
from concierge.chat.writers.voice.openings import opening_of
from concierge.chat.writers.voice.recalling import recalled_of
from concierge.chat.writers.voice.stages import led
from concierge.chat.writers.voice.steps import next_step_of

__all__ = ["voiced"]


# Steps that lead on from what is not decided yet.
LEADING_ON: Final = frozenset({"ask_need", "show_ways", "recommend"})


def voiced(answer: WrittenAnswer, brief: AnswerBrief, *, leads_on: bool = False) -> WrittenAnswer:
    """Put an answer between an opening and a next step, where the strategy calls for them.

    With `leads_on` the answer itself leaves something to choose; the answer of a question–answer pair never does.
    """
    if brief.strategy is None:
        return answer
    opening = opening_of(brief.strategy, brief.question, brief.said, brief.language)
    opening = opening or recalled_of(brief, answer)
    strategy = brief.strategy
    if (stage := strategy.leading) is not None:
        answer, step = led(answer, brief, stage)
        return _between(opening, answer, "" if _asks(answer.text) else step)
    leads_on = leads_on or (strategy.open_ended and brief.pair is None)
    closed = strategy.next_step in LEADING_ON and not leads_on
    step = "" if closed or _asks(answer.text) else next_step_of(brief, answer)
    offers = answer.offers_handover or (bool(step) and brief.strategy.next_step == "offer_human")
    return replace(_between(opening, answer, step), offers_handover=offers)


def _between(opening: str, answer: WrittenAnswer, step: str) -> WrittenAnswer:
    pieces = (*_before(opening, answer), *answer.pieces, *_behind(step, answer))
    return replace(answer, text="".join(pieces), pieces=pieces)


def _before(opening: str, answer: WrittenAnswer) -> Sequence[str]:
    if not opening:
        return ()
    return (opening + (" " if is_prose(answer.text.lstrip().partition("\n")[0]) else "\n\n"),)


def _behind(step: str, answer: WrittenAnswer) -> Sequence[str]:
    if not step:
        return ()
    return ((" " if is_prose(answer.text.rpartition("\n")[2]) else "\n\n") + step,)


def _asks(text: str) -> bool:
    """Whether the reply asks something already: two questions in one are one too many."""
    return "?" in text
