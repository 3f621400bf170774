"""The indexes of a pack over HTTP."""

from typing import Any

import pytest

from concierge.kit.ids import new_id
from tests.factories.tenants import Tenant
from tests.knowledge.indexing import find, held_by
from tests.knowledge.reading import assert_counters_are_true

pytestmark = pytest.mark.anyio


async def call(tenant: Tenant, method: str, path: str, pack: Tenant | None = None, **options: Any) -> Any:
    url = f"/api/v1/knowledge/packs/{(pack or tenant).pack_id}/{path}"
    return await tenant.client.request(method, url, headers=tenant.owner, **options)


async def test_a_pack_is_indexed_anew_and_shows_how_far_it_is(tenant: Tenant, stranger: Tenant) -> None:
    await tenant.learn(note="# Note\n\nArticle 7 weighs 7 kilograms.")

    begun = await call(tenant, "POST", "reindex", json={"chunker": "recursive"})

    assert begun.status_code == 202
    index = begun.json()
    assert (index["state"], index["number"], index["chunker"]) == ("building", 2, "recursive")
    assert (index["embedding_model"], index["dimensions"]) == ("local:minilm", 384)
    assert index["progress"] == {
        "percent": 0,
        "documents": 1,
        "done": 0,
        "chunks": 0,
        "seconds_left": None,
    }
    listed = (await call(tenant, "GET", "indexes")).json()
    assert [(entry["number"], entry["state"], entry["is_default"]) for entry in listed] == [
        (2, "building", False),
        (1, "current", True),
    ]
    assert (await call(tenant, "POST", "reindex", json={})).json()["code"] == "pack_index_building"

    await tenant.platform.reindexing.run(tenant.scope, index["id"])

    listed = (await call(tenant, "GET", "indexes")).json()
    assert [(entry["number"], entry["state"]) for entry in listed] == [(2, "current"), (1, "retired")]
    assert listed[0]["progress"]["percent"] == 100
    assert listed[0]["switched_at"] is not None
    for method, path, options in (
        ("GET", "indexes", {}),
        ("POST", "reindex", {"json": {}}),
        ("DELETE", f"indexes/{index['id']}", {}),
    ):
        foreign = await call(stranger, method, path, tenant, **options)
        assert (foreign.status_code, foreign.json()["code"]) == (404, "knowledge_pack_not_found")
    assert (await call(stranger, "DELETE", f"indexes/{index['id']}")).status_code == 404


async def test_a_build_is_cancelled_and_the_index_that_answers_is_not_removed(tenant: Tenant) -> None:
    await tenant.learn(note="# Note\n\nArticle 7 weighs 7 kilograms.")
    index = (await call(tenant, "POST", "reindex", json={"chunker": "recursive"})).json()
    current = (await call(tenant, "GET", "indexes")).json()[1]

    refused = await call(tenant, "DELETE", f"indexes/{current['id']}")
    unknown = await call(tenant, "DELETE", f"indexes/{new_id()}")
    cancelled = await call(tenant, "DELETE", f"indexes/{index['id']}")

    assert (refused.status_code, refused.json()["code"]) == (409, "pack_index_in_use")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "pack_index_not_found")
    assert cancelled.status_code == 204
    await tenant.platform.reindexing.run(tenant.scope, index["id"])
    await tenant.platform.reindexing.remove(tenant.scope, index["id"])
    assert [entry["state"] for entry in (await call(tenant, "GET", "indexes")).json()] == ["current"]
    assert await held_by(tenant, index["id"]) == 0
    assert "7 kilograms" in (await find(tenant, "How heavy is article 7?")).passages[0].text
    await assert_counters_are_true(tenant)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"chunker": "by_page"}, "invalid_input"),
        ({"embedding_model": "minilm"}, "invalid_input"),
        ({"embedding_model": "openai:\u0000"}, "invalid_input"),
        ({"embedding_model": "openai:" + "x" * 300}, "invalid_input"),
        ({"dimensions": 0}, "invalid_input"),
        ({"dimensions": 4_000}, "invalid_input"),
        ({"dimensions": 512}, "pack_index_impossible"),
        ({"embedding_model": "openai:small", "chunker": "late_semantic"}, "pack_index_impossible"),
        ({"embedding_model": "nobody:nothing"}, "embedding_misconfigured"),
    ],
)
async def test_what_cannot_be_built_is_refused(tenant: Tenant, body: dict[str, Any], code: str) -> None:
    refused = await call(tenant, "POST", "reindex", json=body)

    assert refused.status_code == 422
    assert refused.json()["code"] == code
    assert (await call(tenant, "GET", "indexes")).json() == []
