"""How much of what answers a question arrives within 3,200 retrieved characters, per way of chunking and scoring.

Chroma's chunking benchmark: each question has highlighted passages in its corpus. Chunks are ranked in memory; recall
is the share of the highlighted characters among the first 3,200 retrieved, averaged over the questions of a corpus and
then over the corpora.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from concierge.knowledge.chunking import Chunk, late_chunks, recursive_chunks
from concierge.knowledge.lexical import document_weights, idf, term_id, terms
from concierge.llm.minilm import MiniLM

BUDGET = 3_200
BM25_WEIGHT = 0.8  # of the best BM25 score of a query, beside a cosine
NEIGHBOR_SHARE = 0.15

FloatArray = NDArray[np.float32]
Chunker = Callable[[Sequence[str], MiniLM], list[list[Chunk]]]


@dataclass(frozen=True, slots=True)
class Question:
    corpus: str
    text: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One way of chunking and scoring; recall in percent."""

    chunking: str
    scoring: str
    recall: float
    by_corpus: Mapping[str, float]
    chunks: int
    mean_characters: int


@dataclass(frozen=True, slots=True)
class Index:
    """One corpus, chunked."""

    chunks: Sequence[Chunk]
    vectors: FloatArray
    weights: Sequence[Mapping[int, float]]
    frequencies: Mapping[int, int]


CHUNKERS: Mapping[str, Chunker] = {
    "recursive 1000/200": recursive_chunks,
    "recursive 400": partial(recursive_chunks, size=400, overlap=0),
    "late semantic": late_chunks,
}
SCORINGS = ("vectors", "hybrid", "hybrid + neighbors")


def run(data: Path, cache_dir: Path) -> list[Row]:
    """Measure every chunker and scoring on the corpora under `data`/chroma_chunking."""
    folder = data / "chroma_chunking"
    questions = read_questions(folder / "dev.jsonl")
    corpora = read_corpora(folder, questions)
    model = MiniLM.load(cache_dir)
    vectors = model.embed([question.text for question in questions])
    rows: list[Row] = []
    for name, chunker in CHUNKERS.items():
        indexes = {corpus: index_of(chunker([text], model)[0]) for corpus, text in corpora.items()}
        rows.extend(measure(name, scoring, indexes, questions, vectors) for scoring in SCORINGS)
    return rows


def read_questions(path: Path) -> list[Question]:
    return [
        Question(
            corpus=row["corpus_id"],
            text=row["question"],
            spans=tuple((reference["start"], reference["end"]) for reference in row["references"]),
        )
        for row in map(json.loads, path.read_text("utf-8").splitlines())
    ]


def read_corpora(folder: Path, questions: Sequence[Question]) -> dict[str, str]:
    names = sorted({question.corpus for question in questions})
    return {name: (folder / "dev_corpora" / f"{name}.md").read_text("utf-8") for name in names}


def read_rows(path: Path) -> list[Row]:
    """Read measurements that were kept."""
    kept: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return [Row(**fields) for fields in kept]


def index_of(chunks: Sequence[Chunk]) -> Index:
    words = [terms(chunk.text) for chunk in chunks]
    average = sum(map(len, words)) / max(1, len(words))
    frequencies: dict[int, int] = {}
    for ids in ({term_id(term) for term in own} for own in words):
        for number in ids:
            frequencies[number] = frequencies.get(number, 0) + 1
    return Index(
        chunks=chunks,
        vectors=np.stack([chunk.vector for chunk in chunks]),
        weights=[document_weights(own, average) for own in words],
        frequencies=frequencies,
    )


def measure(
    chunking: str,
    scoring: str,
    indexes: Mapping[str, Index],
    questions: Sequence[Question],
    vectors: FloatArray,
) -> Row:
    found: dict[str, list[float]] = {corpus: [] for corpus in indexes}
    for question, vector in zip(questions, vectors, strict=True):
        index = indexes[question.corpus]
        order = np.argsort(-scores_of(index, question.text, vector, scoring), kind="stable")
        found[question.corpus].append(recall(question.spans, [index.chunks[position] for position in order]))
    by_corpus = {corpus: round(100 * float(np.mean(values)), 1) for corpus, values in found.items()}
    lengths = [len(chunk.text) for index in indexes.values() for chunk in index.chunks]
    return Row(
        chunking=chunking,
        scoring=scoring,
        recall=round(float(np.mean(list(by_corpus.values()))), 1),
        by_corpus=by_corpus,
        chunks=len(lengths),
        mean_characters=round(float(np.mean(lengths))),
    )


def scores_of(index: Index, question: str, vector: FloatArray, scoring: str) -> FloatArray:
    scores = index.vectors @ vector
    if scoring == "vectors":
        return scores
    lexical = bm25(index, question)
    scores += BM25_WEIGHT * lexical / max(float(lexical.max()), 1e-9)
    return with_neighbors(scores) if scoring == "hybrid + neighbors" else scores


def bm25(index: Index, question: str) -> FloatArray:
    query = {
        number: idf(len(index.chunks), index.frequencies[number])
        for number in map(term_id, terms(question))
        if number in index.frequencies
    }
    sums = [sum(weight * own.get(number, 0.0) for number, weight in query.items()) for own in index.weights]
    return np.array(sums, dtype=np.float32)


def with_neighbors(scores: FloatArray) -> FloatArray:
    """Each chunk shares in the scores of those before and after it; ends count their only neighbor's absence as zero."""
    padded = np.pad(scores, 1)
    return np.add(scores, NEIGHBOR_SHARE * (padded[:-2] + padded[2:]), dtype=np.float32)


def recall(spans: Sequence[tuple[int, int]], ranked: Sequence[Chunk]) -> float:
    wanted = {position for start, end in spans for position in range(start, end)}
    got = {position for start, end in within_budget(ranked) for position in range(start, end)}
    return len(wanted & got) / len(wanted)


def within_budget(ranked: Sequence[Chunk]) -> Iterator[tuple[int, int]]:
    """The spans of the best chunks; the last is cut where the budget ends."""
    left = BUDGET
    for chunk in ranked:
        if left <= 0:
            return
        yield chunk.start, min(chunk.end, chunk.start + left)
        left -= chunk.end - chunk.start


def table_of(rows: Sequence[Row]) -> Table:
    table = Table("chunking", "scoring", title=f"Recall within {BUDGET:,} retrieved characters, %")
    for name in ("all", *rows[0].by_corpus, "chunks", "mean characters"):
        table.add_column(name, justify="right")
    for row in rows:
        figures = [row.recall, *row.by_corpus.values(), row.chunks, row.mean_characters]
        table.add_row(row.chunking, row.scoring, *map(str, figures))
    return table


def main(arguments: Sequence[str]) -> int:
    data = os.environ.get("CONCIERGE_EVAL_DATA")
    if not data:
        print("Set CONCIERGE_EVAL_DATA to the folder that holds chroma_chunking/.")
        return 2
    rows = run(Path(data), Path(os.environ.get("CONCIERGE_CACHE_DIR") or tempfile.mkdtemp()))
    if "--json" in arguments:
        plain: list[dict[str, Any]] = [asdict(row) for row in rows]
        print(json.dumps(plain, indent=2))
    else:
        Console().print(table_of(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
