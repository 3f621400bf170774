"""What PostgreSQL expects of a search decides how it is run."""

import psycopg
import pytest
from psycopg import sql

from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

PACK = "SELECT id FROM chunks WHERE org_id = %s AND pack_id = ANY (%s)"


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
