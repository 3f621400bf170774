"""A text typed in the dashboard: read back, and changed where it stands."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.factories.tenants import Tenant
from tests.knowledge.archives import exported, imported, read_all
from tests.knowledge.reading import add, assert_counters_are_true, folder, source_of, texts_in
from tests.knowledge.surfing import CountingModel, latest

pytestmark = pytest.mark.anyio

TEXT = "## Parking\n\nThere are 40 places behind the depot.\n\n## Wifi\n\nThe wifi is called Palm, without a password."

ROOMS = ("terrace", "showroom", "workshop")


async def write(tenant: Tenant, title: str = "Visiting us", text: str = TEXT) -> UUID:
    response = await tenant.client.post(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/sources",
        headers=tenant.owner,
        json={"kind": "text", "title": title, "text": text},
    )
    assert response.status_code == 202, response.text
    source_id = UUID(response.json()["id"])
    await tenant.platform.ingestion.run(tenant.scope, source_id)
    return source_id


async def text_of(tenant: Tenant, source_id: UUID) -> Any:
    response = await tenant.client.get(f"/api/v1/knowledge/sources/{source_id}/text", headers=tenant.owner)
    return response.json()


async def change(tenant: Tenant, source_id: UUID, title: str, text: str) -> httpx.Response:
    return await tenant.client.put(
        f"/api/v1/knowledge/sources/{source_id}/text",
        headers=tenant.owner,
        json={"title": title, "text": text},
    )


async def test_a_text_reads_back_before_and_after_it_is_read(tenant: Tenant) -> None:
    response = await tenant.client.post(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/sources",
        headers=tenant.owner,
        json={"kind": "text", "title": "Visiting us", "text": TEXT},
    )
    source_id = UUID(response.json()["id"])

    before = await text_of(tenant, source_id)
    await tenant.platform.ingestion.run(tenant.scope, source_id)

    assert before == await text_of(tenant, source_id) == {"title": "Visiting us", "text": TEXT}


async def test_of_a_changed_text_only_what_changed_is_embedded(
    surfer: Tenant, counting: CountingModel
) -> None:
    # Of a short text all is one passage.
    rooms = "\n\n".join(f"## {room}\n\n{' '.join([f'The {room} has a view.'] * 40)}" for room in ROOMS)
    source_id = await write(surfer, text=f"{TEXT}\n\n{rooms}")
    counting.encoded.clear()

    changed = await change(
        surfer, source_id, "Visiting us", f"{TEXT.replace('40 places', '60 places')}\n\n{rooms}"
    )
    await surfer.platform.ingestion.run(surfer.scope, source_id)

    assert (changed.status_code, changed.json()["status"]) == (202, "queued")
    again = "".join(counting.encoded)
    assert "60 places" in again
    assert "has a view" not in again
    entry = await latest(surfer, source_id)
    assert (entry["changed"], entry["changes"][0]["uri"]) == (1, "Visiting us.md")
    assert "60 places" in (await surfer.ask("How many parking places are there?"))["response"]
    await assert_counters_are_true(surfer)


async def test_an_edit_that_changes_nothing_does_nothing(tenant: Tenant) -> None:
    source_id = await write(tenant)
    before = await source_of(tenant, source_id)

    response = await change(tenant, source_id, "Visiting us", f"  {TEXT}\n")

    assert (response.status_code, response.json()["status"]) == (202, "succeeded")
    after = await source_of(tenant, source_id)
    assert (after.started_at, after.synced_at) == (before.started_at, before.synced_at)
    syncs = await tenant.client.get(f"/api/v1/knowledge/sources/{source_id}/syncs", headers=tenant.owner)
    assert len(syncs.json()["items"]) == 1


async def test_another_title_is_the_name_of_the_source_and_of_its_document(tenant: Tenant) -> None:
    source_id = await write(tenant)

    await change(tenant, source_id, "Come and see us", TEXT)
    await tenant.platform.ingestion.run(tenant.scope, source_id)

    assert (await source_of(tenant, source_id)).name == "Come and see us"
    assert await text_of(tenant, source_id) == {"title": "Come and see us", "text": TEXT}
    assert await texts_in(tenant) == [f"# Come and see us\n\n{TEXT}"]
    assert (await latest(tenant, source_id))["changed"] == 1
    await assert_counters_are_true(tenant)


async def test_a_title_that_another_text_has_is_refused(tenant: Tenant) -> None:
    await write(tenant, "Returns", "You have 30 days.")
    source_id = await write(tenant)

    response = await change(tenant, source_id, "Returns", TEXT)

    assert (response.status_code, response.json()["code"]) == (409, "source_title_taken")
    assert (await text_of(tenant, source_id))["title"] == "Visiting us"


async def test_what_was_not_typed_has_no_text_to_change(tenant: Tenant) -> None:
    source_id = await add(tenant, folder("shop", note="# Note\n\nA note."))

    assert (await text_of(tenant, source_id))["code"] == "source_not_text"
    assert (await change(tenant, source_id, "Note", "A note.")).json()["code"] == "source_not_text"


async def test_a_text_that_is_being_read_is_not_changed_meanwhile(tenant: Tenant) -> None:
    source_id = await write(tenant)
    await change(tenant, source_id, "Visiting us", "Another text.")

    response = await change(tenant, source_id, "Visiting us", "A third text.")

    assert (response.status_code, response.json()["code"]) == (409, "source_busy")


@pytest.mark.parametrize(("title", "text"), [("", "A"), (" ", "A"), ("A", ""), ("A", "  "), ("A", "b\x00")])
async def test_a_text_needs_a_title_and_words(tenant: Tenant, title: str, text: str) -> None:
    source_id = await write(tenant)

    assert (await change(tenant, source_id, title, text)).status_code == 422


async def test_an_imported_text_can_be_changed_too(tenant: Tenant, stranger: Tenant) -> None:
    await write(tenant)
    pack = (await imported(stranger, await exported(tenant), name="Copy")).json()
    sources = await stranger.client.get(
        f"/api/v1/knowledge/packs/{pack['id']}/sources", headers=stranger.owner
    )
    source_id = UUID(sources.json()["items"][0]["id"])
    assert await text_of(stranger, source_id) == {"title": "Visiting us", "text": TEXT}
    await read_all(stranger, pack["id"])

    await change(stranger, source_id, "Visiting us", "The car park is closed.")
    await stranger.platform.ingestion.run(stranger.scope, source_id)

    assert (await text_of(stranger, source_id))["text"] == "The car park is closed."
    assert (await latest(stranger, source_id))["changed"] == 1


async def test_a_text_of_another_organization_is_not_there(tenant: Tenant, stranger: Tenant) -> None:
    source_id = await write(tenant)

    assert (await text_of(stranger, source_id))["code"] == "source_not_found"
    assert (await change(stranger, source_id, "Mine", "Mine.")).status_code == 404
    assert (await text_of(tenant, source_id))["title"] == "Visiting us"


async def test_a_text_that_is_renamed_stays_for_whom_it_was(tenant: Tenant) -> None:
    source_id = await write(tenant)
    items = await tenant.client.get(f"/api/v1/knowledge/sources/{source_id}/items", headers=tenant.owner)
    document_id = items.json()["items"][0]["document_id"]
    await tenant.client.patch(
        f"/api/v1/knowledge/documents/{document_id}", headers=tenant.owner, json={"audience": "staff"}
    )

    assert (await change(tenant, source_id, "For the staff", TEXT)).status_code == 202
    await tenant.platform.ingestion.run(tenant.scope, source_id)

    listed = await tenant.client.get(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/documents", headers=tenant.owner
    )
    assert [(entry["title"], entry["audience"]) for entry in listed.json()["items"]] == [
        ("For the staff", "staff")
    ]
