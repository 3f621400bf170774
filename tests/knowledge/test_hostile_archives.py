"""An archive that is not in order leaves nothing, and ids that somebody writes into one mean nothing."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from concierge.knowledge.schemas.archives import digest_of, digest_of_text, document_name
from tests.factories.tenants import Tenant
from tests.knowledge.archives import (
    Entries,
    changed,
    documents,
    entries,
    exported,
    furnish,
    imported,
    packed,
    read_all,
)

pytestmark = pytest.mark.anyio


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
    "a website that is none": (
        lambda files: changed(
            files,
            "manifest.json",
            sources=[
                {
                    "kind": "website",
                    "name": "x",
                    "uri": "https://x.example/",
                    "options": {"website": {"max_pages": -1}},
                }
            ],
        ),
        "max_pages",
    ),
    "a page from nowhere": (
        lambda files: changed(files, "manifest.json", sources=[{"kind": "url", "name": "x", "uri": "x"}]),
        "address",
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
