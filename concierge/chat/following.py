"""What a message means that goes on from what was said before: of which thing it speaks, or what is asked of another. Pure.

“And how much can it carry?” is asked of the chair that the reply before spoke of; “And on Navy Blue?” asks of another
account what was asked of the last one.
"""

import re
from collections.abc import Sequence
from typing import Final

from concierge.chat.writers.phrases import is_small_talk
from concierge.conversations.schemas import Exchange

LOOKED_BACK: Final = 3
LONGEST: Final = 200  # A longer message says by itself what it is about.
SHORT_WORDS: Final = 9
FEW_WORDS: Final = 3
LONGEST_SUBJECT: Final = 6  # Words of a title that still read like the name of a thing.

_GOES_ON: Final = re.compile(
    r"^\W*(?:and|or|but|ok|okay|so|then|what about|how about|und|oder|y|o)\b[\s,]*", re.IGNORECASE
)
_BARE: Final = re.compile(r"^\W*(?:and|or|what about|how about|und|oder|y|o)\b", re.IGNORECASE)
# A clause of its own asks with one of these, wherever it begins.
_ASKS: Final = re.compile(
    r"^\W*(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|do|does|did|can|could|will|would|should|may|might|must|"
    r"has|have|had|am|i|we|you|it|they|there|this|that|my|our|please|let|get|give|tell|show)\b",
    re.IGNORECASE,
)
_QUESTION: Final = re.compile(
    r"\W*(?:who|what|which|when|where|how|is|are|do|does|can|could|will|would|should|may)\b", re.IGNORECASE
)
_ONE: Final = re.compile(
    r"\b(?:ones?|the (?:other|same|cheapest|biggest|smallest|latest|newest|best))\b(?!\s+(?:of|day|time))",
    re.IGNORECASE,
)
_PRONOUN: Final = re.compile(
    r"\b(?:it|its|it['’]s|they|them|their|theirs|these|those)\b(?!\s+(?:possible|necessary|true|okay|ok)\b)"
    r"|\b(?:this|that)(?=\s*[?.!]|\s+(?:one|is|take|cost|work|mean|include|come|have)\b)",
    re.IGNORECASE,
)
# A run of words with capitals inside the sentence; a thing's name may hold a number.
_NAME: Final = re.compile(r"(?<=[\w,;’'] )(?!I\b)[A-Z][\w’'-]+(?:[ -](?:[A-Z][\w’'-]*|\d+))*")
# The thing that was added to an earlier message.
_ADDED: Final = re.compile(r"\([^()]+\)$")
# A thing that is spoken of before it is pointed to.
_OWN_THING: Final = re.compile(r"\b(?:my|our|the|an?)\s+\w{3,}.*", re.IGNORECASE)
_PRODUCT_PAGE: Final = re.compile(
    r"/(?:products?|items?|p)/(?:[\w-]+/)*([a-z][a-z\d]*(?:[-_][a-z\d]+)*)/?(?:[?#]|$)", re.IGNORECASE
)
_GENERAL: Final = re.compile(
    r"^(?:faq|faqs|internal|overview|introduction|getting started|troubleshooting|guide|about)\b[^:]*$",
    re.IGNORECASE,
)


def meant_by(message: str, history: Sequence[Exchange]) -> str:
    """The message as somebody would have to put it who had not heard what was said before; `history` is oldest first."""
    if not history or len(message) > LONGEST or is_small_talk(message):
        return message
    *before, last = history[-LOOKED_BACK:]
    asked = meant_by(last.message, before)
    named = _ADDED.search(asked)
    if _ONE.search(message) and not _NAME.search(message) and named:
        return f"{message} {named.group()}"
    if _is_bare(message) or (_ONE.search(message) and not _NAME.search(message)):
        return f"{_without_names(asked) if _NAME.search(message) else asked} {message}"
    subject = _subject(message, before, last)
    return f"{message} ({subject})" if subject and subject.lower() not in message.lower() else message


def meant_on(page: str, message: str) -> str:
    """The first message of a visit, which is about the product on whose page it was written where it names none itself."""
    found = _PRODUCT_PAGE.search(page)
    if found is None or len(message) > LONGEST or _NAME.search(message) or is_small_talk(message):
        return message
    thing = " ".join(found[1].replace("-", " ").replace("_", " ").split())
    words = message.lower().split()
    points = _PRONOUN.search(message) or len(words) <= FEW_WORDS
    named = any(word in message.lower() for word in thing.lower().split())
    return f"{message} ({thing})" if points and thing and not named else message


def _is_bare(message: str) -> bool:
    """Whether a message only names what else it is asked of: “and Pro?”, “and if I pay later?”."""
    begin = _BARE.match(message)
    return begin is not None and not _ASKS.match(message[begin.end() :])


def _subject(message: str, before: Sequence[Exchange], last: Exchange) -> str | None:
    """The thing that was spoken of, where the message points to it or is about nothing else it names."""
    if _NAME.search(message) or last.about is None:
        return None
    names = _NAME.findall(meant_by(last.message, before))
    pronoun = _PRONOUN.search(message)
    if pronoun and _OWN_THING.search(message[: pronoun.start()]):
        return None
    if pronoun:
        return names[-1] if names else thing_in(last.about)
    is_short = len(message.split()) <= SHORT_WORDS
    return names[-1] if names and is_short and _ASKS.match(_GOES_ON.sub("", message)) else None


def is_asked(text: str) -> bool:
    """Whether words begin like a question."""
    return bool(_QUESTION.match(text))


def thing_in(title: str) -> str | None:
    """The name of a thing in the title of a page: of “Palma sofa: care” the sofa, of “FAQ: Purple Account” the account."""
    parts = [part.strip() for part in re.split(r"[:|–—]", title) if part.strip()]
    named = next((part for part in parts if not _GENERAL.match(part)), None)
    return named if named and len(named.split()) <= LONGEST_SUBJECT else None


def _without_names(text: str) -> str:
    return " ".join(_NAME.sub(" ", text).split())
