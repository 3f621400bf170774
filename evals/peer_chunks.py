"""The chunks of other systems' semantic chunkers, scored as our own are; each at the setting that serves it best."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from concierge.knowledge.chunking import Chunk
from concierge.llm.minilm import MiniLM
from evals import chunking
from evals.chunk_cache import DECIDES_CHUNKS, code_digest, digest_of
from evals.comparison import run_peer
from evals.progress import say

SCORINGS = ("vectors", "hybrid")


def peer_rows(data: Path, cache: Path) -> list[chunking.Row]:
    """Measure every chunker in every setting and scoring; return the best setting of each chunker and scoring."""
    folder = data / "chroma_chunking"
    questions = chunking.read_questions(folder / "dev.jsonl")
    texts = chunking.read_corpora(folder, questions)
    found = run_peer("chunking", "chroma_chunking", {"texts": texts}, cache)
    own_code = [Path(module).read_text("utf-8") for module in (chunking.__file__, __file__)]
    digest = digest_of([json.dumps(found), *own_code, code_digest(*DECIDES_CHUNKS, "knowledge/lexical.py")])
    kept = cache / f"peer-chunking-{digest}.json"
    if not kept.exists():
        rows = _measured(found["chunks"], questions, texts, MiniLM.load(cache / "models"))
        kept.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")
    return chunking.read_rows(kept)


def _measured(
    found: Mapping[str, Mapping[str, Mapping[str, Any]]],
    questions: Sequence[chunking.Question],
    texts: Mapping[str, str],
    model: MiniLM,
) -> list[chunking.Row]:
    vectors = model.embed([question.text for question in questions])
    best: dict[tuple[str, str], chunking.Row] = {}
    for chunker, settings in found.items():
        for setting, by_corpus in settings.items():
            say(f"{chunker}, {setting}: embedding its chunks")
            indexes = {name: _index(texts[name], own, model) for name, own in by_corpus.items()}
            for scoring in SCORINGS:
                name = f"{chunker}, {setting}"
                row = chunking.measure(name, scoring, indexes, questions, vectors)
                known = best.get((chunker, scoring))
                if known is None or row.recall > known.recall:
                    best[chunker, scoring] = row
    return list(best.values())


def _index(text: str, cut: Mapping[str, Any], model: MiniLM) -> chunking.Index:
    spans = [(start, end) for start, end in cast("list[tuple[int, int]]", cut["spans"]) if start < end]
    own: NDArray[np.float32] = (
        np.array(cut["vectors"], dtype=np.float32)
        if cut["vectors"]
        else model.embed([text[start:end] for start, end in spans])
    )
    chunks = [
        Chunk(text[start:end], start, end, (), ((start, end),), vector, vector[None])
        for (start, end), vector in zip(spans, own, strict=True)
    ]
    return chunking.index_of(chunks)
