"""Processes die at the worst moment, and nobody has to do anything about it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from psycopg.sql import SQL

from concierge.kit.postgres import OWNER_ROLE
from concierge.kit.postgres.processes import server_processes
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
from tests.resilience.support import PATIENCE_S, Command, Installation

pytestmark = pytest.mark.anyio

# Long enough that reading them all takes some seconds, so that a process can die in the middle.
FILLER = "Oak, rattan and coconut wood are oiled twice a year with a soft cloth and then left to rest. "
NOTES = {
    f"n{i:02}": f"# Article {i}\n\nArticle {i} costs {i + 100} dollars. " + FILLER * 5 for i in range(60)
}


async def read_to_the_end(tenant: Tenant, source_id: UUID) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (source := await source_of(tenant, source_id)).status in {"queued", "running"}:
        assert time.monotonic() < deadline, source
        await asyncio.sleep(0.1)
    assert (source.status, source.progress.stored) == ("succeeded", len(NOTES)), source
    assert len(await texts_in(tenant)) == len(NOTES)
    await assert_counters_are_true(tenant)


async def ask(tenant: Tenant, message: str = "How much does article 3 cost?") -> httpx.Response:
    return await tenant.client.post(
        f"/api/v1/chat/{tenant.agent_id}", headers=tenant.secret, json={"message": message}
    )


async def test_workers_that_die_or_stop_hand_their_source_on(
    installation: Installation, embedder: LocalEmbedder
) -> None:
    first = installation.start("worker")
    await until_said(first, "Worker is running")
    async with installation.tenant(embedder) as tenant:
        source_id = await add(tenant, folder("shop", **NOTES))
        await until_stored(tenant, source_id, 4)
        second = installation.start("worker")
        await until_said(second, "Worker is running")
        first.send(signal.SIGTERM)
        assert first.code(10) == 0
        await until_stored(tenant, source_id, 20)
        second.kill()
        third = installation.start("worker")
        await until_said(third, "Worker is running")
        await read_to_the_end(tenant, source_id)
        third.send(signal.SIGTERM)
        assert third.code(10) == 0
    assert list(server_processes(installation.home.cluster)) == []


async def until_said(command: Command, words: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while words not in command.err:
        assert command.is_running(), command.err
        assert time.monotonic() < deadline, command.err
        await asyncio.sleep(0.05)


async def test_a_killed_database_comes_back_under_a_server_with_visitors_and_a_worker(
    installation: Installation, embedder: LocalEmbedder
) -> None:
    server = installation.serve()
    async with installation.tenant(embedder) as tenant:
        source_id = await add(tenant, folder("shop", **NOTES))
        await until_stored(tenant, source_id, 6)
        told: list[tuple[float, httpx.Response]] = []
        visitors = [asyncio.create_task(chatter(tenant, told)) for _ in range(3)]
        await asyncio.sleep(1)
        killed_at = time.monotonic()
        installation.kill_database()
        await well_again(told, killed_at)
        for visitor in visitors:
            visitor.cancel()
        await asyncio.wait(visitors)

        assert {response.status_code for _, response in told} <= {200, 503}
        for _, response in told:
            if response.status_code == 503:
                assert response.json()["code"] == "database_unavailable"
                assert int(response.headers["Retry-After"]) > 0
        await read_to_the_end(tenant, source_id)
        await every_told_turn_is_stored(tenant, told)
    assert server.is_running()


async def chatter(tenant: Tenant, told: list[tuple[float, httpx.Response]]) -> None:
    while True:
        asked_at = time.monotonic()
        told.append((asked_at, await ask(tenant)))
        await asyncio.sleep(0.25)


async def well_again(told: list[tuple[float, httpx.Response]], killed_at: float) -> None:
    """Wait until questions asked after the kill are answered; healing takes seconds."""
    while sum(response.status_code == 200 for asked_at, response in told if asked_at > killed_at + 0.5) < 5:
        assert time.monotonic() < killed_at + 20, told[-3:]
        await asyncio.sleep(0.2)


async def every_told_turn_is_stored(tenant: Tenant, told: list[tuple[float, httpx.Response]]) -> None:
    replies: list[dict[str, Any]] = [response.json() for _, response in told if response.status_code == 200]
    assert replies
    for reply in replies[:10] + replies[-10:]:
        stored = await tenant.client.get(
            f"/api/v1/chat/{tenant.agent_id}/turns/{reply['turn_id']}/events", headers=tenant.secret
        )
        assert '"turn_id":"' + reply["turn_id"] in stored.text
        assert "event: message.completed" in stored.text


async def test_a_killed_server_starts_again_at_once_and_goes_on_reading(
    installation: Installation, embedder: LocalEmbedder
) -> None:
    first = installation.serve()
    async with installation.tenant(embedder) as tenant:
        source_id = await add(tenant, folder("shop", **NOTES))
        await until_stored(tenant, source_id, 6)
        reply = await ask(tenant)
        assert reply.status_code == 200
        first.kill()
        second = installation.serve()

        assert (await ask(tenant)).status_code == 200
        await every_told_turn_is_stored(tenant, [(0.0, reply)])
        neighbor = installation.start("ask", "How much does article 3 cost?", "--agent", "ada", "--json")
        assert neighbor.code() == 0, neighbor.err
        assert json.loads(neighbor.out)["turn_id"]
        await read_to_the_end(tenant, source_id)
        assert "103" in (await ask(tenant)).json()["response"]
        second.send(signal.SIGTERM)
        assert second.code(10) == 0
    assert list(server_processes(installation.home.cluster)) == []


async def test_a_turn_outlives_its_listener_and_a_stop_does_not_wait_for_one(
    installation: Installation, embedder: LocalEmbedder
) -> None:
    """A lock on a table holds the turns up for as long as the test wants."""
    server = installation.serve()
    async with installation.tenant(embedder) as tenant:
        await tenant.learn(chairs="# Chairs\n\nThe Kelapa chair costs 129 dollars.")
        with locked_traces(installation):
            turn_id = await first_event(tenant)
        stored = await tenant.client.get(
            f"/api/v1/chat/{tenant.agent_id}/turns/{turn_id}/events", headers=tenant.secret
        )
        assert "event: message.completed" in stored.text
        assert "129" in stored.text

        with locked_traces(installation):
            await first_event(tenant)
            listener = asyncio.create_task(listen_on(tenant))
            await asyncio.sleep(0.5)
            server.send(signal.SIGTERM)
            began = time.monotonic()
            assert await asyncio.to_thread(server.code, 20) == 0
            assert time.monotonic() - began < 10
            await asyncio.wait_for(listener, 5)
    assert "Traceback" not in server.err


@contextmanager
def locked_traces(installation: Installation) -> Generator[None]:
    connection = psycopg.connect(installation.home.address.conninfo(role=OWNER_ROLE))
    connection.execute(SQL("LOCK TABLE traces IN ACCESS EXCLUSIVE MODE"))
    try:
        yield
    finally:
        connection.close()


async def first_event(tenant: Tenant) -> str:
    """Begin a streamed turn and hang up after its first event. Returns the turn."""
    async with tenant.client.stream(
        "POST",
        f"/api/v1/chat/{tenant.agent_id}",
        headers=tenant.secret,
        json={"message": "How much does the Kelapa chair cost?", "stream": True},
    ) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                turn_id: str = json.loads(line.removeprefix("data: "))["turn_id"]
                return turn_id
    raise AssertionError("The stream ended without an event.")


async def listen_on(tenant: Tenant) -> None:
    async with tenant.client.stream(
        "POST",
        f"/api/v1/chat/{tenant.agent_id}",
        headers=tenant.secret,
        json={"message": "How much does the Kelapa chair cost?", "stream": True},
    ) as response:
        async for _ in response.aiter_lines():
            pass


def test_the_package_runs_as_a_module(installation: Installation) -> None:
    environment = {**os.environ, "CONCIERGE_DATA_DIR": str(installation.data_dir)}
    ended = subprocess.run(
        [sys.executable, "-m", "concierge.entrypoints.cli", "db", "status"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "organizations" in ended.stdout
