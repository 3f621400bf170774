"""A pack goes out as one archive and comes back as the same knowledge."""

import json
from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import text

from concierge.knowledge.schemas import NewItem, NewSource
from concierge.knowledge.schemas.archives import shareable
from concierge.knowledge.service.imports import ArchiveReader, Portion
from tests.factories.tenants import Tenant
from tests.knowledge.archives import (
    QUESTION,
    documents,
    entries,
    exported,
    found,
    furnish,
    imported,
    read_all,
)
from tests.knowledge.parsing.files import pdf

pytestmark = pytest.mark.anyio


async def test_a_round_trip_gives_the_same_knowledge_in_another_organization(
    tenant: Tenant, stranger: Tenant
) -> None:
    await furnish(tenant)
    response = await imported(stranger, await exported(tenant), name="From the shop")
    assert response.status_code == 202, response.text
    pack = response.json()
    await read_all(stranger, pack["id"])

    assert pack["name"] == "From the shop"
    ours, theirs = await documents(tenant, str(tenant.pack_id)), await documents(stranger, pack["id"])
    assert len(ours) == 4
    assert ours == theirs
    assert await found(tenant, str(tenant.pack_id)) == await found(stranger, pack["id"])
    # What comes out of the copy is what went into it.
    first, second = entries(await exported(tenant)), entries(await exported(stranger, UUID(pack["id"])))
    again = {name: data for name, data in second.items() if name.startswith("documents/")}
    texts = sorted(json.loads(data)["sha256"] for data in again.values())
    assert texts == sorted(
        json.loads(data)["sha256"] for name, data in first.items() if name != "manifest.json"
    )


async def test_the_copy_answers_like_the_original(tenant: Tenant, stranger: Tenant) -> None:
    await furnish(tenant)
    pack = (await imported(stranger, await exported(tenant), name="Copy")).json()
    await read_all(stranger, pack["id"])
    await stranger.client.patch(
        f"/api/v1/agents/{stranger.agent_id}", headers=stranger.owner, json={"pack_ids": [pack["id"]]}
    )

    ours, theirs = await tenant.ask(QUESTION), await stranger.ask(QUESTION)

    assert "30 days" in ours["response"]
    assert (ours["response"], ours["confidence_score"]) == (theirs["response"], theirs["confidence_score"])


async def test_an_archive_holds_nothing_of_the_organization_or_the_machine(tenant: Tenant) -> None:
    await furnish(tenant)
    everything = b"\n".join(entries(await exported(tenant)).values()).decode()

    assert str(tenant.org_id) not in everything
    assert str(tenant.pack_id) not in everything
    assert tenant.email not in everything
    assert "/home/olive" not in everything
    assert json.loads(entries(await exported(tenant))["manifest.json"])["sources"][0]["uri"] == "notes"


def test_options_that_may_be_secret_stay_at_home() -> None:
    options = {
        "depth": 2,
        "headers": {"x": "y"},
        "feed": {"api_key": "k", "map": {"author": "name", "key": "sku"}},
    }

    assert shareable(options) == {"depth": 2, "feed": {"map": {"author": "name", "key": "sku"}}}


async def test_a_name_that_is_taken_is_a_conflict(tenant: Tenant) -> None:
    await furnish(tenant)
    data = await exported(tenant)

    response = await imported(tenant, data)

    assert (response.status_code, response.json()["code"]) == (409, "pack_name_taken")
    assert (await imported(tenant, data, name="Another")).status_code == 202
    assert (await imported(tenant, data, name=" ")).status_code == 422


async def test_pages_and_websites_come_back_without_being_fetched(tenant: Tenant, stranger: Tenant) -> None:
    """The address may be out of reach just now; the next sync asks for it."""
    options = {"website": {"mode": "crawl", "max_pages": 7}}
    await tenant.read(NewSource("file", "terms.pdf", "terms.pdf", [NewItem("terms.pdf", pdf())]))
    site = NewSource(
        "website", "Site", "https://shop.example/", [NewItem("https://shop.example/", b"# Hi\n\nWe sell sofas.", "text/markdown")], options=options
    )  # fmt: skip
    await tenant.read(site)
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        await session.execute(text("UPDATE documents SET page_starts = '{0,9}' WHERE uri = 'terms.pdf'"))

    pack = (await imported(stranger, await exported(tenant), name="Copy")).json()
    await read_all(stranger, pack["id"])

    async with stranger.platform.db.transaction(stranger.org_id) as session:
        rows = await session.execute(
            text("SELECT s.kind, s.status, s.options -> 'website', d.page_starts FROM sources s JOIN documents d ON d.source_id = s.id ORDER BY 1")
        )  # fmt: skip
        (file, website) = rows.all()
    assert file[:2] == ("file", "succeeded")
    assert file[3] == [0, 9]
    assert website[:2] == ("website", "succeeded")
    assert (website[2]["mode"], website[2]["max_pages"]) == ("crawl", 7)


async def test_an_empty_pack_comes_back_empty(tenant: Tenant) -> None:
    response = await imported(tenant, await exported(tenant), name="Empty")

    assert response.status_code == 202
    assert response.json()["document_count"] == 0


async def test_a_source_without_documents_says_so(tenant: Tenant) -> None:
    await tenant.read(NewSource("file", "empty.md", "empty.md", [NewItem("empty.md", b"  ")]))

    pack = (await imported(tenant, await exported(tenant), name="Copy")).json()

    sources = await tenant.client.get(f"/api/v1/knowledge/packs/{pack['id']}/sources", headers=tenant.secret)
    (source,) = sources.json()["items"]
    assert (source["status"], source["error_code"]) == ("failed", "source_empty")


async def test_a_viewer_may_export_but_not_import(tenant: Tenant) -> None:
    data = await exported(tenant)
    await tenant.client.post(
        "/api/v1/members",
        headers=tenant.owner,
        json={"email": f"v-{tenant.org_id}@shop.example", "name": "Vi", "role": "viewer", "password": "correct horse battery"},
    )  # fmt: skip
    login = await tenant.client.post(
        "/api/v1/auth/login",
        json={"email": f"v-{tenant.org_id}@shop.example", "password": "correct horse battery"},
    )
    viewer = {"Authorization": f"Bearer {login.json()['access_token']}"}

    allowed = await tenant.client.get(f"/api/v1/knowledge/packs/{tenant.pack_id}/export", headers=viewer)
    refused = await tenant.client.post(
        "/api/v1/knowledge/packs/import", headers=viewer, files={"file": ("p.zip", data)}
    )

    assert (allowed.status_code, refused.status_code) == (200, 403)


async def test_a_large_archive_is_stored_in_portions(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than a portion is in memory at once, whatever the size of the pack."""
    await furnish(tenant)
    monkeypatch.setattr("concierge.knowledge.service.imports.PORTION_BYTES", 100)
    sizes: list[int] = []
    original = ArchiveReader.portions

    def counting(self: ArchiveReader) -> Iterator[Portion]:
        for portion in original(self):
            sizes.append(sum(len(entries) for entries in portion.items.values()))
            yield portion

    monkeypatch.setattr(ArchiveReader, "portions", counting)

    pack = (await imported(tenant, await exported(tenant), name="Copy")).json()
    await read_all(tenant, pack["id"])

    assert sizes == [1, 1, 1, 1, 0]
    assert len(await documents(tenant, pack["id"])) == 4
