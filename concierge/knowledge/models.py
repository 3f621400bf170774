from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector import HalfVector, SparseVector
from pgvector.sqlalchemy import HALFVEC, SPARSEVEC
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    SmallInteger,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from concierge.kit.db import Base

TERM_SPACE = 999_999_999


class KnowledgePack(Base):
    __tablename__ = "knowledge_packs"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    grounding_mode: Mapped[str] = mapped_column(default="blended")
    freshness_policy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    document_count: Mapped[int] = mapped_column(default=0)
    chunk_count: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Source(Base):
    __tablename__ = "sources"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "pack_id"], ["knowledge_packs.org_id", "knowledge_packs.id"]),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    pack_id: Mapped[UUID]
    kind: Mapped[str]
    name: Mapped[str]
    uri: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="queued")
    authoritative: Mapped[bool] = mapped_column(default=False)
    credibility: Mapped[float] = mapped_column(default=0.5)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    audience: Mapped[str | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    pause_requested: Mapped[bool] = mapped_column(default=False)
    sync_id: Mapped[UUID | None]
    synced_at: Mapped[datetime | None]
    current_item: Mapped[str | None]
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class SourceItem(Base):
    """One thing to read of a source: a file, a page, an archive that expands into more of them."""

    __tablename__ = "source_items"
    __table_args__ = (ForeignKeyConstraint(["org_id", "source_id"], ["sources.org_id", "sources.id"]),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    source_id: Mapped[UUID]
    uri: Mapped[str]
    media_type: Mapped[str | None]
    data: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, deferred_raiseload=True)
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    depth: Mapped[int] = mapped_column(default=0)
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    sync_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(default="pending")
    document_id: Mapped[UUID | None]
    chunk_count: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    finished_at: Mapped[datetime | None]


class Document(Base):
    """`page_starts` are offsets in `text`, `chunk_count` is of the pack's current index.

    `instruction_spans` are starts and ends of sentences that give orders to whoever reads them for an answer.
    A question–answer pair is of the kind `faq`: `questions` are the ways in which it is asked, `text` is the first of
    them, an empty line and the answer.
    """

    __tablename__ = "documents"
    __table_args__ = (ForeignKeyConstraint(["org_id", "source_id"], ["sources.org_id", "sources.id"]),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    pack_id: Mapped[UUID]
    source_id: Mapped[UUID]
    uri: Mapped[str]
    title: Mapped[str]
    url: Mapped[str | None]
    text: Mapped[str] = mapped_column(deferred=True, deferred_raiseload=True)
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    media_type: Mapped[str]
    language: Mapped[str | None]
    published_at: Mapped[datetime | None]
    modified_at: Mapped[datetime | None]
    authoritative: Mapped[bool] = mapped_column(default=False)
    credibility: Mapped[float] = mapped_column(default=0.5)
    audience: Mapped[str | None]
    kind: Mapped[str] = mapped_column(default="pack")
    flags: Mapped[list[str]] = mapped_column(default=list)
    instruction_spans: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list)
    simhash: Mapped[int | None] = mapped_column(BigInteger)
    page_starts: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    questions: Mapped[list[str]] = mapped_column(default=list)
    chunk_count: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PackIndex(Base):
    """One index of a pack, with the model and the chunker it is made by. A pack's first one bears the pack's own id.

    A pack without documents may have none.
    """

    __tablename__ = "pack_indexes"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "pack_id"], ["knowledge_packs.org_id", "knowledge_packs.id"]),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    pack_id: Mapped[UUID]
    number: Mapped[int]
    state: Mapped[str]
    embedding_model: Mapped[str]
    dimensions: Mapped[int]
    chunker: Mapped[str]
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    switched_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class IndexedDocument(Base):
    """A document in an index; one that is not there is still to be taken in. `embedding` is the mean of its chunks'."""

    __tablename__ = "indexed_documents"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "document_id"], ["documents.org_id", "documents.id"]),
        ForeignKeyConstraint(["org_id", "index_id"], ["pack_indexes.org_id", "pack_indexes.id"]),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    index_id: Mapped[UUID] = mapped_column(primary_key=True)
    embedding: Mapped[HalfVector] = mapped_column(HALFVEC(), deferred=True, deferred_raiseload=True)
    chunk_count: Mapped[int]
    indexed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class DocumentJudgement(Base):
    """What an operator says of the document at a place, other than of its source; null is as the source.

    It holds for every version of the document. An empty `audience` is the public.
    """

    __tablename__ = "document_judgements"
    __table_args__ = (ForeignKeyConstraint(["org_id", "source_id"], ["sources.org_id", "sources.id"]),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(primary_key=True)
    authoritative: Mapped[bool | None]
    credibility: Mapped[float | None]
    audience: Mapped[str | None]


class ChunkRow(Base):
    """A retrievable passage of one index. `terms` are postings of that index, `sentence_vectors` float16 rows.

    `dimensions` is the length of all its vectors.
    """

    __tablename__ = "chunks"
    __table_args__ = (ForeignKeyConstraint(["org_id", "document_id"], ["documents.org_id", "documents.id"]),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    index_id: Mapped[UUID]
    document_id: Mapped[UUID]
    ordinal: Mapped[int]
    start_char: Mapped[int]
    text: Mapped[str]
    headings: Mapped[list[str]]
    embedding: Mapped[HalfVector] = mapped_column(HALFVEC())
    dimensions: Mapped[int] = mapped_column(SmallInteger)
    bm25: Mapped[SparseVector] = mapped_column(SPARSEVEC(TERM_SPACE))
    terms: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    sentence_spans: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    sentence_vectors: Mapped[bytes] = mapped_column(LargeBinary)


class TermStats(Base):
    """In how many chunks of an index a term occurs."""

    __tablename__ = "term_stats"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "index_id"], ["pack_indexes.org_id", "pack_indexes.id"]),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    index_id: Mapped[UUID] = mapped_column(primary_key=True)
    term: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    df: Mapped[int]


class RestrictedTermStats(Base):
    """In how many chunks of an index that are for an audience a term occurs; `TermStats` count them too."""

    __tablename__ = "restricted_term_stats"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "index_id"], ["pack_indexes.org_id", "pack_indexes.id"]),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    index_id: Mapped[UUID] = mapped_column(primary_key=True)
    term: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    df: Mapped[int]


class Sync(Base):
    """One reading of a source, and what it changed; `changes` lists the first of them by name."""

    __tablename__ = "syncs"
    __table_args__ = (ForeignKeyConstraint(["org_id", "source_id"], ["sources.org_id", "sources.id"]),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    source_id: Mapped[UUID]
    trigger: Mapped[str]
    status: Mapped[str] = mapped_column(default="running")
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    removed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    duplicate: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    changes: Mapped[list[Any]] = mapped_column(default=list)
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]


class FoundContradiction(Base):
    """Two statements of a pack that cannot both hold; quotes are exact, offsets count in their documents' texts."""

    __tablename__ = "contradictions"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "pack_id"], ["knowledge_packs.org_id", "knowledge_packs.id"]),
        ForeignKeyConstraint(["org_id", "valid_document_id"], ["documents.org_id", "documents.id"]),
        ForeignKeyConstraint(["org_id", "other_document_id"], ["documents.org_id", "documents.id"]),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    pack_id: Mapped[UUID]
    kind: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    valid_document_id: Mapped[UUID]
    valid_start: Mapped[int]
    valid_end: Mapped[int]
    valid_quote: Mapped[str]
    other_document_id: Mapped[UUID]
    other_start: Mapped[int]
    other_end: Mapped[int]
    other_quote: Mapped[str]
    settled: Mapped[bool]
    status: Mapped[str] = mapped_column(default="open")
    found_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Dismissal(Base):
    """A contradiction that an operator dismissed, by what its statements say and where."""

    __tablename__ = "contradiction_dismissals"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "pack_id"], ["knowledge_packs.org_id", "knowledge_packs.id"]),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    pack_id: Mapped[UUID] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    dismissed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ComparedDocument(Base):
    """A document whose statements were compared with the pack's, under the title it had then."""

    __tablename__ = "compared_documents"
    __table_args__ = (ForeignKeyConstraint(["org_id", "document_id"], ["documents.org_id", "documents.id"]),)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
