"""Sources that stay current: websites, feeds and question lists; syncs with what changed; statements that disagree."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SOURCES = """
ALTER TABLE sources DROP CONSTRAINT ck_sources_kind;
ALTER TABLE sources ADD CONSTRAINT ck_sources_kind
    CHECK (kind IN ('text', 'file', 'folder', 'archive', 'url', 'website', 'feed', 'faq'));
ALTER TABLE sources DROP CONSTRAINT ck_sources_status;
ALTER TABLE sources ADD CONSTRAINT ck_sources_status
    CHECK (status IN ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'));
ALTER TABLE sources
    ADD COLUMN options jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN audience text,
    ADD COLUMN pause_requested boolean NOT NULL DEFAULT false,
    ADD COLUMN synced_at timestamptz,
    ADD COLUMN sync_id uuid;
ALTER TABLE source_items DROP CONSTRAINT ck_source_items_status;
ALTER TABLE source_items ADD CONSTRAINT ck_source_items_status CHECK (status IN
    ('pending', 'stored', 'duplicate', 'near_duplicate', 'unchanged', 'expanded', 'skipped', 'failed'));
ALTER TABLE source_items
    ADD COLUMN depth integer NOT NULL DEFAULT 0,
    ADD COLUMN etag text,
    ADD COLUMN last_modified text,
    ADD COLUMN sync_id uuid;
ALTER TABLE documents
    ADD COLUMN kind text NOT NULL DEFAULT 'pack' CONSTRAINT ck_documents_kind CHECK (kind IN ('pack', 'faq')),
    ADD COLUMN flags text[] NOT NULL DEFAULT '{}',
    ADD COLUMN simhash bigint,
    ADD COLUMN page_starts integer[];
"""

SYNCS = """
CREATE TABLE syncs (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    source_id uuid NOT NULL,
    trigger text NOT NULL CONSTRAINT ck_syncs_trigger CHECK (trigger IN ('added', 'manual', 'scheduled', 'retry')),
    status text NOT NULL DEFAULT 'running'
        CONSTRAINT ck_syncs_status CHECK (status IN ('running', 'paused', 'succeeded', 'failed', 'cancelled')),
    added integer NOT NULL DEFAULT 0,
    changed integer NOT NULL DEFAULT 0,
    removed integer NOT NULL DEFAULT 0,
    unchanged integer NOT NULL DEFAULT 0,
    duplicate integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    changes jsonb NOT NULL DEFAULT '[]',
    error_code text,
    error text,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (org_id, id),
    CONSTRAINT fk_syncs_org_id_source_id FOREIGN KEY (org_id, source_id) REFERENCES sources ON DELETE CASCADE
);
CREATE INDEX ix_syncs_org_id_source_id ON syncs (org_id, source_id);
"""

CONTRADICTIONS = """
CREATE TABLE contradictions (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    pack_id uuid NOT NULL,
    kind text NOT NULL,
    valid_document_id uuid NOT NULL,
    valid_start integer NOT NULL,
    valid_end integer NOT NULL,
    valid_quote text NOT NULL,
    other_document_id uuid NOT NULL,
    other_start integer NOT NULL,
    other_end integer NOT NULL,
    other_quote text NOT NULL,
    settled boolean NOT NULL,
    status text NOT NULL DEFAULT 'open'
        CONSTRAINT ck_contradictions_status CHECK (status IN ('open', 'dismissed')),
    found_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    CONSTRAINT fk_contradictions_org_id_pack_id
        FOREIGN KEY (org_id, pack_id) REFERENCES knowledge_packs ON DELETE CASCADE,
    CONSTRAINT fk_contradictions_org_id_valid_document_id
        FOREIGN KEY (org_id, valid_document_id) REFERENCES documents ON DELETE CASCADE,
    CONSTRAINT fk_contradictions_org_id_other_document_id
        FOREIGN KEY (org_id, other_document_id) REFERENCES documents ON DELETE CASCADE
);
CREATE INDEX ix_contradictions_org_id_pack_id ON contradictions (org_id, pack_id);
CREATE INDEX ix_contradictions_org_id_valid_document_id ON contradictions (org_id, valid_document_id);
CREATE INDEX ix_contradictions_org_id_other_document_id ON contradictions (org_id, other_document_id);
"""


def upgrade() -> None:
    for statement in (SOURCES, SYNCS, CONTRADICTIONS):
        op.execute(statement)
    for table in ("syncs", "contradictions"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING (org_id = (SELECT app_org_id()))")
