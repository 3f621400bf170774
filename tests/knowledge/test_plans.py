"""What PostgreSQL expects of a search decides how it is run."""

import psycopg
import pytest
from psycopg import sql

from concierge.knowledge.repository.search import NEAR
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

LENGTHS = (384, 512, 768, 1024, 1536, 3072)
PACK = "SELECT id FROM chunks WHERE org_id = %s AND index_id = ANY (%s)"


async def test_a_packs_size_is_known_although_other_organizations_have_packs(
    tenant: Tenant, stranger: Tenant
) -> None:
    notes = {
        f"note{number}": f"# Note {number}\n\nArticle {number} weighs {number} kilograms."
        for number in range(30)
    }
    for one in (tenant, stranger):
        await one.learn(**notes)
    conninfo = tenant.platform.address.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    async with await psycopg.AsyncConnection.connect(conninfo) as owner:
        await owner.execute("ANALYZE chunks")
        pack = [tenant.org_id, [tenant.pack_id]]
        chunks = len(await (await owner.execute(PACK, pack)).fetchall())
        explained = await (await owner.execute(f"EXPLAIN (FORMAT JSON) {PACK}", pack)).fetchall()
        await owner.rollback()
    assert chunks >= len(notes)
    assert 0.8 * chunks <= explained[0][0][0]["Plan"]["Plan Rows"] <= 1.2 * chunks


@pytest.mark.parametrize("length", LENGTHS)
async def test_a_search_by_meaning_may_use_the_graph_of_its_length(tenant: Tenant, length: int) -> None:
    """Row-level security and the way a statement names a length must both let the planner use it."""
    await tenant.learn(note="# Note\n\nArticle 7 weighs 7 kilograms.")
    near = f"{PACK} {NEAR[length]} <#> %s::halfvec LIMIT 10"
    parameters = [tenant.org_id, [tenant.pack_id], str([0.1] * length)]
    conninfo = tenant.platform.address.app_url.replace("postgresql+psycopg://", "postgresql://", 1)
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        await connection.execute("SELECT set_config('app.org_id', %s, true)", [str(tenant.org_id)])
        # So few rows are read faster any other way.
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        plan = await (await connection.execute(f"EXPLAIN {near}", parameters)).fetchall()  # pyright: ignore[reportArgumentType]  # Of constants.

    assert any(f"ix_chunks_embedding_{length}" in row[0] for row in plan)


def test_every_usual_length_has_its_statement() -> None:
    assert set(NEAR) == set(LENGTHS)


HIDDEN = "SELECT id FROM documents WHERE org_id = $1 AND pack_id = $2 AND NOT may_read(audience, $3, $4)"


async def test_who_may_read_what_is_looked_up_in_an_index_of_what_is_not_public(tenant: Tenant) -> None:
    """The function is made part of the query, whatever its arguments are, or each document would be looked at."""
    await tenant.learn(note="# Note\n\nArticle 1 weighs 1 kilogram.")
    conninfo = tenant.platform.address.app_url.replace("postgresql+psycopg://", "postgresql://", 1)
    async with await psycopg.AsyncConnection.connect(conninfo) as app:
        await app.execute(sql.SQL("SET LOCAL app.org_id = {}").format(str(tenant.org_id)))
        await app.execute("SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off")
        await app.execute(f"PREPARE hidden (uuid, uuid, boolean, text[]) AS {HIDDEN}")
        asked = [tenant.org_id, tenant.pack_id]
        explain = "EXPLAIN (FORMAT TEXT) EXECUTE hidden ({}, {}, false, '{{staff}}')"
        rows = await (await app.execute(sql.SQL(explain).format(*map(sql.Literal, asked)))).fetchall()
        await app.rollback()
    plan = "\n".join(row[0] for row in rows)
    assert "ix_documents_restricted" in plan
    assert "may_read" not in plan
