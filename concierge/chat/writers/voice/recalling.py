"""What is remembered, said aloud: lightly, once, and only where the answer is another one because of it. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from concierge.chat.writers.brief import AnswerBrief, WrittenAnswer
from concierge.chat.writers.tongues import ENGLISH
from concierge.customers.schemas.context import RememberedFact
from concierge.knowledge.lexical import terms

SINCE: Final = "Since you {fact}:"
# What may be said back without a thought: what somebody bought here, has, wants or where they live; nothing of their family,
# their health or their means.
SECOND_PERSON: Final[Mapping[str, str]] = {
    "bought": "bought",
    "ordered": "ordered",
    "received": "received",
    "owns": "own",
    "has": "have",
    "uses": "use",
    "wants": "want",
    "prefers": "prefer",
    "lives": "live",
}
_OWN_THING: Final = re.compile(r"^(?:the|our|your)\b", re.IGNORECASE)


def recalled_of(brief: AnswerBrief, answer: WrittenAnswer) -> str:
    """The words that lead to the answer, or nothing."""
    if (
        brief.strategy is None
        or brief.language != ENGLISH
        or answer.outcome != "answered"
        or not answer.claims
    ):
        return ""
    for fact in brief.strategy.recall:
        said = SINCE.format(fact=_second_person(fact))
        if _changes(fact, brief, answer) and _second_person(fact) and not _was_said(said, brief):
            return said
    return ""


def _second_person(fact: RememberedFact) -> str:
    """“has the Palma sofa” → “have the Palma sofa”; nothing of what is better left unsaid."""
    verb, _, rest = fact.value.partition(" ")
    if verb not in SECOND_PERSON or (verb == "has" and not _OWN_THING.match(rest)):
        return ""
    return f"{SECOND_PERSON[verb]} {rest.rstrip('.')}"


def _changes(fact: RememberedFact, brief: AnswerBrief, answer: WrittenAnswer) -> bool:
    """Whether the answer speaks of the fact's subject although the question does not name it in full."""
    subject = set(terms(fact.subject))
    titles = " ".join(citation.title for citation in answer.citations)
    return subject <= set(terms(f"{answer.text} {titles}")) and not subject <= set(terms(brief.question))


def _was_said(said: str, brief: AnswerBrief) -> bool:
    return any(said in reply for reply in brief.said)
