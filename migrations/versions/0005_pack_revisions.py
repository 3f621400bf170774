"""A revision for each pack that rises with every change of its documents, so that what is kept of it in memory is never stale."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# By trigger, because whoever changes a document must not be able to forget it. Chunks only ever change with theirs.
REVISIONS = """
ALTER TABLE knowledge_packs ADD COLUMN revision bigint NOT NULL DEFAULT 0;
CREATE FUNCTION documents_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE knowledge_packs p SET revision = p.revision + 1
    WHERE (p.org_id, p.id) IN (SELECT DISTINCT org_id, pack_id FROM changed);
    RETURN NULL;
END $$;
CREATE TRIGGER documents_added AFTER INSERT ON documents
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION documents_changed();
CREATE TRIGGER documents_changed AFTER UPDATE ON documents
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION documents_changed();
CREATE TRIGGER documents_removed AFTER DELETE ON documents
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION documents_changed();
"""


def upgrade() -> None:
    op.execute(REVISIONS)
