"""What PostgreSQL expects of a search decides how it is run."""

import psycopg
import pytest

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
