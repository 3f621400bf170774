"""Sentences of a document that give orders to whoever reads it for an answer. They are data, and never quoted.

Two things give them away: their wording ("ignore your instructions", "in your reply, …"), and that they set a task
that has nothing to do with the document around them. Harmless imperatives ("Click Save.") show neither.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from concierge.knowledge.chunking import Chunk
from concierge.knowledge.chunking.chunk import FloatArray
from concierge.knowledge.chunking.spans import Kind, Unit, units_of
from concierge.knowledge.instructions.contrast import QUESTION, Surroundings, features, foreign, probability
from concierge.knowledge.instructions.wording import ENOUGH, reasons
from concierge.knowledge.lexical import terms

FLAG = "instructions"
OFF_TOPIC = "sets a task that its document is not about"
APART = "shares no word with its document"
# A sentence this likely by its words is compared by meaning with the rest; without a model, only a very likely one counts.
SUSPECT = 0.25
SURE = 0.8
# An off-topic task is this far from every other sentence: 95 % of BIPIA's are below 0.17, of harmless suspects above 0.24.
MOST_ALIKE = 0.2
# A question that a document begins with is mostly what the document is about, so it has to be further away.
MOST_ALIKE_FIRST = 0.1
COMPARED = 80
# What a wording that is not enough by itself gains where the sentence has nothing in common with its document.
APART_WEIGHT = 0.4
MOST_FOREIGN = 0.9
_SETS_NO_TASK = frozenset({Kind.CODE, Kind.RULE, Kind.HEADING, Kind.ROW})

Embed = Callable[[Sequence[str]], FloatArray]


@dataclass(frozen=True, slots=True)
class Order:
    """A sentence, `start` to `end` in its document, and why it is one."""

    start: int
    end: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a unit: what is slipped into a text without full stops has only a line of its own."""

    unit: Unit
    text: str


def orders_in(text: str, embed: Embed | None = None) -> list[Order]:
    """Find the sentences of a document that give orders. Blocks for some milliseconds per page.

    `embed` gives vectors of length 1, each of a text by itself; with it off-topic tasks are told from questions that
    the document goes on to answer.
    """
    lines = [
        _Line(unit, line.strip())
        for unit in units_of(text)
        for line in text[unit.start : unit.end].splitlines()
        if line.strip()
    ]
    around = Surroundings.of([line.text for line in lines])
    found = dict(_by_wording(text, lines, around))
    suspects = [
        line
        for line in _suspects(lines, around, SURE if embed is None else SUSPECT)
        if line.unit not in found
    ]
    if suspects and embed is not None:
        suspects = _far_from_all(suspects, lines, embed)
    found |= {line.unit: (OFF_TOPIC,) for line in suspects}
    return [
        Order(unit.start, unit.end, why)
        for unit, why in sorted(found.items(), key=lambda entry: entry[0].start)
    ]


def _by_wording(
    text: str, lines: Sequence[_Line], around: Surroundings
) -> Iterator[tuple[Unit, tuple[str, ...]]]:
    """Each line by itself, and each unit as a whole, which may be broken at any word."""
    wholes = [_Line(unit, text[unit.start : unit.end]) for unit in dict.fromkeys(line.unit for line in lines)]
    for line in (*lines, *(whole for whole in wholes if "\n" in whole.text)):
        weights = dict(reasons(line.text))
        if 0 < sum(weights.values()) < ENOUGH and _stands_apart(line.text, around):
            weights[APART] = APART_WEIGHT
        if sum(weights.values()) >= ENOUGH:
            yield line.unit, tuple(sorted(weights))


def _stands_apart(line: str, around: Surroundings) -> bool:
    words = frozenset(terms(line))
    return around.words > 2 * len(words) and foreign(words, around) >= MOST_FOREIGN


def _suspects(lines: Sequence[_Line], around: Surroundings, least: float) -> Iterator[_Line]:
    for line in lines:
        if line.unit.kind in _SETS_NO_TASK or line.text[:1].islower():
            continue
        values = features(line.text, around)
        if values is not None and probability(values) >= least:
            yield line


def _far_from_all(suspects: Sequence[_Line], lines: Sequence[_Line], embed: Embed) -> list[_Line]:
    """Those whose meaning is far from that of every other line, or of many spread over a long document."""
    doubted = {line.text for line in suspects}
    others = [line.text for line in lines if line.text not in doubted]
    others = others[:: -(-len(others) // COMPARED) or 1]
    if not others:
        return []
    nearest = (embed([line.text for line in suspects]) @ embed(others).T).max(axis=1)
    return [
        line
        for line, cosine in zip(suspects, nearest, strict=True)
        if cosine < (MOST_ALIKE_FIRST if line is lines[0] and QUESTION.search(line.text) else MOST_ALIKE)
    ]


def leaving_out(chunks: Sequence[Chunk], orders: Sequence[Order]) -> list[Chunk]:
    """The chunks as they are indexed: no order in their text, their sentences or what they mean.

    An order is blanked, so that all offsets stay true, and noted in `left_out`. A chunk may be left without sentences.
    """
    return [_without(chunk, [order for order in orders if _meet(order, chunk)]) for chunk in chunks]


def _meet(order: Order, chunk: Chunk) -> bool:
    return order.start < chunk.end and chunk.start < order.end


def _without(chunk: Chunk, orders: Sequence[Order]) -> Chunk:
    if not orders:
        return chunk
    keep = [
        row
        for row, (start, end) in enumerate(chunk.sentences)
        if not any(order.start < end and start < order.end for order in orders)
    ]
    text = chunk.text
    for order in orders:
        start, end = max(order.start, chunk.start) - chunk.start, min(order.end, chunk.end) - chunk.start
        text = text[:start] + _blank(end - start) + text[end:]
    vectors = chunk.sentence_vectors[keep]
    return replace(
        chunk,
        text=text,
        sentences=tuple(chunk.sentences[row] for row in keep),
        vector=_mean(vectors),
        sentence_vectors=vectors,
        left_out=tuple((order.start, order.end) for order in orders),
    )


def _blank(length: int) -> str:
    """So long an empty paragraph, so that what stood on either side is not read as one sentence."""
    return "\n" + " " * (length - 2) + "\n" if length > 2 else " " * length


def _mean(vectors: FloatArray) -> FloatArray:
    total = vectors.sum(axis=0)
    return (total / (np.linalg.norm(total) or 1.0)).astype(np.float32)
