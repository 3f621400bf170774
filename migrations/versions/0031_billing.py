"""Billing: which plan an organization has, what Stripe tells of its subscriptions, and what was used."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

ACCOUNTS = """
CREATE TABLE billing_accounts (
    org_id uuid PRIMARY KEY REFERENCES organizations ON DELETE CASCADE,
    plan text,
    customer_id text,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE subscriptions (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id text NOT NULL,
    plan text,
    status text NOT NULL,
    told_at timestamptz,
    told_kind text,
    payment_failed_at timestamptz,
    PRIMARY KEY (org_id, id),
    CONSTRAINT ck_subscriptions_told CHECK ((told_at IS NULL) = (told_kind IS NULL))
);
CREATE TABLE billing_events (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id text NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    made_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id)
);
"""

METERS = """
CREATE TABLE usage_meters (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    agent text NOT NULL DEFAULT '',
    meter text NOT NULL,
    period_start date NOT NULL,
    amount bigint NOT NULL CONSTRAINT ck_usage_meters_amount CHECK (amount >= 0),
    PRIMARY KEY (org_id, agent, meter, period_start)
);
"""


def upgrade() -> None:
    op.execute(ACCOUNTS)
    op.execute(METERS)
    for table in ("billing_accounts", "subscriptions", "billing_events", "usage_meters"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING (org_id = (SELECT app_org_id()))")
    # Nothing ever wrote it: the plan is said in one place.
    op.execute("ALTER TABLE organizations DROP COLUMN plan")
