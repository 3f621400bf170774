"""Question–answer pairs in a pack that moves to another index, and pairs that are not for everybody."""

from typing import Any

import pytest

from concierge.accounts.scope import PUBLIC, Audiences
from tests.factories.tenants import Tenant
from tests.knowledge.indexing import VENDOR, embedding_service, find, own_platform, reindex
from tests.knowledge.reading import assert_counters_are_true

pytestmark = pytest.mark.anyio

QUESTION = "How do I return a sofa?"
ANSWER = "Call us on 555 0100. We fetch the sofa within a week."
NOTES = {f"note{n}": f"# Note {n}\n\nReturns of article {n} take {n} days." for n in range(3, 9)}


async def write(tenant: Tenant, **changes: Any) -> dict[str, Any]:
    response = await tenant.client.post(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/faqs",
        headers=tenant.owner,
        json={"question": QUESTION, "wordings": ["sofa return"], "answer": ANSWER, **changes},
    )
    assert response.status_code == 201, response.text
    return response.json()


async def judge(tenant: Tenant, document_id: str, **said: Any) -> None:
    response = await tenant.client.patch(
        f"/api/v1/knowledge/documents/{document_id}", headers=tenant.owner, json=said
    )
    assert response.status_code == 200, response.text


async def answer(tenant: Tenant, question: str = QUESTION) -> str:
    return (await tenant.ask(question))["response"]


async def test_a_pair_answers_from_the_new_index_as_from_the_old_one(tenant: Tenant) -> None:
    await tenant.learn(**NOTES)
    await write(tenant)
    before = await answer(tenant)

    await reindex(tenant, chunker="recursive")

    assert before.startswith("Call us on 555 0100.")
    assert [await answer(tenant), (await find(tenant, "sofa return")).passages[0].kind] == [before, "faq"]
    await assert_counters_are_true(tenant)


async def test_a_pair_is_compared_by_the_model_of_its_pack(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tenant.learn(**NOTES)
    await write(tenant)
    async with embedding_service(monkeypatch) as service, own_platform(tenant) as own:
        await reindex(own, embedding_model=VENDOR, dimensions=100)
        found = await find(own, QUESTION)
        assert found.pair is not None
        assert found.pairs[0].candidate.cosine == pytest.approx(1.0, abs=1e-3)

        # One that is written now is embedded by the same model.
        await write(own, question="Is there parking?", wordings=[], answer="Yes, behind the depot.")
        assert "Is there parking?" in service.asked
        assert (await find(own, "Is there parking?")).pair is not None


async def test_a_pair_for_some_is_not_there_for_others(tenant: Tenant) -> None:
    await tenant.learn(**NOTES)
    pair = await write(tenant)
    await judge(tenant, pair["id"], audience="staff")

    search = tenant.platform.search
    query = await search.ask(tenant.scope, [tenant.pack_id], QUESTION)
    others = await search.find(tenant.scope, [tenant.pack_id], query, audiences=PUBLIC)
    staff = await search.find(tenant.scope, [tenant.pack_id], query, audiences=Audiences.of(["staff"]))

    assert others.pairs == ()
    assert not any(passage.kind == "faq" for passage in others.passages)
    assert staff.pair is not None
    assert "555 0100" not in await answer(tenant)
    await assert_counters_are_true(tenant)


async def test_a_pair_that_is_changed_stays_for_whom_it_was(tenant: Tenant) -> None:
    pair = await write(tenant)
    await judge(tenant, pair["id"], audience="staff")

    changed = await tenant.client.patch(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/faqs/{pair['id']}",
        headers=tenant.owner,
        json={"question": "How can a sofa be given back?"},
    )

    assert changed.status_code == 200, changed.text
    document = await tenant.client.get(f"/api/v1/knowledge/documents/{pair['id']}", headers=tenant.owner)
    assert document.json()["audience"] == "staff"
    await assert_counters_are_true(tenant)


async def test_what_is_said_of_a_pair_holds_against_that_pairs_are_authoritative(tenant: Tenant) -> None:
    pair = await write(tenant)

    shown = await tenant.client.get(f"/api/v1/knowledge/documents/{pair['id']}", headers=tenant.owner)
    await judge(tenant, pair["id"], authoritative=False)
    after = await tenant.client.get(f"/api/v1/knowledge/documents/{pair['id']}", headers=tenant.owner)

    assert (shown.json()["authoritative"], after.json()["authoritative"]) == (True, False)
