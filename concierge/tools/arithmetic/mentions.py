"""Which products a message names: by a whole name, or by words that only one of them has. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from concierge.tools.arithmetic.order import PricedRow
from concierge.tools.arithmetic.tokens import Token, tokens_of, vocabulary

_UMLAUT: Final = re.compile("[äöüß]")
_PLAIN: Final = str.maketrans("äöü", "aou")
_ENDINGS: Final = ("", "e", "en", "n", "s")
# Plurals in -er that change no vowel. Any other word in -er is another word: Palmer is not Palm.
_IN_ER: Final = frozenset({"bilder", "bretter", "lichter", "schilder", "kleider", "felder"})


@dataclass(frozen=True, slots=True)
class Mention:
    """Tokens `start` to `end` name a row. `is_many` says that they do in a plural that the row's own name has not.

    `numbers` are those in names that begin alike: who says "160 Lagoon tables" may mean one of the “Lagoon Table 160”.
    """

    row: PricedRow
    start: int
    end: int
    is_many: bool
    numbers: frozenset[str]


class UnsureError(Exception):
    """Something is named that could be several products."""


@dataclass(frozen=True)
class _Name:
    row: PricedRow
    words: tuple[str, ...]

    @cached_property
    def telling(self) -> frozenset[str]:
        """The words of the name that mean something by themselves."""
        known = vocabulary().words
        return frozenset(word for word in self.words if word not in known and not word.isdigit())


def mentions_of(tokens: Sequence[Token], rows: Sequence[PricedRow]) -> list[Mention]:
    """The rows that the tokens name, in order. Errors: UnsureError."""
    names = [_Name(row, words) for row in rows for name in row.names if (words := _words(name))]
    names.sort(key=lambda name: -len(name.words))
    texts = [token.text for token in tokens]
    is_german = not vocabulary().german.isdisjoint(texts) or any(_UMLAUT.search(text) for text in texts)
    finder = _Finder(texts, names, is_german=is_german)
    return list(finder.mentions())


def _words(name: str) -> tuple[str, ...]:
    return tuple(token.text for token in tokens_of(name))


@dataclass(frozen=True)
class _Finder:
    texts: Sequence[str]
    names: Sequence[_Name]
    is_german: bool

    def mentions(self) -> Iterator[Mention]:
        place = 0
        while place < len(self.texts):
            found = self._whole(place) or self._partial(place)
            if found is not None:
                yield found
            place = found.end if found else place + 1

    def _whole(self, start: int) -> Mention | None:
        """The longest name that begins here; of two products with one name nobody knows which is meant."""
        fitting = [name for name in self.names if self._has(name, start)]
        if not fitting:
            return None
        longest = [name for name in fitting if len(name.words) == len(fitting[0].words)]
        return self._one(longest, start, start + len(fitting[0].words))

    def _has(self, name: _Name, start: int) -> bool:
        said = self.texts[start : start + len(name.words)]
        return len(said) == len(name.words) and all(map(self._same, said, name.words))

    def _partial(self, start: int) -> Mention | None:
        """As many words as belong to one and the same name."""
        fitting: Sequence[_Name] = self.names
        end = start
        while end < len(self.texts):
            narrower = [name for name in fitting if self._in(self.texts[end], name)]
            if not narrower:
                break
            fitting, end = narrower, end + 1
        return self._one(fitting, start, end) if end > start else None

    def _in(self, said: str, name: _Name) -> bool:
        return any(self._same(said, word) for word in name.telling)

    def _one(self, names: Sequence[_Name], start: int, end: int) -> Mention:
        rows: Mapping[str, PricedRow] = {name.row.id: name.row for name in names}
        if len(rows) != 1:
            raise UnsureError
        own = {word for name in names for word in name.words}
        said = self.texts[start:end]
        numbers = {
            word
            for name in self.names
            if all(any(self._same(text, word) for word in name.words) for text in said)
            for word in name.words
            if word.isdigit()
        }
        is_many = not own.issuperset(said)
        return Mention(names[0].row, start, end, is_many, frozenset(numbers))

    def _same(self, said: str, word: str) -> bool:
        return (
            said == word
            or _is_english_plural(said, word)
            or (self.is_german and _is_german_plural(said, word))
        )


def _is_english_plural(said: str, word: str) -> bool:
    return len(word) > 2 and said in {
        f"{word}s",
        f"{word}es",
        f"{word[:-1]}ies" if word.endswith("y") else "",
        f"{word.removesuffix('e').removesuffix('f')}ves" if word.endswith(("f", "fe")) else "",
    }


def _is_german_plural(said: str, word: str) -> bool:
    """With an umlaut or without: Tisch and Tische, Stuhl and Stühle, Brett and Bretter."""
    if len(word) < 4:
        return False
    plain = said.translate(_PLAIN)
    endings = _ENDINGS if plain == said and said not in _IN_ER else (*_ENDINGS, "er", "ern")
    return plain in {f"{word.translate(_PLAIN)}{ending}" for ending in endings}
