"""Reading sources: what is stored, once; what changes when a source is read again; and counters that stay true."""

import asyncio
import random
from uuid import UUID

import pytest

from concierge.knowledge.schemas import NewItem, NewSource
from tests.factories.tenants import Tenant
from tests.knowledge.reading import (
    add,
    assert_counters_are_true,
    folder,
    items_of,
    remove,
    source_of,
    texts_in,
)

pytestmark = pytest.mark.anyio

CHAIRS = "# Chairs\n\nThe Kelapa chair costs 129 dollars and seats one person."
TABLES = "# Tables\n\nThe Lagoon table costs 649 dollars and seats six people."
LAMPS = "# Lamps\n\nThe Husk lamp costs 89 dollars and lights a whole room."


async def statuses(tenant: Tenant, source_id: UUID) -> dict[str, str]:
    return {uri: item.status for uri, item in (await items_of(tenant, source_id)).items()}


async def test_each_document_of_a_folder_is_stored_and_counted(tenant: Tenant) -> None:
    source_id = await tenant.read(folder("shop", chairs=CHAIRS, tables=TABLES))

    source = await source_of(tenant, source_id)
    assert (source.status, source.error, source.progress.percent) == ("succeeded", None, 100)
    assert (source.progress.items, source.progress.stored, source.progress.current) == (2, 2, None)
    assert source.progress.chunks >= 2
    assert source.finished_at is not None
    assert len(await texts_in(tenant)) == 2
    await assert_counters_are_true(tenant)


async def test_the_same_content_is_stored_once_within_a_source(tenant: Tenant) -> None:
    source_id = await tenant.read(folder("shop", chairs=CHAIRS, copy=CHAIRS))

    assert sorted((await statuses(tenant, source_id)).values()) == ["duplicate", "stored"]
    assert len(await texts_in(tenant)) == 1
    await assert_counters_are_true(tenant)


async def test_the_same_content_is_stored_once_across_sources(tenant: Tenant) -> None:
    await tenant.read(folder("shop", chairs=CHAIRS))
    second = await tenant.read(folder("archive", old_chairs=CHAIRS, lamps=LAMPS))

    assert await statuses(tenant, second) == {"old_chairs.md": "duplicate", "lamps.md": "stored"}
    assert len(await texts_in(tenant)) == 2
    await assert_counters_are_true(tenant)


async def test_the_same_content_read_by_two_at_once_is_stored_once(tenant: Tenant) -> None:
    sources = [await add(tenant, folder(name, chairs=CHAIRS, tables=TABLES)) for name in ("one", "two")]

    await asyncio.gather(*(tenant.platform.ingestion.run(tenant.scope, source) for source in sources))

    found = [await source_of(tenant, source) for source in sources]
    assert [source.status for source in found] == ["succeeded", "succeeded"]
    assert sum(source.progress.stored for source in found) == 2
    assert sum(source.progress.duplicate for source in found) == 2
    assert len(await texts_in(tenant)) == 2
    await assert_counters_are_true(tenant)


async def test_two_sources_of_one_pack_can_be_read_at_the_same_time(tenant: Tenant) -> None:
    sources = [
        await add(
            tenant, folder(f"{half}", **{f"n{i}": f"# Note {half} {i}\n\nIt costs {i}." for i in range(12)})
        )
        for half in ("one", "two")
    ]

    await asyncio.gather(*(tenant.platform.ingestion.run(tenant.scope, source) for source in sources))

    assert len(await texts_in(tenant)) == 24
    await assert_counters_are_true(tenant)


async def test_a_job_that_two_workers_take_up_leaves_everything_once(tenant: Tenant) -> None:
    source_id = await add(tenant, folder("shop", chairs=CHAIRS, tables=TABLES, lamps=LAMPS))

    await asyncio.gather(*(tenant.platform.ingestion.run(tenant.scope, source_id) for _ in range(2)))

    assert len(await texts_in(tenant)) == 3
    assert set((await statuses(tenant, source_id)).values()) == {"stored"}
    await assert_counters_are_true(tenant)


async def test_reading_again_keeps_what_is_the_same_and_replaces_what_changed(tenant: Tenant) -> None:
    first = await tenant.read(folder("shop", chairs=CHAIRS, tables=TABLES, lamps=LAMPS))
    dearer = CHAIRS.replace("129", "159")

    second = await tenant.read(folder("shop", chairs=dearer, tables=TABLES))

    assert first == second
    assert await statuses(tenant, second) == {"chairs.md": "stored", "tables.md": "unchanged"}
    texts = " ".join(await texts_in(tenant))
    assert "159" in texts
    assert "129" not in texts
    assert "Lamps" not in texts
    await assert_counters_are_true(tenant)


async def test_an_answer_no_longer_quotes_what_was_replaced(tenant: Tenant) -> None:
    await tenant.read(folder("shop", chairs=CHAIRS))
    assert "129" in (await tenant.ask("How much does the Kelapa chair cost?"))["response"]

    await tenant.read(folder("shop", chairs=CHAIRS.replace("129", "159")))

    reply = await tenant.ask("How much does the Kelapa chair cost?")
    assert "159" in reply["response"]
    assert all("129" not in source["quote"] for source in reply["sources"])


async def test_reading_again_updates_what_a_source_says_of_its_documents(tenant: Tenant) -> None:
    await tenant.read(folder("shop", chairs=CHAIRS))

    await tenant.read(
        NewSource("folder", "shop", "shop", [NewItem("chairs.md", CHAIRS.encode())], authoritative=True)
    )

    page = await tenant.client.get(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/documents", headers=tenant.owner
    )
    assert [document["authoritative"] for document in page.json()["items"]] == [True]


async def test_content_that_moves_to_another_file_stays(tenant: Tenant) -> None:
    await tenant.read(folder("shop", a_chairs=CHAIRS, b_chairs=CHAIRS))

    source_id = await tenant.read(folder("shop", b_chairs=CHAIRS))

    # Which of the two files the text was stored for is a matter of chance: they are read side by side.
    assert (await statuses(tenant, source_id))["b_chairs.md"] in {"duplicate", "unchanged"}
    assert len(await texts_in(tenant)) == 1
    await assert_counters_are_true(tenant)


async def test_two_files_that_swap_their_content_keep_both(tenant: Tenant) -> None:
    await tenant.read(folder("shop", first=CHAIRS, second=TABLES))

    await tenant.read(folder("shop", first=TABLES, second=CHAIRS))

    assert len(await texts_in(tenant)) == 2
    await assert_counters_are_true(tenant)


async def test_a_deleted_source_leaves_what_another_source_also_has(tenant: Tenant) -> None:
    first = await tenant.read(folder("shop", chairs=CHAIRS, tables=TABLES))
    await tenant.read(folder("archive", old_chairs=CHAIRS))

    await remove(tenant, first)

    texts = await texts_in(tenant)
    assert len(texts) == 1
    assert "Kelapa" in texts[0]
    await assert_counters_are_true(tenant)
    assert "129" in (await tenant.ask("How much does the Kelapa chair cost?"))["response"]


async def test_a_deleted_source_takes_along_what_only_its_own_files_share(tenant: Tenant) -> None:
    source_id = await tenant.read(folder("shop", chairs=CHAIRS, copy=CHAIRS))

    await remove(tenant, source_id)

    assert await texts_in(tenant) == []
    await assert_counters_are_true(tenant)


async def test_a_file_that_can_no_longer_be_read_keeps_its_earlier_content(tenant: Tenant) -> None:
    await tenant.read(folder("shop", chairs=CHAIRS, tables=TABLES))

    source_id = await tenant.read(folder("shop", chairs=b"\x00\x01\x02" * 500, tables=TABLES))

    assert (await statuses(tenant, source_id))["chairs.md"] == "failed"
    assert len(await texts_in(tenant)) == 2
    await assert_counters_are_true(tenant)


async def test_any_sequence_of_reading_and_deleting_leaves_true_counters(tenant: Tenant) -> None:
    """Three folders take in and lose files with contents they partly share; a plain model says what must be there."""
    chance = random.Random(7)  # Only has to be the same each time.
    contents = [f"# Note {i}\n\nArticle {i} costs {i * 7} dollars." for i in range(6)]
    expected: dict[str, dict[str, str]] = {}
    known: dict[str, UUID] = {}
    for _ in range(24):
        name = chance.choice(["one", "two", "three"])
        if name in known and chance.random() < 0.3:
            await remove(tenant, known.pop(name))
            del expected[name]
        else:
            files = chance.sample(["a", "b", "c", "d"], chance.randint(1, 4))
            expected[name] = {file: chance.choice(contents) for file in files}
            known[name] = await tenant.read(folder(name, **expected[name]))
        wanted = {content for files in expected.values() for content in files.values()}
        assert len(await texts_in(tenant)) == len(wanted)
        await assert_counters_are_true(tenant)
