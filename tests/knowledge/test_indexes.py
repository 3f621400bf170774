"""A pack in memory answers as the database does, is never older than it, and belongs to its organization alone."""

from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import patch
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pgvector import SparseVector

from concierge.accounts.scope import PUBLIC
from concierge.kit.ids import new_id
from concierge.knowledge import indexes
from concierge.knowledge.models import TERM_SPACE
from concierge.knowledge.repository.search import CurrentIndex, SearchRepository
from concierge.knowledge.resident import ResidentPacks, packs, postings
from concierge.knowledge.resident.postings import Postings, best, best_above_zero
from concierge.knowledge.search import Found, Query, Search
from concierge.llm.embeddings import LOCAL_SPACE
from tests.factories.furnished import Furnished
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

NOTES = {
    f"note{number}": f"# Note {number}\n\nArticle {number} weighs {number} kilograms.\n\n## Care\n\nOil the oak twice a year."
    for number in range(12)
}
QUESTIONS = ("How heavy is article 7?", "How do I care for oak?", "Do you sell bicycles?", "???")


async def found(
    search: Search, tenant: Tenant, question: str, pack_ids: Sequence[UUID] | None = None
) -> Found:
    vector = await tenant.platform.embedder.embed_query(question)
    return await search.find(tenant.scope, pack_ids or [tenant.pack_id], Query(question, vector))


def seen(result: Found) -> list[tuple[object, ...]]:
    return [
        (entry.chunk_id, entry.text, entry.sentences, round(entry.score, 3), round(entry.bm25, 3))
        for entry in result.passages
    ]


async def in_memory(tenant: Tenant) -> Search:
    """A search that was asked often enough to keep the pack in memory."""
    search = Search(tenant.platform.db)
    for _ in range(2):
        await found(search, tenant, "Hello?")
    await search.warmed()
    return search


@pytest.fixture(params=["as a picture", "as a sketch"], autouse=True)
def _kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small packs are kept whole, large ones without their texts."""
    if request.param == "as a sketch":
        monkeypatch.setattr(indexes, "EXACT_SCAN_CHUNKS", 0)


async def is_resident(search: Search, tenant: Tenant, pack_id: UUID) -> bool:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        repository = SearchRepository(session, tenant.scope, PUBLIC)
        return await search.resident.open(repository, tenant.scope, [pack_id]) is not None


@pytest.mark.parametrize("question", QUESTIONS)
async def test_memory_and_database_find_the_same(tenant: Tenant, question: str) -> None:
    await tenant.learn(**NOTES)
    search = await in_memory(tenant)

    remembered = await found(search, tenant, question)
    stored = await found(Search(tenant.platform.db), tenant, question)

    assert await is_resident(search, tenant, tenant.pack_id)
    assert seen(remembered) == seen(stored)
    assert remembered.idf == stored.idf
    assert remembered.chunks_searched == stored.chunks_searched
    assert {entry.candidate.chunk_id for entry in remembered.candidates} == {
        entry.candidate.chunk_id for entry in stored.candidates
    }


async def test_an_empty_pack_in_memory_finds_nothing(tenant: Tenant) -> None:
    search = await in_memory(tenant)

    assert await is_resident(search, tenant, tenant.pack_id)
    assert (await found(search, tenant, "How heavy is article 7?")).candidates == ()


async def test_what_changes_is_known_at_once(tenant: Tenant) -> None:
    source = await tenant.learn(sofa="# Sofa\n\nThe Palma sofa costs 899 dollars.")
    search = await in_memory(tenant)

    await tenant.learn(lamp="# Lamp\n\nThe Luna lamp costs 49 dollars.")
    after_adding = await found(search, tenant, "What does the Luna lamp cost?")
    await in_memory(tenant)
    removed = await tenant.client.delete(f"/api/v1/knowledge/sources/{source}", headers=tenant.owner)
    after_removing = await found(search, tenant, "What does the Palma sofa cost?")

    assert after_adding.passages[0].title == "Lamp"
    assert removed.status_code == 204
    assert [passage.title for passage in after_removing.passages] == ["Lamp"]


async def test_a_pack_in_memory_is_nobody_elses(tenant: Tenant, rival: Furnished) -> None:
    await tenant.learn(**NOTES)
    search = await in_memory(tenant)

    theirs = await found(search, rival.tenant, "How heavy is article 7?", [tenant.pack_id])

    assert theirs.passages == ()
    assert theirs.chunks_searched == 0


async def test_a_pack_that_is_gone_is_not_found_in_memory(tenant: Tenant) -> None:
    await tenant.learn(**NOTES)
    search = await in_memory(tenant)

    await tenant.client.patch(
        f"/api/v1/agents/{tenant.agent_id}", headers=tenant.owner, json={"pack_ids": []}
    )
    gone = await tenant.client.delete(f"/api/v1/knowledge/packs/{tenant.pack_id}", headers=tenant.owner)

    assert gone.status_code == 204
    assert (await found(search, tenant, "How heavy is article 7?", [tenant.pack_id, new_id()])).passages == ()


async def test_a_pack_that_finds_no_room_stays_in_the_database(tenant: Tenant) -> None:
    await tenant.learn(**NOTES)
    search = Search(tenant.platform.db, resident=ResidentPacks(budget_bytes=10_000))

    for _ in range(3):
        assert (await found(search, tenant, "How heavy is article 7?")).passages

    assert not await is_resident(search, tenant, tenant.pack_id)


@pytest.mark.parametrize(
    ("machine_gb", "megabytes"), [(1, 128), (4, 128), (8, 256), (24, 768)], ids=lambda size: f"{size}"
)
def test_a_process_keeps_more_in_memory_where_there_is_more(
    monkeypatch: pytest.MonkeyPatch, machine_gb: int, megabytes: int
) -> None:
    monkeypatch.setattr(packs, "machine_bytes", lambda: machine_gb * 1024**3)

    assert packs.resident_budget() == megabytes * 1024**2


@pytest.mark.parametrize(("busy_seconds", "gives_way"), [(60.0, False), (0.0, True)])
async def test_a_pack_gives_way_only_when_nobody_asked_for_it_lately(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, busy_seconds: float, *, gives_way: bool
) -> None:
    monkeypatch.setattr(packs, "BUSY_SECONDS", busy_seconds)
    await tenant.learn(**NOTES)
    made = await tenant.client.post("/api/v1/knowledge/packs", headers=tenant.owner, json={"name": "Other"})
    other = replace(tenant, pack_id=UUID(made.json()["id"]))
    await other.learn(**NOTES)
    chunks = (await found(Search(tenant.platform.db), tenant, "Hello?")).chunks_searched
    index = CurrentIndex(tenant.pack_id, chunks, 1, LOCAL_SPACE)
    budget = packs.resident_bytes(index, whole=chunks <= indexes.EXACT_SCAN_CHUNKS)
    search = Search(tenant.platform.db, resident=ResidentPacks(budget))

    for owner in (tenant, tenant, other, other):
        await found(search, owner, "How heavy is article 7?")
        await search.warmed()

    assert await is_resident(search, tenant, other.pack_id) is gives_way
    assert await is_resident(search, tenant, tenant.pack_id) is not gives_way


@given(st.lists(st.dictionaries(st.integers(1, 9), st.floats(0.125, 8, width=32)), max_size=8))
def test_postings_hold_what_the_chunks_do(chunks: list[dict[int, float]]) -> None:
    made = Postings.of([SparseVector(chunk, TERM_SPACE).to_binary() for chunk in chunks])

    for term in range(11):
        held = made.of_term(term)
        kept = dict(zip(made.rows[held].tolist(), made.weights[held].tolist(), strict=True))
        assert kept == {row: chunk[term] for row, chunk in enumerate(chunks) if term in chunk}


@given(st.lists(st.floats(-1, 1, width=32)), st.integers(1, 5))
def test_the_best_are_the_best(scores: list[float], wanted: int) -> None:
    chosen = best(np.array(scores, dtype=np.float32), wanted)

    assert sorted((scores[place] for place in chosen), reverse=True) == sorted(scores, reverse=True)[:wanted]


@given(st.lists(st.floats(-1, 1, width=32)), st.integers(1, 5), st.integers(1, 9))
def test_the_best_above_zero_are_the_best_however_they_are_portioned(
    scores: list[float], wanted: int, portion: int
) -> None:
    with patch.object(postings, "PORTION", portion):
        chosen = best_above_zero(np.array(scores, dtype=np.float32), wanted)

    above = sorted((score for score in scores if score > 0), reverse=True)
    assert sorted((scores[place] for place in chosen), reverse=True) == above[:wanted]
