"""Reading a source again: what is the same costs nothing, what changed replaces what it said, what is gone leaves."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from concierge.accounts.scope import Unit
from concierge.entrypoints.wiring import Platform, build
from concierge.kit.fetch import Fetcher, FetchLimits
from concierge.knowledge.chunker import LateChunker
from concierge.knowledge.ingestion import Ingestion
from concierge.knowledge.schemas import FreshnessPolicy, PackPatch
from concierge.knowledge.service import PackService, SourceService
from concierge.llm.minilm import MiniLM, TokenStates
from tests.conftest import SETTINGS
from tests.factories.tenants import Tenant
from tests.kit.site import LOCAL, Answer, Site, page
from tests.knowledge.reading import (
    add,
    assert_counters_are_true,
    cancel,
    folder,
    items_of,
    retry,
    single,
    source_of,
    texts_in,
    until_stored,
)

pytestmark = pytest.mark.anyio

START = datetime(2030, 5, 1, 12, tzinfo=UTC)
BODY = "It is made by hand of oak, and it is oiled twice a year with a soft cloth. " * 5
PAGE = f"""<html><head><title>Shop</title></head><body><main><h1>Shop</h1>
<h2>Chairs</h2><p>The Kelapa chair costs 129 dollars. {BODY}</p>
<h2>Tables</h2><p>The Lagoon table costs 649 dollars. {BODY}</p>
<h2>Lamps</h2><p>The Husk lamp costs 89 dollars. {BODY}</p></main></body></html>"""


@dataclass(slots=True)
class FrozenClock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += timedelta(days=days)


@dataclass(slots=True)
class CountingModel:
    """The real model, which notes every text it is given."""

    model: MiniLM
    encoded: list[str] = field(default_factory=list[str])

    def token_states(self, texts: Sequence[str], prefaces: Sequence[str]) -> list[TokenStates]:
        self.encoded += texts
        return self.model.token_states(texts, prefaces)

    def embed(self, texts: Sequence[str]) -> Any:
        self.encoded += texts
        return self.model.embed(texts)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def counting(platform: Platform) -> CountingModel:
    return CountingModel(platform.embedder.model)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]  # The tests' embedder is the local one.


@pytest.fixture
async def reaching(
    platform: Platform, clock: FrozenClock, counting: CountingModel
) -> AsyncIterator[Platform]:
    """A platform with a clock of its own, which counts what goes through the model and may reach the local site."""
    limits = FetchLimits(total_s=3, connect_s=1, read_s=1, max_bytes=1_000_000)
    fetcher = Fetcher(limits=limits, allowed_private_hosts=frozenset({LOCAL}))
    reaching = build(SETTINGS, platform.address, embedder=platform.embedder, fetcher=fetcher, clock=clock)
    chunker = LateChunker(counting)  # pyright: ignore[reportArgumentType]  # It asks for no more than this has.
    yield replace(reaching, ingestion=Ingestion(reaching.db, chunker, fetcher, clock))
    await reaching.db.close()


@pytest.fixture
def surfer(tenant: Tenant, reaching: Platform) -> Tenant:
    return replace(tenant, platform=reaching)


def conditional(body: str, etag: str) -> Answer:
    """A page that says when it has not changed."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("If-None-Match") == etag:
            page(b"", 304, ETag=etag)(handler)
        else:
            page(body.encode(), Content_Type="text/html", ETag=etag)(handler)

    return answer


def sees(site: Site) -> list[str | None]:
    """The validators of the requests so far."""
    return [seen.get("if-none-match") for seen in site.seen]


async def policy(tenant: Tenant, **values: Any) -> None:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        patch = PackPatch(freshness_policy=FreshnessPolicy(**values))
        await PackService(Unit(session, tenant.scope)).change(tenant.pack_id, patch)


async def sync(tenant: Tenant, source_id: UUID, *, read: bool = True) -> None:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        await SourceService(Unit(session, tenant.scope)).sync(source_id)
    if read:
        await tenant.platform.ingestion.run(tenant.scope, source_id)


async def latest(tenant: Tenant, source_id: UUID) -> dict[str, Any]:
    """The last sync of a source, over HTTP; the counters that are not 0."""
    found = await tenant.client.get(f"/api/v1/knowledge/sources/{source_id}/syncs", headers=tenant.owner)
    entry: dict[str, Any] = found.json()["items"][0]
    return {name: value for name, value in entry.items() if value not in (0, [], None)}


async def planned(tenant: Tenant, source_id: UUID) -> list[tuple[datetime, int]]:
    """When the source is to be looked at again, and how important that is."""
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        rows = await session.execute(
            text(
                "SELECT scheduled_at, priority FROM procrastinate_jobs "
                "WHERE task_name = 'knowledge.refresh' AND args->>'source_id' = :id AND status = 'todo'"
            ),
            {"id": str(source_id)},
        )
        return [(row[0].astimezone(UTC), row[1]) for row in rows]


async def test_a_page_that_says_it_is_unchanged_is_not_even_parsed(
    surfer: Tenant, site: Site, counting: CountingModel
) -> None:
    site.pages["/shop"] = conditional(PAGE, '"one"')
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))
    counting.encoded.clear()

    await sync(surfer, source_id)

    assert sees(site) == [None, '"one"']
    assert counting.encoded == []
    source = await source_of(surfer, source_id)
    assert (source.status, source.progress.unchanged) == ("succeeded", 1)
    assert (await latest(surfer, source_id))["unchanged"] == 1
    assert len(await texts_in(surfer)) == 1
    await assert_counters_are_true(surfer)


async def test_a_page_without_validators_whose_text_is_the_same_is_not_embedded(
    surfer: Tenant, site: Site, counting: CountingModel
) -> None:
    site.pages["/shop"] = page(PAGE.encode(), Content_Type="text/html")
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))
    counting.encoded.clear()

    await sync(surfer, source_id)

    assert counting.encoded == []
    assert (await source_of(surfer, source_id)).progress.unchanged == 1


async def test_of_a_page_that_changed_only_the_changed_section_is_embedded(
    surfer: Tenant, site: Site, counting: CountingModel
) -> None:
    site.pages["/shop"] = conditional(PAGE, '"one"')
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))
    at_first = len("".join(counting.encoded))
    counting.encoded.clear()
    site.pages["/shop"] = conditional(PAGE.replace("649", "699"), '"two"')

    await sync(surfer, source_id)

    again = "".join(counting.encoded)
    assert "699" in again
    assert "Kelapa" not in again
    assert "Husk" not in again
    assert len(again) < at_first / 2
    assert "699" in (await surfer.ask("How much does the Lagoon table cost?"))["response"]
    assert "129" in (await surfer.ask("How much does the Kelapa chair cost?"))["response"]
    assert (await latest(surfer, source_id))["changes"] == [
        {"uri": site.url("/shop"), "title": "Shop", "change": "changed"}
    ]
    await sync(surfer, source_id)
    assert sees(site)[-1] == '"two"'
    await assert_counters_are_true(surfer)


@pytest.mark.parametrize("status", [404, 410])
async def test_a_page_that_is_gone_leaves_the_answers(surfer: Tenant, site: Site, status: int) -> None:
    site.pages["/shop"] = conditional(PAGE, '"one"')
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))
    site.pages["/shop"] = page(b"nothing here", status)

    await sync(surfer, source_id)

    source = await source_of(surfer, source_id)
    assert (source.status, source.error_code) == ("failed", "url_gone")
    assert await texts_in(surfer) == []
    entry = await latest(surfer, source_id)
    assert (entry["removed"], entry["failed"]) == (1, 1)
    assert entry["changes"][0]["change"] == "removed"
    await assert_counters_are_true(surfer)

    site.pages["/shop"] = conditional(PAGE, '"one"')
    await sync(surfer, source_id)
    assert sees(site)[-1] is None
    assert len(await texts_in(surfer)) == 1


@pytest.mark.parametrize("trouble", ["500", "503", "403", "hangs up", "silence", "no text"])
async def test_a_page_that_is_only_away_keeps_what_it_said(surfer: Tenant, site: Site, trouble: str) -> None:
    site.pages["/shop"] = conditional(PAGE, '"one"')
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))
    answers: dict[str, Answer] = {
        "hangs up": lambda handler: handler.connection.close(),
        "silence": lambda handler: handler.wfile.flush(),
        "no text": page(b"<html><body></body></html>", Content_Type="text/html"),
    }
    site.pages["/shop"] = answers.get(trouble) or page(b"", int(trouble))

    await sync(surfer, source_id)

    assert (await source_of(surfer, source_id)).status == "failed"
    assert len(await texts_in(surfer)) == 1
    assert "129" in (await surfer.ask("How much does the Kelapa chair cost?"))["response"]
    await assert_counters_are_true(surfer)
    site.pages["/shop"] = conditional(PAGE, '"one"')
    await sync(surfer, source_id)
    assert sees(site)[-1] == '"one"'
    assert (await source_of(surfer, source_id)).progress.unchanged == 1


async def test_a_name_that_cannot_be_found_keeps_what_it_said(surfer: Tenant, site: Site) -> None:
    site.pages["/shop"] = conditional(PAGE, '"one"')
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))
    site.close()

    await sync(surfer, source_id)

    assert (await source_of(surfer, source_id)).error_code == "url_unreachable"
    assert len(await texts_in(surfer)) == 1


async def test_always_reads_and_stores_anew_what_has_not_changed(
    surfer: Tenant, site: Site, counting: CountingModel
) -> None:
    await policy(surfer, recrawl="always")
    site.pages["/shop"] = conditional(PAGE, '"one"')
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))
    copy = await surfer.read(single(site.url("/shop?copy"), None, "url"))
    assert (await source_of(surfer, copy)).progress.duplicate == 1
    counting.encoded.clear()

    await sync(surfer, source_id)

    assert sees(site)[-1] is None
    assert "Kelapa" in "".join(counting.encoded)
    entry = await latest(surfer, source_id)
    assert entry["unchanged"] == 1
    assert "changes" not in entry
    assert len(await texts_in(surfer)) == 1
    await assert_counters_are_true(surfer)


async def test_a_page_believed_unchanged_whose_document_is_lost_is_fetched_whole(
    surfer: Tenant, site: Site
) -> None:
    site.pages["/shop"] = conditional(PAGE, '"one"')
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))
    async with surfer.platform.db.transaction(surfer.org_id) as session:
        await session.execute(text("DELETE FROM chunks"))
        await session.execute(text("DELETE FROM term_stats"))
        await session.execute(text("UPDATE knowledge_packs SET document_count = 0, chunk_count = 0"))
        await session.execute(text("DELETE FROM documents"))

    await sync(surfer, source_id)

    assert sees(site) == [None, '"one"', None]
    assert len(await texts_in(surfer)) == 1
    await assert_counters_are_true(surfer)


async def test_what_the_operator_thinks_of_an_unchanged_page_is_noted(surfer: Tenant, site: Site) -> None:
    site.pages["/shop"] = conditional(PAGE, '"one"')
    await surfer.read(single(site.url("/shop"), None, "url"))

    await surfer.read(replace(single(site.url("/shop"), None, "url"), authoritative=True))

    page_of = await surfer.client.get(
        f"/api/v1/knowledge/packs/{surfer.pack_id}/documents", headers=surfer.owner
    )
    assert [document["authoritative"] for document in page_of.json()["items"]] == [True]


async def test_a_folder_names_what_was_added_changed_and_removed(surfer: Tenant) -> None:
    notes = {
        name: f"# {name}\n\nThe {name} costs {len(name)} dollars." for name in ("chair", "table", "lamp")
    }
    source_id = await surfer.read(folder("shop", **notes))
    assert (await latest(surfer, source_id))["added"] == 3
    del notes["lamp"]
    changed = {**notes, "table": "# table\n\nThe table costs 10 dollars.", "bench": "# bench\n\nIt is new."}

    await surfer.read(folder("shop", **changed, broken__pdf=b"%PDF-1.4 no"))

    entry = await latest(surfer, source_id)
    counters = ("added", "changed", "removed", "unchanged", "failed")
    assert [entry[name] for name in counters] == [1, 1, 1, 1, 1]
    assert sorted((change["uri"], change["change"]) for change in entry["changes"]) == [
        ("bench.md", "added"),
        ("lamp.md", "removed"),
        ("table.md", "changed"),
    ]
    assert (entry["trigger"], entry["status"]) == ("manual", "succeeded")
    assert set(await items_of(surfer, source_id)) == {"chair.md", "table.md", "bench.md", "broken.pdf"}


async def test_only_the_first_changes_are_named_and_all_are_counted(surfer: Tenant) -> None:
    source_id = await surfer.read(
        folder("shop", **{f"n{number:03}": f"# Note {number}" for number in range(203)})
    )

    entry = await latest(surfer, source_id)
    assert (entry["added"], len(entry["changes"])) == (203, 200)

    async with surfer.platform.db.transaction(surfer.org_id) as session:
        await session.execute(text("UPDATE syncs SET changes = '[]'"))
    await surfer.read(folder("shop", n000="# Note 0"))
    entry = await latest(surfer, source_id)
    assert (entry["removed"], len(entry["changes"])) == (202, 200)


async def test_a_cancelled_sync_deletes_nothing_and_counts_what_it_did(surfer: Tenant) -> None:
    notes = {f"n{number:02}": f"# Note {number}\n\n{BODY} It costs {number} dollars." for number in range(30)}
    source_id = await surfer.read(folder("shop", **notes, last="# Last\n\nThis stays until all is read."))
    changed = {name: note.replace("oak", "pine") for name, note in notes.items()}
    await add(surfer, folder("shop", **changed))
    await cancel(surfer, source_id)

    assert (await latest(surfer, source_id))["status"] == "cancelled"
    assert len(await texts_in(surfer)) == 31

    await retry(surfer, source_id)

    entry = await latest(surfer, source_id)
    assert (entry["trigger"], entry["changed"], entry["removed"]) == ("retry", 30, 1)
    assert not any("oak" in stored for stored in await texts_in(surfer))
    await assert_counters_are_true(surfer)


async def test_a_source_is_due_when_its_time_is_over_and_not_before(
    surfer: Tenant, site: Site, clock: FrozenClock
) -> None:
    await policy(surfer, ttl_days=7, priority="high")
    site.pages["/shop"] = conditional(PAGE, '"one"')
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))
    source = await source_of(surfer, source_id)
    assert (source.synced_at, source.next_due_at) == (START, START + timedelta(days=7))
    assert await planned(surfer, source_id) == [(START + timedelta(days=7), 10)]

    clock.pass_days(6.9)
    await surfer.platform.ingestion.refresh(surfer.scope, source_id)
    assert (await source_of(surfer, source_id)).status == "succeeded"
    clock.pass_days(0.2)
    await surfer.platform.ingestion.refresh(surfer.scope, source_id)

    assert (await source_of(surfer, source_id)).status == "queued"
    assert await planned(surfer, source_id) == []
    # A second look finds that it is being read already.
    await surfer.platform.ingestion.refresh(surfer.scope, source_id)
    await surfer.platform.ingestion.run(surfer.scope, source_id)
    entry = await latest(surfer, source_id)
    assert (entry["trigger"], entry["unchanged"]) == ("scheduled", 1)
    assert len(site.seen) == 2
    assert await planned(surfer, source_id) == [(clock.now + timedelta(days=7), 10)]


async def test_a_website_that_was_away_is_asked_again_after_a_day(
    surfer: Tenant, site: Site, clock: FrozenClock
) -> None:
    site.pages["/shop"] = page(b"", 500)
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))

    source = await source_of(surfer, source_id)
    assert (source.synced_at, source.next_due_at) == (None, START + timedelta(days=1))
    clock.pass_days(1)
    site.pages["/shop"] = conditional(PAGE, '"one"')
    await surfer.platform.ingestion.refresh(surfer.scope, source_id)
    await surfer.platform.ingestion.run(surfer.scope, source_id)

    assert (await source_of(surfer, source_id)).synced_at == clock.now


async def test_a_new_policy_plans_anew_what_is_there(surfer: Tenant, site: Site) -> None:
    site.pages["/shop"] = conditional(PAGE, '"one"')
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))
    uploaded = await surfer.read(folder("notes", one="# One\n\nA note."))
    assert await planned(surfer, source_id) == [(START + timedelta(days=30), 0)]

    await policy(surfer, ttl_days=2, priority="low")
    assert await planned(surfer, source_id) == [(START + timedelta(days=2), -10)]
    await policy(surfer, recrawl="never")
    assert await planned(surfer, source_id) == []
    assert (await source_of(surfer, source_id)).next_due_at is None
    await policy(surfer, recrawl="changed")
    # What a patch leaves out stays: still two days.
    assert await planned(surfer, source_id) == [(START + timedelta(days=2), -10)]
    assert await planned(surfer, uploaded) == []


async def test_a_deleted_source_is_not_looked_at_again(surfer: Tenant, site: Site) -> None:
    site.pages["/shop"] = conditional(PAGE, '"one"')
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))

    await surfer.client.delete(f"/api/v1/knowledge/sources/{source_id}", headers=surfer.owner)

    assert await planned(surfer, source_id) == []
    await surfer.platform.ingestion.refresh(surfer.scope, source_id)


async def test_a_reader_that_dies_in_a_sync_leaves_no_answer_empty_and_nothing_twice(surfer: Tenant) -> None:
    notes = {f"n{number:02}": f"# Note {number}\n\nIt costs {number} dollars." for number in range(24)}
    source_id = await surfer.read(folder("shop", **notes))
    dearer = {name: note.replace("dollars", "euros") for name, note in notes.items()}
    await add(surfer, folder("shop", **dearer))
    for least in (1, 6, 14):
        run = surfer.platform.ingestion.run(surfer.scope, source_id)
        reader = asyncio.create_task(run)
        await until_stored(surfer, source_id, least)
        reader.cancel()
        await asyncio.wait([reader])
        assert len(await texts_in(surfer)) == len(notes)
        await assert_counters_are_true(surfer)

    await surfer.platform.ingestion.run(surfer.scope, source_id)

    assert all("euros" in stored for stored in await texts_in(surfer))
    assert (await latest(surfer, source_id))["changed"] == len(notes)
    await assert_counters_are_true(surfer)
