"""What is remembered of customers: facts in time, summaries of conversations, and what a session says by itself."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# Of one slot one fact is open; the index that sees to it also finds what is known of a customer. What a turn said goes
# with the turn.
FACTS = """
CREATE TABLE customer_facts (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT ck_customer_facts_kind
        CHECK (kind IN ('preference', 'goal', 'problem', 'plan', 'constraint', 'event')),
    subject text NOT NULL,
    slot text NOT NULL,
    value text NOT NULL,
    confidence real NOT NULL CONSTRAINT ck_customer_facts_confidence CHECK (confidence BETWEEN 0 AND 1),
    valid_from timestamptz NOT NULL,
    valid_until timestamptz,
    confirmed_at timestamptz NOT NULL,
    expires_at timestamptz,
    superseded_by uuid,
    conversation_id uuid,
    turn_id uuid,
    embedding halfvec(384),
    PRIMARY KEY (org_id, id),
    CONSTRAINT ck_customer_facts_interval CHECK (valid_until >= valid_from),
    CONSTRAINT fk_customer_facts_org_id_customer_id FOREIGN KEY (org_id, customer_id)
        REFERENCES customers ON DELETE CASCADE,
    CONSTRAINT fk_customer_facts_org_id_turn_id FOREIGN KEY (org_id, turn_id) REFERENCES turns ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_customer_facts_open ON customer_facts (org_id, customer_id, kind, slot)
    WHERE valid_until IS NULL;
CREATE INDEX ix_customer_facts_org_id_customer_id ON customer_facts (org_id, customer_id, id DESC);
CREATE INDEX ix_customer_facts_org_id_turn_id ON customer_facts (org_id, turn_id) WHERE turn_id IS NOT NULL;
"""

# A turn is remembered once, however often the job runs; what came before a customer asked to be forgotten, never.
TURNS = """
CREATE TABLE remembered_turns (
    org_id uuid NOT NULL,
    turn_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (org_id, turn_id),
    CONSTRAINT fk_remembered_turns_org_id_turn_id FOREIGN KEY (org_id, turn_id) REFERENCES turns ON DELETE CASCADE,
    CONSTRAINT fk_remembered_turns_org_id_customer_id FOREIGN KEY (org_id, customer_id)
        REFERENCES customers ON DELETE CASCADE
);
CREATE INDEX ix_remembered_turns_org_id_customer_id ON remembered_turns (org_id, customer_id);
CREATE TABLE forgotten_customers (
    org_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (org_id, customer_id),
    CONSTRAINT fk_forgotten_customers_org_id_customer_id FOREIGN KEY (org_id, customer_id)
        REFERENCES customers ON DELETE CASCADE
);
CREATE TABLE conversation_summaries (
    org_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    text text NOT NULL,
    seq integer NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (org_id, conversation_id),
    CONSTRAINT fk_conversation_summaries_org_id_conversation_id FOREIGN KEY (org_id, conversation_id)
        REFERENCES conversations ON DELETE CASCADE,
    CONSTRAINT fk_conversation_summaries_org_id_customer_id FOREIGN KEY (org_id, customer_id)
        REFERENCES customers ON DELETE CASCADE
);
CREATE INDEX ix_conversation_summaries_org_id_customer_id ON conversation_summaries (org_id, customer_id, at DESC);
ALTER TABLE customer_settings ADD COLUMN memory_days jsonb NOT NULL DEFAULT '{}';
"""

SESSIONS = """
CREATE TABLE session_rules (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    condition jsonb NOT NULL,
    consequence jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id)
);
"""

TABLES = (
    "customer_facts",
    "remembered_turns",
    "forgotten_customers",
    "conversation_summaries",
    "session_rules",
)


def upgrade() -> None:
    op.execute(FACTS)
    op.execute(TURNS)
    op.execute(SESSIONS)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING (org_id = (SELECT app_org_id()))")
