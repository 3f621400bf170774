"""A search held in memory, so that the writer can be measured alone: BM25 + cosine over the chunks of a corpus."""

import hashlib
import math
import pickle
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from concierge.chat.writers.brief import AnswerBrief
from concierge.knowledge.chunking import Chunk, late_chunks
from concierge.knowledge.lexical import idf, terms
from concierge.knowledge.schemas import Passage
from concierge.llm.minilm import MiniLM

K1, B = 1.2, 0.75
SentenceVectors = Literal["standalone", "late"]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Page:
    """A document to search: `text` is what citations quote."""

    key: str
    title: str
    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    page: Page
    chunk: Chunk


class CachedModel:
    """MiniLM with its results kept in `folder`, keyed by a hash of the texts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._model: MiniLM | None = None

    @property
    def model(self) -> MiniLM:
        self._model = self._model or MiniLM.load(self._folder / "minilm")
        return self._model

    def _path(self, kind: str, texts: Sequence[str]) -> Path:
        digest = hashlib.sha256(kind.encode())
        for text in texts:
            digest.update(text.encode() + b"\0")
        return self._folder / f"{digest.hexdigest()[:32]}.npy"

    def embed(self, texts: Sequence[str]) -> Floats:
        path = self._path("embed", texts)
        if not path.exists():
            np.save(path, self.model.embed(texts))
        return np.load(path)

    def pieces(self, pages: Sequence[Page]) -> list[Piece]:
        """The product's late semantic chunks of every page."""
        texts = [page.text for page in pages]
        path = self._path("late chunks", texts).with_suffix(".pickle")
        if not path.exists():
            chunks = [late_chunks([text], self.model)[0] for text in texts]
            rows = [
                [(c.text, c.start, c.end, c.headings, c.sentences, c.vector, c.sentence_vectors) for c in own]
                for own in chunks
            ]
            path.write_bytes(pickle.dumps(rows))
        kept = pickle.loads(path.read_bytes())  # noqa: S301  # Written by the line above, into our own cache.
        return [Piece(page, Chunk(*row)) for page, own in zip(pages, kept, strict=True) for row in own]


class MemorySearch:
    """One pack. `search` returns the brief a writer gets; `without` leaves pages out, as if never added."""

    def __init__(self, pieces: Sequence[Piece], model: CachedModel, kind: SentenceVectors) -> None:
        self._pieces = pieces
        self._vectors = np.array([piece.chunk.vector for piece in pieces])
        self._sentences = [piece.chunk.sentence_vectors for piece in pieces]
        if kind == "standalone":
            flat = [piece.page.text[start:end] for piece in pieces for start, end in piece.chunk.sentences]
            self._sentences = np.split(
                model.embed(flat), np.cumsum([len(piece.chunk.sentences) for piece in pieces])[:-1]
            )
        self._postings: dict[str, list[tuple[int, float]]] = {}
        bags = [Counter(terms(f"{piece.page.title} {piece.chunk.text}")) for piece in pieces]
        average = sum(map(sum, (bag.values() for bag in bags))) / max(len(bags), 1)
        for row, bag in enumerate(bags):
            norm = K1 * (1 - B + B * sum(bag.values()) / average)
            for term, count in bag.items():
                self._postings.setdefault(term, []).append((row, count * (K1 + 1) / (count + norm)))
        self._pages = np.array([piece.page.key for piece in pieces])

    def idf(self, question: str) -> Mapping[str, float]:
        return {term: idf(len(self._pieces), len(self._postings.get(term, ()))) for term in terms(question)}

    def search(
        self, question: str, vector: Floats, limit: int = 8, without: frozenset[str] = frozenset()
    ) -> AnswerBrief:
        weights = self.idf(question)
        bm25 = np.zeros(len(self._pieces), dtype=np.float32)
        for term, weight in weights.items():
            for row, value in self._postings.get(term, ()):
                bm25[row] += weight * value
        cosine = self._vectors @ vector
        score = cosine + 0.5 * bm25 / (bm25.max() or 1)
        if without:
            score = np.where(np.isin(self._pages, list(without)), -math.inf, score)
        best = np.argsort(-score)[:limit]
        passages = tuple(
            self._passage(int(row), rank, float(score[row]), float(bm25[row]), float(cosine[row]))
            for rank, row in enumerate(best)
        )
        return AnswerBrief(question=question, question_vector=vector, idf=weights, passages=passages)

    def _passage(self, row: int, rank: int, score: float, bm25: float, cosine: float) -> Passage:
        piece = self._pieces[row]
        return Passage(
            chunk_id=uuid.uuid5(uuid.NAMESPACE_URL, f"{piece.page.key}#{piece.chunk.start}"),
            document_id=uuid.uuid5(uuid.NAMESPACE_URL, piece.page.key),
            pack_id=uuid.UUID(int=0),
            title=piece.page.title,
            url=piece.page.url,
            kind="pack",
            headings=piece.chunk.headings,
            text=piece.chunk.text,
            start=piece.chunk.start,
            sentences=piece.chunk.sentences,
            sentence_vectors=self._sentences[row],
            score=score,
            bm25=bm25,
            cosine=cosine,
            rank=rank,
            updated_at=None,
            credibility=1.0,
        )
