"""The words, signs and pictures of a message, each with its place. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Words that deny what follows them, in the languages a message may be in.
DENYING: Final = frozenset(
    (
        *("not", "no", "nothing", "nobody", "never", "without", "dont", "doesnt", "didnt", "isnt"),
        *("arent", "wasnt", "werent", "aint", "cant", "cannot", "couldnt", "wont", "wouldnt"),
        *("shouldnt", "havent", "hasnt", "hadnt", "hardly", "barely", "neither", "nor", "nicht"),
        *("kein", "keine", "keinen", "nie", "ohne", "pas", "jamais", "sans", "nunca", "sin", "não"),
        *("sem", "niet", "geen", "zonder", "non", "senza", "mai"),
    )
)

# What takes no room on the screen, and so may hide inside a word: joiners, marks of direction, soft hyphens.
_UNSEEN: Final = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_TOKEN: Final = re.compile(
    r"\d{1,3}(?:[.,]\d{3})+(?!\d)"  # One number, however its thousands are set apart.
    rf"|[^\W_][\w{_UNSEEN}]*(?:['’`´][\w{_UNSEEN}]+)*"  # A word or a number, with what is inside it.
    r"|[!?]+"
    r"|([\u2600-\u27bf\U0001f300-\U0001faff])\1*"  # The same picture many times is one.
    r"|[:;=][-']?[()DPpO/|\\]|<3"
    r"|[.…,;:\-–—()\n]"
)
_HIDDEN: Final = re.compile(f"[{_UNSEEN}'’`´]")
_LENGTHENED: Final = re.compile(r"([^\W\d_])\1{2,}")
_VOWEL: Final = re.compile(r"[AEIOUY]")
_ABBREVIATIONS: Final = frozenset(
    (
        *("JSON", "SAML", "OAUTH", "REST", "YAML", "AJAX", "ASCII", "SOAP", "CRUD", "CORS", "UUID"),
        *("IBAN", "NULL", "ISDN"),
    )
)
_CLAUSE_END: Final = frozenset(".…,;:!?()\n-–—")


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is folded: lower case, without apostrophes and what cannot be seen, "sooo" as "so"."""

    text: str
    start: int
    end: int
    shouted: bool = False

    @property
    def is_word(self) -> bool:
        return self.text[0].isalnum()

    @property
    def is_pictured(self) -> bool:
        """Whether it is an emoji or an emoticon."""
        return not self.is_word and (
            self.text[0] not in _CLAUSE_END or (self.text[:1] in ":;" and len(self.text) > 1)
        )

    @property
    def ends_clause(self) -> bool:
        return self.text[0] in _CLAUSE_END and not self.is_pictured


def tokens(text: str, start: int = 0, end: int | None = None) -> tuple[Token, ...]:
    stop = len(text) if end is None else end
    return tuple(_token(found) for found in _TOKEN.finditer(text, start, stop))


def is_shouted(words: Sequence[Token]) -> bool:
    """Two words in capitals that are no abbreviations, or one in a message of hardly anything else."""
    shouted = sum(word.shouted for word in words)
    return shouted >= 2 or (shouted == 1 and len(words) <= 2)


def folded(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _LENGTHENED.sub(r"\1", _HIDDEN.sub("", text).lower())


def _token(found: re.Match[str]) -> Token:
    raw = found.group()
    text = folded(raw) if raw[0].isalnum() else found[1] or raw
    shouted = len(raw) >= 4 and raw.isupper() and _VOWEL.search(raw) is not None and raw not in _ABBREVIATIONS
    return Token(text or raw, found.start(), found.end(), shouted)
