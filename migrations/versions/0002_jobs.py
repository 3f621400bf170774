"""Background jobs: procrastinate's own tables, functions and triggers."""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The driver's own cursor, because the script has many statements and its percent signs are literal.
    op.get_bind().connection.cursor().execute(SchemaManager.get_schema().encode())
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO concierge_app")
    op.execute("REVOKE ALL ON alembic_version FROM concierge_app")
    op.execute("GRANT SELECT ON alembic_version TO concierge_app")
    op.execute("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO concierge_app")
    op.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO concierge_app")
