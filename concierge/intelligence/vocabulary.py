"""An organization's own words for things: the titles and headings of its documents, the names of its products. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from concierge.intelligence.tokens import tokens

LONGEST_NAME: Final = 6  # A title of more words is a sentence, which nobody calls a thing by.
_SMALL: Final = frozenset(
    (
        *("a", "an", "and", "at", "by", "for", "from", "how", "in", "is", "of", "on", "or", "our"),
        *("the", "to", "with", "your"),
    )
)


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """One is the same as itself alone, so that it can be part of a key.

    `names` are what things are called, by the stems of their words; `by_stem` leads from a stem to those names.
    """

    names: Mapping[frozenset[str], str] = field(default_factory=dict[frozenset[str], str])
    by_stem: Mapping[str, Sequence[frozenset[str]]] = field(
        default_factory=dict[str, Sequence[frozenset[str]]]
    )

    @classmethod
    def of(cls, names: Iterable[str]) -> Self:
        """The first of several names made of the same words wins."""
        kept: dict[frozenset[str], str] = {}
        for name in names:
            stems = stems_of([token.text for token in tokens(name[:200]) if token.is_word])
            if stems and len(stems) <= LONGEST_NAME:
                kept.setdefault(stems, name.strip())
        by_stem: dict[str, list[frozenset[str]]] = {}
        for stems in kept:
            for stem in stems:
                by_stem.setdefault(stem, []).append(stems)
        return cls(kept, by_stem)

    def name_of(self, words: Sequence[str]) -> str | None:
        """Return what the organization calls what these words name: the same words, or the one name that has them all
        and hardly more.
        """
        stems = stems_of(words)
        if not stems:
            return None
        if stems in self.names:
            return self.names[stems]
        near = [
            own
            for own in self.by_stem.get(next(iter(stems)), ())
            if stems < own and len(own) - len(stems) <= 1 and len(stems) > 1
        ]
        return self.names[near[0]] if len(near) == 1 else None


def stems_of(words: Sequence[str]) -> frozenset[str]:
    return frozenset(_stem(word) for word in words if word not in _SMALL)


def _stem(word: str) -> str:
    """Without the ending of the plural."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
