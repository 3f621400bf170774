"""The migrated schema: protected in every table, ready to be distributed by organization, and what the models say."""

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from sqlalchemy import (
    ARRAY,
    DateTime,
    Float,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
    create_engine,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from concierge.entrypoints.wiring import DatabaseAddress
from concierge.kit.db import Base
from concierge.kit.postgres import APP_ROLE

# The job queue holds only ids of organizations and sources, and the schema's version is no secret.
WITHOUT_PROTECTION = ("procrastinate_%", "alembic_version")
# Rows that are of no organization: organizations themselves, and people, who may belong to several.
GLOBAL = {"organizations", "users"}
# What may refer from a tenant's row to a global one.
REFERENCE = {"organizations", "users"}

TABLES = """
SELECT relname, relrowsecurity FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relname LIKE ANY (%s)
"""
KEYS = """
SELECT c.conrelid::regclass::text, c.conname, c.contype::text, c.confrelid::regclass::text,
       (SELECT attname FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = c.conkey[1]),
       (SELECT attname FROM pg_attribute WHERE attrelid = c.confrelid AND attnum = c.confkey[1])
FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
WHERE t.relnamespace = 'public'::regnamespace AND c.contype IN ('p', 'u', 'f') AND NOT t.relname LIKE ANY (%s)
"""
UNIQUE_INDEXES = """
SELECT t.relname, i.relname, a.attname FROM pg_index x
JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
WHERE t.relnamespace = 'public'::regnamespace AND x.indisunique AND NOT t.relname LIKE ANY (%s)
"""
POWERS = """
SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
       (SELECT count(*) FROM pg_class WHERE relowner = r.oid),
       (SELECT count(*) FROM pg_proc WHERE proowner = r.oid),
       has_schema_privilege(r.oid, 'public', 'CREATE')
FROM pg_roles r WHERE rolname = %s
"""
DEFINERS = """
SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
"""


def ask(database: DatabaseAddress, query: str, *values: Any) -> Sequence[tuple[Any, ...]]:
    conninfo = database.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(conninfo) as connection:
        return connection.execute(query.encode(), values or None).fetchall()


def test_every_table_is_protected(database: DatabaseAddress) -> None:
    tables = dict(ask(database, TABLES, list(WITHOUT_PROTECTION)))

    assert set(tables) == set(Base.metadata.tables)
    assert [name for name, protected in tables.items() if not protected] == []


def test_keys_of_tenant_tables_begin_with_the_tenant(database: DatabaseAddress) -> None:
    keys = ask(database, KEYS, list(WITHOUT_PROTECTION))
    wrong = [
        (table, name)
        for table, name, kind, target, first, target_first in keys
        if table not in GLOBAL
        and not (kind == "f" and target in REFERENCE)
        and (first, target_first if kind == "f" else "org_id") != ("org_id", "org_id")
    ]

    assert len(keys) > 20
    assert wrong == []


def test_unique_indexes_of_tenant_tables_begin_with_the_tenant(database: DatabaseAddress) -> None:
    found = ask(database, UNIQUE_INDEXES, list(WITHOUT_PROTECTION))

    assert [row for row in found if row[0] not in GLOBAL and row[2] != "org_id"] == []


def test_the_application_role_has_no_powers(database: DatabaseAddress) -> None:
    assert ask(database, POWERS, APP_ROLE) == [(False, False, False, False, 0, 0, False)]


def test_only_three_functions_run_with_their_owners_rights(database: DatabaseAddress) -> None:
    assert sorted(ask(database, DEFINERS)) == [
        ("catalog_candidates",),
        ("chunks_with_terms",),
        ("readable_chunks_with_terms",),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE agents CASCADE",
        "ALTER TABLE agents DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON agents",
        "SET row_security = off; SELECT * FROM agents",
        "UPDATE alembic_version SET version_num = '0000'",
        "CREATE TABLE mine (id integer)",
        "SET ROLE postgres",
    ],
)
def test_the_application_cannot_lift_its_own_limits(statement: str, database: DatabaseAddress) -> None:
    conninfo = database.app_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(conninfo) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


@pytest.mark.parametrize("name", sorted(Base.metadata.tables))
def test_a_model_says_what_the_migrations_made(name: str, reflected: MetaData) -> None:
    modelled, migrated = Base.metadata.tables[name], reflected.tables[name]

    assert _columns(modelled) == _columns(migrated)
    assert [column.name for column in modelled.primary_key] == [
        column.name for column in migrated.primary_key
    ]
    # Some foreign keys exist for their cascade alone and mean nothing to a model.
    assert _references(modelled) <= _references(migrated)


@pytest.fixture(scope="module")
def reflected(database: DatabaseAddress) -> MetaData:
    engine = create_engine(database.owner_url)
    metadata = MetaData()
    metadata.reflect(engine)
    engine.dispose()
    return metadata


def _columns(table: Table) -> dict[str, tuple[str, bool]]:
    return {column.name: (_kind(column.type), bool(column.nullable)) for column in table.columns}


def _kind(type_: TypeEngine[Any]) -> str:
    """The type as far as it matters: PostgreSQL does not tell `text` from `varchar` without a length."""
    if isinstance(type_, ARRAY):
        return f"array of {_kind(type_.item_type)}"
    for family in (String, Float, Uuid, DateTime, LargeBinary):
        if isinstance(type_, family):
            return family.__name__
    return type_.compile(postgresql.dialect()).lower()


def _references(table: Table) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
    return {
        (tuple(key.column_keys), tuple(element.target_fullname for element in key.elements))
        for key in table.foreign_key_constraints
    }
