"""Accounts: organizations, people, members, sessions, API keys, audit log, and the role the app connects as."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APP_ROLE = """
DO $$ BEGIN
    CREATE ROLE concierge_app NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT concierge_app TO CURRENT_USER;
GRANT USAGE ON SCHEMA public TO concierge_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO concierge_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO concierge_app;
"""

VISIBILITY = """
CREATE FUNCTION app_org_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('app.org_id', true), '')::uuid $$;
CREATE FUNCTION app_user_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('app.user_id', true), '')::uuid $$;
"""

TABLES = """
CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    slug text NOT NULL CONSTRAINT uq_organizations_slug UNIQUE,
    plan text NOT NULL DEFAULT 'basic',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text NOT NULL CONSTRAINT uq_users_email UNIQUE,
    name text NOT NULL,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE members (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role text NOT NULL CONSTRAINT ck_members_role CHECK (role IN ('owner', 'admin', 'agent', 'viewer')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_members_org_id_user_id UNIQUE (org_id, user_id)
);
CREATE INDEX ix_members_user_id ON members (user_id);
CREATE TABLE sessions (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    generation integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_because text,
    PRIMARY KEY (org_id, id),
    CONSTRAINT fk_sessions_org_id_user_id FOREIGN KEY (org_id, user_id)
        REFERENCES members (org_id, user_id) ON DELETE CASCADE
);
CREATE TABLE api_keys (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT ck_api_keys_kind CHECK (kind IN ('secret', 'publishable')),
    name text NOT NULL,
    hint text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_api_keys_org_id_secret_hash UNIQUE (org_id, secret_hash)
);
CREATE TABLE audit_events (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    actor_kind text NOT NULL,
    actor_id uuid,
    action text NOT NULL,
    subject text,
    ip text,
    request_id text,
    details jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id)
);
"""

# A person sees their own memberships in every organization; an organization sees its members' names.
POLICIES = """
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON organizations USING (id = (SELECT app_org_id()));
CREATE POLICY own ON organizations FOR SELECT
    USING (id IN (SELECT org_id FROM members WHERE user_id = (SELECT app_user_id())));
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users
    USING (id = (SELECT app_user_id()) OR email = nullif(current_setting('app.email', true), ''));
CREATE POLICY colleagues ON users FOR SELECT
    USING (EXISTS (SELECT 1 FROM members m WHERE m.org_id = (SELECT app_org_id()) AND m.user_id = users.id));
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON members USING (org_id = (SELECT app_org_id()));
CREATE POLICY own ON members FOR SELECT USING (user_id = (SELECT app_user_id()));
"""


def upgrade() -> None:
    for statement in (APP_ROLE, VISIBILITY, TABLES, POLICIES):
        op.execute(statement)
    for table in ("sessions", "api_keys", "audit_events"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING (org_id = (SELECT app_org_id()))")
