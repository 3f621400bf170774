"""A message as every dimension sees it: its words with their places, its surroundings, its vector. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from concierge.intelligence.cues import Cue, denied_words, lexicon
from concierge.intelligence.features import Features, features
from concierge.intelligence.language import Tongue, language_of
from concierge.intelligence.tokens import Token, is_shouted, tokens
from concierge.intelligence.vocabulary import Vocabulary

FloatArray = NDArray[np.float32]

# Of a longer message the opening and the closing are looked at: people say there what they want.
OPENING_CHARS: Final = 3_000
CLOSING_CHARS: Final = 1_000
EARLIER_MESSAGES: Final = 8


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the page says about the visit. `local_time` is the visitor's clock; none of it is trusted."""

    page: str = ""
    device: str = ""
    local_time: time | None = None
    language: str = ""

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> "Surroundings":
        """Read what a session context holds, whatever it holds."""
        texts = {name: value for name, value in context.items() if isinstance(value, str)}
        return cls(
            page=texts.get("current_page", "")[:2_000].lower(),
            device=texts.get("device", "")[:20].lower(),
            local_time=clock_time(texts.get("local_time", "")),
            language=texts.get("language", "")[:2].lower(),
        )


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """When people are there to help, by the visitor's clock."""

    opens: time = time(9)
    closes: time = time(18)

    def open_at(self, moment: time) -> bool:
        if self.opens <= self.closes:
            return self.opens <= moment < self.closes
        return moment >= self.opens or moment < self.closes


@dataclass(frozen=True)
class MessageView:
    """`vector` is the message's embedding, (384,), of length 1; `history` the visitor's earlier messages, oldest first;
    `vocabulary` what the organization calls things.
    """

    text: str
    vector: FloatArray | None = None
    history: Sequence[str] = ()
    surroundings: Surroundings = Surroundings()
    office_hours: OfficeHours = OfficeHours()
    vocabulary: Vocabulary = field(default_factory=Vocabulary)

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        if len(self.text) <= OPENING_CHARS + CLOSING_CHARS:
            return tokens(self.text)
        closing = len(self.text) - CLOSING_CHARS
        return (*tokens(self.text, end=OPENING_CHARS), *tokens(self.text, start=closing))

    @cached_property
    def words(self) -> tuple[Token, ...]:
        return tuple(token for token in self.tokens if token.is_word)

    @cached_property
    def units(self) -> tuple[Token, ...]:
        """What a phrase may be made of: words and pictures."""
        return tuple(token for token in self.tokens if token.is_word or token.is_pictured)

    def cues(self, dimension: str) -> list[Cue]:
        """The phrases of a dimension's lexicon in this message, looked for once."""
        found = self._cues.get(dimension)
        if found is None:
            found = self._cues[dimension] = lexicon(dimension).find(self.units, self.denied)
        return found

    @cached_property
    def denied(self) -> frozenset[int]:
        """Where words stand that a denial reaches."""
        return denied_words(self.tokens)

    @cached_property
    def _cues(self) -> dict[str, list[Cue]]:
        return {}

    @cached_property
    def earlier(self) -> tuple["MessageView", ...]:
        """The visitor's last messages before this one, oldest first."""
        return tuple(MessageView(text) for text in self.history[-EARLIER_MESSAGES:])

    @cached_property
    def trouble(self) -> tuple[Cue, ...]:
        """What the message says is wrong, and does not deny."""
        return tuple(cue for cue in self.cues("problem") if not cue.denied)

    @cached_property
    def has_question_mark(self) -> bool:
        return any("?" in token.text for token in self.tokens)

    @cached_property
    def is_shouted(self) -> bool:
        return is_shouted(self.words)

    @cached_property
    def shouted_span(self) -> tuple[int, int] | None:
        shouted = [word for word in self.words if word.shouted]
        return (shouted[0].start, shouted[-1].end) if shouted else None

    @cached_property
    def language(self) -> Tongue:
        return language_of(self.text, self.words, self.surroundings.language)

    @cached_property
    def features(self) -> Features:
        return features(self.text, self.tokens, self.cues("emotion"), self.cues("intent"))


def clock_time(text: str) -> time | None:
    """Read "22:41", "2026-05-02T22:41:00+02:00" and the like; None where there is no time."""
    found = re.search(r"(?:^|[T ])(\d{1,2}):(\d{2})", text[:100])
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2])
    return time(hour, minute) if hour < 24 and minute < 60 else None
