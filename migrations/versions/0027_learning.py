"""Which strategy was followed, how conversations ended, and what was learned from it."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# What a turn or a conversation was goes with it. The counts name nobody and stay.
HAPPENED = """
CREATE TABLE strategy_uses (
    org_id uuid NOT NULL,
    turn_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    visitor_id uuid,
    segment text NOT NULL,
    rule text NOT NULL,
    strategy text NOT NULL,
    explored boolean NOT NULL,
    success double precision NOT NULL DEFAULT 0,
    failure double precision NOT NULL DEFAULT 0,
    at timestamptz NOT NULL,
    PRIMARY KEY (org_id, turn_id),
    CONSTRAINT fk_strategy_uses_org_id_turn_id FOREIGN KEY (org_id, turn_id) REFERENCES turns ON DELETE CASCADE
);
CREATE INDEX ix_strategy_uses_org_id_conversation_id ON strategy_uses (org_id, conversation_id);
CREATE INDEX ix_strategy_uses_org_id_visitor_id ON strategy_uses (org_id, visitor_id, at) WHERE visitor_id IS NOT NULL;
CREATE INDEX ix_strategy_uses_org_id_at ON strategy_uses (org_id, at);
CREATE TABLE outcomes (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    conversation_id uuid,
    turn_id uuid,
    visitor_id uuid,
    kind text NOT NULL CONSTRAINT ck_outcomes_kind CHECK (
        kind IN ('resolved', 'handed_over', 'csat', 'thumbs_up', 'thumbs_down', 'converted', 'abandoned')),
    value double precision NOT NULL DEFAULT 0,
    name text NOT NULL DEFAULT '',
    comment text NOT NULL DEFAULT '',
    source text NOT NULL,
    once text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_outcomes_org_id_once UNIQUE (org_id, once),
    CONSTRAINT fk_outcomes_org_id_conversation_id FOREIGN KEY (org_id, conversation_id)
        REFERENCES conversations ON DELETE CASCADE,
    CONSTRAINT fk_outcomes_org_id_turn_id FOREIGN KEY (org_id, turn_id) REFERENCES turns ON DELETE CASCADE
);
CREATE INDEX ix_outcomes_org_id_conversation_id ON outcomes (org_id, conversation_id);
CREATE INDEX ix_outcomes_org_id_turn_id ON outcomes (org_id, turn_id) WHERE turn_id IS NOT NULL;
"""

LEARNED = """
CREATE TABLE strategy_counts (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    segment text NOT NULL,
    rule text NOT NULL,
    strategy text NOT NULL,
    day date NOT NULL,
    successes double precision NOT NULL DEFAULT 0,
    failures double precision NOT NULL DEFAULT 0,
    PRIMARY KEY (org_id, segment, rule, strategy, day)
);
CREATE TABLE learning_settings (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    enabled boolean NOT NULL DEFAULT true,
    min_outcomes integer NOT NULL DEFAULT 200,
    floor double precision NOT NULL DEFAULT 0.95
        CONSTRAINT ck_learning_settings_floor CHECK (floor BETWEEN 0.5 AND 1),
    explore_share double precision NOT NULL DEFAULT 0.1
        CONSTRAINT ck_learning_settings_explore_share CHECK (explore_share BETWEEN 0 AND 1),
    half_life_days double precision NOT NULL DEFAULT 60
        CONSTRAINT ck_learning_settings_half_life_days CHECK (half_life_days > 0),
    reset_at timestamptz,
    judged_until timestamptz,
    PRIMARY KEY (org_id)
);
"""
TABLES = ("strategy_uses", "outcomes", "strategy_counts", "learning_settings")


def upgrade() -> None:
    op.execute(HAPPENED)
    op.execute(LEARNED)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING (org_id = (SELECT app_org_id()))")
