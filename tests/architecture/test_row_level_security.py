"""What PostgreSQL itself refuses, to raw SQL of the role the application connects as."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from concierge.entrypoints.wiring import DatabaseAddress
from concierge.kit.db import Base
from concierge.knowledge.lexical import index_term, terms
from tests.factories.furnished import QUESTION, Furnished

pytestmark = pytest.mark.anyio

# The tables that are nobody's: the job queue holds only ids, and the schema's version is no secret.
TENANTLESS = {"alembic_version", "users"}
TENANT_COLUMN = {
    name: "id" if name == "organizations" else "org_id"
    for name in sorted(Base.metadata.tables)
    if name not in TENANTLESS
}
Connection = psycopg.Connection[Any]


@contextmanager
def acting_for(database: DatabaseAddress, org_id: UUID | None) -> Generator[Connection]:
    """Raw SQL as the application's role, for one organization or for none; nothing is kept."""
    conninfo = database.app_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(conninfo) as connection:
        if org_id is not None:
            connection.execute(sql.SQL("SET LOCAL app.org_id = {}").format(sql.Literal(str(org_id))))
        yield connection
        connection.rollback()


def rows_of(connection: Connection, table: str, org_id: UUID) -> int:
    query = sql.SQL("SELECT count(*) FROM {} WHERE {} = {}").format(
        sql.Identifier(table), sql.Identifier(TENANT_COLUMN[table]), sql.Literal(str(org_id))
    )
    return connection.execute(query).fetchall()[0][0]


def statement(template: str, table: str, **org_ids: UUID) -> sql.Composed:
    return sql.SQL(template).format(  # pyright: ignore[reportArgumentType]  # Templates are literals of this file.
        table=sql.Identifier(table),
        column=sql.Identifier(TENANT_COLUMN[table]),
        **{name: sql.Literal(str(org_id)) for name, org_id in org_ids.items()},
    )


@pytest.mark.parametrize("table", TENANT_COLUMN)
async def test_a_tenant_sees_its_own_rows_and_no_other(
    table: str, database: DatabaseAddress, shop: Furnished, rival: Furnished
) -> None:
    with acting_for(database, shop.tenant.org_id) as connection:
        assert rows_of(connection, table, shop.tenant.org_id) > 0
        assert rows_of(connection, table, rival.tenant.org_id) == 0


@pytest.mark.parametrize("table", TENANT_COLUMN)
async def test_without_a_tenant_there_are_no_rows(
    table: str, database: DatabaseAddress, shop: Furnished
) -> None:
    assert shop.tenant.org_id
    with acting_for(database, None) as connection:
        everything = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        assert connection.execute(everything).fetchall() == [(0,)]


@pytest.mark.parametrize("table", TENANT_COLUMN)
async def test_foreign_rows_can_be_neither_changed_nor_deleted(
    table: str, database: DatabaseAddress, shop: Furnished, rival: Furnished
) -> None:
    with acting_for(database, rival.tenant.org_id) as connection:
        change = "UPDATE {table} SET {column} = {column} WHERE {column} = {theirs}"
        delete = "DELETE FROM {table} WHERE {column} = {theirs}"
        for template in (change, delete):
            done = connection.execute(statement(template, table, theirs=shop.tenant.org_id))
            assert done.rowcount == 0


@pytest.mark.parametrize("table", TENANT_COLUMN)
async def test_a_row_cannot_be_moved_to_another_tenant(
    table: str, database: DatabaseAddress, shop: Furnished, rival: Furnished
) -> None:
    move = "UPDATE {table} SET {column} = {theirs} WHERE {column} = {own}"
    moving = statement(move, table, theirs=shop.tenant.org_id, own=rival.tenant.org_id)
    with (
        acting_for(database, rival.tenant.org_id) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
    ):
        connection.execute(moving)


@pytest.mark.parametrize("table", TENANT_COLUMN)
async def test_a_row_cannot_be_made_for_another_tenant(
    table: str, database: DatabaseAddress, shop: Furnished, rival: Furnished
) -> None:
    with acting_for(database, shop.tenant.org_id) as connection:
        row = connection.execute(
            sql.SQL("SELECT to_jsonb(t) FROM {} t LIMIT 1").format(sql.Identifier(table))
        ).fetchall()[0][0]
    insert = sql.SQL("INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, {row})").format(
        table=sql.Identifier(table), row=sql.Literal(Jsonb(row))
    )

    with (
        acting_for(database, rival.tenant.org_id) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
    ):
        connection.execute(insert)


async def test_a_pooled_connection_forgets_its_tenant_with_its_transaction(
    database: DatabaseAddress, shop: Furnished
) -> None:
    with acting_for(database, shop.tenant.org_id) as connection:
        assert rows_of(connection, "agents", shop.tenant.org_id) > 0
        connection.commit()
        assert rows_of(connection, "agents", shop.tenant.org_id) == 0


async def test_people_are_visible_to_themselves_and_to_their_colleagues(
    database: DatabaseAddress, shop: Furnished, rival: Furnished
) -> None:
    emails = sql.SQL("SELECT email FROM users")
    with acting_for(database, None) as connection:
        assert connection.execute(emails).fetchall() == []
        connection.execute("SELECT set_config('app.email', %s, true)", [shop.tenant.email])
        assert connection.execute(emails).fetchall() == [(shop.tenant.email,)]
    with acting_for(database, rival.tenant.org_id) as connection:
        assert connection.execute(emails).fetchall() == [(rival.tenant.email,)]


async def test_a_colleague_can_be_read_but_not_changed(database: DatabaseAddress, shop: Furnished) -> None:
    with acting_for(database, shop.tenant.org_id) as connection:
        changed = connection.execute("UPDATE users SET password_hash = 'x'")
        deleted = connection.execute("DELETE FROM users")

    assert (changed.rowcount, deleted.rowcount) == (0, 0)


async def test_a_person_sees_their_memberships_everywhere_and_cannot_change_them(
    database: DatabaseAddress, shop: Furnished
) -> None:
    with acting_for(database, shop.tenant.org_id) as connection:
        user_id = connection.execute("SELECT user_id FROM members").fetchall()[0][0]
    with acting_for(database, None) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(user_id)])
        assert connection.execute("SELECT org_id FROM members").fetchall() == [(shop.tenant.org_id,)]
        assert connection.execute("SELECT id FROM organizations").fetchall() == [(shop.tenant.org_id,)]
        assert connection.execute("UPDATE members SET role = 'viewer'").rowcount == 0
        assert connection.execute("UPDATE organizations SET name = 'Gold'").rowcount == 0


@pytest.mark.parametrize(
    "search",
    [
        "SELECT count(*) FROM chunks_with_terms(%s, %s, %s::sparsevec, 10)",
        "SELECT count(*) FROM readable_chunks_with_terms(%s, %s, %s::sparsevec, true, '{}', 10)",
    ],
)
async def test_the_posting_lists_of_another_tenant_stay_closed(
    search: LiteralString, database: DatabaseAddress, shop: Furnished, rival: Furnished
) -> None:
    """Such a function runs with its owner's rights, so it must name the tenant itself."""
    pack_id = shop.tenant.pack_id
    postings = [index_term(pack_id, term) for term in terms(QUESTION)]
    arguments = [[pack_id], postings, "{1:1}/999999999"]
    found: dict[str, int] = {}
    for who, org_id in (("shop", shop.tenant.org_id), ("rival", rival.tenant.org_id), ("nobody", None)):
        with acting_for(database, org_id) as connection:
            found[who] = connection.execute(search, arguments).fetchall()[0][0]

    assert found["shop"] > 0
    assert (found["rival"], found["nobody"]) == (0, 0)
