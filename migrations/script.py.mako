"""${message}

Before you write SQL here: every tenant table starts its primary key, foreign keys and unique constraints with
`org_id` and is protected by row-level security (`protect`). A migration runs while the product is serving: add
columns as nullable or with a constant default, build indexes on big tables concurrently, never rewrite a table.
"""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "op.execute('SELECT 1')"}
