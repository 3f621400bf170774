"""Words and phrases that speak for a value, from the lexicons beside this module. Pure once they are read.

A lexicon is a text file named after its dimension. A line says what its phrases speak for, how much, and the phrases:

    frustrated 1.5: fed up with | sick of | keep* failing | not _ working

Words match whole and folded (see `concierge.intelligence.tokens.folded`); `keep*` also matches what begins so, `_` stands
for any one word. Where phrases of one dimension overlap, the longest counts. A phrase after "not", "never" or "without"
is marked as denied, unless it says so itself; what that means is each dimension's to decide.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from concierge.intelligence.tokens import DENYING, Token

# How many words after a denial it still reaches.
_REACH: Final = 4
MOST_CUES: Final = 60  # A message says what it says in fewer, or says nothing.
_ANY: Final = "_"
_SHORTEST_MISSPELT: Final = 6
_PREFIX_CHARS: Final = 3


@dataclass(frozen=True, slots=True)
class Phrase:
    speaks_for: str
    weight: float
    words: tuple[str, ...]

    @property
    def denies(self) -> bool:
        return self.words[0] in DENYING


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase found in a message, at characters `start` to `end`."""

    phrase: Phrase
    start: int
    end: int
    denied: bool

    @property
    def speaks_for(self) -> str:
        return self.phrase.speaks_for

    @property
    def weight(self) -> float:
        return self.phrase.weight


class Lexicon:
    """The phrases of one dimension, found in time that depends on the message alone."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._alone: dict[
            str, list[Phrase]
        ] = {}  # By the first word: of one word, or of who knows which next.
        self._pairs: dict[tuple[str, str], list[Phrase]] = {}  # By the first two words.
        self._prefixes: dict[str, list[Phrase]] = {}
        self._known: dict[str, None] = {}
        for phrase in phrases:
            word, *others = phrase.words
            if word.endswith("*"):
                self._prefixes.setdefault(word[:_PREFIX_CHARS], []).append(phrase)
                continue
            self._known[word] = None
            if others and others[0] != _ANY and not others[0].endswith("*"):
                self._pairs.setdefault((word, others[0]), []).append(phrase)
            else:
                self._alone.setdefault(word, []).append(phrase)
        self._misspelt = _misspellings(self._known)

    def find(self, words: Sequence[Token], denied: frozenset[int]) -> list[Cue]:
        """Return the cues among a message's words and pictures, in their order; `denied` is what `denied_words` says."""
        found = sorted(self._matches(words), key=lambda match: -len(match[1].words))
        taken: set[int] = set()
        cues: list[Cue] = []
        for start, phrase in found:
            places = range(start, start + len(phrase.words))
            if taken.isdisjoint(places):
                taken.update(places)
                first, last = words[start], words[places[-1]]
                is_denied = not phrase.denies and first.start in denied
                cues.append(Cue(phrase, first.start, last.end, is_denied))
        return sorted(cues[:MOST_CUES], key=lambda cue: cue.start)

    def _matches(self, words: Sequence[Token]) -> Iterator[tuple[int, Phrase]]:
        following = [*(token.text for token in words[1:]), ""]
        for place, (token, after) in enumerate(zip(words, following, strict=False)):
            for phrase in self._candidates(token.text, after):
                if len(phrase.words) == 1 or _fits(phrase.words, words, place):
                    yield place, phrase

    def _candidates(self, word: str, after: str) -> Iterator[Phrase]:
        meant = word if word in self._known else self._misspelt.get(word)
        if meant is not None:
            yield from self._alone.get(meant, ())
            yield from self._pairs.get((meant, after), ())
        for phrase in self._prefixes.get(word[:_PREFIX_CHARS], ()):
            if word.startswith(phrase.words[0][:-1]):
                yield phrase


@cache
def lexicon(dimension: str) -> Lexicon:
    """The lexicon of a dimension, read once."""
    path = files("concierge.intelligence") / "lexicons" / f"{dimension}.txt"
    return Lexicon(parsed(path.read_text("utf-8")))


def parsed(text: str) -> Iterator[Phrase]:
    """Raises ValueError, with the line, for a line that is none."""
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        head, _, phrases = line.partition(":")
        speaks_for, weight = head.split()
        for phrase in phrases.split("|"):
            words = tuple(phrase.split())
            if not words:
                raise ValueError(f"there is an empty phrase in: {line}")
            yield Phrase(speaks_for, float(weight), words)


def _fits(pattern: Sequence[str], words: Sequence[Token], place: int) -> bool:
    if place + len(pattern) > len(words):
        return False
    return all(
        _same(wanted, words[place + step].text) for step, wanted in enumerate(pattern[1:], 1)
    ) and _unbroken(words, place, len(pattern))


def _same(wanted: str, word: str) -> bool:
    if wanted.endswith("*"):
        return word.startswith(wanted[:-1])
    return wanted in {_ANY, word}


def _unbroken(words: Sequence[Token], place: int, length: int) -> bool:
    """A phrase stands in one piece: there is little room between its words."""
    return all(words[step + 1].start - words[step].end <= 3 for step in range(place, place + length - 1))


def denied_words(all_tokens: Sequence[Token]) -> frozenset[int]:
    """The words, by where they start, that a denial in their clause reaches."""
    reach = 0
    reached: list[int] = []
    for token in all_tokens:
        if token.text in DENYING:
            reach = _REACH
        elif token.ends_clause or token.text == "but":
            reach = 0
        elif reach:
            reached.append(token.start)
            reach -= 1
    return frozenset(reached)


def _misspellings(first: Mapping[str, object]) -> dict[str, str]:
    """Slips of the hand by the word that was meant: a letter left out, or two that changed places.

    Only of words long enough that the slip is hardly another word.
    """
    slips: dict[str, str] = {}
    for word in first:
        if len(word) >= _SHORTEST_MISSPELT and word.isalpha() and word.isascii():
            for place in range(1, len(word)):
                slips[word[:place] + word[place + 1 :]] = word
                slips[word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :]] = word
    for word in first:
        slips.pop(word, None)
    return slips
