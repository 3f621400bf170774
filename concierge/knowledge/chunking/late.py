"""Late semantic chunking: encode a document once, in context; then decide where it parts.

Sentences and chunks are pooled from the same token states, so a chunk's vector knows what stands around it, and no
text goes through the model twice. Each section is read behind the path of its headings, so that a row of a table or a
step of a list knows what it is about: on the AWS documentation the page that answers holds the best sentence for 67 % of
the questions so, for 47 % without.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from concierge.knowledge.chunking.chunk import Chunk, FloatArray, TokenEncoder
from concierge.knowledge.chunking.cuts import Sizes, Weights, cut
from concierge.knowledge.chunking.reuse import (
    SECTION_CHARACTERS,
    Earlier,
    Kept,
    Outlined,
    Section,
    gaps,
    kept_chunks,
)
from concierge.knowledge.chunking.spans import Kind, Unit
from concierge.llm.minilm import DIMENSION, TokenStates

DEFAULT_SIZES = Sizes()
DEFAULT_WEIGHTS = Weights()


def late_chunks(
    texts: Sequence[str],
    model: TokenEncoder,
    *,
    sizes: Sizes = DEFAULT_SIZES,
    weights: Weights = DEFAULT_WEIGHTS,
    earlier: Sequence[Earlier | None] | None = None,
) -> list[list[Chunk]]:
    """The chunks of each text. Give many short texts at once: they share forward passes. Blocks while it computes.

    `earlier` is what each text was before it changed: chunks of sections that are still the same are taken from there.
    """
    documents = [Outlined.of(text) for text in texts]
    kept = [
        kept_chunks(document, known) if known else []
        for document, known in zip(documents, earlier or [None] * len(texts), strict=True)
    ]
    sums = _pooled(documents, kept, model)
    return [
        _chunks_of(document, own_kept, own_sums, model, sizes, weights)
        for document, own_kept, own_sums in zip(documents, kept, sums, strict=True)
    ]


def _chunks_of(
    document: Outlined,
    kept: Sequence[Kept],
    sums: FloatArray,
    model: TokenEncoder,
    sizes: Sizes,
    weights: Weights,
) -> list[Chunk]:
    new = [
        chunk
        for first, last in gaps(kept, len(document.units))
        for chunk in _new_chunks(document, first, last, sums[first:last], model, sizes, weights)
    ]
    return sorted([*new, *(entry.chunk for entry in kept)], key=lambda chunk: chunk.start)


def _new_chunks(
    document: Outlined,
    begin: int,
    end: int,
    sums: FloatArray,
    model: TokenEncoder,
    sizes: Sizes,
    weights: Weights,
) -> Iterator[Chunk]:
    """The chunks of a run of units."""
    units = document.units[begin:end]
    paths = document.outline.paths[begin:end]
    begins = cut(units, sums, np.minimum(document.outline.barriers[begin:end], end) - begin, sizes, weights)
    vectors = unit_vectors(sums, model)
    chunk_sums = np.add.reduceat(sums, begins, axis=0)
    chunk_vectors = unit_vectors(chunk_sums, model)
    for vector, first, last in zip(chunk_vectors, begins, [*begins[1:], len(units)], strict=True):
        body = quotable(units[first:last])
        opening = next(
            (index for index in range(first, last) if units[index].kind is not Kind.HEADING), last - 1
        )
        start, stop = units[first].start, units[last - 1].end
        yield Chunk(
            text=document.text[start:stop],
            start=start,
            end=stop,
            headings=paths[opening],
            sentences=tuple(units[first + index].span for index in body),
            vector=vector,
            sentence_vectors=vectors[[first + index for index in body]],
        )


def quotable(units: Sequence[Unit]) -> list[int]:
    """The indices of the units an answer may quote: all but headings and rules, unless there is nothing else."""
    body = [index for index, unit in enumerate(units) if unit.kind not in {Kind.HEADING, Kind.RULE}]
    return body or list(range(len(units)))


def unit_vectors(sums: FloatArray, model: TokenEncoder) -> FloatArray:
    """Rows scaled to length 1. A row without a token (control characters only) gets the vector of empty text."""
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    vectors = (sums / np.where(norms > 0, norms, 1)).astype(np.float32)
    blank = norms[:, 0] == 0
    if blank.any():
        vectors[blank] = model.embed([""])[0]
    return vectors


def _pooled(
    documents: Sequence[Outlined], kept: Sequence[Sequence[Kept]], model: TokenEncoder
) -> list[FloatArray]:
    """Per document the summed token states of each unit, (units, dimension); zeros for sections that are kept whole."""
    sums = [np.zeros((len(document.units), DIMENSION), dtype=np.float32) for document in documents]
    for group in _grouped(_to_encode(documents, kept)):
        bodies = [document.body(section) for _, document, section in group]
        prefaces = [_preface(document.path(section)) for _, document, section in group]
        states = model.token_states(bodies, prefaces)
        for (number, document, section), tokens in zip(group, states, strict=True):
            own = document.units[section.first : section.last]
            sums[number][section.first : section.last] = sum_by_unit(own, tokens)
    return sums


def _preface(headings: Sequence[str]) -> str:
    return f"{', '.join(headings)}: " if headings else ""


Placed = tuple[int, Outlined, Section]  # The document's number among the texts, itself, a section of it.


def _to_encode(documents: Sequence[Outlined], kept: Sequence[Sequence[Kept]]) -> Iterator[Placed]:
    for number, (document, own) in enumerate(zip(documents, kept, strict=True)):
        known = np.zeros(len(document.units), dtype=np.bool_)
        for entry in own:
            known[entry.first : entry.last] = True
        for section in document.sections:
            if not known[section.first : section.last].all():
                yield number, document, section


def _grouped(sections: Iterator[Placed]) -> Iterator[list[Placed]]:
    group: list[Placed] = []
    size = 0
    for placed in sections:
        _, document, section = placed
        length = document.units[section.last - 1].end - document.units[section.first].start
        if group and size + length > SECTION_CHARACTERS:
            yield group
            group, size = [], 0
        group.append(placed)
        size += length
    if group:
        yield group


def sum_by_unit(units: Sequence[Unit], tokens: TokenStates) -> FloatArray:
    """Sum the states of the tokens that begin in each unit; offsets of `tokens` count from the first unit's start."""
    sums = np.zeros((len(units), tokens.states.shape[1]), dtype=np.float32)
    if len(tokens.states):
        starts = np.array([unit.start for unit in units]) - units[0].start
        owners = np.searchsorted(starts, tokens.spans[:, 0], side="right") - 1
        present, firsts = np.unique(owners, return_index=True)
        sums[present] = np.add.reduceat(tokens.states, firsts, axis=0)
    return sums
