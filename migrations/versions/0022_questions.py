"""Question–answer pairs: how each is asked, and the vectors by which a visitor's question finds it."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# All pairs of an index are compared, which is exact; one of 10,000 takes some milliseconds. An approximate index could
# look at other tenants' pairs only, and miss the one that was written to be found.
QUESTIONS = """
ALTER TABLE documents ADD COLUMN questions text[] NOT NULL DEFAULT '{}';
CREATE TABLE faq_questions (
    org_id uuid NOT NULL,
    document_id uuid NOT NULL,
    index_id uuid NOT NULL,
    ordinal integer NOT NULL,
    embedding halfvec NOT NULL,
    PRIMARY KEY (org_id, document_id, index_id, ordinal),
    CONSTRAINT fk_faq_questions_org_id_document_id_index_id
        FOREIGN KEY (org_id, document_id, index_id) REFERENCES indexed_documents ON DELETE CASCADE
);
ALTER TABLE faq_questions ALTER COLUMN embedding SET STORAGE PLAIN;
CREATE INDEX ix_faq_questions_org_id_index_id ON faq_questions (org_id, index_id);
CREATE INDEX ix_documents_faq ON documents (org_id, pack_id, id) WHERE kind = 'faq';
"""


def upgrade() -> None:
    op.execute(QUESTIONS)
    op.execute("ALTER TABLE faq_questions ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY tenant ON faq_questions USING (org_id = (SELECT app_org_id()))")
