"""Question–answer pairs: written, changed and removed over HTTP, and found by the very next question."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.factories.tenants import Tenant
from tests.knowledge.archives import exported, imported, read_all
from tests.knowledge.reading import assert_counters_are_true, items_of, source_of, texts_in

pytestmark = pytest.mark.anyio

PAIR: dict[str, Any] = {
    "question": "How do I return a sofa?",
    "wordings": ["What is the way to get rid of a couch?"],
    "answer": "Call us on 555 0100. We fetch the sofa within a week.",
    "url": "https://shop.example/returns",
}


async def call(tenant: Tenant, method: str, path: str = "", **content: Any) -> httpx.Response:
    return await tenant.client.request(
        method, f"/api/v1/knowledge/packs/{tenant.pack_id}/faqs{path}", headers=tenant.owner, **content
    )


async def write(tenant: Tenant, **changes: Any) -> dict[str, Any]:
    response = await call(tenant, "POST", json={**PAIR, **changes})
    assert response.status_code == 201, response.text
    return response.json()


async def listed(tenant: Tenant, **params: Any) -> list[dict[str, Any]]:
    return (await call(tenant, "GET", params=params)).json()["items"]


async def judged(tenant: Tenant, question: str) -> list[dict[str, Any]]:
    """What the trace of an answer says of the pairs that were looked at."""
    reply = await tenant.ask(question)
    trace = await tenant.client.get(f"/api/v1/turns/{reply['turn_id']}/trace", headers=tenant.owner)
    return trace.json()["trace"]["retrieval"]["pairs"]


async def test_a_pair_is_answered_from_at_the_next_question(tenant: Tenant) -> None:
    pair = await write(tenant)

    reply = await tenant.ask("How can I send a sofa back?")

    assert reply["response"] == "Call us on 555 0100. We fetch the sofa within a week [1]."
    assert reply["confidence_score"] > 0.9
    (source,) = reply["sources"]
    assert (source["type"], source["document_id"], source["title"], source["url"]) == (
        "faq",
        pair["id"],
        PAIR["question"],
        PAIR["url"],
    )
    assert source["quote"] == PAIR["answer"]
    document = await tenant.client.get(f"/api/v1/knowledge/documents/{pair['id']}", headers=tenant.owner)
    assert document.json()["text"][source["start"] : source["end"]] == PAIR["answer"]
    assert document.json()["kind"] == "faq"
    await assert_counters_are_true(tenant)


async def test_a_pair_is_found_by_another_wording_too(tenant: Tenant) -> None:
    await write(tenant)

    reply = await tenant.ask("what is the way to get rid of a couch")

    assert reply["response"].startswith("Call us on 555 0100.")


async def test_what_was_written_reads_back_and_is_listed_page_by_page(tenant: Tenant) -> None:
    first = await write(tenant)
    second = await write(tenant, question="Is there parking?", wordings=[], url=None)

    assert {name: first[name] for name in PAIR} == PAIR
    assert (first["from_feed"], first["flags"]) == (False, [])
    assert (await call(tenant, "GET", f"/{first['id']}")).json() == first
    page = (await call(tenant, "GET", params={"limit": 1})).json()
    assert page["items"] == [first]
    assert await listed(tenant, cursor=page["next_cursor"]) == [second]


async def test_a_changed_pair_keeps_its_id_and_answers_anew(tenant: Tenant) -> None:
    pair = await write(tenant)

    changed = await call(tenant, "PATCH", f"/{pair['id']}", json={"answer": "Write to us.", "url": None})

    assert changed.status_code == 200
    assert (changed.json()["id"], changed.json()["url"]) == (pair["id"], None)
    assert changed.json()["wordings"] == PAIR["wordings"]
    assert (await tenant.ask(PAIR["question"]))["response"] == "Write to us [1]."
    assert await texts_in(tenant) == ["How do I return a sofa?\n\nWrite to us."]
    await assert_counters_are_true(tenant)


async def test_a_question_that_was_changed_is_no_longer_found(tenant: Tenant) -> None:
    pair = await write(tenant, wordings=[])
    await call(tenant, "PATCH", f"/{pair['id']}", json={"question": "How do I return a bed?"})

    assert [pair["same"] for pair in await judged(tenant, "How do I return a sofa?")] == [False]
    assert (await tenant.ask("How can I send a bed back?"))["response"].startswith("Call us on 555 0100.")
    assert list(await items_of(tenant, UUID(pair["source_id"]))) == ["how do i return a bed"]


async def test_a_change_that_changes_nothing_does_nothing(tenant: Tenant) -> None:
    pair = await write(tenant)

    again = await call(tenant, "PATCH", f"/{pair['id']}", json={"answer": PAIR["answer"]})

    assert again.json() == pair


async def test_a_removed_pair_is_gone(tenant: Tenant) -> None:
    pair = await write(tenant)

    assert (await call(tenant, "DELETE", f"/{pair['id']}")).status_code == 204

    assert await listed(tenant) == []
    assert "555" not in (await tenant.ask(PAIR["question"]))["response"]
    assert (await call(tenant, "DELETE", f"/{pair['id']}")).json()["code"] == "faq_not_found"
    assert await items_of(tenant, UUID(pair["source_id"])) == {}
    await assert_counters_are_true(tenant)


async def test_the_pairs_of_a_pack_are_one_source_whose_removal_removes_them(tenant: Tenant) -> None:
    first, second = await write(tenant), await write(tenant, question="Is there parking?")
    assert first["source_id"] == second["source_id"]
    source = await source_of(tenant, UUID(first["source_id"]))
    assert (source.kind, source.name, source.status) == ("faq", "Questions and answers", "succeeded")
    assert (source.authoritative, source.progress.stored, source.next_due_at) == (True, 2, None)

    await tenant.client.delete(f"/api/v1/knowledge/sources/{first['source_id']}", headers=tenant.owner)

    assert await listed(tenant) == []
    assert (await write(tenant))["source_id"] != first["source_id"]


async def test_one_question_has_one_answer(tenant: Tenant) -> None:
    pair = await write(tenant)
    other = await write(tenant, question="Is there parking?")

    again = await call(tenant, "POST", json={**PAIR, "question": "how do I return a SOFA", "answer": "No."})
    renamed = await call(tenant, "PATCH", f"/{other['id']}", json={"question": PAIR["question"]})

    for refused in (again, renamed):
        assert (refused.status_code, refused.json()["code"]) == (409, "question_taken")
        assert refused.json()["faq_id"] == pair["id"]
    assert len(await listed(tenant)) == 2


async def test_the_same_question_written_twice_at_once_is_kept_once(tenant: Tenant) -> None:
    answers = await asyncio.gather(*(call(tenant, "POST", json=PAIR) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert len(await listed(tenant)) == 1
    await assert_counters_are_true(tenant)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"question": "Why?"},
        {**PAIR, "question": "   "},
        {**PAIR, "question": "???"},
        {**PAIR, "question": "Why?" * 200},
        {**PAIR, "answer": ""},
        {**PAIR, "answer": "a" * 4_001},
        {**PAIR, "answer": "a\x00b"},
        {**PAIR, "wordings": ["?"] * 2},
        {**PAIR, "wordings": ["Why?"] * 21},
        {**PAIR, "url": "javascript:alert(1)"},
    ],
    ids=str,
)
async def test_what_is_no_pair_is_refused(tenant: Tenant, body: dict[str, Any]) -> None:
    assert (await call(tenant, "POST", json=body)).status_code == 422
    assert await listed(tenant) == []


async def test_a_field_that_is_needed_cannot_be_taken_away(tenant: Tenant) -> None:
    pair = await write(tenant)

    for name in ("question", "answer", "wordings"):
        assert (await call(tenant, "PATCH", f"/{pair['id']}", json={name: None})).status_code == 422


async def test_a_long_answer_with_a_list_and_a_table_is_said_as_it_was_written(tenant: Tenant) -> None:
    answer = (
        "Three ways:\n\n1. By car\n2. By train\n\n| Line | Stop |\n| --- | --- |\n| U2 | Depot |\n\nSee you!"
    )
    await write(tenant, question="How do I get to you?", answer=answer)

    reply = await tenant.ask("How do I get to you?")

    assert reply["response"] == (
        "Three ways [1]:\n\n1. By car\n2. By train [1]\n\n"
        "| Line | Stop |\n| --- | --- |\n| U2 | Depot |\n\nSee you [1]!"
    )
    assert [claim["status"] for claim in reply["claims"]] == ["supported"] * 4


async def test_a_pair_of_another_organization_answers_nothing_here(tenant: Tenant, stranger: Tenant) -> None:
    pair = await write(tenant)

    reply = await stranger.ask(PAIR["question"])
    response = await call(stranger, "GET", f"/{pair['id']}")

    assert "555 0100" not in reply["response"]
    assert (response.status_code, response.json()["code"]) == (404, "faq_not_found")
    assert await listed(stranger) == []


async def test_a_pair_of_another_pack_is_not_there(tenant: Tenant) -> None:
    pair = await write(tenant)
    created = await tenant.client.post(
        "/api/v1/knowledge/packs", headers=tenant.owner, json={"name": "Other"}
    )
    path = f"/api/v1/knowledge/packs/{created.json()['id']}/faqs/{pair['id']}"

    for method, body in (("GET", None), ("PATCH", {"answer": "No."}), ("DELETE", None)):
        response = await tenant.client.request(method, path, headers=tenant.owner, json=body)
        assert (response.status_code, response.json()["code"]) == (404, "faq_not_found")
    assert len(await listed(tenant)) == 1


async def test_the_trace_says_why_a_pair_won_and_why_another_did_not(tenant: Tenant) -> None:
    await write(tenant, wordings=[])
    await write(tenant, question="How do I return a bed?", wordings=[], answer="Beds stay.")

    won, lost = await judged(tenant, "How can I send a sofa back?")
    assert (won["question"], won["same"]) == (PAIR["question"], True)
    assert (lost["question"], lost["same"]) == ("How do I return a bed?", False)
    assert "“bed”" in lost["because"]


async def test_in_strict_mode_a_pair_is_proof_enough(tenant: Tenant) -> None:
    await write(tenant)
    await tenant.client.patch(
        f"/api/v1/agents/{tenant.agent_id}", headers=tenant.owner, json={"grounding_mode": "strict"}
    )

    assert (await tenant.ask(PAIR["question"]))["response"].startswith("Call us on 555 0100.")


async def test_a_pack_kept_in_memory_answers_from_a_new_pair_too(tenant: Tenant) -> None:
    await tenant.learn(returns="# Returns\n\nA sofa can be returned at the depot.\n")
    for _ in range(3):
        await tenant.ask("How do I return a sofa?")

    await write(tenant)

    assert (await tenant.ask("How do I return a sofa?"))["response"].startswith("Call us on 555 0100.")


async def test_a_search_shows_the_pair_first_and_why(tenant: Tenant) -> None:
    pair = await write(tenant)
    await tenant.learn(returns="# Returns\n\nA sofa can be returned at the depot.\n")

    response = await tenant.client.post(
        "/api/v1/knowledge/search",
        headers=tenant.owner,
        json={"query": "How can I send a sofa back?", "explain": True},
    )

    found = response.json()
    assert [passage["document_id"] == pair["id"] for passage in found["passages"]] == [True, False]
    assert [(entry["document_id"], entry["same"]) for entry in found["pairs"][:1]] == [(pair["id"], True)]


async def test_a_pair_comes_back_with_an_imported_pack(tenant: Tenant, stranger: Tenant) -> None:
    await write(tenant)
    pack = (await imported(stranger, await exported(tenant), name="Copy")).json()
    await read_all(stranger, pack["id"])
    await stranger.client.patch(
        f"/api/v1/agents/{stranger.agent_id}", headers=stranger.owner, json={"pack_ids": [pack["id"]]}
    )
    copy = replace(stranger, pack_id=UUID(pack["id"]))

    for question in (PAIR["question"], PAIR["wordings"][0]):
        assert (await copy.ask(question))["response"].startswith("Call us on 555 0100.")
    (pair,) = await listed(copy)
    assert {name: pair[name] for name in PAIR} == PAIR
    # What is written from now on joins the pairs that came with the pack.
    assert (await write(copy, question="Is there parking?"))["source_id"] == pair["source_id"]
    changed = await call(copy, "PATCH", f"/{pair['id']}", json={"answer": "Write to us."})
    assert changed.status_code == 200
    await assert_counters_are_true(copy)
