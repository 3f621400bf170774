"""The chunking evaluation counts characters as it says, and runs end to end on a small corpus."""

import json
from pathlib import Path

import numpy as np
import pytest

from concierge.knowledge.chunking import Chunk
from evals.chunking import BUDGET, CHUNKERS, SCORINGS, recall, run, table_of, with_neighbors

VECTOR = np.zeros(1, dtype=np.float32)


def chunk(start: int, end: int) -> Chunk:
    return Chunk("x" * (end - start), start, end, (), ((start, end),), VECTOR, VECTOR[None])


@pytest.mark.parametrize(
    ("ranked", "expected"),
    [
        ([chunk(0, 100)], 1.0),
        ([chunk(0, 60), chunk(50, 100)], 1.0),
        ([chunk(0, 50)], 0.5),
        ([chunk(200, 200 + BUDGET), chunk(0, 100)], 0.0),
        ([chunk(200, 150 + BUDGET), chunk(0, 100)], 0.5),
        ([], 0.0),
    ],
)
def test_recall_counts_wanted_characters_within_the_budget(ranked: list[Chunk], expected: float) -> None:
    assert recall([(0, 100)], ranked) == expected


def test_a_chunk_shares_in_its_neighbors_scores() -> None:
    lifted = with_neighbors(np.array([0.0, 1.0, 0.0, 0.0], dtype=np.float32))
    assert lifted[0] == lifted[2] > lifted[3] == 0
    assert lifted[1] == 1


def test_every_way_is_measured(tmp_path: Path) -> None:
    corpus = tmp_path / "chroma_chunking" / "dev_corpora"
    corpus.mkdir(parents=True)
    text = "Oak is heavy. " * 300 + "\n\nReturns are free for 30 days.\n\n" + "Pine is light. " * 300
    (corpus / "shop.md").write_text(text, "utf-8")
    start = text.index("Returns")
    reference = {"start": start, "end": start + 29}
    question = {"corpus_id": "shop", "question": "How long are returns free?", "references": [reference]}
    (corpus.parent / "dev.jsonl").write_text(json.dumps(question), "utf-8")
    rows = run(tmp_path, tmp_path / "cache")
    assert [(row.chunking, row.scoring) for row in rows] == [
        (name, way) for name in CHUNKERS for way in SCORINGS
    ]
    assert {row.recall for row in rows} == {100.0}
    assert table_of(rows).row_count == len(rows)
