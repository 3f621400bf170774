"""Packs of different embedding models: each is asked by its own, whatever the settings say, and moves when it is told to."""

from dataclasses import replace
from uuid import UUID

import pytest

from concierge.kit.errors import UnavailableError
from concierge.knowledge import indexes
from concierge.knowledge.errors import IndexPlanError
from concierge.llm.embeddings import LOCAL_SPACE
from tests.factories.tenants import Tenant
from tests.knowledge.indexing import (
    VENDOR,
    begin,
    build_index,
    embedding_service,
    find,
    held_by,
    indexes_of,
    own_platform,
    reindex,
    seen,
)
from tests.knowledge.reading import assert_counters_are_true

pytestmark = pytest.mark.anyio

NOTES = {
    f"note{number}": f"# Note {number}\n\nArticle {number} weighs {number} kilograms.\n\n## Care\n\nOil the oak twice a year."
    for number in range(8)
}
QUESTION = "How heavy is article 7?"


async def answers(tenant: Tenant) -> str:
    """The text found first for the question."""
    return (await find(tenant, QUESTION)).passages[0].text


@pytest.mark.parametrize("dimensions", [768, 100, 3072])
async def test_a_pack_moves_to_a_model_of_another_length(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, dimensions: int
) -> None:
    await tenant.learn(**NOTES)
    async with embedding_service(monkeypatch) as service, own_platform(tenant) as own:
        new = await reindex(own, embedding_model=VENDOR, dimensions=dimensions)

        assert (new.state, new.embedding_model, new.dimensions) == ("current", VENDOR, dimensions)
        assert (new.chunker, new.is_default) == ("recursive", False)
        service.asked.clear()
        # Scanned, by the approximate index or without one for that length, and in memory.
        monkeypatch.setattr(indexes, "EXACT_SCAN_CHUNKS", 0)
        by_graph = await find(own, QUESTION)
        monkeypatch.undo()
        scanned, again, remembered = [await find(own, QUESTION) for _ in range(3)]
        assert by_graph.models == (VENDOR,)
        assert service.asked == [QUESTION]
        assert seen(scanned)[0] == seen(by_graph)[0]
        assert seen(scanned) == seen(again) == seen(remembered)
        assert "7 kilograms" in scanned.passages[0].text
        assert scanned.passages[0].sentence_vectors.shape[1] == dimensions

        back = await reindex(own, embedding_model="local:minilm")
        assert (back.state, back.dimensions, back.is_default) == ("current", 384, True)
        assert (await find(own, QUESTION)).models == ("local:minilm",)
        await assert_counters_are_true(tenant)


async def test_a_question_is_asked_again_when_its_packs_were_switched_meanwhile(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tenant.learn(**NOTES)
    async with embedding_service(monkeypatch), own_platform(tenant) as own:
        query = await own.platform.search.ask(own.scope, [own.pack_id], QUESTION, ["What is oak?"])
        await reindex(own, embedding_model=VENDOR)

        found = await own.platform.search.find(own.scope, [own.pack_id], query)

        assert query.space == LOCAL_SPACE
        assert found.models == (VENDOR,)
        assert "7 kilograms" in found.passages[0].text


async def test_packs_of_two_models_answer_together(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await tenant.client.post("/api/v1/knowledge/packs", headers=tenant.owner, json={"name": "Other"})
    async with embedding_service(monkeypatch), own_platform(tenant) as own:
        other = replace(own, pack_id=UUID(made.json()["id"]))
        await own.learn(**NOTES)
        await other.learn(sofa="# Sofa\n\nThe Palma sofa weighs 70 kilograms.\n", bed="# Bed\n\nA bed.\n")
        await reindex(other, embedding_model=VENDOR, dimensions=512)

        for question, wanted in ((QUESTION, "7 kilograms"), ("How heavy is the Palma sofa?", "70 kilograms")):
            for _ in range(4):  # From the database at first, from memory later.
                found = await find(own, question, own.pack_id, other.pack_id)
                assert wanted in found.passages[0].text
                assert all(
                    entry.question_vector is not None
                    and len(entry.question_vector) == (384 if entry.pack_id == own.pack_id else 512)
                    for entry in found.passages
                )
                assert found.models == ("local:minilm", VENDOR)
                assert found.chunks_searched == len(found.candidates)


async def test_an_agent_answers_by_the_models_of_its_packs(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tenant.learn(**NOTES)
    async with embedding_service(monkeypatch), own_platform(tenant) as own:
        await reindex(own, embedding_model=VENDOR, dimensions=768)

    async with embedding_service(monkeypatch):
        reply = await tenant.ask(QUESTION)

    assert "7 kilograms" in reply["response"]


async def test_packs_keep_their_model_when_the_settings_change(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tenant.learn(**NOTES)
    before = seen(await find(tenant, QUESTION))
    async with (
        embedding_service(monkeypatch) as service,
        own_platform(tenant, embedding_model=VENDOR, embedding_dimensions=512) as changed,
    ):
        assert seen(await find(changed, QUESTION)) == before
        await changed.learn(sofa="# Sofa\n\nThe Palma sofa weighs 70 kilograms.")
        kept = (await indexes_of(changed))[0]
        assert (kept.embedding_model, kept.is_default) == ("local:minilm", False)
        assert "70 kilograms" in (await find(changed, "How heavy is the Palma sofa?")).passages[0].text

        made = await tenant.client.post("/api/v1/knowledge/packs", headers=tenant.owner, json={"name": "New"})
        fresh = replace(changed, pack_id=UUID(made.json()["id"]))
        await fresh.learn(**NOTES)
        moved = await reindex(changed)

        assert service.asked
        assert [entry.embedding_model for entry in await indexes_of(fresh)] == [VENDOR]
        assert (moved.embedding_model, moved.dimensions, moved.is_default) == (VENDOR, 512, True)


async def test_a_model_that_gives_another_length_fails_the_build_and_says_so(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tenant.learn(**NOTES)
    before = seen(await find(tenant, QUESTION))
    async with embedding_service(monkeypatch) as service, own_platform(tenant) as own:
        service.longer_by = 5
        failed = await reindex(own, embedding_model=VENDOR, dimensions=512)

    assert (failed.state, failed.error_code) == ("failed", "embedding_dimension")
    assert failed.error
    assert "does not return 512 numbers per text. It returns 517" in failed.error
    await tenant.platform.reindexing.remove(tenant.scope, failed.id)
    assert await held_by(tenant, failed.id) == 0
    assert (await indexes_of(tenant))[0].error == failed.error
    assert seen(await find(tenant, QUESTION)) == before

    recovered = await reindex(tenant, chunker="recursive")
    assert recovered.state == "current"
    await tenant.platform.reindexing.remove(tenant.scope, failed.id)
    assert [entry.state for entry in await indexes_of(tenant)] == ["current", "retired"]


async def test_a_build_waits_for_a_service_that_is_away_and_then_goes_on(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tenant.learn(**NOTES)
    async with embedding_service(monkeypatch) as service, own_platform(tenant) as own:
        index = await begin(own, embedding_model=VENDOR)
        service.status = "503 Service Unavailable"
        with pytest.raises(UnavailableError):
            await build_index(own, index, last_attempt=False)
        waiting = (await indexes_of(own))[0]
        assert (waiting.state, waiting.error_code) == ("building", "embedding_unavailable")
        assert "7 kilograms" in await answers(own)

        service.status = "200 OK"
        await build_index(own, index)

        ended = (await indexes_of(own))[0]
        assert (ended.id, ended.state, ended.error) == (index.id, "current", None)


async def test_a_build_gives_up_after_its_last_attempt(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tenant.learn(**NOTES)
    async with embedding_service(monkeypatch) as service, own_platform(tenant) as own:
        service.status = "503 Service Unavailable"
        failed = await reindex(own, embedding_model=VENDOR)

    assert (failed.state, failed.error_code) == ("failed", "embedding_unavailable")
    assert "7 kilograms" in await answers(tenant)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"embedding_model": VENDOR, "chunker": "late_semantic"}, "choose the recursive chunker"),
        ({"embedding_model": "local:minilm", "dimensions": 512}, "384 numbers"),
        ({"embedding_model": "nobody:nothing"}, "nobody:nothing cannot be set up"),
        ({"embedding_model": VENDOR}, "cannot be set up"),
    ],
)
async def test_what_no_model_can_do_is_refused_at_once(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, object], said: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    await tenant.learn(**NOTES)

    async with own_platform(tenant) as own:
        with pytest.raises(IndexPlanError, match=said):
            await begin(own, **wanted)

    assert [entry.state for entry in await indexes_of(tenant)] == ["current"]
