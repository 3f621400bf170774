"""Fill packs by COPY with what the repository would have stored; the large indexes are built once, after all of them."""

import hashlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import islice
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from pgvector import HalfVector, SparseVector
from psycopg import sql

from benchmarks.corpus import Material, Piece
from concierge.kit.ids import new_id
from concierge.knowledge.lexical import document_weights, index_term
from concierge.knowledge.models import TERM_SPACE
from concierge.knowledge.repository import NewChunk, NewDocument, mean_vector
from concierge.llm.embeddings import LOCAL_SPACE

CHUNKS_PER_DOCUMENT = 20
DOCUMENTS_AT_ONCE = 100
SENTENCES = 5
USUAL_TERMS = 100.0
INDEXES = ("ix_chunks_terms", "ix_chunks_embedding_384")
CHUNK_COLUMNS = {
    "org_id": "uuid",
    "id": "uuid",
    "index_id": "uuid",
    "document_id": "uuid",
    "ordinal": "int4",
    "start_char": "int4",
    "text": "text",
    "headings": "text[]",
    "embedding": "halfvec",
    "dimensions": "int2",
    "bm25": "sparsevec",
    "terms": "int8[]",
    "sentence_spans": "int4[]",
    "sentence_vectors": "bytea",
}
# A pack's first index bears the pack's own id.
FIRST_INDEX = """
INSERT INTO pack_indexes (org_id, id, pack_id, number, state, embedding_model, dimensions, chunker, switched_at)
VALUES (%s, %s, %s, 1, 'current', %s, %s, 'late_semantic', now())
"""
# The graph of half a million vectors has to fit, or building it takes ten times as long.
BUILDING = ("SET maintenance_work_mem = '2GB'", "SET max_parallel_maintenance_workers = 2")


@contextmanager
def without_indexes(owner: psycopg.Connection[Any]) -> Generator[None]:
    """Build the large indexes, as the migrations ask for them, from rows that are there already."""
    indexes = [
        owner.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name]).fetchall()[0][0]
        for name in INDEXES
    ]
    for name in INDEXES:
        owner.execute(f"DROP INDEX {name}")
    yield
    for statement in (*BUILDING, *indexes):
        owner.execute(statement)
    owner.commit()


def copy_pack(
    owner: psycopg.Connection[Any],
    org_id: UUID,
    pack_id: UUID,
    documents: Iterable[tuple[NewDocument, Sequence[NewChunk]]],
) -> None:
    """Copy a pack's rows, a portion at a time: it may be larger than memory."""
    owner.execute(FIRST_INDEX, (org_id, pack_id, pack_id, LOCAL_SPACE.model, LOCAL_SPACE.dimensions))
    frequencies: Counter[int] = Counter()
    counts = [0, 0]
    remaining = iter(documents)
    while portion := list(islice(remaining, DOCUMENTS_AT_ONCE)):
        ids = [new_id() for _ in portion]
        _copy_documents(owner, org_id, ids, portion)
        _copy_vectors(owner, org_id, pack_id, ids, portion)
        _copy_chunks(owner, org_id, pack_id, ids, [chunks for _, chunks in portion])
        for _, chunks in portion:
            counts = [counts[0] + 1, counts[1] + len(chunks)]
            for chunk in chunks:
                frequencies.update(chunk.postings)
    statement = "COPY term_stats (org_id, index_id, term, df) FROM STDIN"
    with owner.cursor() as cursor, cursor.copy(statement) as copy:
        for term, frequency in frequencies.items():
            copy.write_row((org_id, pack_id, term, frequency))
    owner.execute(
        "UPDATE knowledge_packs SET document_count = %s, chunk_count = %s WHERE org_id = %s AND id = %s",
        (*counts, org_id, pack_id),
    )


def _copy_documents(
    owner: psycopg.Connection[Any],
    org_id: UUID,
    ids: Sequence[UUID],
    portion: Sequence[tuple[NewDocument, Sequence[NewChunk]]],
) -> None:
    names = ("org_id", "id", "chunk_count", *NewDocument.__slots__)
    with owner.cursor() as cursor, cursor.copy(_copying("documents", names)) as copy:
        for document_id, (document, chunks) in zip(ids, portion, strict=True):
            values = [getattr(document, name) for name in NewDocument.__slots__]
            arrays = [list(value) if isinstance(value, tuple) else value for value in values]
            copy.write_row((org_id, document_id, len(chunks), *arrays))


def _copy_vectors(
    owner: psycopg.Connection[Any],
    org_id: UUID,
    pack_id: UUID,
    ids: Sequence[UUID],
    portion: Sequence[tuple[NewDocument, Sequence[NewChunk]]],
) -> None:
    names = ("org_id", "document_id", "index_id", "embedding", "chunk_count")
    with owner.cursor() as cursor, cursor.copy(_copying("indexed_documents", names)) as copy:
        for document_id, (_, chunks) in zip(ids, portion, strict=True):
            mean = mean_vector(chunks, LOCAL_SPACE.dimensions)
            copy.write_row((org_id, document_id, pack_id, mean, len(chunks)))


def _copy_chunks(
    owner: psycopg.Connection[Any],
    org_id: UUID,
    pack_id: UUID,
    ids: Sequence[UUID],
    documents: Sequence[Sequence[NewChunk]],
) -> None:
    statement = _copying("chunks", tuple(CHUNK_COLUMNS)) + sql.SQL(" (FORMAT BINARY)")
    with owner.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(CHUNK_COLUMNS.values()))
        for document_id, chunks in zip(ids, documents, strict=True):
            for ordinal, chunk in enumerate(chunks):
                copy.write_row((org_id, new_id(), pack_id, document_id, ordinal, *_values(chunk)))


def _values(chunk: NewChunk) -> tuple[Any, ...]:
    return (
        chunk.start,
        chunk.text,
        list(chunk.headings),
        HalfVector(chunk.vector),
        LOCAL_SPACE.dimensions,
        SparseVector(chunk.weights, TERM_SPACE),
        chunk.postings,
        [offset for span in chunk.sentences for offset in span],
        chunk.sentence_vectors.astype(np.float16).tobytes(),
    )


def _copying(table: str, names: Sequence[str]) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)


def documents_of(
    material: Material, pack_id: UUID, source_id: UUID
) -> Iterator[tuple[NewDocument, list[NewChunk]]]:
    """Gather chunks into documents."""
    draw = np.random.default_rng(2)
    posting = lru_cache(maxsize=200_000)(partial(index_term, pack_id))
    pieces = material.pieces()
    number = 0
    while own := list(islice(pieces, CHUNKS_PER_DOCUMENT)):
        start = 0
        chunks: list[NewChunk] = []
        for piece in own:
            postings = sorted({posting(word) for word in piece.words})
            chunks.append(_chunk(draw, piece, postings, start))
            start += len(piece.text) + 2
        yield _document(pack_id, source_id, number, own), chunks
        number += 1


def _chunk(draw: np.random.Generator, piece: Piece, postings: list[int], start: int) -> NewChunk:
    ends = [start + len(piece.text) * (number + 1) // SENTENCES for number in range(SENTENCES)]
    noise = draw.standard_normal((SENTENCES, LOCAL_SPACE.dimensions), dtype=np.float32) * 0.03
    sentences = piece.vector + noise
    return NewChunk(
        start=start,
        text=piece.text,
        headings=("Documentation",),
        vector=piece.vector,
        weights=document_weights(piece.words, USUAL_TERMS),
        postings=postings,
        sentences=tuple(zip([start, *ends], ends, strict=False)),
        sentence_vectors=sentences / np.linalg.norm(sentences, axis=1, keepdims=True),
    )


def _document(pack_id: UUID, source_id: UUID, number: int, pieces: Sequence[Piece]) -> NewDocument:
    text = "\n\n".join(piece.text for piece in pieces)
    return NewDocument(
        source_id=source_id,
        pack_id=pack_id,
        uri=f"document-{number}.md",
        title=f"Document {number}",
        url=f"https://docs.example/{number}",
        text=text,
        content_hash=hashlib.sha256(f"{number} {text}".encode()).digest(),
        media_type="text/markdown",
        language="en",
        published_at=None,
        modified_at=None,
        authoritative=False,
        audience=None,
        credibility=0.5,
    )
