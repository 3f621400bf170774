"""Sentences that claim nothing: greetings, sympathy, questions back, offers of a person, "I don't know". Tables. Pure."""

import re
from collections.abc import Mapping
from typing import Final, Literal

from concierge.chat.grounding.facts import Facts
from concierge.chat.grounding.schemas import Claimless
from concierge.chat.grounding.vocabulary import ANNOUNCING, BUSINESS, stems

_OPENINGS: Final[Mapping[Claimless, str]] = {
    "greeting": r"(?:hi|hello|hey|welcome|good (?:morning|afternoon|evening|day)|thanks?(?: you)?|you['’]?re (?:very )?welcome|glad to|nice to|great to|have a (?:nice|great|good|lovely)|enjoy|bye|goodbye|take care|cheers|my pleasure|congratulations)\b",
    "empathy": r"(?:i['’]?m (?:so |very |really |truly )?sorry|i am (?:so |very |really )?sorry|sorry|i (?:completely |totally |fully )?understand|i (?:can )?(?:see|imagine|appreciate|hear|get)|that (?:sounds|must|is|does sound)|that['’]s (?:frustrating|annoying|understandable|great|wonderful|exciting|a pity)|how (?:frustrating|annoying|exciting|lovely)|(?:my |our )?apologies|what a (?:pity|shame|nuisance)|no (?:problem|worries)|great (?:choice|news|question)|good (?:choice|question)|three times)\b",
    "offer": r"(?:would you (?:like|prefer)|shall i|should i|do you want|can i|may i|could i|let me know|feel free|please (?:let me know|contact|reach out|ask|get in touch|don['’]t hesitate)|i['’]?(?:d| would) be (?:happy|glad)|i['’]?m happy to|happy to|i can (?:pass|connect|put|hand|ask|check|get|forward|bring|also (?:pass|connect|ask))|if you(?:['’]d)? (?:like|want|wish|prefer|need|have)|just (?:ask|let me know)|i hope|hope (?:this|that)|is there anything|anything else|a (?:colleague|person|human))\b",
    "not_known": r"(?:i (?:really |just )?(?:do not|don['’]t|cannot|can['’]t|could not|couldn['’]t|did not|didn['’]t|have no|am not (?:sure|able)|was not able|wasn['’]t able|haven['’]t)|i['’]?m not (?:sure|able|certain)|i['’]?m unable|i am unable|i lack|unfortunately,? i (?:do not|don['’]t|cannot|can['’]t|could not|couldn['’]t|have no)|(?:there is|i see) (?:no|nothing) (?:information|mention|detail|answer)|(?:the|my) (?:sources?|documents?|passages?|information|documentation|material)s?(?: (?:i have|provided|available))? (?:do(?:es)? not|do(?:es)?n['’]t) (?:say|mention|state|specify|cover|contain|include|tell))\b",
    "connective": r"(?:here(?:['’]s| is| are)|let me (?:explain|walk|show|help|check|see|take)|in (?:short|summary|other words|brief)|to (?:summari[sz]e|sum up|be clear|answer)|that (?:said|is it)|first things first|the (?:short |quick )?answer|good to know|of course|certainly|gladly|sure|absolutely|exactly|yes|no|okay|ok|alright|right|see|below|a few|some|these|this|there (?:is|are)|you can|note|please note|as follows|for example)\b",
}
_OPENING: Final[Mapping[Claimless, re.Pattern[str]]] = {
    reason: re.compile(rf"[\W_]*{pattern}", re.IGNORECASE) for reason, pattern in _OPENINGS.items()
}
# Words such sentences may hold, by stems; of "I don't know" more is allowed, as it states nothing.
_SOCIAL: Final = frozenset(
    stems(
        "hi hello hey welcome thanks thank good morning afternoon evening day nice great glad happy pleasure enjoy luck weekend "
        "sorry apologies apologize apologise inconvenience trouble frustrating frustration frustrated annoying upset worried worrying "
        "understand understandable imagine appreciate hear hearing sound sounds patience wait waiting bear feel feeling pity shame "
        "question questions ask asking answer answers help assist assistance support colleague team person people human someone "
        "agent staff member advisor expert specialist contact reach touch connect pass hand forward check confirm look moment "
        "know information info detail details anything else something further more let hesitate free want like prefer wish hope "
        "hopefully clear clarify useful choice matter situation experience issue problem today back soon chat talk speak "
        "explain walk show summary summarize summarise short quick answer simple simply course certainly sure absolutely exactly "
        "exciting wonderful lovely congratulations bit time longer happened happen sadly unfortunately worries deserve chase "
        "interested interest interesting idea mind think thinking tell share direction place start started quite really truly"
    )
)
_COMMITTING: Final = frozenset(
    stems(
        "refund discount guarantee guaranteed voucher coupon credit compensation replacement replace promise upgrade gift"
    )
)
# Who bounds or limits something, or calls it free, says something.
_TELLING: Final = frozenset(
    {"free", "for_a_fee", "at_most", "at_least", "except", "only", "excluded", "before", "within"}
)
_ABOUT_US = re.compile(r"\b(?:we|us|our|ours|ourselves|we['’]\w+)\b", re.IGNORECASE)
_OUR_PEOPLE = re.compile(
    r"\bour (?:team|colleagues?|staff|support(?: team)?|people|experts?|specialists?|agents?)\b|\b(?:one|some|someone|a (?:colleague|member|person)) (?:of|from|in) (?:us|our \w+)\b|\bcontact us\b|\blet us know\b|\breach(?: out to)? us\b|\bask us\b",
    re.IGNORECASE,
)
# What an agent says it has done, or will do, is true only where something was done.
_PROMISE = re.compile(
    r"\b(?:i|we)(?:['’]ve| have|['’]ll| will|['’]m going to| am going to)?(?: just| already| now| also)? (?:passed|forwarded|booked|cancell?ed|refunded|sent|issued|ordered|updated|changed|escalated|notified|informed|"
    r"arranged|scheduled|reserved|created|opened|contacted|processed|applied|credited|replaced|emailed)\b"
    r"|\b(?:i|we)(?:['’]ll| will|['’]m going to| am going to) (?:\w+ )?(?:get back|check|refund|cancel|send|call|email|process|issue|arrange|replace|credit|follow up|look into|escalate|forward|pass|notify|book)\b",
    re.IGNORECASE,
)
_CONTINUES = re.compile(r"\b(?:but|however|although|though|yet|because|since)\b|[;–—]", re.IGNORECASE)
_BARE_ANSWER = re.compile(
    r"[\W_]*(?:yes|no|yep|nope|correct|absolutely|exactly|certainly|of course|definitely|right)\b(?:[,\s]+(?:absolutely|indeed|of course|certainly|exactly|you can(?:not)?|it is|it does|that is (?:right|correct)|that['’]s (?:right|correct)))?[\W_]*$",
    re.IGNORECASE,
)
# From here on a sentence speaks of what the sources speak of.
_LIKE_A_SOURCE: Final = 0.34
_REFERS = re.compile(
    r"[\W_]*(?:it|its|they|their|them|this|these|that|those|he|she|here|the|your|my)\b|\b(?:your (?:order|account|plan|purchase|package|subscription)|the (?:product|item|plan|order|service))\b",
    re.IGNORECASE,
)


def promises(text: str, of: Literal["i", "we"] | None = None) -> bool:
    """Whether the agent says of itself, or of the business, that it did or will do something; `of` asks for one only."""
    found = _PROMISE.search(text)
    return found is not None and (of is None or found.group().lower().startswith(of))


def claimless(facts: Facts, text: str, asked: frozenset[str]) -> Claimless | None:
    """What kind of sentence without a claim this is; None for one that has to be proven.

    `asked` are the stems of the visitor's own words, which a question back or an "I don't know" may repeat.
    """
    if _says_something(facts, text, asked):
        return None
    ours = bool(_ABOUT_US.search(_OUR_PEOPLE.sub(" ", text)))
    if ours:
        return None
    if _OPENING["not_known"].match(text) and not _CONTINUES.search(text):
        return "not_known"
    rest = frozenset(facts.words) - _SOCIAL - asked
    if frozenset(facts.words) & _COMMITTING:
        return None
    if text.rstrip(" \"”'’)*_").endswith("?") and _asks(facts, rest):
        return "question"
    return None if rest else _kind(facts, text)


def _says_something(facts: Facts, text: str, asked: frozenset[str]) -> bool:
    """Whether it has a value, an address, a name that is not the visitor's, a bound, or a promise."""
    exact = facts.valued.values or facts.valued.addresses or facts.valued.codes
    if exact or facts.names - asked - _SOCIAL or promises(text):
        return True
    return any(not _TELLING.isdisjoint(clause.turns) for clause in facts.clauses)


def _kind(facts: Facts, text: str) -> Claimless | None:
    for reason, opening in _OPENING.items():
        if opening.match(text):
            return reason
    return None if facts.words else "connective"


def _asks(facts: Facts, rest: frozenset[str]) -> bool:
    """A question back may name things of its own ("a sofa or a chair?"), but nothing about the business's terms."""
    return not rest & BUSINESS and len(rest) <= 8 and not facts.names - _SOCIAL - rest


def announces(facts: Facts) -> bool:
    """Whether a heading, or a sentence in front of a list, says nothing by itself."""
    return not set(facts.words) - ANNOUNCING - _SOCIAL and not facts.valued.values and not facts.names


def is_bare_answer(text: str) -> bool:
    """A "yes" or "no" with nothing behind it: it is worth what follows it."""
    return bool(_BARE_ANSWER.match(text))


def is_general(facts: Facts, text: str, likeness: float) -> bool:
    """Whether a sentence speaks of the world and not of the business, its things, or what was just said.

    `likeness` is the share of its words that the nearest sentence of the sources has.
    """
    if facts.valued.values or facts.valued.addresses or facts.valued.codes or facts.names:
        return False
    if _ABOUT_US.search(text) or _REFERS.search(text) or promises(text):
        return False
    if frozenset(facts.words) & (BUSINESS | _COMMITTING):
        return False
    return len(facts.words) >= 2 and likeness < _LIKE_A_SOURCE
