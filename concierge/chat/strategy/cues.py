"""What shows where a conversation stands: a table of cues, each read from the visitor's words. Pure.

A need or a constraint that was told once stays told; every other cue is of the newest message alone.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from concierge.agents.schemas.stages import Cue, Persona
from concierge.chat.strategy.moment import LOOKED_AT
from concierge.conversations.schemas import PassedStage

MOST_EARLIER: Final = 6


@dataclass(frozen=True, slots=True)
class Lead:
    """Who leads the conversation, and what it is led by: the newest message, those before it (oldest first), and the stage
    that the last turn was in.
    """

    persona: Persona
    message: str
    earlier: tuple[str, ...] = ()
    last: PassedStage | None = None


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(alternatives)})", re.IGNORECASE)


_NUMBER: Final = r"(?:\d+|two|three|four|five|six|seven|eight|ten|twelve)"
_I: Final = r"(?:i|we)(?:['’](?:d|ll|m|re|ve)| would| will| am| are| have)?"
_NEED: Final = _words(
    rf"(?<!looking )(?<!look )(?<!searching )(?<!shopping )(?<!asking )(?<!pay )(?<!paying )(?<!price )(?<!cost )(?<!much )for (?:my|our|his|her|their|a|an|{_NUMBER})\b(?! (?:days?|weeks?|months?|years?|hours?|euros?|dollars?|while|moment|second)\b)",
    rf"{_I} (?:furnish\w*|moving|renovat\w*|opening|running|expecting|often host|host|work from|need (?:it|something|one) (?:to|that|for))\b",
    r"(?:must|has to|have to|needs? to|should) (?:fit|hold|last|seat|carry|survive|be)\b",
    r"(?:kids|children|toddler|dogs?|cats?|pets|guests|balcony|terrace|garden|restaurant|café|hotel|holiday flat|small (?:flat|room|kitchen))\b",
)
_CONSTRAINT: Final = _words(
    r"\d+(?:[.,]\d+)? ?(?:mm|cm|m|km|kg|t|l|ml|kw|w|v|a|ms|s|gb|mb|tb|rps|qps|users?|people|seats?|requests?|rows?|devices?|orders?)\b",
    r"(?:at (?:most|least)|no more than|up to \d+|on[- ]prem\w*|compliant|requirements?|constraints?)\b",
    r"(?:we (?:use|run|are on|already have)|our (?:stack|system|setup|team|database|network|wall|floor|kitchen|rooms?))\b",
    r"(?:must|has to|have to) (?:fit|work|run|carry|hold|stay|support|be)\b",
)
_PATTERNS: Final[Mapping[Cue, re.Pattern[str]]] = {
    "asks_value": _words(
        r"(?:why (?:should|would|is|are) (?:i|we|it|this|that|the|your)|what makes|worth|benefits?|advantages?|special about|good for)\b",
        r"(?:what (?:can|does) (?:it|the \w+(?: \w+)?) (?:do|offer)|better than)\b",
    ),
    "asks_proof": _words(
        r"(?:certif\w*|warrant(?:y|ies)|guarantee\w*|reviews?|ratings?|proof|prove|tested|fsc|references?|case stud(?:y|ies)|trial)\b",
        r"(?:really|honestly|is (?:it|that) true|how do i know|can i trust|just marketing|durab\w*|how long (?:does|will) (?:it|they) last|what if (?:i|it|we))\b",
        r"(?:send (?:it|them) back|return (?:it|them))\b",
    ),
    "wants_to_buy": _words(
        rf"{_I}(?: want| like| love)?(?: to)? (?:order|buy|purchase|reserve|take (?:it|one|two|the|this|that))\b",
        r"how (?:do|can|would) (?:i|we) (?:order|buy|purchase|get (?:it|one))\b",
        r"(?:place an order|ready to (?:order|buy)|check ?out|add (?:it )?to (?:my |the )?cart)\b",
    ),
    "asks_design": _words(
        r"(?:architect\w*|integrat\w*|fits? together|works? (?:with|together)|connect\w*|combin\w*|components?|modular|construction)\b",
        r"how (?:is|are|was|were) (?:it|they|this|the \w+(?: \w+)?) (?:made|built|constructed|put together)\b",
    ),
    "compares": _words(
        r"(?:vs|versus|compared? (?:to|with)|better|difference between|trade-?offs?|downsides?|drawbacks?|disadvantages?|pros and cons)\b",
        r"(?:instead of|rather than|alternatives?|simpler|what (?:do|would) (?:i|we) lose|can (?:i|we) (?:skip|leave out))\b",
    ),
    "asks_how": _words(
        r"(?:install\w*|assembl\w*|mount(?:ed|ing)?|implement\w*|roll(?:ing)? (?:it )?out|migrat\w*|configur\w*|deploy\w*|put (?:it )?together)\b",
        r"(?:step by step|which steps|instructions?|set (?:it )?up)\b",
    ),
    "detail_told": _words(
        r"(?:since (?:\w+|last \w+)|every time|only (?:when|on|at|the|in)|from the (?:first|start)|it (?:started|began)|yesterday|last (?:week|month|night))\b",
        r"(?:(?:front|back|rear|left|right)(?:-hand)? \w+|one (?:leg|side|corner|of)|the corner|in (?:one|the) (?:place|corner)|all over|error \d+|code \w*\d\w*)\b",
        r"(?:when(?:ever)? (?:i|we|it|you|somebody|someone))\b",
    ),
    "tried": _words(
        r"(?:(?:i|we)(?:['’]ve| have)?(?: already| just)? (?:tried|tightened|cleaned|replaced|restarted|checked|oiled|reset)|did (?:that|this|all that)|done that)\b",
        r"(?:still (?:\w+ ){0,2}(?:\w+s|\w+ing|broken|not|no|the same|there)|did ?n['’]t (?:help|work)|does ?n['’]t (?:help|work)|no (?:change|luck|difference)|same (?:problem|thing|as before))\b",
    ),
    "asks_fix": _words(
        r"how (?:do|can|should|would) (?:i|we|one|you) (?:fix|repair|solve|get rid|remove|stop|clean|tighten|replace|reset)\b",
        r"what (?:can|should|do) (?:i|we) do\b",
        r"(?:can|could) (?:you|it be) (?:fix|repair)\w*",
        r"(?:fix it|repair it|get rid of (?:it|them))\b",
    ),
    "solved": _words(
        r"(?:works? (?:now|again|fine)|working (?:now|again)|it worked|that (?:did it|worked|helped|fixed|solved))\b",
        r"(?:(?:is|are|it['’]s|they['’]re) (?:fixed|solved|gone)|problem (?:is )?(?:gone|solved)|no longer (?:\w+s|there)|stopped \w+ing)\b",
    ),
    "asks_prevention": _words(
        r"(?:prevent\w*|avoid (?:it|that|this)|happen(?:s|ing)? again|com(?:e|es|ing) back|in (?:the )?future|next time)\b",
        r"(?:keep (?:it|them|that|this) from|so that it (?:doesn|does not|won))",
    ),
    "asks_why": _words(
        r"(?:why|how come|what makes|what (?:does|do) (?:that|it|this|they|\w+) mean|explain|tell me more|more about|what is behind|the reason)\b"
    ),
    "asks_practice": _words(
        r"(?:tips?|advice|best (?:way|practice)|in practice|care for|look after|maintain)\b",
        r"(?:how (?:often|should|would) (?:i|we|one)|should (?:i|we)|what (?:do|would) you (?:recommend|suggest|advise))\b",
    ),
    "asks_reading": _words(
        r"where can (?:i|we) (?:read|find|learn)\b",
        r"(?:(?:read|learn) (?:more|on|up)|further reading|links?|guides?|articles?|documents?|manuals?|books?|courses?)\b",
    ),
}  # fmt: skip
# What may be wrong with a thing, besides what every message is searched for.
_SYMPTOM: Final = _words(
    r"(?:creak|squeak|wobbl|rattl|leak|stick|stuck|jam|sag|peel|crack|split|warp|fad|stain|smell|wears?|worn|loose|tear|torn|rust|scratch|chip)(?:s|ed|y|ing|king|ming|ging|ping)?\b(?! (?:out|with|to it)\b)",
    r"(?:noise|mou?ld|dents?|gaps?|error|does ?n['’]t|does not|won['’]t|can['’]t get) \w+",
)
_ASKS: Final = re.compile(
    r"\?|^\W*(?:what|how|when|where|which|who|why|do|does|can|could|is|are|will|would|should)\b",
    re.IGNORECASE,
)
_ANOTHER_MATTER: Final = _words(
    r"(?:another|different|separate|other|new) (?:question|topic|thing|matter|issue|problem|subject)\b",
    r"(?:something (?:else|different)|by the way|changing the subject|unrelated)\b",
)
_WONDERS: Final = re.compile(
    r"^\W*(?:(?:hi|hello|hey)\b\W*)?(?:"
    r"what (?:is|are|does|do)(?! (?:i|we|you|your|my|our|the (?:price|cost|phone|address|e-?mail|number|delivery|warranty))\b)|"
    r"how (?:does|do|is|are|come)(?! (?:i|we|you|your|my|our)\b)|"
    r"why|tell me (?:more )?about|explain|i['’]?(?:m| am) (?:curious|interested)|i wonder|is it true)\b",
    re.IGNORECASE,
)


def shows(cue: Cue, lead: Lead) -> bool:
    """Whether a conversation shows a cue."""
    if cue == "goes_on":
        return lead.last is not None and lead.last.taken
    if cue in _STAYS:
        told = (lead.message, *lead.earlier[-MOST_EARLIER:])
        return any(_STAYS[cue].search(message[:LOOKED_AT]) for message in told)
    return bool(_PATTERNS[cue].search(lead.message[:LOOKED_AT]))


def now_shows(cue: Cue, lead: Lead) -> bool:
    """Whether the newest message shows a cue, whatever was told before."""
    return shows(cue, Lead(lead.persona, lead.message))


def tells_symptom(message: str) -> bool:
    """Whether a message tells what is wrong with a thing, or what it does that it should not."""
    return bool(_SYMPTOM.search(message[:LOOKED_AT]))


def says_settled(message: str) -> bool:
    """Whether a message says that what was wrong is wrong no more."""
    return bool(_PATTERNS["solved"].search(message[:LOOKED_AT]))


def replies_to_us(lead: Lead) -> bool:
    """Whether the newest message asks nothing, and tells what the last turn asked for or a stage would ask."""
    if _ASKS.search(lead.message[:LOOKED_AT]):
        return False
    asked = lead.last is not None and lead.last.taken
    return asked or any(now_shows(cue, lead) for cue in ("need_told", "constraint_told"))


def begins_another_matter(message: str) -> bool:
    """Whether somebody says themselves that this is about something else."""
    return bool(_ANOTHER_MATTER.search(message[:LOOKED_AT]))


def wonders(message: str) -> bool:
    """Whether somebody wants to understand something, rather than to have a thing settled."""
    return bool(_WONDERS.match(message[:LOOKED_AT]))


def any_of(*cues: Cue) -> Callable[[Lead], bool]:
    return lambda lead: any(shows(cue, lead) for cue in cues)


_STAYS: Final[Mapping[Cue, re.Pattern[str]]] = {"need_told": _NEED, "constraint_told": _CONSTRAINT}
EVERY_CUE: Final = frozenset({"goes_on", *_STAYS, *_PATTERNS})
