"""Several indexes of a pack beside each other, each with the model and the chunker it was made by.

What was read so far becomes the first index of its pack and bears the pack's own id, so that no chunk and no posting
has to be written anew. Vectors may now be of any length: the approximate index is partial, one for each usual length,
and the one of 384 numbers is built again, which takes minutes for half a million chunks (docs/decisions/0009).
"""

import os

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# Until now one model, the setting's, was used for everything.
LOCAL_MODEL = "local:minilm"

TABLES = """
CREATE TABLE pack_indexes (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    pack_id uuid NOT NULL,
    number integer NOT NULL,
    state text NOT NULL CONSTRAINT ck_pack_indexes_state
        CHECK (state IN ('building', 'current', 'retired', 'failed', 'cancelled')),
    embedding_model text NOT NULL,
    dimensions integer NOT NULL,
    chunker text NOT NULL CONSTRAINT ck_pack_indexes_chunker CHECK (chunker IN ('late_semantic', 'recursive')),
    error_code text,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    switched_at timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_pack_indexes_org_id_pack_id_number UNIQUE (org_id, pack_id, number),
    CONSTRAINT fk_pack_indexes_org_id_pack_id FOREIGN KEY (org_id, pack_id)
        REFERENCES knowledge_packs ON DELETE CASCADE
);
CREATE UNIQUE INDEX ix_pack_indexes_current ON pack_indexes (org_id, pack_id) WHERE state = 'current';
CREATE UNIQUE INDEX ix_pack_indexes_building ON pack_indexes (org_id, pack_id) WHERE state = 'building';
CREATE TABLE indexed_documents (
    org_id uuid NOT NULL,
    document_id uuid NOT NULL,
    index_id uuid NOT NULL,
    embedding halfvec NOT NULL,
    chunk_count integer NOT NULL,
    indexed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, document_id, index_id),
    CONSTRAINT fk_indexed_documents_org_id_document_id FOREIGN KEY (org_id, document_id)
        REFERENCES documents ON DELETE CASCADE,
    CONSTRAINT fk_indexed_documents_org_id_index_id FOREIGN KEY (org_id, index_id)
        REFERENCES pack_indexes ON DELETE CASCADE
);
CREATE INDEX ix_indexed_documents_org_id_index_id ON indexed_documents (org_id, index_id)
    INCLUDE (chunk_count, indexed_at);
"""

FIRST_INDEXES = """
INSERT INTO pack_indexes (org_id, id, pack_id, number, state, embedding_model, dimensions, chunker, created_at,
                          switched_at)
SELECT org_id, id, id, 1, 'current', :model, 384, :chunker, created_at, created_at FROM knowledge_packs p
WHERE EXISTS (SELECT FROM documents d WHERE d.org_id = p.org_id AND d.pack_id = p.id)
   OR EXISTS (SELECT FROM term_stats t WHERE t.org_id = p.org_id AND t.pack_id = p.id)
"""

DOCUMENTS = """
INSERT INTO indexed_documents (org_id, document_id, index_id, embedding, chunk_count, indexed_at)
SELECT org_id, id, pack_id, embedding, chunk_count, created_at FROM documents;
ALTER TABLE documents DROP COLUMN embedding;
"""

CHUNKS = """
ALTER TABLE term_stats DROP CONSTRAINT fk_term_stats_org_id_pack_id;
ALTER TABLE term_stats RENAME COLUMN pack_id TO index_id;
ALTER TABLE term_stats ADD CONSTRAINT fk_term_stats_org_id_index_id
    FOREIGN KEY (org_id, index_id) REFERENCES pack_indexes ON DELETE CASCADE;
DROP FUNCTION chunks_with_terms;
DROP INDEX ix_chunks_embedding;
ALTER TABLE chunks RENAME COLUMN pack_id TO index_id;
ALTER INDEX ix_chunks_org_id_pack_id RENAME TO ix_chunks_org_id_index_id;
ALTER STATISTICS chunks_of_packs RENAME TO chunks_of_indexes;
ALTER TABLE chunks ALTER COLUMN embedding TYPE halfvec;
ALTER TABLE chunks ADD COLUMN dimensions smallint NOT NULL DEFAULT 384;
ALTER TABLE chunks ALTER COLUMN dimensions DROP DEFAULT;
"""

LEXICAL_SEARCH = """
CREATE FUNCTION chunks_with_terms(indexes uuid[], postings bigint[], query sparsevec, wanted integer)
    RETURNS TABLE (chunk_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT id FROM chunks
        WHERE terms && postings AND (org_id = (SELECT app_org_id())) IS TRUE AND (index_id = ANY (indexes)) IS TRUE
        ORDER BY bm25 <#> query LIMIT wanted
    $$;
REVOKE ALL ON FUNCTION chunks_with_terms FROM PUBLIC;
GRANT EXECUTE ON FUNCTION chunks_with_terms TO concierge_app;
"""

# The usual lengths of models' vectors. Those of another length are compared one by one, which is right at any size.
LENGTHS = (384, 512, 768, 1024, 1536, 3072)
GRAPH = """
CREATE INDEX ix_chunks_embedding_{0} ON chunks USING hnsw ((embedding::halfvec({0})) halfvec_ip_ops)
    WHERE dimensions = {0}
"""


def upgrade() -> None:
    # A graph of many vectors takes longer than a migration may otherwise.
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute("SET LOCAL maintenance_work_mem = '512MB'")
    op.execute(TABLES)
    model = os.environ.get("CONCIERGE_EMBEDDING_MODEL") or LOCAL_MODEL
    chunker = "late_semantic" if model == LOCAL_MODEL else "recursive"
    op.execute(sa.text(FIRST_INDEXES).bindparams(model=model, chunker=chunker))
    op.execute(DOCUMENTS)
    op.execute(CHUNKS)
    op.execute(LEXICAL_SEARCH)
    for length in LENGTHS:
        op.execute(GRAPH.format(length))
    for table in ("pack_indexes", "indexed_documents"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING (org_id = (SELECT app_org_id()))")
