"""Recursive splitting by paragraph, line, sentence end and space: the plain baseline, with overlap."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from concierge.kit.sentences import trim
from concierge.knowledge.chunking.chunk import Chunk, Span, TextEncoder
from concierge.knowledge.chunking.late import quotable
from concierge.knowledge.chunking.outline import outline_of
from concierge.knowledge.chunking.spans import units_of

SIZE = 1000
OVERLAP = 200

_SEPARATORS = tuple(re.compile(pattern) for pattern in (r"\n\s*\n", r"\n", r"[.!?]\s", r"\s"))


def recursive_chunks(
    texts: Sequence[str], model: TextEncoder, *, size: int = SIZE, overlap: int = OVERLAP
) -> list[list[Chunk]]:
    """The chunks of each text, each embedded on its own. Blocks while it computes."""
    return [_chunks_of(text, model, size, overlap) for text in texts]


def recursive_spans(text: str, size: int = SIZE, overlap: int = OVERLAP) -> list[Span]:
    """Spans of at most `size` characters; neighbours share up to `overlap`; every non-space character is covered."""
    pieces = _split(text, 0, len(text), size, 0)
    spans: list[Span] = []
    first = 0
    for index, (_, end) in enumerate(pieces):
        if end - pieces[first][0] > size:
            spans.append((pieces[first][0], pieces[index - 1][1]))
            first = _overlapping(pieces, first, index, size, overlap)
    if pieces:
        spans.append((pieces[first][0], pieces[-1][1]))
    return spans


def _overlapping(pieces: Sequence[Span], first: int, index: int, size: int, overlap: int) -> int:
    """The piece the next chunk begins with: as far back as `overlap` reaches and the bound of size allows."""
    last_end = pieces[index - 1][1]
    while first < index and (
        last_end - pieces[first][0] > overlap or pieces[index][1] - pieces[first][0] > size
    ):
        first += 1
    return first


def _split(text: str, start: int, end: int, size: int, depth: int) -> list[Span]:
    start, end = trim(text, start, end)
    if end - start <= size:
        return [(start, end)] if start < end else []
    if depth == len(_SEPARATORS):
        return [(begin, min(begin + size, end)) for begin in range(start, end, size)]
    cuts = [match.end() for match in _SEPARATORS[depth].finditer(text, start, end)]
    bounds = [start, *cuts, end]
    return [piece for begin, stop in pairwise(bounds) for piece in _split(text, begin, stop, size, depth + 1)]


def _chunks_of(text: str, model: TextEncoder, size: int, overlap: int) -> list[Chunk]:
    spans = recursive_spans(text, size, overlap)
    units = units_of(text)
    outline = outline_of(text, units)
    unit_starts, unit_ends = [unit.start for unit in units], [unit.end for unit in units]
    unit_vectors = model.embed([text[unit.start : unit.end] for unit in units])
    vectors = model.embed([text[start:end] for start, end in spans])
    chunks: list[Chunk] = []
    for (start, end), vector in zip(spans, vectors, strict=True):
        first, last = bisect_right(unit_ends, start), bisect_left(unit_starts, end)
        body = [first + index for index in quotable(units[first:last])]
        chunks.append(
            Chunk(
                text=text[start:end],
                start=start,
                end=end,
                headings=outline.paths[first],
                sentences=tuple(
                    (max(start, units[index].start), min(end, units[index].end)) for index in body
                ),
                vector=vector,
                sentence_vectors=unit_vectors[body],
            )
        )
    return chunks
