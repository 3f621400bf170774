"""The first words to somebody in a mood: short, about what was said, and never twice in a conversation. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from concierge.chat.strategy.schemas import Opening, Strategy
from concierge.chat.writers.phrases import unsaid
from concierge.chat.writers.tongues import ENGLISH, has_tongue, in_tongue


@dataclass(frozen=True, slots=True)
class Fitting:
    """What is said when the message speaks of just this."""

    openings: frozenset[Opening]
    spoken_of: re.Pattern[str]
    phrases: Sequence[str]


UPSET: Final[frozenset[Opening]] = frozenset({"acknowledge", "apologise"})


def _of(openings: frozenset[Opening], pattern: str, *phrases: str) -> Fitting:
    return Fitting(openings, re.compile(pattern, re.IGNORECASE), phrases)


# The first that fits, in this order; of its phrases the first that was not said before.
FITTING: Final = (
    _of(
        UPSET,
        r"\b(?:third|3rd) time\b|\bthree times\b",
        "Three times is two too many, and I'm sorry you've had to chase us.",
        "I'm sorry: nobody should have to say this three times.",
    ),
    _of(
        UPSET,
        r"\b(?:second|2nd|another|fourth|4th|fifth|5th) time\b|\b(?:twice|already (?:asked|told|wrote|called)|keep (?:asking|telling|calling)|"
        r"again and again|how many times|asked before|told you)\b",
        "I'm sorry you have to say this again.",
        "You've told us this before, and I'm sorry it isn't settled.",
    ),
    _of(
        UPSET,
        r"\bstill\b[^.!?]{0,40}\b(?:not|no|n['’]t|broken|waiting|wrong)\b|\bn['’]t\b[^.!?]{0,20}\beither\b",
        "I'm sorry that it still isn't right.",
        "Still no better, then; I'm sorry.",
    ),
    _of(
        UPSET,
        r"\b(?:charged|billed|debited)\b|\bmoney back\b|\brefund\b",
        "When it's about your money, you need clarity.",
        "Money that isn't where it should be is no small thing.",
    ),
    _of(
        UPSET,
        r"\b(?:late|delay\w*|waiting|waited|where(?:['’]s| is| are) my|not arrived|hasn['’]t arrived|haven['’]t received|never arrived|overdue)\b",
        "That is a long wait for something you were counting on.",
        "Waiting without knowing is the worst of it.",
    ),
    _of(
        UPSET,
        r"\b(?:broke|broken|broke down|damaged|cracked|scratch\w*|torn|wobbl\w*|defect\w*|faulty|split|ripped|stained|bent)\b",
        "That is not how it should be.",
        "A piece that lets you down like that is a real nuisance.",
    ),
    _of(
        UPSET,
        r"\b(?:rude|ignored|ignoring|nobody (?:answers|replies|cares)|no (?:reply|answer|response))\b",
        "Being left without an answer is no way to be treated.",
    ),
    _of(
        frozenset({"reassure"}),
        r"\b(?:money|pay(?:ment)?|paid|refund|charged|price|cost|expensive|afford)\b",
        "It's right to be careful with your money.",
    ),
    _of(
        frozenset({"reassure"}),
        r"\b(?:arrive|deliver\w*|shipping|in time|on time|late|before)\b",
        "I understand that the date matters to you.",
    ),
    _of(
        frozenset({"reassure"}),
        r"\b(?:kids?|child(?:ren)?|baby|toddler|dog|cat|safe\w*|toxic|allerg\w*)\b",
        "Of course you want to be sure of that.",
    ),
    _of(
        frozenset({"share_joy"}),
        r"\b(?:new (?:house|home|flat|apartment|place)|moving|moved in|wedding|married|baby|engaged)\b",
        "How lovely, congratulations!",
        "What a happy reason to furnish!",
    ),
    _of(
        frozenset({"share_joy"}),
        r"\b(?:can['’]?t wait|finally|so excited|love (?:it|this|the|your)|amazing|gorgeous|beautiful|perfect)\b",
        "That's lovely to hear!",
        "I can see why!",
    ),
)
GENERAL: Final[Mapping[Opening, Sequence[str]]] = {
    "acknowledge": (
        "That sounds frustrating.",
        "I can see why that is annoying.",
        "I understand that this is a nuisance.",
    ),
    "apologise": (
        "I'm sorry, this should have gone better.",
        "I'm sorry for the trouble this has been.",
        "You had every reason to expect better of us.",
    ),
    "reassure": (
        "Let's make sure of it.",
        "I understand you'd like to be certain.",
        "It's good that you ask.",
    ),
    "share_joy": ("How nice!", "Wonderful!", "Lovely!"),
}


def opening_of(strategy: Strategy, question: str, said: Sequence[str], language: str = ENGLISH) -> str:
    """The opening, or nothing: to whom is calm, and where every fitting one was said already."""
    general = GENERAL.get(strategy.opening, ())
    if has_tongue(language):
        return unsaid(in_tongue(general, language), said) or ""
    options: list[str] = []
    for fitting in FITTING:
        if strategy.opening in fitting.openings and fitting.spoken_of.search(question):
            options += fitting.phrases
    return unsaid([*options, *general], said) or ""
