"""What a sentence states: one value of a kind, what it is about, and what it stands under. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from concierge.knowledge.contradictions.values import ADDRESS, Kind, Value, holds_number, values_of
from concierge.knowledge.lexical import terms

_BARE_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATION = re.compile(r"\b(?:not|no|never|none|without|cannot|\w+n['’]t)\b", re.IGNORECASE)
# Titles that do not say what a page is about.
GENERAL = frozenset(
    terms(
        "FAQ frequently asked questions answers help support overview information general details guide policy policies "
        "terms conditions introduction summary page home document version updated new old draft"
    )
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence with one value of a kind. `about` are its other words, `title` and `headings` those it stands under.

    `numbers` are those that are no value: versions, the numbers of examples and rows.
    """

    document_id: UUID
    start: int
    end: int
    text: str
    value: Value
    negated: bool
    about: frozenset[str]
    numbers: frozenset[str]
    title: frozenset[str]
    headings: frozenset[str]
    dated: datetime | None
    credibility: float  # 1 and above for an authoritative source

    @property
    def subject(self) -> frozenset[str]:
        return self.about | self.title | self.headings


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a document, `start` to `end` in its text, with what the document says of itself."""

    document_id: UUID
    start: int
    end: int
    text: str
    title: str
    headings: Sequence[str] = ()
    dated: datetime | None = None
    authoritative: bool = False
    credibility: float = 0.5


def statements_of(sentence: Sentence) -> Iterator[Statement]:
    """Yield a statement for each kind of value that the sentence has exactly one of."""
    if not holds_number(sentence.text):
        return
    text = ADDRESS.sub(lambda match: " " * len(match.group()), sentence.text)
    found = values_of(text)
    if not found:
        return
    kinds: dict[tuple[Kind, str], list[Value]] = defaultdict(list)
    for value, _, _ in found:
        kinds[value.kind, value.unit].append(value)
    rest = text
    for _, start, end in sorted(found, key=lambda entry: -entry[1]):
        rest = f"{rest[:start]} {rest[end:]}"
    about, numbers = _words(rest), frozenset(_BARE_NUMBER.findall(rest))
    title, headings = _names(sentence.title), _names(" ".join(sentence.headings))
    for values in kinds.values():
        if len(values) == 1:
            yield Statement(
                document_id=sentence.document_id,
                start=sentence.start,
                end=sentence.end,
                text=sentence.text,
                value=values[0],
                negated=bool(_NEGATION.search(text)),
                about=about,
                numbers=numbers,
                title=title,
                headings=headings,
                dated=sentence.dated,
                credibility=1.0 + sentence.credibility if sentence.authoritative else sentence.credibility,
            )


def _words(text: str) -> frozenset[str]:
    return frozenset(term for term in terms(text) if not term.isdigit())


@lru_cache(maxsize=4096)  # Titles and headings stand over many sentences.
def _names(text: str) -> frozenset[str]:
    return _words(text) - GENERAL
