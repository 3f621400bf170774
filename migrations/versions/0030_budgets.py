"""What may be spent in an hour, a day or a month: what was, and what is set aside for calls under way."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

BUDGETS = """
CREATE TABLE budget_periods (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name text NOT NULL,
    starts_at timestamptz NOT NULL,
    period text NOT NULL CONSTRAINT ck_budget_periods_period CHECK (period IN ('hour', 'day', 'month')),
    spent bigint NOT NULL DEFAULT 0 CONSTRAINT ck_budget_periods_spent CHECK (spent >= 0),
    PRIMARY KEY (org_id, name, period, starts_at)
);
CREATE TABLE budget_reservations (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    period text NOT NULL,
    starts_at timestamptz NOT NULL,
    amount bigint NOT NULL CONSTRAINT ck_budget_reservations_amount CHECK (amount >= 0),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id, name, period, starts_at),
    CONSTRAINT fk_budget_reservations_org_id_name FOREIGN KEY (org_id, name, period, starts_at)
        REFERENCES budget_periods ON DELETE CASCADE
);
CREATE INDEX ix_budget_reservations_org_id_name ON budget_reservations (org_id, name, period, starts_at);
"""
TABLES = ("budget_periods", "budget_reservations")


def upgrade() -> None:
    op.execute(BUDGETS)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING (org_id = (SELECT app_org_id()))")
