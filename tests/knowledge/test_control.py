"""Pausing, resuming, retrying and deleting sources while they are read, and following them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
import pytest

from concierge.accounts.scope import Unit
from concierge.kit.ids import new_id
from concierge.knowledge.service import SourceService
from tests.factories.tenants import Tenant
from tests.knowledge.parsing.files import encrypted_pdf
from tests.knowledge.reading import (
    add,
    assert_counters_are_true,
    folder,
    items_of,
    remove,
    source_of,
    texts_in,
    until_stored,
)

pytestmark = pytest.mark.anyio

NOTES = {f"n{i:02}": f"# Note {i}\n\nArticle {i} costs {i} dollars." for i in range(30)}


async def call(tenant: Tenant, source_id: UUID, action: str) -> httpx.Response:
    return await tenant.client.post(f"/api/v1/knowledge/sources/{source_id}/{action}", headers=tenant.owner)


async def refused(tenant: Tenant, source_id: UUID, action: str) -> tuple[int, str]:
    response = await call(tenant, source_id, action)
    return response.status_code, response.json().get("code", response.text)


@asynccontextmanager
async def reading(tenant: Tenant, source_id: UUID) -> AsyncGenerator[asyncio.Task[None]]:
    """A reader that is at it."""
    reader = asyncio.create_task(tenant.platform.ingestion.run(tenant.scope, source_id))
    await until_stored(tenant, source_id, 1)
    yield reader
    await asyncio.wait_for(reader, 30)


async def test_a_paused_source_stops_waits_and_goes_on(tenant: Tenant) -> None:
    source_id = await add(tenant, folder("shop", **NOTES))
    async with reading(tenant, source_id):
        assert (await call(tenant, source_id, "pause")).status_code == 200

    paused = await source_of(tenant, source_id)
    assert (paused.status, paused.progress.current, paused.progress.stage) == ("paused", None, None)
    assert 0 < paused.progress.stored < len(NOTES)
    await tenant.platform.ingestion.run(tenant.scope, source_id)
    assert (await source_of(tenant, source_id)).progress.stored == paused.progress.stored
    for action in ("retry", f"items/{await first_item(tenant, source_id)}/retry"):
        assert await refused(tenant, source_id, action) == (409, "source_paused")
    assert await refused(tenant, source_id, "pause") == (409, "source_not_running")

    resumed = await call(tenant, source_id, "resume")
    assert (resumed.status_code, resumed.json()["status"]) == (202, "queued")
    assert await refused(tenant, source_id, "resume") == (409, "source_not_paused")
    await tenant.platform.ingestion.run(tenant.scope, source_id)

    ended = await source_of(tenant, source_id)
    assert (ended.status, ended.progress.stored, ended.progress.duplicate) == ("succeeded", len(NOTES), 0)
    syncs = await tenant.client.get(f"/api/v1/knowledge/sources/{source_id}/syncs", headers=tenant.owner)
    assert [(sync["status"], sync["added"]) for sync in syncs.json()["items"]] == [("succeeded", len(NOTES))]
    await assert_counters_are_true(tenant)


async def first_item(tenant: Tenant, source_id: UUID) -> str:
    page = await tenant.client.get(
        f"/api/v1/knowledge/sources/{source_id}/items", headers=tenant.owner, params={"limit": 1}
    )
    item_id: str = page.json()["items"][0]["id"]
    return item_id


async def test_a_source_paused_before_it_is_begun_is_not_begun(tenant: Tenant) -> None:
    source_id = await add(tenant, folder("shop", **NOTES))
    assert (await call(tenant, source_id, "pause")).json()["status"] == "paused"

    await tenant.platform.ingestion.run(tenant.scope, source_id)
    assert (await source_of(tenant, source_id)).progress.done == 0
    assert (await call(tenant, source_id, "cancel")).json()["status"] == "cancelled"
    assert await refused(tenant, source_id, "cancel") == (409, "source_not_running")


async def test_a_source_paused_while_its_reader_was_dead_is_paused(tenant: Tenant) -> None:
    source_id = await add(tenant, folder("shop", **NOTES))
    reader = asyncio.create_task(tenant.platform.ingestion.run(tenant.scope, source_id))
    await until_stored(tenant, source_id, 1)
    reader.cancel()
    await asyncio.wait([reader])
    await call(tenant, source_id, "pause")

    await tenant.platform.ingestion.run(tenant.scope, source_id)

    assert (await source_of(tenant, source_id)).status == "paused"


async def test_a_source_resumed_before_its_reader_has_stopped_is_read_to_the_end(tenant: Tenant) -> None:
    source_id = await add(tenant, folder("shop", **NOTES))
    async with reading(tenant, source_id):
        await call(tenant, source_id, "pause")
        assert (await call(tenant, source_id, "resume")).status_code == 202

    await tenant.platform.ingestion.run(tenant.scope, source_id)

    source = await source_of(tenant, source_id)
    assert (source.status, source.progress.stored) == ("succeeded", len(NOTES))


async def test_a_source_deleted_while_it_is_read_is_gone_with_all_it_had(tenant: Tenant) -> None:
    source_id = await add(tenant, folder("shop", **NOTES))
    async with reading(tenant, source_id):
        await remove(tenant, source_id)

    assert await texts_in(tenant) == []
    await assert_counters_are_true(tenant)


async def test_a_source_deleted_in_a_second_reading_is_gone_too(tenant: Tenant) -> None:
    await tenant.read(folder("shop", **NOTES))
    dearer = {name: f"{note} Or more." for name, note in NOTES.items()}
    source_id = await add(tenant, folder("shop", **dearer))
    async with reading(tenant, source_id):
        await remove(tenant, source_id)

    assert await texts_in(tenant) == []
    await assert_counters_are_true(tenant)


async def test_of_two_syncs_at_once_one_is_told_that_the_other_is_at_it(tenant: Tenant) -> None:
    source_id = await tenant.read(folder("shop", locked__pdf=encrypted_pdf()))

    answers = await asyncio.gather(*(call(tenant, source_id, "retry") for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "source_busy"}
    assert await refused(tenant, source_id, "sync") == (409, "source_busy")


async def test_only_what_has_an_address_is_read_again_from_it(tenant: Tenant) -> None:
    source_id = await tenant.read(folder("shop", one="# One\n\nA note."))

    assert await refused(tenant, source_id, "sync") == (409, "source_not_fetched")


async def test_one_document_that_failed_is_tried_again(tenant: Tenant) -> None:
    source_id = await tenant.read(
        folder("shop", note="# Note\n\nText.", locked__pdf=encrypted_pdf(), other__pdf=encrypted_pdf() + b" ")
    )
    page = await tenant.client.get(f"/api/v1/knowledge/sources/{source_id}/items", headers=tenant.owner)
    ids = {item["uri"]: item["id"] for item in page.json()["items"]}

    assert await refused(tenant, source_id, f"items/{ids['note.md']}/retry") == (
        409,
        "source_item_not_failed",
    )
    assert await refused(tenant, source_id, f"items/{new_id()}/retry") == (404, "source_item_not_found")
    retried = await call(tenant, source_id, f"items/{ids['locked.pdf']}/retry")
    assert (retried.status_code, retried.json()["progress"]["done"]) == (202, 2)
    await tenant.platform.ingestion.run(tenant.scope, source_id)

    items = await items_of(tenant, source_id)
    assert {uri: item.status for uri, item in items.items()} == {
        "note.md": "stored",
        "locked.pdf": "failed",
        "other.pdf": "failed",
    }
    syncs = await tenant.client.get(f"/api/v1/knowledge/sources/{source_id}/syncs", headers=tenant.owner)
    assert [(sync["trigger"], sync["failed"]) for sync in syncs.json()["items"]] == [
        ("retry", 1),
        ("added", 2),
    ]


async def test_syncs_come_in_pages_the_latest_first(tenant: Tenant) -> None:
    readings = [await tenant.read(folder("shop", one=f"# One\n\nNote {number}.")) for number in range(3)]
    address = f"/api/v1/knowledge/sources/{readings[0]}/syncs"

    first = (await tenant.client.get(address, headers=tenant.owner, params={"limit": 2})).json()
    rest = await tenant.client.get(
        address, headers=tenant.owner, params={"limit": 2, "cursor": first["next_cursor"]}
    )

    triggers = [sync["trigger"] for sync in [*first["items"], *rest.json()["items"]]]
    assert triggers == ["manual", "manual", "added"]
    assert rest.json()["next_cursor"] is None


async def test_a_pack_is_changed_in_part_and_keeps_its_name_to_itself(tenant: Tenant) -> None:
    address = f"/api/v1/knowledge/packs/{tenant.pack_id}"
    await tenant.client.post("/api/v1/knowledge/packs", headers=tenant.owner, json={"name": "Other"})

    changed = await tenant.client.patch(
        address, headers=tenant.owner, json={"name": "Shop", "freshness_policy": {"ttl_days": 3}}
    )
    taken = await tenant.client.patch(address, headers=tenant.owner, json={"name": "Other"})
    wrong = await tenant.client.patch(
        address, headers=tenant.owner, json={"freshness_policy": {"ttl_days": 0}}
    )

    assert changed.json()["name"] == "Shop"
    assert changed.json()["grounding_mode"] == "blended"
    assert changed.json()["freshness_policy"] == {"ttl_days": 3, "recrawl": "changed", "priority": "medium"}
    assert (taken.status_code, taken.json()["code"]) == (409, "pack_name_taken")
    assert wrong.status_code == 422


async def test_control_needs_the_right_to_change_knowledge(tenant: Tenant) -> None:
    source_id = await add(tenant, folder("shop", one="# One\n\nA note."))
    unit_less = tenant.publishable

    for action in ("sync", "pause", "resume", "cancel", "retry"):
        response = await tenant.client.post(
            f"/api/v1/knowledge/sources/{source_id}/{action}", headers=unit_less
        )
        assert response.status_code == 403
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        assert (await SourceService(Unit(session, tenant.scope)).get(source_id)).status == "queued"
