"""A row of the catalogue, or what a tool worked out, as evidence like any passage."""

from uuid import NAMESPACE_URL, uuid5

import numpy as np

from concierge.catalog.schemas.context import CatalogEntry, Promotion
from concierge.knowledge.schemas import Passage

# Above every document, also those an operator marked authoritative: a price is the current row's.
CREDIBILITY = 2.0
DIMENSIONS = 384


def passage_of(entry: CatalogEntry, rank: int) -> Passage:
    return Passage(
        chunk_id=entry.id,
        document_id=entry.id,
        pack_id=entry.id,
        title=entry.title,
        url=entry.url,
        kind=entry.kind,
        headings=(),
        text=entry.text,
        start=0,
        sentences=entry.sentences,
        sentence_vectors=entry.sentence_vectors,
        score=entry.score,
        bm25=0.0,
        cosine=entry.cosine,
        rank=rank,
        updated_at=entry.updated_at,
        credibility=CREDIBILITY,
        authoritative=True,
        audience=entry.audience,
        document_cosine=entry.cosine,
    )


def is_row(passage: Passage) -> bool:
    """Whether a passage is a row of the catalogue, which is its own document and pack."""
    return passage.pack_id == passage.chunk_id


def passage_of_tool(title: str, text: str, sentences: tuple[tuple[int, int], ...]) -> Passage:
    """What was worked out just now: it was asked for, so it is not searched and has no vectors."""
    own = uuid5(NAMESPACE_URL, text)
    return Passage(
        chunk_id=own,
        document_id=own,
        pack_id=own,
        title=title,
        url=None,
        kind="tool",
        headings=(),
        text=text,
        start=0,
        sentences=sentences,
        sentence_vectors=np.zeros((len(sentences), DIMENSIONS), np.float32),
        score=1.0,
        bm25=0.0,
        cosine=0.0,
        rank=0,
        updated_at=None,
        credibility=CREDIBILITY,
        authoritative=True,
    )


def passage_of_promotion(promotion: Promotion, rank: int) -> Passage:
    """An offer that holds today, with its conditions; it is shown, not searched, so it has no vectors."""
    text = "\n".join(filter(None, (promotion.text.strip(), promotion.conditions.strip())))
    return Passage(
        chunk_id=promotion.id,
        document_id=promotion.id,
        pack_id=promotion.id,
        title=promotion.title,
        url=None,
        kind="promotion",
        headings=(),
        text=text,
        start=0,
        sentences=(),
        sentence_vectors=np.zeros((0, DIMENSIONS), np.float32),
        score=0.0,
        bm25=0.0,
        cosine=0.0,
        rank=rank,
        updated_at=None,
        credibility=CREDIBILITY,
        authoritative=True,
    )
