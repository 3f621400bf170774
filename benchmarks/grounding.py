"""How long it takes to prove a draft of ten sentences against eight passages, of the demo shop's documents."""

import random
from collections.abc import Sequence
from time import perf_counter
from uuid import NAMESPACE_URL, uuid5

import numpy as np

from benchmarks.figures import Figure, Target, Timings
from concierge.chat.grounding import ground
from concierge.chat.grounding.facts import facts_of
from concierge.chat.grounding.values import valued
from concierge.entrypoints.demo.load import DOCUMENTS
from concierge.kit.sentences import sentence_spans
from concierge.knowledge.schemas import Passage

SENTENCES = 10
PASSAGES = 8
LONGEST = 1_000
TARGET = Target(10)
SEED = 7


def measure(count: int) -> list[Figure]:
    """`count` drafts; most of their sentences are a source's own, one has another number, one is of nowhere."""
    passages = _passages()
    lot = random.Random(SEED)
    cold, warm = [], []
    for _ in range(count):
        sources = lot.sample(passages, PASSAGES)
        draft = _draft(sources, lot)
        facts_of.cache_clear()
        valued.cache_clear()
        cold.append(_milliseconds(draft, sources))
        warm.append(_milliseconds(draft, sources))
    first, again = Timings(tuple(cold)), Timings(tuple(warm))
    what = f"{SENTENCES} sentences against {PASSAGES} passages"
    return [
        Figure(f"{what}, never read: p50", first.p50, "ms", TARGET, f"p95 {first.p95:.1f} ms"),
        Figure(f"{what}, read before: p50", again.p50, "ms", TARGET, f"p95 {again.p95:.1f} ms"),
    ]


def _milliseconds(draft: str, sources: Sequence[Passage]) -> float:
    began = perf_counter()
    ground(draft, sources, "blended")
    return (perf_counter() - began) * 1000


def _draft(sources: Sequence[Passage], lot: random.Random) -> str:
    spoken = [
        (source.text[start:end], number)
        for number, source in enumerate(sources, 1)
        for start, end in source.sentences
        if 30 <= end - start <= 200 and source.text[start].isupper() and "\n" not in source.text[start:end]
    ]
    sentences = [f"{text} [{number}]" for text, number in lot.sample(spoken, min(len(spoken), SENTENCES - 2))]
    return " ".join([*sentences, "The Palma sofa costs $17 [1].", "Every table was blessed by a bishop [2]."])


def _passages() -> list[Passage]:
    """The demo shop's pages, cut between paragraphs."""
    return [
        _passage(path.stem, text)
        for path in sorted(DOCUMENTS.glob("*.md"))
        for text in _cut(path.read_text(encoding="utf-8"))
    ]


def _cut(text: str) -> list[str]:
    parts = [""]
    for paragraph in text.split("\n\n"):
        if parts[-1] and len(parts[-1]) + len(paragraph) > LONGEST:
            parts.append("")
        parts[-1] += paragraph + "\n\n"
    return [part.strip() for part in parts if len(part) > LONGEST // 4]


def _passage(title: str, text: str) -> Passage:
    spans = tuple(sentence_spans(text))
    return Passage(
        chunk_id=uuid5(NAMESPACE_URL, text),
        document_id=uuid5(NAMESPACE_URL, title),
        pack_id=uuid5(NAMESPACE_URL, "pack"),
        title=title,
        url=None,
        kind="pack",
        headings=(title,),
        text=text,
        start=0,
        sentences=spans,
        sentence_vectors=np.zeros((len(spans), 384), dtype=np.float32),
        score=1.0,
        bm25=1.0,
        cosine=0.5,
        rank=0,
        updated_at=None,
        credibility=0.5,
    )
