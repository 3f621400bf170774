"""Databases full of chunks, built once and kept between runs: real migrations, real indexes, row-level security on."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray
from pgvector import HalfVector, SparseVector
from pgvector.psycopg import register_vector
from psycopg import sql
from rich.progress import track

from benchmarks.corpus import Corpus
from concierge.accounts.scope import TenantScope
from concierge.entrypoints.wiring import DatabaseAddress
from concierge.kit.db import Database
from concierge.kit.ids import new_id
from concierge.kit.migrations import location, migrate
from concierge.kit.postgres import EmbeddedPostgres
from concierge.knowledge.lexical import document_weights, pack_term, terms
from concierge.knowledge.models import DIMENSIONS, TERM_SPACE
from concierge.knowledge.repository import DocumentRepository, NewChunk, NewDocument, mean_vector

BUILDER_VERSION = 2  # Raised when this module builds other databases than before.
CHUNKS_PER_DOCUMENT = 20
SENTENCES = 5
USUAL_TERMS = 100.0
BULK_INDEXES = ("ix_chunks_terms", "ix_chunks_embedding")
CHUNK_COLUMNS = {
    "org_id": "uuid",
    "id": "uuid",
    "pack_id": "uuid",
    "document_id": "uuid",
    "ordinal": "int4",
    "start_char": "int4",
    "text": "text",
    "headings": "text[]",
    "embedding": "halfvec",
    "bm25": "sparsevec",
    "terms": "int8[]",
    "sentence_spans": "int4[]",
    "sentence_vectors": "bytea",
}


@dataclass(frozen=True, slots=True)
class Pack:
    name: str
    org_id: UUID
    pack_id: UUID
    chunks: int


@dataclass(frozen=True, slots=True)
class PackDatabase:
    """A running server with these packs in it."""

    postgres: EmbeddedPostgres
    address: DatabaseAddress
    packs: Sequence[Pack]


async def opened(cache: Path, wanted: Sequence[tuple[str, Corpus]]) -> PackDatabase:
    """Start the database that holds these packs, one organization each; build it when it is not there yet."""
    folder = cache / f"packs-{_digest(wanted)}"
    ready = folder / "packs.json"
    if folder.exists() and not ready.exists():
        shutil.rmtree(folder)  # A build that was broken off.
    folder.mkdir(parents=True, exist_ok=True)
    postgres = EmbeddedPostgres(folder / "postgres")
    postgres.ensure_running()
    address = DatabaseAddress(postgres.owner_url, postgres.app_url, None)
    if not ready.exists():
        migrate(address.owner_url)
        packs = [await _built(address, name, corpus) for name, corpus in wanted]
        with psycopg.connect(postgres.address.conninfo(), autocommit=True) as owner:
            owner.execute("VACUUM ANALYZE")
            owner.execute("CHECKPOINT")
        ready.write_text(json.dumps([asdict(pack) for pack in packs], default=str), encoding="utf-8")
    rows: list[dict[str, Any]] = json.loads(ready.read_text(encoding="utf-8"))
    packs = [Pack(row["name"], UUID(row["org_id"]), UUID(row["pack_id"]), int(row["chunks"])) for row in rows]
    return PackDatabase(postgres, address, packs)


def _digest(wanted: Sequence[tuple[str, Corpus]]) -> str:
    digest = hashlib.sha256(str(BUILDER_VERSION).encode())
    for path in sorted((location() / "versions").glob("*.py")):
        digest.update(path.read_bytes())
    for name, corpus in wanted:
        digest.update(f"{name}:{corpus.name}:{len(corpus.texts)}".encode())
        digest.update(corpus.vectors[:100].tobytes())
    return digest.hexdigest()[:12]


async def _built(address: DatabaseAddress, name: str, corpus: Corpus) -> Pack:
    pack = Pack(name, new_id(), new_id(), len(corpus.texts))
    conninfo = address.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(conninfo) as owner:
        register_vector(owner)
        source_id = _tenant(owner, pack)
        owner.commit()
        if pack.chunks <= 2_000:
            await _through_the_repository(address, pack, source_id, corpus)
        else:
            _in_bulk(owner, pack, source_id, corpus)
    return pack


def _tenant(owner: psycopg.Connection[Any], pack: Pack) -> UUID:
    """Make an organization with an empty pack. Returns a source to hang documents on."""
    source_id = new_id()
    owner.execute(
        "INSERT INTO organizations (id, name, slug) VALUES (%s, %s, %s)",
        (pack.org_id, pack.name, f"bench-{pack.org_id.hex[-8:]}"),
    )
    owner.execute(
        "INSERT INTO knowledge_packs (org_id, id, name) VALUES (%s, %s, %s)",
        (pack.org_id, pack.pack_id, pack.name),
    )
    owner.execute(
        "INSERT INTO sources (org_id, id, pack_id, kind, name, status) VALUES (%s, %s, %s, 'folder', %s, 'succeeded')",
        (pack.org_id, source_id, pack.pack_id, pack.name),
    )
    return source_id


async def _through_the_repository(
    address: DatabaseAddress, pack: Pack, source_id: UUID, corpus: Corpus
) -> None:
    db = Database(address.app_url, pool_size=2)
    for number, chunks in enumerate(_documents(pack, corpus)):
        async with db.transaction(pack.org_id) as session:
            documents = DocumentRepository(session, TenantScope(pack.org_id))
            await documents.add(_document(pack, source_id, number, chunks), chunks)
    await db.close()


def _in_bulk(owner: psycopg.Connection[Any], pack: Pack, source_id: UUID, corpus: Corpus) -> None:
    """Copy the rows the repository would have stored, then build the indexes the migration asks for."""
    indexes = [
        owner.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name]).fetchall()[0][0]
        for name in BULK_INDEXES
    ]
    for name in BULK_INDEXES:
        owner.execute(f"DROP INDEX {name}")
    documents = list(
        track(
            _documents(pack, corpus),
            description=f"Preparing {pack.name}",
            total=_count(corpus),
            transient=True,
        )
    )
    ids = [new_id() for _ in documents]
    _copy_documents(owner, pack, source_id, ids, documents)
    _copy_chunks(owner, pack, ids, documents)
    owner.execute(
        "INSERT INTO term_stats (org_id, pack_id, term, df) SELECT org_id, pack_id, term, count(*) "
        "FROM chunks, unnest(terms) AS term WHERE org_id = %s GROUP BY org_id, pack_id, term",
        [pack.org_id],
    )
    owner.execute(
        "UPDATE knowledge_packs SET document_count = %s, chunk_count = %s WHERE org_id = %s",
        (len(documents), pack.chunks, pack.org_id),
    )
    owner.execute("SET maintenance_work_mem = '512MB'")
    for index in indexes:
        owner.execute(index)
    owner.commit()


def _copy_documents(
    owner: psycopg.Connection[Any],
    pack: Pack,
    source_id: UUID,
    ids: Sequence[UUID],
    documents: Sequence[Sequence[NewChunk]],
) -> None:
    names = ("org_id", "id", "chunk_count", "embedding", *NewDocument.__slots__)
    with owner.cursor() as cursor, cursor.copy(_copying("documents", names)) as copy:
        for number, (document_id, chunks) in enumerate(zip(ids, documents, strict=True)):
            document = _document(pack, source_id, number, chunks)
            values = [getattr(document, name) for name in NewDocument.__slots__]
            copy.write_row((pack.org_id, document_id, len(chunks), mean_vector(chunks), *values))


def _copy_chunks(
    owner: psycopg.Connection[Any],
    pack: Pack,
    ids: Sequence[UUID],
    documents: Sequence[Sequence[NewChunk]],
) -> None:
    statement = _copying("chunks", tuple(CHUNK_COLUMNS)) + sql.SQL(" (FORMAT BINARY)")
    with owner.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(CHUNK_COLUMNS.values()))
        for document_id, chunks in zip(ids, documents, strict=True):
            for ordinal, chunk in enumerate(chunks):
                copy.write_row(
                    (
                        pack.org_id,
                        new_id(),
                        pack.pack_id,
                        document_id,
                        ordinal,
                        chunk.start,
                        chunk.text,
                        list(chunk.headings),
                        HalfVector(chunk.vector),
                        SparseVector(chunk.weights, TERM_SPACE),
                        chunk.postings,
                        [offset for span in chunk.sentences for offset in span],
                        chunk.sentence_vectors.astype(np.float16).tobytes(),
                    )
                )


def _copying(table: str, names: Sequence[str]) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)


def _count(corpus: Corpus) -> int:
    return -(-len(corpus.texts) // CHUNKS_PER_DOCUMENT)


def _documents(pack: Pack, corpus: Corpus) -> Iterator[list[NewChunk]]:
    draw = np.random.default_rng(2)
    for first in range(0, len(corpus.texts), CHUNKS_PER_DOCUMENT):
        start = 0
        chunks: list[NewChunk] = []
        for index in range(first, min(first + CHUNKS_PER_DOCUMENT, len(corpus.texts))):
            chunks.append(_chunk(draw, pack.pack_id, corpus.texts[index], corpus.vectors[index], start))
            start += len(corpus.texts[index]) + 2
        yield chunks


def _chunk(
    draw: np.random.Generator, pack_id: UUID, text: str, vector: NDArray[np.float32], start: int
) -> NewChunk:
    words = terms(text)
    ends = [start + len(text) * (number + 1) // SENTENCES for number in range(SENTENCES)]
    noise = draw.standard_normal((SENTENCES, DIMENSIONS)).astype(np.float32) * 0.03
    sentences = vector + noise
    return NewChunk(
        start=start,
        text=text,
        headings=("Documentation",),
        vector=vector,
        weights=document_weights(words, USUAL_TERMS),
        postings=sorted({pack_term(pack_id, word) for word in words}),
        sentences=tuple(zip([start, *ends], ends, strict=False)),
        sentence_vectors=sentences / np.linalg.norm(sentences, axis=1, keepdims=True),
    )


def _document(pack: Pack, source_id: UUID, number: int, chunks: Sequence[NewChunk]) -> NewDocument:
    text = "\n\n".join(chunk.text for chunk in chunks)
    return NewDocument(
        source_id=source_id,
        pack_id=pack.pack_id,
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
        credibility=0.5,
    )
