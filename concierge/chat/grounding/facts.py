"""What a sentence says, as it compares: its words, values, names, addresses, and what turns it round. Pure, cached by text."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Final

from concierge.chat.grounding.polarity import Clause, clauses_of, without_prefixes, without_turns
from concierge.chat.grounding.values import Stated, Valued, valued
from concierge.chat.grounding.vocabulary import LIGHT, SYNONYMS, stems

_NAME = re.compile(r"(?<=[\w,;)\]’'\"”%&/|-] )[\"“‘(*_]{0,3}(?!I\b|I['’])([A-Z][\w’'.-]*\w|[A-Z])")
_BETWEEN = re.compile(r"[,;|]|\b(?:and|but|while|or|whereas)\b", re.IGNORECASE)
_CELL = re.compile(r"\|")
VERB: Final = (
    r"is|are|was|were|be|been|has|have|had|can|cannot|could|will|would|may|might|must|should|shall|does|do|did|\w+n['’]t|"
    r"becomes?|became|costs?|takes?|took|lasts?|comes?|came|includes?|included|contains?|contained|offers?|offered|provides?|provided|"
    r"allows?|allowed|supports?|supported|means?|meant|makes?|made|gives?|gave|works?|worked|runs?|ran|needs?|needed|uses?|used|requires?|"
    r"required|applies|apply|applied|begins?|began|starts?|started|ends?|ended|stands?|stood|holds?|held|covers?|covered|ships?|shipped|"
    r"arrives?|arrived|weighs?|weighed|measures?|fits?|goes|went|gets?|got|shows?|showed|returns?|returned|sends?|sent|creates?|created|"
    r"helps?|helped|lets?|keeps?|kept|stays?|stayed|remains?|remained|calls?|called|named|says?|said|wrote|led|won|lost|lived|died|grew|rose|"
    r"fell|ruled|served|played|joined|founded|built|moved|settled|refers?|describes?|defines?|specif(?:y|ies)|determines?|displays?|returns?|"
    r"stores?|stored|deploys?|deployed|triggers?|triggered|sets?|updates?|updated|deletes?|deleted|adds?|added|represents?|receives?|received|"
    r"expires?|expired|renews?|follows?|followed|depends?|consists?|exists?|happens?|happened|occurs?|occurred|appears?|appeared|seems?|"
    r"enables?|enabled|ensures?|prevents?|pays?|paid|charges?|charged|earns?|earned|qualif(?:y|ies)|opens?|opened|closes?|closed"
)
_VERB = re.compile(rf"\b(?:{VERB})\b", re.IGNORECASE)
_PERSON = re.compile(r"\b(?:we|you|they|it|he|she|i)\s+(?:also\s+|then\s+|only\s+)?[a-z]+", re.IGNORECASE)
_NO_NAMES: Final = frozenset({"yes", "no", "ok", "i", "note", "not"})
_SUBJECT_WORDS = 12


@dataclass(frozen=True, eq=False)
class Facts:
    """What a text says, each part read when it is asked for. `text` has its denials written out ("not available")."""

    text: str

    @cached_property
    def valued(self) -> Valued:
        return valued(self.text)

    @cached_property
    def terms(self) -> frozenset[str]:
        """All its stems."""
        return frozenset(stems(self.valued.text))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The stems that have to be found in a source."""
        found = stems(without_turns(self.valued.rest))
        return tuple(dict.fromkeys(word for word in found if _weighs(word) or word in self.names))

    @cached_property
    def names(self) -> frozenset[str]:
        """The stems of words with a capital that does not begin a sentence."""
        return frozenset(stems(" ".join(_NAME.findall(self.valued.text)))) - _NO_NAMES

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        return clauses_of(self.text)

    @cached_property
    def segments(self) -> tuple[frozenset[str], ...]:
        """For each value the stems that stand with it rather than with the values beside it."""
        return _segments(self.valued)

    @cached_property
    def subject(self) -> frozenset[str]:
        return _subject(self.valued.text)


@lru_cache(maxsize=4096)
def facts_of(text: str) -> Facts:
    return Facts(without_prefixes(text))


def groups_of(words: frozenset[str]) -> frozenset[int]:
    return frozenset(group for word in words for group in SYNONYMS.get(word, ()))


def _weighs(word: str) -> bool:
    return word not in LIGHT and not word.isdigit() and len(word) > 1


def _segments(known: Valued) -> tuple[frozenset[str], ...]:
    """Cut the text between neighbouring values, at the first joint there."""
    values = known.values
    if len(values) < 2:
        return (frozenset(stems(known.text)),) * len(values)
    cuts = [0]
    for one, other in pairwise(values):
        between = known.text[one.end : other.start]
        joint = _CELL.search(between) or _BETWEEN.search(between)
        cuts.append(one.end + (joint.start() if joint else 0))
    cuts.append(len(known.text))
    return tuple(
        frozenset(word for word in stems(known.text[start:end]) if _weighs(word))
        for start, end in pairwise(cuts)
    )


def _subject(text: str) -> frozenset[str]:
    """The words in front of the first verb, without knowing grammar; none where no verb is known near the beginning."""
    head = " ".join(text.split(" ", _SUBJECT_WORDS)[:_SUBJECT_WORDS])
    verb = _VERB.search(head)
    if verb is None:
        return frozenset()
    return frozenset(word for word in stems(head[: verb.start()]) if _weighs(word))


def has_verb(text: str) -> bool:
    return bool(_VERB.search(text) or _PERSON.search(text))


def values_with_segments(facts: Facts) -> list[tuple[Stated, frozenset[str]]]:
    return list(zip(facts.valued.values, facts.segments, strict=True))
