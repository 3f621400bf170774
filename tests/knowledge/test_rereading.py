"""Reading a source again: what is the same costs nothing, what changed replaces what it said, what is gone leaves."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from concierge.knowledge.schemas.websites import WebsiteOptions
from concierge.knowledge.sources.website import website_source
from tests.factories.tenants import Tenant
from tests.kit.site import Answer, Site, page
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
from tests.knowledge.surfing import BODY, PAGE, CountingModel, conditional, latest, policy, sees, sync

pytestmark = pytest.mark.anyio


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


async def test_a_website_added_again_keeps_the_pages_behind_an_unchanged_one(
    surfer: Tenant, site: Site
) -> None:
    site.pages["/robots.txt"] = page(b"", 404)
    links = "<a href='/chairs'>Chairs</a> <a href='/tables'>Tables</a>"
    start = f"<html><body><main><h1>Shop</h1><p>We sell furniture. {BODY}</p>{links}</main></body></html>"
    site.pages["/"] = conditional(start, '"start"')
    site.pages["/chairs"] = conditional(PAGE, '"chairs"')
    site.pages["/tables"] = conditional(start.replace("furniture", "tables of stone and glass"), '"tables"')
    website = website_source(site.url("/"), WebsiteOptions(mode="crawl", delay_seconds=0))
    source_id = await surfer.read(website)
    before = await texts_in(surfer)
    assert len(before) >= 2

    for read in (surfer.read(website), sync(surfer, source_id)):
        await read
        assert await texts_in(surfer) == before
        assert (await latest(surfer, source_id)).get("removed", 0) == 0

    site.pages["/chairs"] = page(b"", 404)
    await sync(surfer, source_id)
    assert not any("Kelapa" in stored for stored in await texts_in(surfer))
    assert (await latest(surfer, source_id))["removed"] == 1
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
