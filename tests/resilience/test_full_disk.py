"""The disk fills up in the middle of reading: it is said, nothing is stored by half, and reading goes on later."""

import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from concierge.entrypoints.api.app import create_app
from concierge.entrypoints.wiring import DatabaseAddress, build
from concierge.kit.db import StorageFullError
from concierge.kit.ids import new_id
from concierge.kit.postgres import APP_ROLE, EmbeddedPostgres
from concierge.kit.postgres.identity import choose_server_user
from concierge.llm.embeddings import LocalEmbedder
from tests.conftest import SETTINGS, TEMPLATE
from tests.factories.tenants import Tenant, make_tenant
from tests.knowledge.reading import (
    add,
    assert_counters_are_true,
    folder,
    retry,
    source_of,
    texts_in,
)

pytestmark = pytest.mark.anyio

NOTES = {f"n{i:02}": f"# Article {i}\n\n" + f"Article {i} costs {i} dollars. " * 30 for i in range(30)}


@pytest.fixture
def small_disk(postgres: EmbeddedPostgres, shared_folder: Path) -> Iterator[Path]:
    """A very small disk that the database may write to."""
    disk = Path(tempfile.mkdtemp(prefix="disk-", dir=shared_folder))
    mounted = os.geteuid() == 0 and mount(disk, "size=384k").returncode == 0
    if not mounted:
        disk.rmdir()
        pytest.skip("Only root, outside of most containers, can make a small disk.")
    choose_server_user(postgres.home.cluster).give(disk)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def mount(disk: Path, options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], capture_output=True, check=False
    )


@pytest.fixture
def crowded_table() -> str:
    """The table that lies on the small disk."""
    return "chunks"


@pytest.fixture
async def cramped(
    postgres: EmbeddedPostgres, small_disk: Path, tenant: Tenant, embedder: LocalEmbedder, crowded_table: str
) -> AsyncIterator[Tenant]:
    """A tenant in a database of its own, with one table on the small disk."""
    name = f"cramped_{new_id().hex}"
    address = postgres.address
    with psycopg.connect(address.conninfo(), autocommit=True) as connection:
        # The template is made by the time a tenant exists.
        database, template, space = (sql.Identifier(word) for word in (name, TEMPLATE, name))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(database, template))
        connection.execute(
            sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(space, sql.Literal(str(small_disk)))
        )
        with psycopg.connect(address.conninfo(database=name)) as inside:
            table = sql.Identifier(crowded_table)
            inside.execute(sql.SQL("ALTER TABLE {} SET TABLESPACE {}").format(table, space))
        owner = DatabaseAddress(address.url(database=name), address.url(role=APP_ROLE, database=name), None)
        platform = build(SETTINGS, owner, embedder=embedder)
        yield await make_tenant(platform, tenant.client)
        await platform.db.close()
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))
        connection.execute(sql.SQL("DROP TABLESPACE {}").format(space))


async def test_reading_stops_with_a_reason_and_goes_on_when_there_is_space(
    cramped: Tenant, small_disk: Path
) -> None:
    source_id = await add(cramped, folder("shop", **NOTES))

    with pytest.raises(StorageFullError):
        await cramped.platform.ingestion.run(cramped.scope, source_id, last_attempt=False)

    stopped = await source_of(cramped, source_id)
    assert (stopped.status, stopped.error_code) == ("failed", "storage_full")
    assert stopped.error
    assert "space" in stopped.error
    assert stopped.progress.failed == 0
    assert stopped.progress.stored == len(await texts_in(cramped)) < len(NOTES)
    await assert_counters_are_true(cramped)

    assert mount(small_disk, "remount,size=64m").returncode == 0
    await cramped.platform.ingestion.run(cramped.scope, source_id, last_attempt=False)

    ended = await source_of(cramped, source_id)
    assert (ended.status, ended.error_code, ended.error) == ("succeeded", None, None)
    assert len(await texts_in(cramped)) == len(NOTES)
    await assert_counters_are_true(cramped)


async def test_somebody_may_also_ask_for_it_to_go_on(cramped: Tenant, small_disk: Path) -> None:
    source_id = await add(cramped, folder("shop", **NOTES))
    with pytest.raises(StorageFullError):
        await cramped.platform.ingestion.run(cramped.scope, source_id, last_attempt=True)
    assert mount(small_disk, "remount,size=64m").returncode == 0

    await retry(replace(cramped), source_id)

    assert (await source_of(cramped, source_id)).progress.stored == len(NOTES)
    await assert_counters_are_true(cramped)


async def upload(tenant: Tenant, data: bytes) -> httpx.Response:
    """Upload a file to the tenant's own platform."""
    transport = httpx.ASGITransport(create_app(tenant.platform), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        return await client.post(
            f"/api/v1/knowledge/packs/{tenant.pack_id}/files",
            headers=tenant.secret,
            files={"file": ("note.txt", data, "text/plain")},
        )


async def sources_of(tenant: Tenant) -> list[str]:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        rows = await session.execute(text("SELECT name FROM sources"))
        return [row[0] for row in rows]


@pytest.mark.parametrize("crowded_table", ["source_items"])
async def test_an_upload_that_finds_no_space_is_refused_as_a_whole(cramped: Tenant, small_disk: Path) -> None:
    await cramped.learn(note="# Note\n\nThe Palma sofa costs 899 dollars.")
    before = await sources_of(cramped)
    data = b"Any text. " + os.urandom(600_000).hex().encode()

    refused = await upload(cramped, data)

    assert (refused.status_code, refused.json()["code"]) == (507, "storage_full")
    assert "Free some disk space" in refused.json()["detail"]
    assert await sources_of(cramped) == before
    await assert_counters_are_true(cramped)
    assert len(await texts_in(cramped)) == 1

    assert mount(small_disk, "remount,size=64m").returncode == 0
    assert (await upload(cramped, data)).status_code == 202


async def test_an_upload_that_finds_no_space_to_arrive_in_is_refused_too(
    tenant: Tenant, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    data = b"Any text. " * 150_000

    refused = await upload(tenant, data)

    assert (refused.status_code, refused.json()["code"]) == (507, "storage_full")
    assert await sources_of(tenant) == []
    assert list(small_disk.iterdir()) == []
    assert mount(small_disk, "remount,size=64m").returncode == 0
    assert (await upload(tenant, data)).status_code == 202
