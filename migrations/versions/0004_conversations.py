"""Conversations, turns and the trace of every turn."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE conversations (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    agent_id uuid NOT NULL,
    visitor_id uuid,
    turn_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    CONSTRAINT fk_conversations_org_id_agent_id FOREIGN KEY (org_id, agent_id) REFERENCES agents ON DELETE CASCADE
);
CREATE INDEX ix_conversations_org_id_agent_id ON conversations (org_id, agent_id, id DESC);
CREATE TABLE turns (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    seq integer NOT NULL,
    status text NOT NULL DEFAULT 'running'
        CONSTRAINT ck_turns_status CHECK (status IN ('running', 'completed', 'failed')),
    message text NOT NULL,
    session_context jsonb NOT NULL DEFAULT '{}',
    reply jsonb,
    events jsonb,
    idempotency_key text,
    request_hash bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_turns_org_id_conversation_id_seq UNIQUE (org_id, conversation_id, seq),
    CONSTRAINT uq_turns_org_id_idempotency_key UNIQUE (org_id, idempotency_key),
    CONSTRAINT fk_turns_org_id_conversation_id FOREIGN KEY (org_id, conversation_id)
        REFERENCES conversations ON DELETE CASCADE
);
CREATE TABLE traces (
    org_id uuid NOT NULL,
    turn_id uuid NOT NULL,
    trace jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, turn_id),
    CONSTRAINT fk_traces_org_id_turn_id FOREIGN KEY (org_id, turn_id) REFERENCES turns ON DELETE CASCADE
);
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("conversations", "turns", "traces"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING (org_id = (SELECT app_org_id()))")
