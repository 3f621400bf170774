"""What searches of the web came to, kept for an hour so that the same search costs nothing."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

RESULTS = """
CREATE TABLE web_search_results (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    provider text NOT NULL,
    key bytea NOT NULL,
    results jsonb NOT NULL,
    found_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, provider, key)
);
CREATE INDEX ix_web_search_results_org_id_expires_at ON web_search_results (org_id, expires_at);
"""


def upgrade() -> None:
    op.execute(RESULTS)
    op.execute("ALTER TABLE web_search_results ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY tenant ON web_search_results USING (org_id = (SELECT app_org_id()))")
