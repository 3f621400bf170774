"""The few sentences the house says in its own words: small talk, and what it says when it does not know."""

import re
import zlib
from collections.abc import Sequence

_TAIL = r"(?:\s+(?:there|everyone|all|you|team|again|so much|very much|a lot|a bunch|for (?:now|your help|the help|that|this)|then|now|today|please))*"
_END = r"[\s!.,?:;)(👋🙏🙂😊-]*$"
_HELP = rf"(?:(?:hi|hello|hey)[,!. ]+)?(?:can you help me|(?:i|we) (?:need|want|could use|would like) (?:some |a bit of |your )?help|help(?: me)?(?: please)?)(?: with (?:my|an?|the|our) (?:recent |last )?(?:order|purchase|account|delivery|booking|problem))?{_TAIL}"

_AGREED = r"(?:ok(?:ay)?|great|perfect|super|cool|nice|awesome|got it|alright|all right|sounds good|understood|i see|good to know)"

_THANKS = rf"(?:thanks?(?: you)?|thx|ty|cheers|much appreciated|many thanks){_TAIL}"
_BYE = rf"(?:(?:good)?bye+|see (?:you|ya)(?: later| soon)?|good night|take care|have a (?:nice|good|great) (?:day|one|evening|weekend)){_TAIL}"
_PRAISE = r"(?:(?:that(?:'s|’s| is|s) )?(?:perfect|great|lovely|wonderful|awesome|brilliant|all|it|very (?:kind|helpful))|you(?:'ve|’ve| have) been (?:really |very |so )?(?:helpful|kind|great))"
_SOLVED = r"(?:(?:that|it|this)(?:'s|’s| is| has|s)? )(?:(?:worked|works|helped|helps|solved|fixed|did it|did the trick|(?:much |all )?better|fine|solved it)(?: (?:a lot|now|again|well|fine|perfectly))*)"

_DANKE = r"(?:vielen |herzlichen |besten )?dank(?:e)?(?: (?:schön|sehr|dir|ihnen|für (?:die|ihre) hilfe))*"
_TSCHUESS = r"(?:tschü(?:ss|ß)|tschuess|auf wieder(?:sehen|hören)|bis (?:bald|dann|später)|schönen (?:tag|abend)(?: noch)?|ciao)"
_GRACIAS = r"(?:muchas |mil )?gracias(?: por (?:todo|su ayuda|la ayuda))?"
_ADIOS = r"(?:adi[óo]s|hasta (?:luego|pronto|ma[ñn]ana)|chao|buen d[ií]a|que tenga (?:un )?buen d[ií]a)"
_MERCI = r"(?:merci(?: (?:beaucoup|bien|à vous))?|je vous remercie)"
_AU_REVOIR = r"(?:au revoir|à bient[ôo]t|bonne (?:journée|soirée))"

# For somebody who says that it is settled.
GOOD_TO_HEAR = ("Good to hear!", "That's good news!", "Lovely, then that is settled.")

# What a visitor says → what the house answers. {name} is the agent's.
SMALL_TALK: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        rf"(?:hi+|hello+|hey+|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)){_TAIL}",
        ("Hello! What can I help you with?", "Hi there! What are you looking for?", "Welcome! What would you like to know?"),
    ),
    (
        rf"(?:(?:{_AGREED}|{_THANKS})[,!. ]+)*{_SOLVED}(?:[,.! ]+(?:{_THANKS}|{_PRAISE}|{_SOLVED}))*",
        GOOD_TO_HEAR,
    ),
    (
        rf"(?:(?:{_AGREED}|{_THANKS})[,!. ]+)*{_THANKS}(?:[,.! ]+{_PRAISE})*",
        ("You're welcome!", "Glad to help!", "My pleasure!"),
    ),
    (
        rf"(?:(?:{_AGREED}|{_THANKS})[,!. ]+)*(?:{_BYE})(?:[,!. ]+(?:{_BYE}|{_THANKS}))*",
        ("Goodbye, and take care!", "Bye! I'm here whenever you need me.", "See you soon!"),
    ),
    (
        r"(?:are you|is this|am i (?:talking|speaking|chatting) (?:to|with)) (?:a |an |the )?(?:(?:chat ?)?bot|robot|machine|computer|ai|human|person|real(?: (?:person|human))?|someone real)(?: or (?:a |an )?\w+(?: \w+)?)?",
        ("I'm an automated assistant, so no person is typing. I answer from our own pages, and I can pass you on to a colleague.",),
    ),
    (
        r"(?:who|what) (?:are|r) (?:you|u)|what(?:'s|’s| is) your name|what can you (?:do|help(?: me)? with)|how can you help(?: me)?|what do you do",
        ("I'm {name}. Ask me about what we offer and how we work, and I'll show you where each answer comes from.",),
    ),
    (
        _HELP,
        ("Of course. What has happened, or what would you like to know?", "Gladly. Tell me what it is about, and I'll see what I can find."),
    ),
    (
        r"how are (?:you|things)(?: doing)?(?: today)?|how(?:'s|’s| is) it going|what(?:'s|’s) up",
        ("Very well, thank you! What can I help you with?", "All good here, thank you! What are you looking for?"),
    ),
    (
        rf"{_AGREED}(?:[,.! ]+{_AGREED})*",
        ("Good! I'm here if anything else comes up.", "Lovely. Anything else, just ask."),
    ),
    (
        rf"(?:{_DANKE}[,!. ]+)?{_TSCHUESS}(?:[,!. ]+(?:und )?{_DANKE})?",
        ("Auf Wiedersehen!", "Tschüss und alles Gute!", "Bis bald!"),
    ),
    (
        rf"(?:(?:ok(?:ay)?|super|prima|gut|alles klar)[,!. ]+)?{_DANKE}",
        ("Gern geschehen!", "Sehr gern!", "Gern, jederzeit!"),
    ),
    (
        rf"(?:{_GRACIAS}[,!. ]+)?(?:y )?{_ADIOS}(?:[,!. ]+(?:y )?{_GRACIAS})?",
        ("¡Hasta pronto!", "¡Adiós, y que le vaya bien!"),
    ),
    (
        rf"(?:(?:ok|vale|perfecto|genial)[,!. ]+)?{_GRACIAS}",
        ("¡De nada!", "¡Con mucho gusto!", "¡Un placer!"),
    ),
    (
        rf"(?:{_MERCI}[,!. ]+)?(?:et )?{_AU_REVOIR}(?:[,!. ]+(?:et )?{_MERCI})?",
        ("Au revoir, et à bientôt !", "Bonne journée !"),
    ),
    (
        rf"(?:(?:ok|d'accord|parfait|super)[,!. ]+)?{_MERCI}",
        ("Je vous en prie !", "Avec plaisir !"),
    ),
)  # fmt: skip

UNKNOWN_TOPIC = (
    "I don't have anything on {topic}.",
    "{topic_capital} isn't something I have information on.",
    "I couldn't find anything on {topic} in what I know.",
)
# For a visitor whose turn has a strategy, and with it a voice; enough of each for a long conversation.
UNSURE = (
    "I don't know that, and I'd rather not guess.",
    "That's one I don't have an answer to.",
    "I can't answer that reliably, so I won't guess.",
    "That I can't tell you for certain.",
    "There I have to pass.",
    "I have no reliable answer to that one.",
)
MORE_UNKNOWN_TOPIC = (
    "On {topic} I have nothing I could rely on.",
    "I know nothing certain about {topic}.",
    "{topic_capital}: that's beyond what I know.",
)
MORE_OFFERS = (
    "Shall I bring in a colleague who knows?",
    "Would a colleague's answer help?",
    "Would you like to ask one of my colleagues?",
)
UNKNOWN = (
    "I could not find that in what I know.",
    "I don't have an answer to that.",
    "That isn't in the information I have.",
)
# Where a page is about it and does not say it.
NEAREST = (
    "The page that comes closest is “{title}”.",
    "“{title}” is the closest page I have.",
    "You may find something near it on the page “{title}”.",
)
# For somebody in trouble, when nothing that is known settles it.
UNSETTLED = (
    "I can't settle that from here. Shall I bring in a colleague who can?",
    "Somebody should look into this properly. Shall I ask a colleague?",
    "I can't sort that out alone. Would you like a colleague to take it on?",
)
UNSEEN_ORDER = (
    "I can't see live orders from here. Shall I bring in a colleague who can look yours up?",
    "Where your order is just now, a colleague can look up; I can't see it from here. Shall I bring one in?",
)
# For somebody who told what was asked of them, before the next step.
NOTED = (
    "Good to know, thank you.",
    "That helps, thank you.",
    "Thank you, that makes it clearer.",
    "I see, thank you.",
)
# For somebody who asks for a person.
TO_A_PERSON = (
    "Of course. Shall I pass you on to a colleague now?",
    "Gladly. Shall I bring in a colleague?",
    "Certainly. Shall I ask a colleague to take over?",
)
OFFERS = (
    "Shall I pass you on to a colleague?",
    "Would you like me to ask a colleague?",
    "Shall I ask someone from the team?",
)
# After something related was said, before the offer.
RATHER_ASK = (
    "I'd rather have a colleague confirm than guess. Shall I ask them?",
    "For the rest, a colleague would know better than I do. Shall I ask them?",
)
# Before something that may be the answer, and after it.
# Where two pages disagree: since when the better one holds, or that a person should confirm it.
DATED = ("That is as of {date}.", "That was last updated on {date}.", "That is how it stood on {date}.")
DIFFERING = (
    "Another of our pages gives a different figure, so shall I have a colleague confirm it?",
    "Our pages differ on that figure. Shall I ask a colleague which one holds?",
    "I have seen a different figure elsewhere on our pages; shall I ask a colleague to confirm?",
)
CLOSEST = ("The closest I have is this:", "This may be what you mean:", "Here is what comes closest:")
NOT_SETTLED = (
    "If that doesn't settle it, shall I ask a colleague?",
    "Is that it, or shall I ask a colleague?",
    "If you meant something else, shall I pass you on to a colleague?",
)

LONGEST_TALK = 80
_WHERE_IS_MINE = re.compile(
    r"\bwhere(?:['’]s| is| are|s) (?:my|our)\b|\b(?:my|our) \w+(?: \w+)?(?: is| are|['’]s)? (?:still )?(?:not here|not arrived|missing|late|overdue)\b|"
    r"\b(?:hasn['’]?t|haven['’]?t|has not|did ?n['’]?t|never) (?:yet )?(?:arrived?|come|been delivered|shown up)\b|\b(?:track|status of) (?:my|our) \w+",
    re.IGNORECASE,
)
_CALL_FOR_HELP = re.compile(rf"^\W*(?:{_HELP}){_END}", re.IGNORECASE)
_GAP = re.compile(r"\{\w+\}")
_COMPILED = tuple(
    (re.compile(rf"^\W*(?:{pattern}){_END}", re.IGNORECASE), replies) for pattern, replies in SMALL_TALK
)


def pick(options: Sequence[str], question: str, turn: int, said: Sequence[str] = ()) -> str:
    """The same question in the same turn always gets the same phrase, and one that was `said` not again."""
    first = (zlib.crc32(question.strip().lower().encode()) + turn) % len(options)
    rotated = (*options[first:], *options[:first])
    return unsaid(rotated, said) or rotated[0]


def unsaid(options: Sequence[str], said: Sequence[str]) -> str | None:
    """The first phrase that none of the earlier replies holds; of one with gaps, its longest part counts."""
    spoken = "\n".join(said)
    for option in options:
        fixed = max(_GAP.split(option), key=len)
        if fixed not in spoken:
            return option
    return None


def asks_where(message: str) -> bool:
    """Whether somebody waits for what they ordered."""
    return bool(_WHERE_IS_MINE.search(message[:2_000]))


def is_call_for_help(message: str) -> bool:
    """Whether a message only says that help is needed, and at most with what kind of thing."""
    return len(message) <= LONGEST_TALK and bool(_CALL_FOR_HELP.match(message))


def is_small_talk(message: str) -> bool:
    """Whether a message is a greeting, thanks, a farewell or the like, and nothing else."""
    return len(message) <= LONGEST_TALK and any(pattern.match(message) for pattern, _ in _COMPILED)


def small_talk(message: str, *, turn: int, agent_name: str | None, said: Sequence[str] = ()) -> str | None:
    """The reply to a greeting, thanks, a farewell or a question about the assistant itself; otherwise None."""
    if len(message) > LONGEST_TALK:
        return None
    for pattern, replies in _COMPILED:
        if pattern.match(message):
            name = agent_name or "the concierge here"
            return pick(replies, message, turn, said).format(name=name)
    return None
