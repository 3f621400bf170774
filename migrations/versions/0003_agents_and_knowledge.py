"""Agents, knowledge packs, sources, documents, chunks, and the term statistics BM25 needs."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AGENTS = """
CREATE TABLE agents (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    greeting text NOT NULL DEFAULT '',
    grounding_mode text NOT NULL DEFAULT 'blended'
        CONSTRAINT ck_agents_grounding_mode CHECK (grounding_mode IN ('blended', 'strict')),
    allowed_origins text[] NOT NULL DEFAULT '{}',
    shows_intelligence_to_visitors boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_agents_org_id_slug UNIQUE (org_id, slug)
);
"""

KNOWLEDGE = """
CREATE TABLE knowledge_packs (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    grounding_mode text NOT NULL DEFAULT 'blended'
        CONSTRAINT ck_knowledge_packs_grounding_mode CHECK (grounding_mode IN ('blended', 'strict')),
    freshness_policy jsonb NOT NULL DEFAULT '{}',
    document_count integer NOT NULL DEFAULT 0,
    chunk_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_knowledge_packs_org_id_name UNIQUE (org_id, name)
);
CREATE TABLE agent_packs (
    org_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    pack_id uuid NOT NULL,
    position integer NOT NULL DEFAULT 0,
    PRIMARY KEY (org_id, agent_id, pack_id),
    CONSTRAINT fk_agent_packs_org_id_agent_id FOREIGN KEY (org_id, agent_id) REFERENCES agents ON DELETE CASCADE,
    CONSTRAINT fk_agent_packs_org_id_pack_id FOREIGN KEY (org_id, pack_id) REFERENCES knowledge_packs ON DELETE CASCADE
);
CREATE TABLE sources (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    pack_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT ck_sources_kind CHECK (kind IN ('text', 'file', 'folder', 'archive', 'url')),
    name text NOT NULL,
    uri text,
    status text NOT NULL DEFAULT 'queued' CONSTRAINT ck_sources_status
        CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    authoritative boolean NOT NULL DEFAULT false,
    credibility real NOT NULL DEFAULT 0.5 CONSTRAINT ck_sources_credibility CHECK (credibility BETWEEN 0 AND 1),
    cancel_requested boolean NOT NULL DEFAULT false,
    current_item text,
    error_code text,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (org_id, id),
    CONSTRAINT fk_sources_org_id_pack_id FOREIGN KEY (org_id, pack_id) REFERENCES knowledge_packs ON DELETE CASCADE
);
CREATE INDEX ix_sources_org_id_pack_id ON sources (org_id, pack_id);
CREATE TABLE documents (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    pack_id uuid NOT NULL,
    source_id uuid NOT NULL,
    uri text NOT NULL,
    title text NOT NULL,
    url text,
    text text NOT NULL,
    content_hash bytea NOT NULL,
    media_type text NOT NULL,
    language text,
    published_at timestamptz,
    modified_at timestamptz,
    authoritative boolean NOT NULL DEFAULT false,
    credibility real NOT NULL DEFAULT 0.5,
    audience text,
    embedding halfvec(384) NOT NULL,
    chunk_count integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_documents_org_id_pack_id_content_hash UNIQUE (org_id, pack_id, content_hash),
    CONSTRAINT fk_documents_org_id_source_id FOREIGN KEY (org_id, source_id) REFERENCES sources ON DELETE CASCADE
);
CREATE INDEX ix_documents_org_id_source_id_uri ON documents (org_id, source_id, uri);
CREATE TABLE source_items (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    source_id uuid NOT NULL,
    uri text NOT NULL,
    media_type text,
    data bytea,
    size bigint NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'pending' CONSTRAINT ck_source_items_status
        CHECK (status IN ('pending', 'stored', 'duplicate', 'unchanged', 'expanded', 'skipped', 'failed')),
    document_id uuid,
    chunk_count integer NOT NULL DEFAULT 0,
    error_code text,
    error text,
    finished_at timestamptz,
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_source_items_org_id_source_id_uri UNIQUE (org_id, source_id, uri),
    CONSTRAINT fk_source_items_org_id_source_id FOREIGN KEY (org_id, source_id) REFERENCES sources ON DELETE CASCADE
);
CREATE INDEX ix_source_items_org_id_document_id ON source_items (org_id, document_id);
ALTER TABLE source_items ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE chunks (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    pack_id uuid NOT NULL,
    document_id uuid NOT NULL,
    ordinal integer NOT NULL,
    start_char integer NOT NULL,
    text text NOT NULL,
    headings text[] NOT NULL,
    embedding halfvec(384) NOT NULL,
    bm25 sparsevec(999999999) NOT NULL,
    terms bigint[] NOT NULL,
    sentence_spans integer[] NOT NULL,
    sentence_vectors bytea NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT fk_chunks_org_id_document_id FOREIGN KEY (org_id, document_id) REFERENCES documents ON DELETE CASCADE
);
-- What every query scores stays in the row, uncompressed; what only the chosen passages need moves out of its way.
-- A row of 1,400 bytes holds an embedding and the weights of some 60 terms.
ALTER TABLE chunks SET (toast_tuple_target = 1400);
ALTER TABLE chunks ALTER COLUMN embedding SET STORAGE PLAIN;
ALTER TABLE chunks ALTER COLUMN bm25 SET STORAGE MAIN;
ALTER TABLE chunks ALTER COLUMN terms SET STORAGE EXTERNAL;
ALTER TABLE chunks ALTER COLUMN text SET STORAGE EXTERNAL;
ALTER TABLE chunks ALTER COLUMN sentence_vectors SET STORAGE EXTERNAL;
CREATE INDEX ix_chunks_org_id_document_id ON chunks (org_id, document_id, ordinal);
CREATE INDEX ix_chunks_org_id_pack_id ON chunks (org_id, pack_id);
CREATE INDEX ix_chunks_terms ON chunks USING gin (terms) WITH (fastupdate = off);
CREATE INDEX ix_chunks_embedding ON chunks USING hnsw (embedding halfvec_ip_ops);
CREATE TABLE term_stats (
    org_id uuid NOT NULL,
    pack_id uuid NOT NULL,
    term bigint NOT NULL,
    df integer NOT NULL,
    PRIMARY KEY (org_id, pack_id, term),
    CONSTRAINT fk_term_stats_org_id_pack_id FOREIGN KEY (org_id, pack_id) REFERENCES knowledge_packs ON DELETE CASCADE
);
"""

# Array overlap is not leak-proof, so under row-level security PostgreSQL would not use the posting lists. This
# function owns the right to, and names the tenant itself. A posting belongs to one pack, so the other conditions hold
# for every row it finds; IS TRUE keeps the planner from reading a whole pack's index to check them.
LEXICAL_SEARCH = """
CREATE FUNCTION chunks_with_terms(packs uuid[], postings bigint[], query sparsevec, wanted integer)
    RETURNS TABLE (chunk_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT id FROM chunks
        WHERE terms && postings AND (org_id = (SELECT app_org_id())) IS TRUE AND (pack_id = ANY (packs)) IS TRUE
        ORDER BY bm25 <#> query LIMIT wanted
    $$;
REVOKE ALL ON FUNCTION chunks_with_terms FROM PUBLIC;
GRANT EXECUTE ON FUNCTION chunks_with_terms TO concierge_app;
"""


def upgrade() -> None:
    for statement in (AGENTS, "CREATE EXTENSION IF NOT EXISTS vector", KNOWLEDGE, LEXICAL_SEARCH):
        op.execute(statement)
    for table in (
        "agents",
        "agent_packs",
        "knowledge_packs",
        "sources",
        "source_items",
        "documents",
        "chunks",
        "term_stats",
    ):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING (org_id = (SELECT app_org_id()))")
