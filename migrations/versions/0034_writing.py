"""Which language models write, and what they may cost. Keys are sealed before they come here."""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE language_models (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    model text NOT NULL,
    url text,
    sealed_key bytea NOT NULL,
    read_price numeric(12, 4) CONSTRAINT ck_language_models_read_price CHECK (read_price >= 0),
    written_price numeric(12, 4) CONSTRAINT ck_language_models_written_price CHECK (written_price >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_language_models_org_id_name UNIQUE (org_id, name)
);
CREATE TABLE writing_defaults (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    writing jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id)
);
CREATE TABLE agent_writing (
    org_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    writing jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, agent_id),
    CONSTRAINT fk_agent_writing_org_id_agent_id FOREIGN KEY (org_id, agent_id) REFERENCES agents ON DELETE CASCADE
);
"""


def upgrade() -> None:
    op.execute(TABLES)
    for name in ("language_models", "writing_defaults", "agent_writing"):
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {name} USING (org_id = (SELECT app_org_id()))")
