"""What organizations and their agents say of strategies."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE agents ADD COLUMN strategy jsonb NOT NULL DEFAULT '{}';
CREATE TABLE strategy_defaults (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    strategy jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id)
);
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute("ALTER TABLE strategy_defaults ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY tenant ON strategy_defaults USING (org_id = (SELECT app_org_id()))")
