"""Makes a sentence stand alone: drops an opening connective, puts the subject in place of a pronoun when it is certain.

Only these changes are ever made to a sentence's words. When the subject is not certain the sentence before it is
needed, and the caller decides whether to show it or to leave the sentence out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from concierge.chat.writers.structure import Unit
from concierge.knowledge.lexical import terms

_CONNECTIVE = re.compile(
    r"^(?:(?:However|Moreover|Furthermore|In addition|Additionally|Also|Besides|Therefore|Thus|Hence|Consequently|"
    r"As a result|Nevertheless|Nonetheless|Meanwhile|Likewise|Similarly|Finally|Secondly|Thirdly|For example|"
    r"For instance|In fact|Indeed|In turn|Of course|That said|Still|Instead),\s+|(?:And|But)\s+(?!also\b|not\b))"
)
_NEEDS_OTHER = re.compile(r"^(?:Instead|For example|For instance|In turn|That said|As a result|Still),")
_AUXILIARY = (
    r"is|are|was|were|has|have|had|can|cannot|could|will|would|may|might|must|should|does|do|did|isn['’]t|aren['’]t|"
    r"won['’]t|can['’]t|doesn['’]t|don['’]t"
)
_SINGULAR = r"is|was|has|comes|costs|lasts|takes|includes|fits|stands|ships|arrives|carries|needs|covers|uses|offers|provides|allows|lets|supports|means|makes|gives|contains|works|runs|weighs|holds"
_PLURAL = r"are|were|have|come|cost|last|take|include|fit|stand|ship|arrive|carry|need|cover|use|offer|provide|allow|let|support|mean|make|give|contain|work|run|weigh|hold"
_PRONOUN = re.compile(
    r"^(?P<word>It|They|He|She|Its|Their|His|Her|Him|Them)(?P<short>['’](?:s|re|ve|ll|d))?\b"
)
_BARE = re.compile(
    rf"^(?:This|That|These|Those|Such|Both|Each|Neither|Either|The (?:former|latter)|Some|Others|Another|One|Most|Many|All)\s+"
    rf"(?:also\s+|usually\s+|often\s+|then\s+)?(?:{_AUXILIARY}|{_SINGULAR}|{_PLURAL}|of (?:these|them|those)|led|made|became|began|caused|meant|gave|happens|applies|apply|ensures|helps|includes|occurs|occurred|resulted|follows|followed)\b"
)
_SUCH = re.compile(
    r"^(?:Such|In (?:this|that|these|those|such) (?:case|cases|way|context|respect|event|situation)s?|After (?:this|that)|Before (?:this|that)|"
    r"Because of (?:this|that)|Due to (?:this|that)|At (?:this|that) (?:time|point)|During this (?:time|period)|By then|Since then|Then|Here|There,|Otherwise|If so|If not|Afterwards?|Later|"
    r"The same|In (?:his|her|their|its)\b|According to (?:him|her|them|it)\b|As (?:he|she|they|it)\b|When (?:he|she|they|it)\b|While (?:he|she|they|it)\b|If (?:it|they)\b)"
)
_SUBJECT = re.compile(
    rf"^(?P<subject>(?:(?:The|A|An|Our|Your|Each|Every)\s+)?[\w$][\w'’/-]*(?:\s+[\w'’/-]+){{0,4}}?)\s+(?P<verb>{_SINGULAR}|{_PLURAL}|can|will|may|must|should|also)\b"
)
_INSIDE = re.compile(
    r"\b(and|or|of|in|on|for|with|to|from|by|at|that|which|who|if|when|as|it|they|this|these|there)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"^(?:[A-Z][\w'’.-]+)(?:\s+(?:of|the|de|von|van|[A-Z][\w'’.-]+)){0,4}$")
_CHAIN = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """How a unit reads alone. `needs_previous`: it leans on the unit before it. `source` is the unit a subject came
    from, or None when the title or a heading named it.
    """

    text: str
    needs_previous: bool = False
    replaced: tuple[str, str] | None = None
    source: Unit | None = None


def capital(text: str) -> str:
    """A capital first letter, unless the first word is written with its own capitals (iPhone, npm-run)."""
    first = text.split(" ", 1)[0]
    if any(letter.isupper() for letter in first[1:]) or "`" in first or "/" in first or "_" in first:
        return text
    return text[:1].upper() + text[1:]


def without_connective(text: str) -> str:
    found = _CONNECTIVE.match(text)
    return capital(text[found.end() :]) if found else text


def stands_alone(unit: Unit, before: Sequence[Unit], title: str) -> Standing:
    """`before` holds the units above `unit` in its passage, nearest last."""
    text = without_connective(unit.text)
    if not unit.whole:
        return Standing(text, needs_previous=True)
    pronoun = _PRONOUN.match(text)
    if pronoun:
        return _with_subject(unit, text, pronoun, before, title)
    leans = bool(_BARE.match(text) or _SUCH.match(text) or _NEEDS_OTHER.match(unit.text))
    return Standing(text, needs_previous=leans)


def _with_subject(
    unit: Unit, text: str, pronoun: re.Match[str], before: Sequence[Unit], title: str
) -> Standing:
    word = pronoun["word"]
    subject, source = _certain_subject(unit, word, before, title)
    if subject is None or pronoun["short"] not in {None, "'s", "’s"}:
        return Standing(text, needs_previous=True)
    if pronoun[
        "short"
    ]:  # "It's" may be "it is" or "it has"; the clitic is kept, for it reads well after a name.
        return Standing(f"{subject}{text[len(word) :]}", replaced=(word, subject), source=source)
    if word in {"Its", "Their", "His"} or (word == "Her" and _possesses(text)):
        subject += "’" if subject.endswith("s") else "’s"
    return Standing(subject + text[len(word) :], replaced=(word, subject), source=source)


def _possesses(text: str) -> bool:
    return not re.match(rf"^Her\s+(?:{_AUXILIARY})\b", text)


def _certain_subject(
    unit: Unit, word: str, before: Sequence[Unit], title: str
) -> tuple[str | None, Unit | None]:
    """The subject of the sentence before, if it names the topic of the page or, for a person, a name and no other."""
    above = [other for other in before if other.block == unit.block and other.kind == "prose"][-_CHAIN:]
    for other in reversed(above):
        text = without_connective(other.text)
        if _PRONOUN.match(text) and text.startswith(word.replace("Its", "It").replace("Their", "They")[:2]):
            continue  # The same pronoun again: the subject stands further up.
        found = _SUBJECT.match(text)
        if found and _agrees(found, word) and _is_topic(found["subject"], word, (title, *unit.headings)):
            return _definite(found["subject"]), other
        return None, None
    return (_named_by_title(unit, word, title), None) if not above else (None, None)


def _agrees(found: re.Match[str], word: str) -> bool:
    plural = bool(re.fullmatch(_PLURAL, found["verb"]))
    singular = bool(re.fullmatch(_SINGULAR, found["verb"]))
    if _INSIDE.search(found["subject"]):
        return False
    return plural if word.startswith("Th") else singular


def _is_topic(subject: str, word: str, names: tuple[str, ...]) -> bool:
    if word in {"He", "She", "His", "Her"}:
        return bool(_NAME.match(subject)) and " " in subject and not subject.startswith(("The ", "A ", "An "))
    if word.startswith("It") and subject in {"He", "She", "They", "We", "You", "I", "It"}:
        return False
    own = set(terms(subject))
    return bool(own) and any(own & set(terms(name)) for name in names)


def _definite(subject: str) -> str:
    return re.sub(r"^(?:An?|Each|Every)\s", "The ", subject)


def _named_by_title(unit: Unit, word: str, title: str) -> str | None:
    """A page about one thing ("Palma sofa") names the "It" that opens one of its sections."""
    words = title.split()
    if (
        word not in {"It", "Its"}
        or not 1 <= len(words) <= 4
        or _INSIDE.search(title)
        or not title.replace(" ", "").isalnum()
    ):
        return None
    if unit.headings and unit.headings[-1] != title:
        return None
    if words[-1].endswith("s") or not words[0][:1].isupper():
        return None
    return title if words[-1][:1].isupper() else f"The {title}"
