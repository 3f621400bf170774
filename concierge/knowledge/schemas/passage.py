"""What crosses the borders of the knowledge room."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """One ranked passage. `text == document.text[start : start + len(text)]`; `sentences` are offsets in the document
    and `sentence_vectors` has one normalised row for each of them, which compare with `question_vector`: the question as
    the model of the passage's pack reads it, None where nothing else was asked. `document_cosine` is that of its whole
    document's vector to the question's, `page_starts` are the offsets at which the document's pages begin.
    """

    chunk_id: UUID
    document_id: UUID
    pack_id: UUID
    title: str
    url: str | None
    kind: str
    headings: tuple[str, ...]
    text: str
    start: int
    sentences: tuple[Span, ...]
    sentence_vectors: NDArray[np.float32]
    score: float
    bm25: float
    cosine: float
    rank: int
    updated_at: datetime | None
    credibility: float
    authoritative: bool = False
    audience: str | None = None
    document_cosine: float = 0.0
    page_starts: Sequence[int] | None = None
    question_vector: NDArray[np.float32] | None = None

    def page_at(self, offset: int) -> int | None:
        """Return the number of the page an offset in the document lies on, from 1; None for one without pages."""
        return max(1, bisect_right(self.page_starts, offset)) if self.page_starts else None
