"""A pack goes out as one archive and comes back as the same knowledge; an archive that is not in order leaves nothing."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from concierge.knowledge.schemas import NewItem, NewSource
from concierge.knowledge.schemas.archives import digest_of, digest_of_text, document_name, shareable
from concierge.knowledge.service.imports import Portion
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

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
    options = {"depth": 2, "headers": {"x": "y"}, "feed": {"api_key": "k", "map": {"title": "name"}}}

    assert shareable(options) == {"depth": 2, "feed": {"map": {"title": "name"}}}


async def test_a_name_that_is_taken_is_a_conflict(tenant: Tenant) -> None:
    await furnish(tenant)
    data = await exported(tenant)

    response = await imported(tenant, data)

    assert (response.status_code, response.json()["code"]) == (409, "pack_name_taken")
    assert (await imported(tenant, data, name="Another")).status_code == 202
    assert (await imported(tenant, data, name=" ")).status_code == 422


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


def bomb(content: Entries) -> bytes:
    return packed({**content, document_name(1): b" " * (60 * 1024 * 1024)})


def many(content: Entries) -> bytes:
    """A directory of 100,000 empty files."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("manifest.json", content["manifest.json"])
        for number in range(100_000):
            archive.writestr(zipfile.ZipInfo(document_name(number + 1)), b"")
    return whole.getvalue()


def false_size(content: Entries) -> bytes:
    """Headers that promise less than what is packed."""
    data = bytearray(packed({**content, document_name(1): b"[" + b" " * 5_000_000 + b"]"}))
    small = struct.pack("<I", 10)
    real = struct.pack("<I", 5_000_002)
    return bytes(data).replace(real, small)


def with_document(content: Entries, **fields: Any) -> bytes:
    """One document changed, and all that vouches for it made to fit."""
    document = {**json.loads(content[document_name(1)]), **fields}
    document["sha256"] = digest_of_text(document["text"])
    files = {**content, document_name(1): json.dumps(document).encode()}
    digests = [json.loads(files[document_name(number)])["sha256"] for number in (1, 2, 3, 4)]
    manifest = {**json.loads(content["manifest.json"]), "digest": digest_of(digests)}
    return packed({**files, "manifest.json": json.dumps(manifest).encode()})


HOSTILE: dict[str, tuple[Callable[[Entries], bytes], str]] = {
    "no zip": (lambda _: b"PK but not really", "not a knowledge pack"),
    "nothing": (lambda _: b"", "not a knowledge pack"),
    "another zip": (lambda _: packed({"a.md": b"# A"}), "not a knowledge pack"),
    "another format": (lambda files: changed(files, "manifest.json", format="tar"), "not a knowledge pack"),
    "a later version": (lambda files: changed(files, "manifest.json", version=2), "Update Concierge"),
    "no manifest but a list": (lambda files: packed({**files, "manifest.json": b"[]"}), "manifest"),
    "a manifest without end": (lambda files: packed({**files, "manifest.json": b"[" * 100_000}), "manifest"),
    "cut short": (lambda files: packed(files)[:-200], "damaged"),
    "cut at the front": (lambda files: packed(files)[300:], "damaged"),
    "a name that climbs": (lambda files: packed({**files, "../../etc/cron.d/x": b"x"}), "does not belong"),
    "an absolute name": (lambda files: packed({**files, "/etc/passwd": b"x"}), "does not belong"),
    "a file too many": (lambda files: packed({**files, document_name(5): b"{}"}), "does not belong"),
    "a file too few": (
        lambda files: packed({name: data for name, data in files.items() if name != document_name(4)}),
        "damaged",
    ),
    "a bomb": (bomb, "far more than"),
    "100,000 files": (many, "far more than"),
    "a false size": (false_size, ""),
    "a changed text": (lambda files: changed(files, document_name(1), text="All is free."), "was changed"),
    "exchanged documents": (
        lambda files: packed(
            {**files, document_name(1): files[document_name(2)], document_name(2): files[document_name(1)]}
        ),
        "not those it was exported with",
    ),
    "one document twice": (
        lambda files: packed({**files, document_name(2): files[document_name(1)]}),
        "twice",
    ),
    "a source that is not there": (lambda files: with_document(files, source=7), "does not have"),
    "a source before the first": (lambda files: with_document(files, source=-1), "no document"),
    "an address that runs": (lambda files: with_document(files, url="javascript:alert(1)"), "no document"),
    "a date beyond belief": (
        lambda files: with_document(files, published_at="0001-01-01T00:00:00+14:00"),
        "no document",
    ),
    "a NUL": (lambda files: with_document(files, title="a\x00b"), "no document"),
    "half a character": (lambda files: with_document(files, title="\ud800"), "no document"),
    "a NUL in the options": (
        lambda files: changed(
            files,
            "manifest.json",
            sources=[
                {**source, "options": {"a": ["\x00"]}}
                for source in json.loads(files["manifest.json"])["sources"]
            ],
        ),
        "options",
    ),
    "a kind that is none": (
        lambda files: changed(files, "manifest.json", sources=[{"kind": "shell", "name": "x"}]),
        "kind",
    ),
    "one source twice": (
        lambda files: changed(
            files, "manifest.json", sources=[json.loads(files["manifest.json"])["sources"][0]] * 2
        ),
        "one source twice",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_an_archive_that_is_not_in_order_leaves_nothing(
    name: str, tenant: Tenant, stranger: Tenant
) -> None:
    await furnish(tenant)
    make, words = HOSTILE[name]

    response = await imported(stranger, make(entries(await exported(tenant))), name="Bad")

    assert response.status_code in {413, 422}, response.text
    if response.status_code == 422:
        assert response.json()["code"] == "pack_archive_invalid"
        assert words.lower() in response.json()["detail"].lower()
    async with stranger.platform.db.transaction(stranger.org_id) as session:
        for table in ("sources", "source_items", "documents"):
            rows = await session.execute(text(f"SELECT count(*) FROM {table}"))  # noqa: S608  # Names of this test.
            assert rows.scalar_one() == 0
        packs = await session.execute(text("SELECT name FROM knowledge_packs"))
        assert list(packs.scalars()) == ["Knowledge"]


async def test_ids_in_an_archive_mean_nothing(tenant: Tenant, stranger: Tenant) -> None:
    """Somebody writes the ids of another organization's rows into it."""
    await furnish(tenant)
    source = (await tenant.client.get(f"/api/v1/knowledge/packs/{tenant.pack_id}/sources", headers=tenant.secret)).json()["items"][0]  # fmt: skip
    before = await documents(tenant, str(tenant.pack_id))
    foreign = {"id": str(tenant.pack_id), "org_id": str(tenant.org_id), "pack_id": str(tenant.pack_id)}
    files = entries(await exported(tenant))
    manifest = json.loads(files["manifest.json"])
    manifest |= foreign
    manifest["pack"] |= foreign
    manifest["sources"] = [{**entry, **foreign, "source_id": source["id"]} for entry in manifest["sources"]]
    files = {
        name: json.dumps({**json.loads(data), **foreign, "source_id": source["id"]}).encode()
        for name, data in files.items()
    }
    data = packed({**files, "manifest.json": json.dumps(manifest).encode()})

    response = await imported(stranger, data, name="Copy")

    assert response.status_code == 202, response.text
    assert response.json()["id"] != str(tenant.pack_id)
    await read_all(stranger, response.json()["id"])
    assert len(await documents(stranger, response.json()["id"])) == 4
    assert await documents(tenant, str(tenant.pack_id)) == before


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
    original = Portion.__init__

    def counting(self: Portion, items: dict[int, list[NewItem]]) -> None:
        sizes.append(sum(len(entries) for entries in items.values()))
        original(self, items)

    monkeypatch.setattr(Portion, "__init__", counting)

    pack = (await imported(tenant, await exported(tenant), name="Copy")).json()
    await read_all(tenant, pack["id"])

    assert sizes == [1, 1, 1, 1, 0]
    assert len(await documents(tenant, pack["id"])) == 4
