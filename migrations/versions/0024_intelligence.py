"""What operators say of how messages are read: rules, attributes, settings, and corrections of single readings."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

CONTROL = """
CREATE TABLE intelligence_rules (
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
CREATE TABLE intelligence_attributes (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    choices jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_intelligence_attributes_org_id_name UNIQUE (org_id, name)
);
CREATE TABLE intelligence_settings (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    opens text NOT NULL DEFAULT '09:00'
        CONSTRAINT ck_intelligence_settings_opens CHECK (opens ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
    closes text NOT NULL DEFAULT '18:00'
        CONSTRAINT ck_intelligence_settings_closes CHECK (closes ~ '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'),
    llm_allowed boolean NOT NULL DEFAULT true,
    PRIMARY KEY (org_id)
);
"""

# A corrected turn may be erased, and what was said of it goes with it. The id is the time of the correction.
CORRECTIONS = """
CREATE TABLE intelligence_overrides (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    turn_id uuid NOT NULL,
    dimension text NOT NULL,
    message text NOT NULL,
    history jsonb NOT NULL,
    context jsonb NOT NULL,
    read jsonb,
    confidence real CONSTRAINT ck_intelligence_overrides_confidence CHECK (confidence BETWEEN 0 AND 1),
    corrected jsonb NOT NULL,
    note text NOT NULL DEFAULT '',
    by_kind text NOT NULL,
    by_id uuid,
    at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_intelligence_overrides_org_id_turn_id_dimension UNIQUE (org_id, turn_id, dimension),
    CONSTRAINT fk_intelligence_overrides_org_id_turn_id FOREIGN KEY (org_id, turn_id)
        REFERENCES turns ON DELETE CASCADE
);
"""


def upgrade() -> None:
    op.execute(CONTROL)
    op.execute(CORRECTIONS)
    for name in ("rules", "attributes", "settings", "overrides"):
        op.execute(f"ALTER TABLE intelligence_{name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON intelligence_{name} USING (org_id = (SELECT app_org_id()))")
