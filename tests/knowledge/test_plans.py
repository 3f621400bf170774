"""What PostgreSQL expects of a search decides how it is run."""

import psycopg
import pytest

from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

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
