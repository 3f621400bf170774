"""A source is read again, and its reader, its database or its disk fails: nothing is lost, doubled, or away meanwhile."""

import asyncio
import shutil
import time
from pathlib import Path
from uuid import UUID

import pytest

from concierge.kit.db import StorageFullError
from concierge.kit.errors import UnavailableError
from concierge.llm.embeddings import LocalEmbedder
from tests.factories.tenants import Tenant
from tests.knowledge.reading import (
    add,
    assert_counters_are_true,
    folder,
    source_of,
    texts_in,
    until_stored,
)
from tests.resilience.support import PATIENCE_S, Installation
from tests.resilience.test_full_disk import cramped, crowded_table, mount, small_disk
from tests.resilience.test_processes import until_said

__all__ = ["cramped", "crowded_table", "small_disk"]

pytestmark = pytest.mark.anyio

FILLER = "Oak, rattan and coconut wood are oiled twice a year with a soft cloth and then left to rest. "
NOTES = {
    f"n{i:02}": f"# Article {i}\n\nArticle {i} costs {i + 100} dollars. " + FILLER * 5 for i in range(40)
}
DEARER = {name: note.replace("dollars", "euros") for name, note in NOTES.items()}


async def nothing_is_missing(tenant: Tenant) -> None:
    """Each article is there once, as it was or as it is now."""
    texts = await texts_in(tenant)
    numbers = [text.partition("\n")[0] for text in texts]
    assert sorted(numbers) == sorted(f"# Article {i}" for i in range(len(NOTES)))
    await assert_counters_are_true(tenant)


async def all_is_new(tenant: Tenant, source_id: UUID) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (source := await source_of(tenant, source_id)).status in {"queued", "running"}:
        assert time.monotonic() < deadline, source
        await asyncio.sleep(0.1)
    assert (source.status, source.progress.stored) == ("succeeded", len(NOTES)), source
    assert all("euros" in text for text in await texts_in(tenant))
    await nothing_is_missing(tenant)


async def test_workers_killed_in_a_second_reading_leave_every_answer_in_place(
    installation: Installation, embedder: LocalEmbedder
) -> None:
    worker = installation.start("worker")
    await until_said(worker, "Worker is running")
    async with installation.tenant(embedder) as tenant:
        source_id = await add(tenant, folder("shop", **NOTES))
        await until_stored(tenant, source_id, len(NOTES))
        while (await source_of(tenant, source_id)).status != "succeeded":
            await asyncio.sleep(0.05)
        assert await add(tenant, folder("shop", **DEARER)) == source_id
        for least in (1, 12):
            await until_stored(tenant, source_id, least)
            worker.kill()
            await nothing_is_missing(tenant)
            worker = installation.start("worker")
            await until_said(worker, "Worker is running")
        await until_stored(tenant, source_id, 20)
        installation.kill_database()

        await back(tenant)
        await nothing_is_missing(tenant)
        await all_is_new(tenant, source_id)


async def back(tenant: Tenant) -> None:
    """Wait until the database answers again."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            await texts_in(tenant)
        except UnavailableError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
        else:
            return


async def test_a_disk_that_fills_up_in_a_second_reading_costs_nothing_that_was_there(
    cramped: Tenant, small_disk: Path
) -> None:
    assert mount(small_disk, "remount,size=64m").returncode == 0
    source_id = await cramped.read(folder("shop", **NOTES))
    used = shutil.disk_usage(small_disk).used
    assert mount(small_disk, f"remount,size={used // 1024 + 64}k").returncode == 0
    await add(cramped, folder("shop", **DEARER))

    with pytest.raises(StorageFullError):
        await cramped.platform.ingestion.run(cramped.scope, source_id, last_attempt=False)

    stopped = await source_of(cramped, source_id)
    assert (stopped.status, stopped.error_code) == ("failed", "storage_full")
    await nothing_is_missing(cramped)
    assert mount(small_disk, "remount,size=64m").returncode == 0
    await cramped.platform.ingestion.run(cramped.scope, source_id, last_attempt=False)
    await all_is_new(cramped, source_id)
