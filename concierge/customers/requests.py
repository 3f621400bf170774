"""What people say to be told, to correct or to be rid of what is remembered of them, and what they are answered. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from zlib import crc32

LONGEST_REQUEST: Final = 400
MOST_LISTED: Final = 12

RequestKind = Literal["know", "forget_that", "forget_all", "correct", "keep_out"]
ReplyKind = Literal[
    "known",
    "nothing_known",
    "forgotten",
    "nothing_to_forget",
    "all_forgotten",
    "corrected",
    "noted",
    "kept_out",
    "not_kept",
]


@dataclass(frozen=True, slots=True)
class MemoryRequest:
    """`about` is what a request names (“forget that I have a dog”), `statement` what is said to be right instead;
    either may be empty. `language` is the one to answer in, en or de.
    """

    kind: RequestKind
    about: str = ""
    statement: str = ""
    language: str = "en"


_POLITE: Final = (
    r"^(?:(?:hi|hello|hey|hallo|ok|okay|please|bitte|so|and|now|actually|no|nein|sorry|wait|moment|oh|um|hm+|also)\b[\s,.!]*)*"
    r"(?:(?:can|could|would|will) you (?:please )?|i(?: would|'d)? (?:like|want) (?:you )?to |you (?:can|should|must) |"
    r"(?:kannst du|können sie|könntest du|könnten sie) (?:bitte )?)?(?:please |bitte )?"
)
_END: Final = (
    r"[\s,]*(?:please|thanks|thank you|bitte|danke|now|right now|again|then|sofort|wieder)*[\s.!?]*$"
)
# In this order: what asks for more goes before what asks for less.
_TABLE: Final[Sequence[tuple[RequestKind, str, str]]] = (
    (
        "know",
        "en",
        _POLITE
        + r"(?:tell me |show me |list )?(?:what|which things|everything|anything|all)(?: all| exactly| else)?(?: that)?"
        r" (?:do you|did you|have you|you|you have|are you|you are) (?:know(?:n)?|remember(?:ed)?|stor(?:e|ed|ing)|sav(?:e|ed|ing)|"
        r"ke(?:ep|pt)|noted|learn(?:ed|t)|got|have|remembering|keeping)(?: stored| saved| on file)? (?:about|of|on) (?:me|us)"
        + _END,
    ),
    (
        "know",
        "en",
        _POLITE + r"(?:what|which) (?:information|data|details|facts) (?:do you|have you|about me)"
        r"(?: have| hold| keep| store| stored| saved| kept)*(?: (?:about|of|on) me)?(?: do you have| do you keep)?"
        + _END,
    ),
    ("know", "en", _POLITE + r"do you (?:still )?(?:remember|know) (?:me|who i am|anything about me)" + _END),
    (
        "know",
        "de",
        _POLITE
        + r"(?:sag mir |zeig mir )?was (?:(?:wei(?:ß|ss)t|hast) du|wissen sie|haben sie|du|sie)(?: alles| noch| eigentlich)* "
        r"(?:über|von) (?:mich|mir|uns)(?: alles)?(?: gespeichert| gemerkt| wei(?:ß|ss)t| wissen)?" + _END,
    ),
    (
        "know",
        "de",
        _POLITE
        + r"was (?:hast du|haben sie) (?:dir |sich )?(?:über|von) (?:mich|mir) (?:gemerkt|gespeichert)"
        + _END,
    ),
    (
        "forget_all",
        "en",
        _POLITE
        + r"(?:forget|delete|erase|remove|wipe|clear) (?:absolutely )?(?:everything|all|all of it|it all|anything|all (?:the )?(?:data|"
        r"information|details|facts)|all my (?:data|information|details)|my (?:data|information|memory|memories|profile|history)|"
        r"what(?:ever)? you (?:know|remember|have stored|stored|saved))(?: that)?(?: you (?:know|remember|have|have stored|stored|saved|"
        r"kept|learned|noted))?(?: (?:about|of|on) (?:me|us))?" + _END,
    ),
    (
        "forget_all",
        "en",
        _POLITE + r"forget (?:about )?(?:me|us)(?: completely| entirely| altogether)?" + _END,
    ),
    (
        "forget_all",
        "de",
        _POLITE
        + r"(?:vergiss|vergessen sie|lösche?|löschen sie) (?:bitte )?(?:alles|alle (?:meine )?daten|meine daten|mich)(?:,? was (?:du|sie) "
        r"(?:über|von) (?:mich|mir) (?:wei(?:ß|ss)t|wissen|gespeichert hast|gespeichert haben))?(?: (?:über|von) (?:mich|mir))?"
        + _END,
    ),
    (
        "keep_out",
        "en",
        _POLITE + r"(?:do not|don't|dont|never) (?:remember|store|save|keep|note|memori[sz]e|write down)"
        r"(?: (?:that|this|it|any of (?:that|this)|what i (?:just )?(?:said|wrote|told you)))?" + _END,
    ),
    (
        "keep_out",
        "de",
        _POLITE
        + r"(?:merk(?:e)? dir|merken sie sich|speicher(?:e)?|speichern sie) (?:das|dies|es)? ?(?:bitte )?nicht"
        + _END,
    ),
    (
        "forget_that",
        "en",
        _POLITE
        + r"(?:forget|delete|erase|remove|scratch) (?:about )?(?:that|this|the last (?:thing|message|one|bit)|what i (?:just |last )?(?:said|"
        r"wrote|told you))(?: (?:i|we|my|our)\b(?P<about>.{1,200}))?" + _END,
    ),
    (
        "forget_that",
        "en",
        _POLITE + r"forget (?:about )?(?:my|our) (?P<about>[\w' -]{2,60}?)" + _END,
    ),
    (
        "forget_that",
        "de",
        _POLITE
        + r"(?:vergiss|vergessen sie|lösche?|löschen sie) (?:bitte )?(?:das|dies|was ich (?:gerade |eben )?(?:gesagt|geschrieben) habe)"
        r"(?: wieder)?(?:,? dass (?:ich|wir)\b(?P<about>.{1,200}))?" + _END,
    ),
    (
        "correct",
        "en",
        (
            r"^(?:(?:no|sorry|wait|oh)\b[\s,.!-]*)*(?:that(?:'s| is| was)|this is|you(?:'re| are| have it| got (?:that|it)|'ve got (?:that|it)) ?)"
            r"(?: (?:is|was))? ?(?:not (?:right|true|correct)|wrong|incorrect|a mistake|no longer (?:true|right)|mistaken)[\s,.:;!–—-]*"
            r"(?P<statement>.{0,300})$"
        ),
    ),
    (
        "correct",
        "de",
        (
            r"^(?:(?:nein|moment|sorry|halt)\b[\s,.!-]*)*(?:das|dies) (?:ist|war|stimmt) (?:falsch|nicht richtig|nicht wahr|nicht(?: mehr)?|ein "
            r"irrtum)[\s,.:;!–—-]*(?P<statement>.{0,300})$"
        ),
    ),
)
_RECOGNISED: Final[Sequence[tuple[RequestKind, str, re.Pattern[str]]]] = tuple(
    (kind, language, re.compile(pattern, re.IGNORECASE | re.DOTALL)) for kind, language, pattern in _TABLE
)
_OWN: Final = re.compile(r"\b(?:i|we|my|our|ich|wir|mein\w*|unser\w*)\b", re.IGNORECASE)


def memory_request(message: str) -> MemoryRequest | None:
    """Return what somebody asks of their memory; None for every other message (“forget it, how much is X?”)."""
    text = " ".join(message.replace("’", "'").split())
    if not text or len(text) > LONGEST_REQUEST:
        return None
    for kind, language, pattern in _RECOGNISED:
        if (found := pattern.match(text)) is None:
            continue
        named = found.groupdict()
        statement = (named.get("statement") or "").strip()
        # “That's wrong” about anything else is a complaint, which others answer.
        if kind == "correct" and not _OWN.search(statement):
            return None
        return MemoryRequest(kind, (named.get("about") or "").strip(" .!?"), statement, language)
    return None


REPLIES: Final[Mapping[str, Mapping[ReplyKind, Sequence[str]]]] = {
    "en": {
        "known": (
            (
                "Here is what I have noted from our conversations:\n\n{facts}\n\nIf something is wrong, tell me what is right. "
                "Say “forget that …” for a single thing, or “forget everything about me” and it is gone."
            ),
            (
                "Gladly. This is what I remember of you:\n\n{facts}\n\nYou can correct any of it in your own words, have one thing "
                "erased with “forget that …”, or all of it with “forget everything about me”."
            ),
            (
                "Of course, it is yours to see:\n\n{facts}\n\nAnything out of date? Just tell me. “Forget that …” erases one thing, "
                "“forget everything about me” erases it all."
            ),
        ),
        "nothing_known": (
            "I have nothing noted about you. If you tell me what matters to you, I will keep it in mind for the next time.",
            "At the moment I remember nothing about you. You start with a clean page here.",
        ),
        "forgotten": (
            "Done, I have erased this:\n\n{facts}",
            "It is gone. I no longer remember this:\n\n{facts}",
            "Of course. Erased:\n\n{facts}",
        ),
        "nothing_to_forget": (
            "I had not kept anything of that, so there is nothing to erase.",
            "There was nothing of that in my notes.",
        ),
        "all_forgotten": (
            "Done. Everything I had noted about you is erased. I am still happy to help, just without looking back.",
            "It is all gone: I remember nothing about you any more. How can I help you now?",
        ),
        "corrected": (
            "Thank you for putting that right. I have noted:\n\n{facts}",
            "Sorry about that, and thank you. Now it says:\n\n{facts}",
        ),
        "noted": ("Thank you, I have noted:\n\n{facts}",),
        "kept_out": (
            "Understood, I will not keep that.",
            "Of course. That stays between these lines and is not kept.",
        ),
        "not_kept": (
            (
                "I see. I could not tell which of my notes that is about. Ask “what do you know about me?” to see them all, and say "
                "“forget that …” for what should go."
            ),
        ),
    },
    "de": {
        "known": (
            (
                "Das habe ich mir aus unseren Gesprächen gemerkt:\n\n{facts}\n\nStimmt etwas nicht? Schreiben Sie mir einfach, was "
                "richtig ist. Mit „Vergiss, dass …“ lösche ich eine Sache, mit „Vergiss alles über mich“ alles."
            ),
            (
                "Gern. Das weiß ich über Sie:\n\n{facts}\n\nSie können alles berichtigen, einzeln löschen („Vergiss, dass …“) oder "
                "ganz („Vergiss alles über mich“)."
            ),
        ),
        "nothing_known": ("Ich habe mir nichts über Sie gemerkt.", "Im Moment weiß ich nichts über Sie."),
        "forgotten": ("Erledigt, das ist gelöscht:\n\n{facts}", "Das weiß ich jetzt nicht mehr:\n\n{facts}"),
        "nothing_to_forget": ("Davon hatte ich mir nichts gemerkt; es gibt nichts zu löschen.",),
        "all_forgotten": (
            "Erledigt. Alles, was ich über Sie wusste, ist gelöscht. Ich helfe Ihnen gern weiter.",
        ),
        "corrected": ("Danke für die Richtigstellung. Jetzt steht da:\n\n{facts}",),
        "noted": ("Danke, das habe ich mir notiert:\n\n{facts}",),
        "kept_out": ("Verstanden, das merke ich mir nicht.",),
        "not_kept": (
            "Ich weiß leider nicht, welche meiner Notizen gemeint ist. Fragen Sie „Was weißt du über mich?“, dann sehen Sie alle.",
        ),
    },
}
_SECOND_PERSON: Final = {"is": "are", "has": "have", "does": "do", "was": "were"}
_VERBS: Final = re.compile(
    r"^(?:wants|needs|likes|lives|prefers|uses|wears|runs|owns|eats|says|had|bought|ordered|purchased|received|cannot|is|has|does)\b"
)


def reply_to(kind: ReplyKind, language: str, values: Sequence[str] = (), seed: str = "") -> str:
    """Return a reply that lists values in plain words. `seed` chooses the wording, the same for the same."""
    wordings = REPLIES.get(language, REPLIES["en"])[kind]
    shown = [f"- {spoken(value)}" for value in values[:MOST_LISTED]]
    if len(values) > MOST_LISTED:
        more = len(values) - MOST_LISTED
        shown.append(f"- and {more} more" if language == "en" else f"- und {more} weitere")
    return wordings[crc32(seed.encode()) % len(wordings)].format(facts="\n".join(shown))


def spoken(value: str) -> str:
    """Say “wants a sofa” to who wants it: “you want a sofa”."""
    if not _VERBS.match(value):
        return value
    verb, _, rest = value.partition(" ")
    if verb in _SECOND_PERSON:
        verb = _SECOND_PERSON[verb]
    elif verb.endswith("s"):
        verb = verb.removesuffix("s")
    return f"you {verb} {rest}".strip()
