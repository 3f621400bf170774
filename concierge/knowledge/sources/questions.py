"""Whether two questions ask the same, so that the answer to one answers the other. Pure.

A vector does not decide it: “Can't I return a sofa?” is nearer to “Can I return a sofa?” (0.97) than “How can I send a
sofa back?” to “How do I return a sofa?” (0.90). What must agree are the kind of question, what is denied, the numbers,
the names, and then every word that carries meaning, where customers' usual synonyms count as one word. The cosine only
keeps apart what shares words by accident. In doubt the questions are different: then the documents answer.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from concierge.knowledge.lexical import terms

Kind = Literal[
    "how", "how much", "how many", "how long", "when", "where", "who", "why", "what", "whether", "topic"
]

# Questions further apart share words by accident ("How can I pay?", "Are your employees paid well?": 0.19).
LEAST_COSINE: Final = 0.4
# Among shorter words one letter often makes another word.
MISSPELLED_LETTERS: Final = 6

_SPACE: Final = re.compile(r"\s+")
_TOKEN: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")

# What is said around a question.
_FILLER: Final = re.compile(
    r"^(?:(?:hi|hello|hey|good (?:morning|afternoon|evening)|excuse me|sorry|please|ok|okay|well|just|quick question)"
    r"(?: there| all| everyone)?[\s,.!:;–-]+)+"
    r"|\b(?:please|kindly|thanks|thank you|many thanks)\b",
)
_ASKING_TO_BE_TOLD: Final = re.compile(
    r"^(?:(?:could|can|would|will) you (?:please )?(?:tell|explain to|inform|show) me(?: about)?|"
    r"(?:i(?:['’]d| would) (?:like|love)|i want|i need) to (?:know|ask|find out)(?: about)?|"
    r"(?:do|would) you (?:happen to )?know|(?:any idea|i (?:was|am|['’]m) wondering|i wonder)|"
    r"(?:i have|i['’]ve got) a question(?: about)?|(?:please )?tell me(?: about)?)\b[\s,:]*",
)
# What leans on something that was said before: it begins like that, or points back. "Is there …" points to nothing.
_GOES_ON: Final = re.compile(
    r"^\W*(?:and|or|but|so|then|also|what about|how about|what if|in that case)\b"
    r"|\b(?:it|its|they|them|their|theirs|that|this|these|those|one|ones)\b|(?<!is )(?<!are )(?<!was )\bthere\b",
    re.IGNORECASE,
)
_SUBJECT: Final = re.compile(r"^\w+(?:n['’]t)? (\w+)")
_PERSONS: Final[Mapping[str, str]] = {"i": "i", "we": "i", "one": "i", "you": "you"}
_TO_ME: Final = re.compile(r"\b(?:me|us)\b")
_WHETHER: Final = re.compile(r"^(?:if|whether)\b\s*")
_FORGOT: Final = re.compile(r"^i (?:forgot|have forgotten|lost) my (?P<what>\w+)[,;.]? (?P<rest>.*\bit\b.*)$")

_MEANS_OF_PAYMENT: Final = (
    "paypal|klarna|visa|mastercard|amex|american express|apple pay|google pay|twint|creditcard|debit cards?|cards?|cash|"
    "invoices?|che(?:que|ck)s?|bitcoin|crypto"
)
# Several words, or spellings, of one meaning.
_PHRASES: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (r"\b(what|where|how|when|who)s\b", r"\1 is"),
        (r"\b(what|where|how|when|who|it|there)['’]s\b", r"\1 is"),
        (r"\b(?:cannot|can not|cant)\b", "can't"),
        (r"\b(?:send|give|bring|ship|take)(?P<it>(?: \w+){0,3}?) back\b", r"return\g<it>"),
        (r"\bmoney back\b", "refund"),
        (r"\b(?:get|be) in touch\b|\breach out to\b", "contact"),
        (r"\b(?:log|sign)[ -]?(?:in|on)\b", "login"),
        (r"\bgift (?:cards?|vouchers?|certificates?)\b", "giftcard"),
        (r"\bcredit cards?\b", "creditcard"),
        (r"\b(?:opening|business|office|store|shop) (?:hours|times)\b", "when open"),
        (r"\bwhat (?:time|hours) (?:are|do|does|is)\b", "when do"),
        (r"\b(?:delivery|shipping|shipment) times?\b", "how long delivery"),
        (r"\bhow (?:fast|quick|quickly|soon)\b", "how long"),
        (r"\bhow many (?:minutes|hours|days|weeks|months|years)\b", "how long"),
        (r"\b(?:is|would) (?:it|there) (?:be )?(?:possible|ok|okay|allowed|a way) (?:for me )?(?:to|if i)\b", "can i"),
        (r"\bam i (?:allowed|able) to\b|\bmay i\b|\bcould i\b", "can i"),
        (r"\bwhat (?:do i (?:have|need) to|must i|should i) do (?:in order )?to\b", "how do i"),
        (r"\b(?:what|which) (?:is|are) the (?:steps?|ways?|procedure|process)\b", "how"),
        (r"\b(?:what|which)(?P<of>(?: \w+){0,2}?) (?:methods?|ways?|options?|means)\b", r"how\g<of>"),
        (rf"\b(?:accept|take)(?= (?:{_MEANS_OF_PAYMENT})\b)", "pay with"),
        (r"\b(?:is|are) there\b", "do you have"),
        (r"\bhow come\b|\bwhat is the reason\b", "why"),
        (r"\bin stock\b", "instock"),
        (r"\b(?:make|schedule|arrange|get) an appointment\b", "book an appointment"),
        (r"\bpick(?: it| them)? up\b", "collect"),
        (r"\b(?:create|open|set up|register for) an account\b|\bsign up\b", "have an account"),
        (r"\b(?:are|is) (?P<who>you|it|they) based\b", r"are \g<who> located"),
        (r"\bdoes the price include (?P<what>.+)", r"is \g<what> included"),
        # What "you have" and "I get" is one thing; what is mine is another.
        (r"\byou (?:have|want|need|take|buy) (?:my|our)\b", "you receive my"),
        (r"\b(?:you|they) (?:currently |also |still )?(?:give|offer|sell|provide|stock|carry)\b", "you have"),
    )
)  # fmt: skip

# How a question asks, told by what it begins with or holds; the first that fits.
_KINDS: Final[tuple[tuple[str, Kind], ...]] = (
    (r"^(?:do|does|did|is|are|was|were|can|could|will|would|may|must|should|have|has|am|need)(?:n['’]t)?\b", "whether"),
    (r"\bwhy\b", "why"),
    (r"\bhow much\b|\bhow expensive\b", "how much"),
    (r"\bhow long\b", "how long"),
    (r"\bhow many\b", "how many"),
    (r"\bwhen\b|\b(?:what|which) (?:date|day)\b", "when"),
    (r"\bwho(?:m|se)?\b", "who"),
    (r"\bwhere\b|\b(?:address|location) (?:of|for)\b|^(?:what is )?(?:your|the) (?:address|location)\b", "where"),
    (r"^(?!how\b).*\b(?:costs?|prices?|pricing|charges?|fees?)\b", "how much"),
    (r"\bhow\b", "how"),
    (r"\b(?:what|which)\b", "what"),
)  # fmt: skip
# Words that say no more than the kind of question does.
_OF_KIND: Final[Mapping[Kind, frozenset[str]]] = {
    "how much": frozenset(terms("much cost price pricing charge fee expensive amount pay")),
    "how long": frozenset(terms("long take last duration time")),
    "how many": frozenset(terms("many number")),
    "when": frozenset(terms("time date day hour")),
    "where": frozenset(terms("address location located find")),
    "why": frozenset(terms("reason")),
    "how": frozenset(terms("way process procedure step")),
}
# A message of some words without a question asks about them.
_SAME_KIND: Final = frozenset({frozenset({"topic", "what"})})

_DENIALS: Final = frozenset(
    {
        "not",
        "no",
        "never",
        "none",
        "nothing",
        "nobody",
        "without",
        "unable",
        "impossible",
        "except",
        "excluding",
    }
)
# Small words that make it another question, and are not among the words that are searched.
_RELATIONS: Final = frozenset(
    {
        "before",
        "after",
        "until",
        "during",
        "over",
        "under",
        "above",
        "below",
        "within",
        "between",
        "more",
        "less",
    }
    | {"off", "out", "up", "down", "only", "again", "other", "same", "both", "most", "few", "first", "last"}
)
_DUTIES: Final = re.compile(r"\b(?:must|have to|has to|need|needs|required|obliged|mandatory|should)\b")

_SYNONYMS: Final[Mapping[str, str]] = {
    terms(word)[0]: terms(group[0])[0]
    for group in (
        words.split()
        for words in (
            "deliver ship shipping shipment delivery dispatch send post",
            "return returning",
            "refund reimburse reimbursement",
            "shop store showroom branch",
            "pay payment paying",
            "accept take",
            "warranty guarantee",
            "damaged broken defective faulty",
            "change modify edit amend alter",
            "delete close remove",
            "parcel package order purchase",
            "item product article",
            "contact call reach phone email",
            "clean wash",
            "safe secure",
            "use redeem",
            "export download",
            "subscription plan",
            "include included inclusive",
            "size dimension measurement",
            "colour color",
            "buy purchase",
            "sign register",
            "job vacancy career",
            "discount rebate",
            "student students",
        )
    )
    for word in group
}  # fmt: skip
# Words that add nothing where the rest is the same.
_LIGHT: Final = frozenset(
    terms(
        "get must need require possible available come happen thing item product article order parcel purchase something "
        "anything someone one arrive located method option accept take let like know tell currently still actually really exactly"
    )
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether two questions ask the same, and the reason as it is read in the trace."""

    same: bool
    because: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks, taken apart. `subject` is who a question of yes or no is about.
    `roles` are the words behind "from" and "to"; `names` are among `words`.
    """

    text: str
    kind: Kind
    denies: bool
    is_duty: bool
    numbers: frozenset[str]
    relations: frozenset[str]
    subject: str
    is_for_me: bool
    roles: frozenset[tuple[str, str]]
    words: frozenset[str]
    names: frozenset[str]


def same_question(asked: str, known: str, cosine: float, *, in_conversation: bool = False) -> Verdict:
    """Decide whether the answer to a known question answers what was asked; `cosine` is that of their vectors.

    Within a conversation a message that goes on from what was said before asks the same only word for word.
    """
    if key_of(asked) == key_of(known):
        return Verdict(same=True, because="It is the same question, word for word.")
    if in_conversation and _GOES_ON.search(asked):
        return Verdict(same=False, because="The message goes on from what was said before.")
    one, other = _taken_apart(asked), _taken_apart(known)
    for differ, because in _DIFFERENCES:
        if differ(one, other):
            return Verdict(same=False, because=because)
    if missing := _meant_by_one_only(one, other):
        words = ", ".join(f"“{word}”" for word in sorted(missing))
        return Verdict(same=False, because=f"Only one of the two speaks of {words}.")
    if cosine < LEAST_COSINE:
        return Verdict(same=False, because="They share words, but not what they are about.")
    return Verdict(same=True, because="Both ask the same: kind of question, numbers, names and words agree.")


def key_of(question: str) -> str:
    """A question without what does not matter to anybody: capitals, spaces, punctuation around its words."""
    return " ".join(_TOKEN.findall(question.replace("’", "'").casefold())) or question.strip()


@lru_cache(maxsize=2_048)
def _taken_apart(question: str) -> Asked:
    original = _SPACE.sub(" ", question.replace("’", "'")).strip()
    text, is_whether = _without_fillers(original.lower())
    for pattern, meaning in _PHRASES:
        text = pattern.sub(meaning, text)
    tokens = _TOKEN.findall(text)
    kind: Kind = "whether" if is_whether else _kind_of(text)
    numbers = frozenset(number for token in tokens for number in _numbers_in(token))
    names = _names_in(original)
    words = _words_of(tokens, names) - _OF_KIND.get(kind, frozenset())
    return Asked(
        text=text,
        kind=kind,
        denies=any(token in _DENIALS or token.endswith("n't") for token in tokens),
        is_duty=kind == "whether" and bool(_DUTIES.search(text)),
        numbers=numbers,
        relations=_RELATIONS & {part for token in tokens for part in token.split("-")},
        subject=_subject(text) if kind == "whether" else "",
        is_for_me=bool(_TO_ME.search(text)),
        roles=frozenset(re.findall(r"\b(from|to) (?:the |an? |my |your )?(\w+)", text)),
        words=words,
        names=names,
    )


def _without_fillers(text: str) -> tuple[str, bool]:
    """The question itself, and whether it was put as "… whether …"."""
    text = _FILLER.sub(" ", text).strip(" ,.!?;:")
    if forgot := _FORGOT.match(text):
        text = re.sub(r"\bit\b", f"my {forgot['what']}", forgot["rest"])
    told = _ASKING_TO_BE_TOLD.sub("", text)
    whether = told != text and bool(_WHETHER.match(told))
    return _WHETHER.sub("", told).strip() if whether else told.strip(), whether


def _kind_of(text: str) -> Kind:
    found: Kind | None = next((kind for pattern, kind in _KINDS if re.search(pattern, text)), None)
    return found or "topic"


_NUMBER_WORDS: Final = {
    word: str(number)
    for number, word in enumerate(
        ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=2
    )
}


def _numbers_in(token: str) -> list[str]:
    """Its numbers, also as words and in front of a hyphen: "2-seater", "two-seater"."""
    spelled = [_NUMBER_WORDS[part] for part in token.split("-") if part in _NUMBER_WORDS]
    return [*re.findall(r"\d+", token), *spelled]


def _names_in(original: str) -> frozenset[str]:
    """Words with a capital inside a sentence, in the form in which they are searched; none where all is in capitals."""
    if original.isupper():
        return frozenset()
    found = re.findall(r"(?<=[\w,;] )[A-Z][\w'-]*|\b[a-z]+[A-Z]\w*|\b[A-Z]+[a-z]+[A-Z]\w*", original)
    return frozenset(
        term for name in found if name not in {"I", "I'm", "I'd", "I've", "I'll"} for term in terms(name)
    )


def _words_of(tokens: list[str], names: frozenset[str]) -> frozenset[str]:
    words: set[str] = set()
    for token in tokens:
        for part in token.split("-"):
            if part in _NUMBER_WORDS or part.isdigit() or part in _RELATIONS or part in _DENIALS:
                continue
            words.update(term if term in names else _SYNONYMS.get(term, term) for term in terms(part))
    return frozenset(words) - {"how", "many", "much", "long"}


def _differ_in_kind(one: Asked, other: Asked) -> bool:
    return one.kind != other.kind and frozenset({one.kind, other.kind}) not in _SAME_KIND


def _subject(text: str) -> str:
    """Who a question of yes or no is about: I, you, or somebody or something else."""
    found = _SUBJECT.search(text)
    return _PERSONS.get(found[1], "other") if found else ""


def _differ_in_subject(one: Asked, other: Asked) -> bool:
    """What "you" do is often what "I" get; what I do is not what somebody else does."""
    return {one.subject, other.subject} == {"i", "other"}


def _differ_in_roles(one: Asked, other: Asked) -> bool:
    """Whether "from" one is "to" the other."""
    return any(("to" if role == "from" else "from", word) in other.roles for role, word in one.roles)


_DIFFERENCES: Final[tuple[tuple[Callable[[Asked, Asked], bool], str], ...]] = (
    (_differ_in_kind, "They are different kinds of question."),
    (lambda one, other: one.denies != other.denies, "One of them denies what the other does not."),
    (lambda one, other: one.numbers != other.numbers, "Their numbers differ."),
    (lambda one, other: one.is_duty != other.is_duty, "One asks what is allowed, the other what is required."),
    (lambda one, other: one.relations != other.relations, "A small word (before, after, only …) makes it another question."),
    (_differ_in_subject, "They ask about different people."),
    (lambda one, other: one.is_for_me != other.is_for_me, "One asks what I do, the other what is done to me."),
    (_differ_in_roles, "“From” and “to” are exchanged."),
)  # fmt: skip


def _meant_by_one_only(one: Asked, other: Asked) -> set[str]:
    """The words that make the questions different: not the light ones, nor what is only misspelled."""
    names = one.names | other.names
    missing = {word for word in one.words - other.words if word in names or word not in _LIGHT}
    extra = {word for word in other.words - one.words if word in names or word not in _LIGHT}
    alike = bool(one.words & other.words)
    for word in sorted(missing - names):
        meant = next((known for known in sorted(extra - names) if _is_misspelling(word, known)), None)
        if meant is not None:
            alike = True
            missing.discard(word)
            extra.discard(meant)
    # Where no word is shared, light ones do count: "Is it possible?" is not "Is it available?".
    return missing | extra if alike else set(one.words ^ other.words)


def _is_misspelling(one: str, other: str) -> bool:
    """Whether two words of six letters or more differ by one letter: left out, changed, or changed places with the next."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < MISSPELLED_LETTERS or len(longer) - len(shorter) > 1 or shorter[0] != longer[0]:
        return False
    at = next((i for i, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    if len(shorter) < len(longer):
        return shorter[at:] == longer[at + 1 :]
    exchanged = shorter[at + 1 : at + 2] + shorter[at : at + 1] + shorter[at + 2 :]
    return longer[at + 1 :] == shorter[at + 1 :] or longer[at:] == exchanged
