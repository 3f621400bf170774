"""The search bench: what a question finds, and what became of everything else that was looked at."""

from typing import Any

import pytest

from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

SOFA = "# Palma sofa\n\nThe Palma sofa is made of coconut wood and costs 899 dollars."
NOTES = {
    f"note{number}": f"# Note {number}\n\nArticle {number} weighs {number} kilograms." for number in range(40)
}


async def search(tenant: Tenant, query: str, **body: Any) -> dict[str, Any]:
    response = await tenant.client.post(
        "/api/v1/knowledge/search", headers=tenant.secret, json={"query": query, **body}
    )
    assert response.status_code == 200, response.text
    return response.json()


async def test_passages_come_best_first_and_say_where_they_stand(tenant: Tenant) -> None:
    await tenant.learn(sofa=SOFA, **NOTES)

    found = await search(tenant, "How much is the Palma sofa?", limit=3)

    best = found["passages"][0]
    document = await tenant.client.get(
        f"/api/v1/knowledge/documents/{best['document_id']}", headers=tenant.secret
    )
    assert [passage["rank"] for passage in found["passages"]] == [1, 2, 3]
    assert best["title"] == "Palma sofa"
    assert document.json()["text"][best["start"] : best["end"]] == best["text"]
    assert found["chunks_searched"] == 41
    assert found["term_weights"]["palma"] > 0
    assert found["candidates"] is None


async def test_every_candidate_is_listed_with_what_became_of_it(tenant: Tenant) -> None:
    copy = SOFA.replace("and costs", "and it costs")
    await tenant.learn(sofa=SOFA, again=copy, **NOTES)

    found = await search(tenant, "How much is the Palma sofa?", limit=2, explain=True)

    by_chunk = {entry["chunk_id"]: entry for entry in found["candidates"]}
    verdicts = [entry["verdict"] for entry in found["candidates"]]
    kept = {entry["chunk_id"] for entry in found["candidates"] if entry["verdict"] == "kept"}
    (same,) = (entry for entry in found["candidates"] if entry["verdict"] == "copy")
    assert kept == {passage["chunk_id"] for passage in found["passages"]}
    assert {"kept", "copy", "beyond_limit", "not_shortlisted"} == set(verdicts)
    assert by_chunk[same["same_as"]]["title"] == same["title"] == "Palma sofa"
    assert all(
        (entry["signals"] is None) == (entry["verdict"] == "not_shortlisted") for entry in found["candidates"]
    )


async def test_packs_may_be_named(tenant: Tenant) -> None:
    await tenant.learn(sofa=SOFA)
    other = await tenant.client.post("/api/v1/knowledge/packs", headers=tenant.owner, json={"name": "Empty"})

    nothing = await search(tenant, "Palma", pack_ids=[other.json()["id"]], explain=True)
    something = await search(tenant, "Palma", pack_ids=[str(tenant.pack_id)])

    assert nothing["passages"] == nothing["candidates"] == []
    assert len(something["passages"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": ""},
        {"query": " \n"},
        {"query": "x" * 4_001},
        {"query": "a", "limit": 17},
        {"query": "a\0"},
    ],
)
async def test_a_question_that_cannot_be_searched_is_refused(tenant: Tenant, body: dict[str, Any]) -> None:
    response = await tenant.client.post("/api/v1/knowledge/search", headers=tenant.secret, json=body)

    assert response.status_code == 422


async def test_a_publishable_key_may_not_search(tenant: Tenant) -> None:
    response = await tenant.client.post(
        "/api/v1/knowledge/search", headers=tenant.publishable, json={"query": "Palma"}
    )

    assert response.status_code in {401, 403}
