"""Tell the planner that a pack belongs to one organization.

It took the two for independent and expected so few chunks of a pack of 50,000 that it compared every one of them
with a question, where the index of vectors needs a thirtieth of the time.
"""

from alembic import op

revision = "0020"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE STATISTICS chunks_of_packs (dependencies) ON org_id, pack_id FROM chunks")
    op.execute("ANALYZE chunks (org_id, pack_id)")
