"""Question–answer pairs: the ways in which each is asked."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

QUESTIONS = """
ALTER TABLE documents ADD COLUMN questions text[] NOT NULL DEFAULT '{}';
CREATE INDEX ix_documents_faq ON documents (org_id, pack_id, id) WHERE kind = 'faq';
"""


def upgrade() -> None:
    op.execute(QUESTIONS)
