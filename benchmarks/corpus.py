"""Text to search in, and questions about it: real documentation where there is some, else made up with its statistics.

Real chunks come from the public sets in the folder named by CONCIERGE_EVAL_DATA. Their vectors are those of their
opening words: real vectors, clustered as real ones are, at a third of the computing.
"""

import gzip
import hashlib
import json
import random
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from concierge.knowledge.lexical import terms
from concierge.llm.minilm import DIMENSION, MiniLM

CHUNK_CHARACTERS = 700
OPENING_CHARACTERS = 200
EMBEDDED_AT_ONCE = 256
DRAWN_AT_ONCE = 1_000
OPENING_SHARE, MOVED = 0.7, 0.01
MADE_UP_WORDS = 20_000
MADE_UP_TOPICS = 200
TOPIC_WORDS = 60
CONSONANTS, VOWELS = "bdfghklmnprstvz", "aeiou"

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk: its text, the terms in it, and its vector."""

    text: str
    words: Sequence[str]
    vector: FloatArray


class Material(Protocol):
    """What a pack is made of. `identity` tells one material from another."""

    def __len__(self) -> int: ...

    @property
    def identity(self) -> str: ...

    def pieces(self) -> Iterator[Piece]: ...


@dataclass(frozen=True, slots=True)
class Corpus:
    """Chunks and questions with their vectors: (chunks, 384) and (questions, 384), all of length 1."""

    name: str
    texts: Sequence[str]
    vectors: FloatArray
    questions: Sequence[str]
    question_vectors: FloatArray

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def identity(self) -> str:
        return f"{self.name} {len(self)} {hashlib.sha256(self.vectors[:100].tobytes()).hexdigest()}"

    def pieces(self) -> Iterator[Piece]:
        for text, vector in zip(self.texts, self.vectors, strict=True):
            yield Piece(text, terms(text), vector)

    def first(self, count: int) -> "Corpus":
        return replace(self, texts=self.texts[:count], vectors=self.vectors[:count])


@dataclass(frozen=True, slots=True)
class Halves:
    """The chunks of a corpus cut in two, with the terms of each half: what mixtures are made from."""

    corpus: Corpus
    openings: Sequence[tuple[str, Sequence[str]]]
    closings: Sequence[tuple[str, Sequence[str]]]

    @classmethod
    def of(cls, corpus: Corpus) -> Self:
        halves = [_halves(text) for text in corpus.texts]
        return cls(
            corpus,
            [(opening, terms(opening)) for opening, _ in halves],
            [(closing, terms(closing)) for _, closing in halves],
        )


@dataclass(frozen=True, slots=True)
class Mixture:
    """`count` made-up chunks: the opening of one real chunk, the closing of another, and a vector between theirs, moved
    a little. Nothing of it is held in memory, so there may be any number of them.
    """

    halves: Halves
    count: int
    seed: int

    def __len__(self) -> int:
        return self.count

    @property
    def identity(self) -> str:
        return f"mixture {self.count} {self.seed} of {self.halves.corpus.identity}"

    def pieces(self) -> Iterator[Piece]:
        draw = np.random.default_rng(self.seed)
        vectors = self.halves.corpus.vectors
        for first in range(0, self.count, DRAWN_AT_ONCE):
            size = min(DRAWN_AT_ONCE, self.count - first)
            one, other = draw.integers(0, len(vectors), (2, size))
            noise = draw.standard_normal((size, DIMENSION)).astype(np.float32) * MOVED
            mixed = _unit(OPENING_SHARE * vectors[one] + (1 - OPENING_SHARE) * vectors[other] + noise)
            for row, (begin, end) in enumerate(zip(one.tolist(), other.tolist(), strict=True)):
                opening, words = self.halves.openings[begin]
                closing, more_words = self.halves.closings[end]
                yield Piece(f"{opening}{closing}", [*words, *more_words], mixed[row])


def real_corpus(data: Path, count: int, model: MiniLM, cache: Path) -> Corpus:
    """`count` chunks of real documentation; their vectors are kept in `cache`."""
    texts: list[str] = list(dict.fromkeys(_documentation(data)))
    random.Random(1).shuffle(texts)
    texts = texts[:count]
    questions = list(_questions(data))
    kept = cache / f"vectors-{len(texts)}.npy"
    if not kept.exists():
        np.save(kept, _embedded([text[:OPENING_CHARACTERS] for text in texts], model))
    return Corpus("real documentation", texts, np.load(kept), questions, _embedded(questions, model))


def made_up_corpus(count: int, questions: int = 200) -> Corpus:
    """Words that follow Zipf's law, in topics; vectors that cluster around their topic's."""
    draw = np.random.default_rng(1)
    topics = draw.standard_normal((MADE_UP_TOPICS, DIMENSION)).astype(np.float32)
    own_words = draw.integers(0, MADE_UP_WORDS, (MADE_UP_TOPICS, TOPIC_WORDS))
    chunk_topics = draw.integers(0, MADE_UP_TOPICS, count)
    question_topics = draw.integers(0, MADE_UP_TOPICS, questions)
    texts = [_sentence(draw, own_words[topic], int(draw.integers(50, 130))) for topic in chunk_topics]
    asked = [_sentence(draw, own_words[topic], int(draw.integers(5, 12))) for topic in question_topics]
    return Corpus(
        "made-up words",
        texts,
        _scattered(draw, topics[chunk_topics]),
        asked,
        _scattered(draw, topics[question_topics]),
    )


def _embedded(texts: Sequence[str], model: MiniLM) -> FloatArray:
    portions = range(0, len(texts), EMBEDDED_AT_ONCE)
    shown = track(portions, description="Embedding", transient=True) if len(portions) > 8 else portions
    return np.concatenate([model.embed(texts[start : start + EMBEDDED_AT_ONCE]) for start in shown])


def _documentation(data: Path) -> Iterator[str]:
    for name in ("awsdocs_qa", "docs_railway"):
        with tarfile.open(data / name / "docs_md.tar.gz") as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is not None:
                    yield from _pieces(content.read().decode(errors="replace"))
    with gzip.open(data / "mtrag_cloud" / "passages.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield from _pieces(json.loads(line)["text"])


def _pieces(text: str) -> Iterator[str]:
    """Paragraphs gathered into pieces of about the size of a chunk."""
    piece = ""
    for paragraph in re.split(r"\n\s*\n", text.replace("\0", "")):
        if piece and len(piece) + len(paragraph) > CHUNK_CHARACTERS:
            yield piece
            piece = ""
        piece = f"{piece}\n\n{paragraph}".strip()[: 2 * CHUNK_CHARACTERS]
    if len(piece) > 40:
        yield piece


def _questions(data: Path) -> Iterator[str]:
    with (data / "awsdocs_qa" / "dev.jsonl").open(encoding="utf-8") as lines:
        yield from (json.loads(line)["question"] for line in lines)
    with (data / "mtrag_cloud" / "dev.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield row["question"]


def _halves(text: str) -> tuple[str, str]:
    """Cut where a sentence ends near the middle, or else a word."""
    middle = len(text) // 2
    sentence = text.find(". ", middle - CHUNK_CHARACTERS // 8, middle + CHUNK_CHARACTERS // 8)
    cut = sentence + 2 if sentence >= 0 else text.find(" ", middle) + 1
    return text[:cut], text[cut:]


def _sentence(draw: np.random.Generator, own_words: NDArray[np.int64], length: int) -> str:
    common = np.minimum(draw.zipf(1.1, length) - 1, MADE_UP_WORDS - 1)
    words = np.where(draw.random(length) < 0.3, draw.choice(own_words, length), common)
    return " ".join(_word(int(word)) for word in words)


def _word(number: int) -> str:
    """A word one can say, the same for the same number."""
    parts: list[str] = []
    number += 400
    while number:
        number, digit = divmod(number, len(CONSONANTS) * len(VOWELS))
        consonant, vowel = divmod(digit, len(VOWELS))
        parts.append(CONSONANTS[consonant] + VOWELS[vowel])
    return "".join(parts)


def _scattered(draw: np.random.Generator, centres: FloatArray) -> FloatArray:
    return _unit(centres + 1.2 * draw.standard_normal(centres.shape).astype(np.float32))


def _unit(vectors: NDArray[Any]) -> FloatArray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
