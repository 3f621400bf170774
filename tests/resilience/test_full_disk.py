"""The disk fills up in the middle of reading: it is said, nothing is stored by half, and reading goes on later."""

import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

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
async def cramped(
    postgres: EmbeddedPostgres, small_disk: Path, tenant: Tenant, embedder: LocalEmbedder
) -> AsyncIterator[Tenant]:
    """A tenant in a database of its own, whose chunks lie on the small disk."""
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
            inside.execute(sql.SQL("ALTER TABLE chunks SET TABLESPACE {}").format(space))
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
