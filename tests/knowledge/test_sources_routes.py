"""Sources over HTTP: adding each kind, watching it being read by a real worker, and what a caller gets wrong."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from concierge.entrypoints.wiring import Platform
from tests.factories.tenants import Tenant
from tests.knowledge.parsing.files import encrypted_pdf, pdf, word, zipped
from tests.knowledge.reading import assert_counters_are_true

pytestmark = pytest.mark.anyio

TEXT = "The Kelapa chair costs 129 dollars and seats one person."
MARKDOWN = f"# Chairs\n\n{TEXT}".encode()
HTML = f"<html><body><main><h1>Chairs</h1><p>{TEXT}</p></main></body></html>".encode()
UPLOADS = [
    ("chairs.txt", TEXT.encode(), "text/plain"),
    ("chairs.md", MARKDOWN, "text/markdown"),
    ("chairs.html", HTML, "text/html"),
    ("warranty.pdf", pdf(), "application/pdf"),
    ("returns.docx", word(), "application/octet-stream"),
]


@pytest.fixture
async def worker(platform: Platform) -> AsyncIterator[None]:
    """The product's own worker, in this process."""
    running = asyncio.create_task(platform.job_runner().run())
    yield
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def over(tenant: Tenant, source_id: str) -> dict[str, Any]:
    """Wait until a source was read. Returns it as it ended."""
    for _ in range(600):
        response = await tenant.client.get(f"/api/v1/knowledge/sources/{source_id}", headers=tenant.owner)
        source: dict[str, Any] = response.json()
        if source["status"] not in {"queued", "running"}:
            return source
        await asyncio.sleep(0.05)
    raise AssertionError("The source was not read.")


async def upload(tenant: Tenant, name: str, data: bytes, media_type: str = "") -> httpx.Response:
    return await tenant.client.post(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/files",
        headers=tenant.owner,
        files={"file": (name, data, media_type)},
    )


async def add(tenant: Tenant, **body: Any) -> httpx.Response:
    return await tenant.client.post(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/sources", headers=tenant.owner, json=body
    )


async def items(tenant: Tenant, source_id: str, query: str = "") -> list[dict[str, Any]]:
    page = await tenant.client.get(
        f"/api/v1/knowledge/sources/{source_id}/items{query}", headers=tenant.owner
    )
    assert page.status_code == 200, page.text
    found: list[dict[str, Any]] = page.json()["items"]
    return found


@pytest.mark.usefixtures("worker")
async def test_every_kind_of_file_is_read_by_the_worker_and_answers(tenant: Tenant) -> None:
    added = [await upload(tenant, *file) for file in UPLOADS]
    assert [response.status_code for response in added] == [202] * len(UPLOADS)
    assert {response.json()["status"] for response in added} == {"queued"}

    ended = [await over(tenant, response.json()["id"]) for response in added]

    assert [source["status"] for source in ended] == ["succeeded"] * len(UPLOADS)
    assert all(source["progress"]["percent"] == 100 for source in ended)
    assert all(source["finished_at"] for source in ended)
    assert "129" in (await tenant.ask("How much does the Kelapa chair cost?"))["response"]
    assert "30 days" in (await tenant.ask("Within how many days may I return goods?"))["response"]
    await assert_counters_are_true(tenant)


@pytest.mark.usefixtures("worker")
async def test_a_text_an_archive_and_a_page_are_sources_too(tenant: Tenant) -> None:
    text = await add(tenant, kind="text", title="Chairs", text=TEXT)
    page = await add(tenant, kind="url", url="http://127.0.0.1:1/")
    archive = await upload(
        tenant,
        "docs.zip",
        zipped({"a.md": b"# A\n\nThe lamp costs 89 dollars.", "locked.pdf": encrypted_pdf()}),
    )

    ended = {
        response.json()["kind"]: await over(tenant, response.json()["id"])
        for response in (text, page, archive)
    }

    assert ended["text"]["status"] == "succeeded"
    assert (ended["url"]["status"], ended["url"]["error_code"]) == ("failed", "url_invalid")
    progress = ended["archive"]["progress"]
    assert (progress["items"], progress["stored"], progress["failed"]) == (2, 1, 1)
    failed = await items(tenant, archive.json()["id"], "?status=failed")
    assert [(item["uri"], item["error_code"]) for item in failed] == [
        ("docs.zip/locked.pdf", "document_encrypted")
    ]


async def test_progress_can_be_watched_while_a_source_is_read(tenant: Tenant) -> None:
    documents = {f"n{i:02}.md": f"# Note {i}\n\nArticle {i} costs {i} dollars.".encode() for i in range(30)}
    source_id = (await upload(tenant, "docs.zip", zipped(documents))).json()["id"]
    reading = asyncio.create_task(tenant.platform.ingestion.run(tenant.scope, source_id))
    seen: list[dict[str, Any]] = []
    while not reading.done():
        seen.append(
            (await tenant.client.get(f"/api/v1/knowledge/sources/{source_id}", headers=tenant.owner)).json()
        )
        await asyncio.sleep(0.01)
    await reading

    under_way = [source["progress"] for source in seen if source["status"] == "running"]
    assert any(0 < progress["percent"] < 100 for progress in under_way)
    assert any((progress["current"] or "").startswith("docs.zip/n") for progress in under_way)
    done = [progress["done"] for progress in under_way if progress["items"] == 30]
    assert done == sorted(done)


async def test_a_source_is_cancelled_retried_and_deleted_over_http(tenant: Tenant) -> None:
    source_id = (await upload(tenant, "chairs.md", MARKDOWN)).json()["id"]
    address = f"/api/v1/knowledge/sources/{source_id}"

    cancelled = await tenant.client.post(f"{address}/cancel", headers=tenant.owner)
    assert cancelled.json()["status"] == "cancelled"
    again = await tenant.client.post(f"{address}/cancel", headers=tenant.owner)
    assert (again.status_code, again.json()["code"]) == (409, "source_not_running")
    retried = await tenant.client.post(f"{address}/retry", headers=tenant.owner)
    assert (retried.status_code, retried.json()["status"]) == (202, "queued")
    busy = await tenant.client.post(f"{address}/retry", headers=tenant.owner)
    assert (busy.status_code, busy.json()["code"]) == (409, "source_busy")
    await tenant.platform.ingestion.run(tenant.scope, source_id)
    assert (await tenant.client.delete(address, headers=tenant.owner)).status_code == 204
    assert (await tenant.client.get(address, headers=tenant.owner)).json()["code"] == "source_not_found"


async def test_the_same_file_again_is_the_same_source(tenant: Tenant) -> None:
    first = (await upload(tenant, "chairs.md", MARKDOWN)).json()
    early = await upload(tenant, "chairs.md", MARKDOWN)
    assert (early.status_code, early.json()["code"]) == (409, "source_busy")
    await tenant.platform.ingestion.run(tenant.scope, first["id"])

    second = (await upload(tenant, "chairs.md", MARKDOWN)).json()

    assert second["id"] == first["id"]


async def test_the_same_file_uploaded_twice_at_once_is_one_source(tenant: Tenant) -> None:
    responses = await asyncio.gather(*(upload(tenant, "chairs.md", MARKDOWN) for _ in range(3)))

    assert sorted(response.status_code for response in responses) == [202, 409, 409]


async def test_a_file_past_the_limit_is_refused_by_its_declared_length(tenant: Tenant) -> None:
    limit = tenant.platform.settings.limits.upload_bytes

    response = await upload(tenant, "huge.txt", b"x" * (limit + 200_000))

    assert response.status_code == 413
    assert response.json()["code"] == "too_large"
    assert "2 MB" in response.json()["detail"]


async def test_a_file_just_past_the_limit_is_refused_too(tenant: Tenant) -> None:
    response = await upload(tenant, "huge.txt", b"x" * (tenant.platform.settings.limits.upload_bytes + 1))

    assert (response.status_code, response.json()["code"]) == (413, "upload_too_large")


async def test_a_file_past_the_limit_is_refused_without_a_declared_length(tenant: Tenant) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        yield (
            b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="huge.txt"\r\n'
            b"Content-Type: text/plain\r\n\r\n"
        )
        while read < 60 * 1024 * 1024:
            read += 65_536
            yield b"x" * 65_536
        yield b"\r\n--frontier--\r\n"

    response = await tenant.client.post(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/files",
        headers={**tenant.owner, "Content-Type": "multipart/form-data; boundary=frontier"},
        content=endless(),
    )

    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert response.json()["request_id"]
    assert read < 4 * 1024 * 1024


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.md", "passwd.md"),
        ("C:\\Users\\me\\chairs.md", "chairs.md"),
        ("größe 漢字 🪑.md", "größe 漢字 🪑.md"),
        ("x" * 1_000 + ".md", "x" * 197 + ".md"),
        ("   ", "upload"),
    ],
    ids=["up", "windows", "letters", "long", "blank"],
)
async def test_a_file_keeps_what_is_a_name_of_its_name(tenant: Tenant, given: str, kept: str) -> None:
    response = await upload(tenant, given, MARKDOWN, "text/markdown")

    assert response.status_code == 202, response.text
    assert response.json()["name"] == kept
    await tenant.platform.ingestion.run(tenant.scope, response.json()["id"])
    assert (await over(tenant, response.json()["id"]))["status"] == "succeeded"


async def test_what_does_not_belong_in_a_file_name_is_left_out_of_it(tenant: Tenant) -> None:
    part = b'Content-Disposition: form-data; name="file"; filename="nul\x00and\x7fbroken\xff.md"'
    response = await tenant.client.post(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/files",
        headers={**tenant.owner, "Content-Type": "multipart/form-data; boundary=frontier"},
        content=b"--frontier\r\n" + part + b"\r\n\r\n" + MARKDOWN + b"\r\n--frontier--\r\n",
    )

    if response.status_code == 202:
        assert response.json()["name"].isprintable()
        await tenant.platform.ingestion.run(tenant.scope, response.json()["id"])
        assert (await over(tenant, response.json()["id"]))["status"] == "succeeded"
    else:
        assert (response.status_code, response.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "text"},
        {"kind": "text", "title": "A", "text": "   "},
        {"kind": "text", "title": " ", "text": "A"},
        {"kind": "text", "title": "A", "text": "nul \x00"},
        {"kind": "text", "title": "A", "text": "half \ud800"},
        {"kind": "text", "title": "A", "text": "x" * 1_000_001},
        {"kind": "text", "title": "A", "text": "B", "credibility": 2},
        {"kind": "url"},
        {"kind": "url", "url": "ftp://example.com/"},
        {"kind": "url", "url": "not an address"},
        {"kind": "folder", "title": "A", "text": "B"},
        {"kind": "text", "title": ["A"], "text": "B"},
    ],
    ids=lambda body: json.dumps(body)[:50],
)
async def test_a_source_that_makes_no_sense_is_refused(tenant: Tenant, body: dict[str, Any]) -> None:
    response = await tenant.client.post(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/sources",
        headers={**tenant.owner, "Content-Type": "application/json"},
        content=json.dumps(body).encode(),
    )

    assert response.status_code in {413, 422}, response.text
    assert response.json()["request_id"]
    listed = await tenant.client.get(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/sources", headers=tenant.owner
    )
    assert listed.json()["items"] == []


async def test_an_upload_without_a_file_is_refused(tenant: Tenant) -> None:
    response = await tenant.client.post(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/files", headers=tenant.owner, data={"authoritative": "yes"}
    )

    assert response.status_code == 422
    assert "file" in response.json()["detail"]


async def test_an_empty_file_is_taken_and_its_reading_says_that_it_is_empty(tenant: Tenant) -> None:
    source_id = (await upload(tenant, "empty.md", b"")).json()["id"]
    await tenant.platform.ingestion.run(tenant.scope, source_id)

    source = await over(tenant, source_id)

    assert (source["status"], source["error_code"]) == ("failed", "document_empty")
