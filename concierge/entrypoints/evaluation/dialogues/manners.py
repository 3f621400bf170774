"""How a reply has to read whatever is asked: what docs and prompts promise of the concierge's voice, as checks. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from concierge.entrypoints.evaluation.dialogues.replies import (
    Reply,
    Sentence,
    sentences_of,
    without_addresses,
)
from concierge.entrypoints.evaluation.dialogues.script import CheckName

MOST_QUESTIONS: Final = 1
_BANNED: Final = re.compile(
    r"\b(?:great|good|excellent) question\b|\b(?:according to|based on) (?:the|my|our) (?:provided |given )?(?:context|documents?|information|passages?|knowledge base)\b|"
    r"\bas an? (?:AI|language model)\b|\bthe (?:provided|given) (?:context|documents?|passages?)\b|\bI (?:hope|trust) this helps\b|"
    r"\bfeel free to\b|\bplease (?:do not|don't) hesitate\b|\bI apologi[sz]e for (?:any|the) inconvenience\b|\bvaluable feedback\b",
    re.IGNORECASE,
)
_PROMISE: Final = re.compile(
    r"\bI(?:['’]ve| have) (?:already )?(?:passed|forwarded|sent|escalated|informed|told|asked|notified)\b|"
    r"\bI(?:['’]ll| will) (?:check|look into|get back|make sure|inform|tell|pass|forward|ask|have someone|call)\b|"
    r"\b(?:someone|somebody|a colleague|our team|we) (?:will|['’]ll) (?:be in touch|contact|call|get back|reply|write|take over)\b|"
    r"\byou(?:['’]ll| will) (?:hear|be contacted|be called|receive a reply)\b",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"\d+(?:[.,:]\d+)*")
_LISTED: Final = re.compile(r"^(?:[-*•+]|\d{1,3}[.)])\s+")


def told_of(text: str) -> tuple[Sentence, ...]:
    return tuple(sentences_of(text))


def _banned_phrases(reply: Reply) -> str | None:
    found = next(
        (match.group() for own in reply.sentences if not own.cited and (match := _BANNED.search(own.text))),
        None,
    )
    return f"plain words; it says “{found}”" if found else None


def _one_question(reply: Reply) -> str | None:
    asked = reply.questions
    return f"one question at most; it asks {asked}" if asked > MOST_QUESTIONS else None


def _opening_repeated(reply: Reply) -> str | None:
    if not reply.opening:
        return None
    earlier = {sentences[0].text for text in reply.before if (sentences := told_of(text))}
    return f"another opening than before; again “{reply.opening}”" if reply.opening in earlier else None


def _numbers_cited(reply: Reply) -> str | None:
    """A number that the visitor did not name bears a source: its sentence, or a line of the list or table it is in."""
    if not reply.sources and reply.outcome == "small_talk":
        return None
    known = set(_NUMBER.findall(" ".join(reply.asked)))
    for sentence in reply.sentences:
        text = without_addresses(_LISTED.sub("", sentence.text))
        numbers = set(_NUMBER.findall(text)) - known
        if numbers and not (
            sentence.cited or (sentence.listed and reply.sources) or reply.claims_hold(sentence)
        ):
            return f"a source for {', '.join(sorted(numbers))} in “{sentence.text}”"
    return None


def _promises(reply: Reply) -> str | None:
    """Only what is in the trace may be promised; what a source promises is not the agent's own promise."""
    if reply.escalation is not None:
        return None
    found = next(
        (match.group() for own in reply.sentences if not own.cited and (match := _PROMISE.search(own.text))),
        None,
    )
    return f"no promise without an event behind it; it says “{found}”" if found else None


def _length(reply: Reply) -> str | None:
    """Prose keeps to the length that was chosen for this visitor."""
    said = sum(sentence.cited and not sentence.listed for sentence in reply.sentences)
    if reply.most_sentences is None or said <= reply.most_sentences:
        return None
    return f"at most {reply.most_sentences} sentences of fact for this visitor; there are {said}"


MANNERS: Final[Mapping[CheckName, Callable[[Reply], str | None]]] = {
    "banned_phrases": _banned_phrases,
    "one_question": _one_question,
    "opening_repeated": _opening_repeated,
    "numbers_cited": _numbers_cited,
    "promises": _promises,
    "length": _length,
}
