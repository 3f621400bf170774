"""What was compared for contradictions, what operators dismissed, and where a document gives orders."""

from alembic import op

revision = "0013"
down_revision = "0006"
branch_labels = None
depends_on = None

DOCUMENTS = """
ALTER TABLE documents ADD COLUMN instruction_spans integer[] NOT NULL DEFAULT '{}';
CREATE INDEX ix_documents_flagged ON documents (org_id, pack_id, id) WHERE flags <> '{}';
"""

# A document that is read again has another id: a dismissal holds by what the statements say and where.
CONTRADICTIONS = """
ALTER TABLE contradictions ADD COLUMN fingerprint bytea NOT NULL;
CREATE UNIQUE INDEX ix_contradictions_org_id_pack_id_fingerprint
    ON contradictions (org_id, pack_id, fingerprint);
CREATE TABLE contradiction_dismissals (
    org_id uuid NOT NULL,
    pack_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    dismissed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, pack_id, fingerprint),
    CONSTRAINT fk_contradiction_dismissals_org_id_pack_id
        FOREIGN KEY (org_id, pack_id) REFERENCES knowledge_packs ON DELETE CASCADE
);
CREATE TABLE compared_documents (
    org_id uuid NOT NULL,
    document_id uuid NOT NULL,
    title text NOT NULL,
    PRIMARY KEY (org_id, document_id),
    CONSTRAINT fk_compared_documents_org_id_document_id
        FOREIGN KEY (org_id, document_id) REFERENCES documents ON DELETE CASCADE
);
"""


def upgrade() -> None:
    op.execute(DOCUMENTS)
    # Nothing has written contradictions before.
    op.execute(CONTRADICTIONS)
    for table in ("contradiction_dismissals", "compared_documents"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING (org_id = (SELECT app_org_id()))")
