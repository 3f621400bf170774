"""Customers and the visitors they are behind: identity, profiles, and what may be kept of them."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

CUSTOMERS = """
CREATE TABLE customers (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    profile_type text NOT NULL DEFAULT 'anonymous'
        CONSTRAINT ck_customers_profile_type CHECK (profile_type IN ('anonymous', 'identified', 'registered')),
    external_id text,
    email text,
    name text,
    labels text[] NOT NULL DEFAULT '{}',
    attributes jsonb NOT NULL DEFAULT '{}',
    traits jsonb NOT NULL DEFAULT '{}',
    visits integer NOT NULL DEFAULT 1,
    turns integer NOT NULL DEFAULT 0,
    conversions integer NOT NULL DEFAULT 0,
    satisfaction real CONSTRAINT ck_customers_satisfaction CHECK (satisfaction BETWEEN 0 AND 1),
    last_page text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    previous_visit_at timestamptz,
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_customers_org_id_external_id UNIQUE (org_id, external_id)
);
"""

# A visitor is a browser; its conversations, their turns and traces go with it, and it goes with its customer.
VISITORS = """
CREATE TABLE visitors (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    agent_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    PRIMARY KEY (org_id, id),
    CONSTRAINT fk_visitors_org_id_customer_id FOREIGN KEY (org_id, customer_id)
        REFERENCES customers ON DELETE CASCADE
);
CREATE INDEX ix_visitors_org_id_customer_id ON visitors (org_id, customer_id);
INSERT INTO customers (org_id, id, created_at, updated_at, last_seen_at)
    SELECT org_id, visitor_id, min(created_at), max(updated_at), max(updated_at) FROM conversations
    WHERE visitor_id IS NOT NULL GROUP BY org_id, visitor_id;
INSERT INTO visitors (org_id, id, customer_id, created_at)
    SELECT org_id, id, id, created_at FROM customers;
CREATE INDEX ix_conversations_org_id_visitor_id ON conversations (org_id, visitor_id, id DESC);
ALTER TABLE conversations ADD CONSTRAINT fk_conversations_org_id_visitor_id FOREIGN KEY (org_id, visitor_id)
    REFERENCES visitors ON DELETE CASCADE;
"""

# A business's server signs who its people are; a signed token serves one visitor only.
IDENTITY = """
CREATE TABLE customer_settings (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    identity_secret bytea,
    user_hash_allowed boolean NOT NULL DEFAULT false,
    memory text NOT NULL DEFAULT 'on'
        CONSTRAINT ck_customer_settings_memory CHECK (memory IN ('off', 'anonymous_off', 'on')),
    PRIMARY KEY (org_id)
);
CREATE TABLE identity_tokens (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    digest bytea NOT NULL,
    visitor_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, digest)
);
CREATE TABLE customer_merges (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    into_customer_id uuid NOT NULL,
    profile jsonb NOT NULL,
    moved jsonb NOT NULL,
    merged_at timestamptz NOT NULL,
    undone_at timestamptz,
    PRIMARY KEY (org_id, id),
    CONSTRAINT fk_customer_merges_org_id_into_customer_id FOREIGN KEY (org_id, into_customer_id)
        REFERENCES customers ON DELETE CASCADE
);
"""


def upgrade() -> None:
    op.execute(CUSTOMERS)
    op.execute(VISITORS)
    op.execute(IDENTITY)
    for table in ("customers", "visitors", "customer_settings", "identity_tokens", "customer_merges"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING (org_id = (SELECT app_org_id()))")
