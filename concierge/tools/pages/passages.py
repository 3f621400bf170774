"""Cut the text of a page into passages on the borders of its paragraphs. Pure."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from concierge.kit.sentences import sentence_spans
from concierge.kit.text import normalize

LONGEST_PASSAGE: Final = 1_200
MOST_PASSAGES: Final = 8


def passages_of(text: str) -> list[str]:
    """The first passages of a text, each of at most 1,200 characters; what is longer is cut between sentences."""
    return list(islice(_packed(_pieces(normalize(text)), "\n"), MOST_PASSAGES))


def _pieces(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        paragraph = line.strip()
        if len(paragraph) <= LONGEST_PASSAGE:
            yield from [paragraph] if paragraph else []
        else:
            sentences = [paragraph[start:end] for start, end in sentence_spans(paragraph)]
            yield from _packed((part for own in sentences for part in _shortened(own)), " ")


def _packed(pieces: Iterator[str], between: str) -> Iterator[str]:
    """As many pieces together as fit."""
    packed = ""
    for piece in pieces:
        if packed and len(packed) + len(between) + len(piece) > LONGEST_PASSAGE:
            yield packed
            packed = piece
        else:
            packed = f"{packed}{between}{piece}" if packed else piece
    if packed:
        yield packed


def _shortened(sentence: str) -> Iterator[str]:
    """A sentence, in parts between words where it is too long, and anywhere where a word is."""
    while len(sentence) > LONGEST_PASSAGE:
        cut = sentence.rfind(" ", 1, LONGEST_PASSAGE + 1)
        cut = cut if cut > 0 else LONGEST_PASSAGE
        yield sentence[:cut].rstrip()
        sentence = sentence[cut:].lstrip()
    if sentence:
        yield sentence
