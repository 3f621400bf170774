"""Who agents are: personas with every version they had, and what besides its knowledge an agent may use."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE personas (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    template_name text,
    system_prompt text NOT NULL CONSTRAINT ck_personas_system_prompt CHECK (length(system_prompt) <= 8000),
    tactics jsonb NOT NULL,
    communication_style jsonb NOT NULL,
    response_patterns jsonb NOT NULL DEFAULT '{}',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_personas_org_id_name UNIQUE (org_id, name)
);
CREATE TABLE persona_versions (
    org_id uuid NOT NULL,
    persona_id uuid NOT NULL,
    version integer NOT NULL,
    name text NOT NULL,
    template_name text,
    system_prompt text NOT NULL,
    tactics jsonb NOT NULL,
    communication_style jsonb NOT NULL,
    response_patterns jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, persona_id, version),
    CONSTRAINT fk_persona_versions_org_id_persona_id FOREIGN KEY (org_id, persona_id) REFERENCES personas ON DELETE CASCADE
);
ALTER TABLE agents
    ADD COLUMN persona_id uuid,
    ADD COLUMN tool_policy jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN domain_expertise_enabled boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT fk_agents_org_id_persona_id FOREIGN KEY (org_id, persona_id) REFERENCES personas;
CREATE INDEX ix_agents_org_id_persona_id ON agents (org_id, persona_id);
"""


def upgrade() -> None:
    op.execute(TABLES)
    for name in ("personas", "persona_versions"):
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {name} USING (org_id = (SELECT app_org_id()))")
