"""A source or a document is for an audience: as long as it is there, in every place it is found, and in what is counted."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from concierge.accounts.scope import EVERYTHING, PUBLIC, Audiences, Unit
from concierge.kit.clock import utc_now
from concierge.kit.fetch import Fetcher
from concierge.knowledge import indexes
from concierge.knowledge.chunker import Chunker, LateChunker
from concierge.knowledge.chunkers import Chunkers
from concierge.knowledge.chunking import Chunk, Earlier
from concierge.knowledge.ingestion import Ingestion
from concierge.knowledge.schemas import NewItem, NewSource
from concierge.knowledge.schemas.judgements import SourcePatch
from concierge.knowledge.search import Found, Query, Search
from concierge.knowledge.service import JudgementService
from concierge.llm.embeddings import LocalEmbedder
from tests.factories.tenants import Tenant
from tests.knowledge.archives import exported, imported, read_all
from tests.knowledge.reading import add, assert_counters_are_true, folder, remove

pytestmark = pytest.mark.anyio

OFFER = "# Offer\n\nThe Palma sofa costs 899 dollars, and delivery is free."
INTERNAL = "# Internal\n\nThe Palma sofa costs us 412 dollars to make, and the Luna lamp 9 dollars."
NOTES = {
    f"note{number}": f"# Note {number}\n\nArticle {number} weighs {number} kilograms." for number in range(9)
}
QUESTIONS = (
    "How much is the Palma sofa?",
    "What does the Luna lamp cost to make?",
    "How heavy is article 4?",
)
STAFF = Audiences.of(["staff"])


async def call(tenant: Tenant, method: str, path: str, **body: Any) -> Any:
    response = await tenant.client.request(
        method, f"/api/v1/knowledge{path}", headers=tenant.secret, json=body or None
    )
    assert response.status_code < 300, response.text
    return response.json() if response.content else None


async def searched(tenant: Tenant, query: str, **body: Any) -> list[str]:
    found = await call(tenant, "POST", "/search", query=query, **body)
    return sorted(passage["title"] for passage in found["passages"])


async def documents(tenant: Tenant, pack_id: UUID | str | None = None) -> dict[str, dict[str, Any]]:
    listed = await call(tenant, "GET", f"/packs/{pack_id or tenant.pack_id}/documents")
    return {f"{entry['uri']}:{entry['audience'] or ''}": entry for entry in listed["items"]}


async def learn_for(tenant: Tenant, audience: str | None, name: str, **pages: str) -> UUID:
    return await tenant.read(replace(folder(name, **pages), audience=audience))


async def read_again(tenant: Tenant, source_id: UUID, source: NewSource) -> None:
    assert await add(tenant, source) == source_id
    await tenant.platform.ingestion.run(tenant.scope, source_id)


async def test_whoever_works_here_searches_everything_or_as_a_visitor_would(tenant: Tenant) -> None:
    await learn_for(tenant, None, "shop", offer=OFFER)
    await learn_for(tenant, "staff", "internal", internal=INTERNAL)

    question = QUESTIONS[0]
    found = await call(tenant, "POST", "/search", query=question)

    assert await searched(tenant, question) == ["Internal", "Offer"]
    assert await searched(tenant, question, audiences=[]) == ["Offer"]
    assert await searched(tenant, question, audiences=["wholesale"]) == ["Offer"]
    assert await searched(tenant, question, audiences=["wholesale", "staff"]) == ["Internal", "Offer"]
    assert {passage["title"]: passage["audience"] for passage in found["passages"]} == {
        "Offer": None,
        "Internal": "staff",
    }


async def find(tenant: Tenant, search: Search, question: str, audiences: Audiences) -> Found:
    vector = await tenant.platform.embedder.embed_query(question)
    return await search.find(tenant.scope, [tenant.pack_id], Query(question, vector), audiences=audiences)


def seen(found: Found) -> Sequence[object]:
    """Everything that a search says, but for how long it took and when."""
    passages = [(entry.title, entry.text, round(entry.bm25, 4)) for entry in found.passages]
    candidates = [(entry.candidate.ordinal, round(entry.candidate.cosine, 4)) for entry in found.candidates]
    return passages, sorted(candidates), found.idf, found.chunks_searched, found.lead


@pytest.mark.parametrize("way", ["in memory", "in memory as a sketch", "all compared", "by posting lists"])
async def test_a_document_that_may_not_be_read_leaves_no_trace(
    way: str, tenant: Tenant, stranger: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pack with it answers as one that never had it: the same passages, scores, word counts and sizes."""
    if way in {"by posting lists", "in memory as a sketch"}:
        monkeypatch.setattr(indexes, "EXACT_SCAN_CHUNKS", 0)
    for one in (tenant, stranger):
        await learn_for(one, None, "shop", offer=OFFER, **NOTES)
    await learn_for(tenant, "staff", "internal", internal=INTERNAL)

    for question in QUESTIONS:
        for audiences in (PUBLIC, Audiences.of(["wholesale"])):
            searches = Search(tenant.platform.db), Search(tenant.platform.db)
            for _ in range(3 if way.startswith("in memory") else 1):
                hidden = await find(tenant, searches[0], question, audiences)
                never = await find(stranger, searches[1], question, audiences)
                assert seen(hidden) == seen(never)
                await asyncio.gather(*(search.warmed() for search in searches))
        for audiences in (STAFF, EVERYTHING):
            found = await find(tenant, Search(tenant.platform.db), question, audiences)
            assert found.chunks_searched == 11


async def test_memory_and_database_show_an_audience_the_same(tenant: Tenant) -> None:
    await learn_for(tenant, None, "shop", offer=OFFER, **NOTES)
    await learn_for(tenant, "staff", "internal", internal=INTERNAL)
    remembering = Search(tenant.platform.db)
    for _ in range(2):
        await find(tenant, remembering, QUESTIONS[0], STAFF)

    for question in QUESTIONS:
        for audiences in (PUBLIC, STAFF, EVERYTHING):
            remembered = await find(tenant, remembering, question, audiences)
            stored = await find(tenant, Search(tenant.platform.db), question, audiences)
            assert [entry.text for entry in remembered.passages] == [entry.text for entry in stored.passages]
            assert remembered.idf == stored.idf


async def test_what_stands_around_a_passage_is_for_its_audience_too(tenant: Tenant) -> None:
    long = "\n\n".join(f"## Part {number}\n\n{INTERNAL} Part {number}." for number in range(9))
    await learn_for(tenant, "staff", "internal", internal=long)
    search = Search(tenant.platform.db)

    passages = (await find(tenant, search, QUESTIONS[0], STAFF)).passages[:2]

    assert any((await search.around(tenant.scope, passages, 9_000, audiences=STAFF)).values())
    assert await search.around(tenant.scope, passages, 9_000) == {}


async def test_a_document_may_be_for_others_than_its_source(tenant: Tenant) -> None:
    await learn_for(tenant, "staff", "notes", offer=OFFER, internal=INTERNAL)
    offer = (await documents(tenant))["offer.md:staff"]["id"]
    internal = (await documents(tenant))["internal.md:staff"]["id"]

    opened = await call(tenant, "PATCH", f"/documents/{offer}", audience="")
    await call(tenant, "PATCH", f"/documents/{internal}", audience="managers", credibility=0.9)

    assert opened["audience"] is None
    assert set(await documents(tenant)) == {"offer.md:", "internal.md:managers"}
    assert await searched(tenant, QUESTIONS[0], audiences=["staff"]) == ["Offer"]
    await assert_counters_are_true(tenant)

    response = await tenant.client.patch(
        f"/api/v1/knowledge/documents/{internal}", headers=tenant.secret, json={"audience": None}
    )
    assert (response.json()["audience"], response.json()["credibility"]) == ("staff", pytest.approx(0.9))


async def test_what_is_said_of_a_document_holds_for_its_next_version(tenant: Tenant) -> None:
    source = folder("notes", offer=OFFER, internal=INTERNAL)
    source_id = await tenant.read(source)
    internal = (await documents(tenant))["internal.md:"]
    await call(
        tenant, "PATCH", f"/documents/{internal['id']}", audience="staff", credibility=0.9, authoritative=True
    )

    changed = folder("notes", offer=OFFER, internal=INTERNAL.replace("412", "420"))
    await read_again(tenant, source_id, changed)
    now = await documents(tenant)

    assert set(now) == {"offer.md:", "internal.md:staff"}
    assert now["internal.md:staff"]["id"] != internal["id"]
    assert now["internal.md:staff"]["credibility"] == pytest.approx(0.9)
    assert now["internal.md:staff"]["authoritative"]
    # And once more when the text is the same, and when it had left and has come back.
    await read_again(tenant, source_id, changed)
    await read_again(tenant, source_id, folder("notes", offer=OFFER))
    await read_again(tenant, source_id, changed)
    assert "internal.md:staff" in await documents(tenant)
    await assert_counters_are_true(tenant)


async def test_adding_a_source_again_keeps_its_audience_unless_another_is_named(tenant: Tenant) -> None:
    source = folder("notes", internal=INTERNAL)
    source_id = await learn_for(tenant, "staff", "notes", internal=INTERNAL)

    await read_again(tenant, source_id, source)
    assert set(await documents(tenant)) == {"internal.md:staff"}

    # From the moment it is named, not when the source has been read again.
    await add(tenant, replace(source, audience="managers"))
    assert set(await documents(tenant)) == {"internal.md:managers"}
    await tenant.platform.ingestion.run(tenant.scope, source_id)
    await add(tenant, replace(source, audience=""))
    assert set(await documents(tenant)) == {"internal.md:"}
    await assert_counters_are_true(tenant)


async def test_the_same_text_may_be_public_in_one_place_and_restricted_in_another(tenant: Tenant) -> None:
    staff = await learn_for(tenant, "staff", "internal", page=OFFER)
    public = await learn_for(tenant, None, "shop", page=OFFER)

    assert await searched(tenant, QUESTIONS[0], audiences=[]) == ["Offer"]
    assert await searched(tenant, QUESTIONS[0], audiences=["staff"]) == ["Offer"]
    await remove(tenant, public)
    assert await searched(tenant, QUESTIONS[0], audiences=[]) == []
    assert await searched(tenant, QUESTIONS[0], audiences=["staff"]) == ["Offer"]
    await assert_counters_are_true(tenant)
    await remove(tenant, staff)
    await assert_counters_are_true(tenant)


@pytest.mark.parametrize("first", [True, False])
async def test_sources_that_share_a_text_part_when_one_becomes_restricted(
    tenant: Tenant, *, first: bool
) -> None:
    one = await learn_for(tenant, None, "one", page=OFFER)
    two = await learn_for(tenant, None, "two", page=OFFER)
    restricted, open_to_all = (one, two) if first else (two, one)

    await call(tenant, "PATCH", f"/sources/{restricted}", audience="staff")

    assert await searched(tenant, QUESTIONS[0], audiences=[]) == ["Offer"]
    assert set(await documents(tenant)) == {"page.md:", "page.md:staff"}
    await assert_counters_are_true(tenant)
    await remove(tenant, open_to_all)
    assert await searched(tenant, QUESTIONS[0], audiences=[]) == []
    assert await searched(tenant, QUESTIONS[0], audiences=["staff"]) == ["Offer"]
    await assert_counters_are_true(tenant)


async def test_sources_that_share_a_text_meet_again_in_one_document(tenant: Tenant) -> None:
    staff = await learn_for(tenant, "staff", "one", page=OFFER)
    await learn_for(tenant, None, "two", page=OFFER)

    await call(tenant, "PATCH", f"/sources/{staff}", audience="")

    assert set(await documents(tenant)) == {"page.md:"}
    await assert_counters_are_true(tenant)


async def test_a_document_is_restricted_wherever_its_text_is(tenant: Tenant) -> None:
    await learn_for(tenant, None, "one", page=OFFER)
    await learn_for(tenant, None, "two", page=OFFER)
    (document,) = (await documents(tenant)).values()

    await call(tenant, "PATCH", f"/documents/{document['id']}", audience="staff")

    assert await searched(tenant, QUESTIONS[0], audiences=[]) == []
    await assert_counters_are_true(tenant)


@dataclass(frozen=True, slots=True)
class RestrictingChunker:
    """Cuts as ever, and lets an operator restrict the source while it does."""

    chunker: Chunker
    tenant: Tenant
    source_id: UUID

    async def chunks(self, text: str, earlier: Earlier | None = None) -> Sequence[Chunk]:
        async with self.tenant.platform.db.transaction(self.tenant.org_id) as session:
            judgements = JudgementService(Unit(session, self.tenant.scope))
            await judgements.source(self.source_id, SourcePatch(audience="staff"))
        return await self.chunker.chunks(text, earlier)


async def test_a_label_that_changes_while_a_source_is_read_holds_for_what_is_read_after(
    tenant: Tenant, embedder: LocalEmbedder
) -> None:
    source_id = await add(tenant, folder("notes", internal=INTERNAL))
    platform = tenant.platform
    chunker = RestrictingChunker(LateChunker(embedder.model), tenant, source_id)
    chunkers = Chunkers(platform.embedders, {platform.chunkers.default_plan: chunker})

    await Ingestion(platform.db, chunkers, Fetcher(), utc_now).run(tenant.scope, source_id)

    assert set(await documents(tenant)) == {"internal.md:staff"}


async def test_two_who_change_a_label_at_once_leave_counts_that_are_true(tenant: Tenant) -> None:
    source_id = await learn_for(tenant, None, "notes", offer=OFFER, internal=INTERNAL, **NOTES)

    labels = ["staff", "managers", "", "staff"] * 2
    changes = (call(tenant, "PATCH", f"/sources/{source_id}", audience=label) for label in labels)
    await asyncio.gather(*changes, remove(tenant, await learn_for(tenant, "staff", "other", offer=OFFER)))

    assert len({entry["audience"] for entry in (await documents(tenant)).values()}) == 1
    await assert_counters_are_true(tenant)


async def test_a_packs_archive_keeps_who_it_is_for(tenant: Tenant, stranger: Tenant) -> None:
    await learn_for(tenant, "staff", "notes", offer=OFFER, internal=INTERNAL)
    offer = (await documents(tenant))["offer.md:staff"]["id"]
    await call(tenant, "PATCH", f"/documents/{offer}", audience="", credibility=0.9)

    pack = (await imported(stranger, await exported(tenant), name="Copy")).json()
    await read_all(stranger, pack["id"])
    copy = await documents(stranger, pack["id"])

    assert set(copy) == {"offer.md:", "internal.md:staff"}
    assert copy["offer.md:"]["credibility"] == pytest.approx(0.9)
    assert await searched(stranger, QUESTIONS[0], audiences=[]) == ["Offer"]


async def test_what_is_said_of_a_source_holds_for_its_documents(tenant: Tenant) -> None:
    source_id = await learn_for(tenant, None, "notes", offer=OFFER, internal=INTERNAL)
    internal = (await documents(tenant))["internal.md:"]["id"]
    await call(tenant, "PATCH", f"/documents/{internal}", credibility=0.2)

    source = await call(tenant, "PATCH", f"/sources/{source_id}", authoritative=True, credibility=0.8)
    now = await documents(tenant)

    assert (source["authoritative"], source["credibility"]) == (True, pytest.approx(0.8))
    assert now["offer.md:"]["credibility"] == pytest.approx(0.8)
    assert now["internal.md:"]["credibility"] == pytest.approx(0.2)
    assert all(entry["authoritative"] for entry in now.values())


async def test_a_document_tells_what_is_known_of_it(tenant: Tenant) -> None:
    page = (
        "<html lang='de'><head><title>Rückgabe</title><link rel='canonical' href='https://shop.example/r'>"
        "<meta property='article:published_time' content='2024-03-01T10:00:00Z'>"
        "<meta property='article:modified_time' content='2025-05-03T10:00:00Z'></head><body><main>"
        "<h1>Rückgabe</h1><h2>Fristen</h2><p>Sie haben 30 Tage Zeit, um etwas zurückzugeben.</p></main></body></html>"
    )
    item = NewItem("r.html", page.encode())
    await tenant.read(NewSource("file", "r.html", "r.html", [item], authoritative=True, credibility=0.7))

    (document,) = (await documents(tenant)).values()
    (passage, *_) = (await call(tenant, "POST", "/search", query="Rückgabe"))["passages"]

    assert document["title"] == "Rückgabe"
    assert document["url"] == "https://shop.example/r"
    assert document["language"] == "de"
    assert document["published_at"].startswith("2024-03-01")
    assert document["modified_at"].startswith("2025-05-03")
    assert len(document["content_hash"]) == 64
    assert (document["authoritative"], document["credibility"]) == (True, pytest.approx(0.7))
    assert document["audience"] is None
    assert passage["headings"] == ["Rückgabe", "Fristen"]
