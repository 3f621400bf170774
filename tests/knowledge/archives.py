"""Packs that go out and come back: what the tests of archives share."""

import io
import json
import zipfile
from typing import Any
from uuid import UUID

import httpx

from concierge.knowledge.schemas import NewItem, NewSource
from tests.factories.tenants import Tenant

RETURNS = "---\ndate: 2026-05-03\nurl: https://shop.example/returns\nlanguage: en\n---\n\n# Returns\n\nYou have 30 days to send a chair back.\n"
CHAIRS = "# Chairs\n\nThe Kelapa chair costs 129 dollars. It is *not* for _gardens_ \\[sic].\n\n| wood | price |\n| --- | --- |\n| oak | 129 |\n"
PLAIN = "Opening hours\n\n* we open at 9 *\n\n[x] closed on Sundays_and_holidays\n"
QUESTION = "How many days do I have to send a chair back?"
# What of a document must be the same after a round trip.
KEPT = ("uri", "title", "url", "media_type", "language", "published_at", "modified_at", "authoritative", "credibility", "text")  # fmt: skip

Entries = dict[str, bytes]


async def furnish(tenant: Tenant) -> None:
    await tenant.read(
        NewSource(
            "folder",
            "notes",
            "/home/olive/private/notes",
            [
                NewItem("returns.md", RETURNS.encode()),
                NewItem("chairs.md", CHAIRS.encode()),
                NewItem("hours.txt", PLAIN.encode()),
            ],
            authoritative=True,
            credibility=0.8,
        )
    )
    await tenant.read(
        NewSource("text", "Parking", "Parking", [NewItem("Parking.md", b"# Parking\n\nThere are 40 places.")])
    )


async def exported(tenant: Tenant, pack_id: UUID | None = None) -> bytes:
    response = await tenant.client.get(
        f"/api/v1/knowledge/packs/{pack_id or tenant.pack_id}/export", headers=tenant.secret
    )
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/zip"
    return response.content


async def imported(tenant: Tenant, data: bytes, **query: str) -> httpx.Response:
    return await tenant.client.post(
        "/api/v1/knowledge/packs/import",
        headers=tenant.secret,
        params=query,
        files={"file": ("pack.zip", data, "application/zip")},
    )


async def read_all(tenant: Tenant, pack_id: str) -> None:
    """Read what an import has left to the background."""
    response = await tenant.client.get(f"/api/v1/knowledge/packs/{pack_id}/sources", headers=tenant.secret)
    for source in response.json()["items"]:
        await tenant.platform.ingestion.run(tenant.scope, UUID(source["id"]))


async def documents(tenant: Tenant, pack_id: str) -> list[dict[str, Any]]:
    listed = await tenant.client.get(f"/api/v1/knowledge/packs/{pack_id}/documents", headers=tenant.secret)
    whole = [
        (await tenant.client.get(f"/api/v1/knowledge/documents/{entry['id']}", headers=tenant.secret)).json()
        for entry in listed.json()["items"]
    ]
    return sorted(({name: entry[name] for name in KEPT} for entry in whole), key=lambda entry: entry["uri"])


async def found(tenant: Tenant, pack_id: str) -> list[tuple[str, str, float]]:
    response = await tenant.client.post(
        "/api/v1/knowledge/search", headers=tenant.secret, json={"query": QUESTION, "pack_ids": [pack_id]}
    )
    # What is newer scores a little higher, so a score changes with the hour.
    return [
        (entry["title"], entry["text"], round(entry["score"], 5)) for entry in response.json()["passages"]
    ]


def entries(data: bytes) -> Entries:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(content: Entries) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return whole.getvalue()


def changed(content: Entries, name: str, **fields: Any) -> bytes:
    """The archive with some fields of one of its files changed."""
    return packed({**content, name: json.dumps({**json.loads(content[name]), **fields}).encode()})
