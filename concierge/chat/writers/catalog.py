"""A row of the catalogue as evidence like any passage."""

from concierge.catalog.schemas.context import CatalogEntry
from concierge.knowledge.schemas import Passage

# Above every document, also those an operator marked authoritative: a price is the current row's.
CREDIBILITY = 2.0


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
