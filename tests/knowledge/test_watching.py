"""Following a source while it is read: what is said, to whom, and how it ends."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from concierge.kit.sse import Frame, frames
from concierge.knowledge.models import Source
from concierge.knowledge.repository import Tally
from concierge.knowledge.service import SourceService, SourceWatch
from concierge.knowledge.service.progress import progress
from tests.factories.tenants import Tenant
from tests.knowledge.reading import add, cancel, folder, remove, source_of

pytestmark = pytest.mark.anyio

NOTES = {f"n{i:02}": f"# Note {i}\n\nArticle {i} costs {i} dollars." for i in range(30)}


NOW = datetime(2030, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "counts", "seconds", "stage", "rate", "left"),
    [
        ("queued", {"pending": 5}, 10, None, None, None),
        ("running", {}, 10, "discovering", (0, 0), None),
        ("running", {"pending": 98, "stored": 2}, 10, "reading", (0.2, 0.4), None),
        ("running", {"pending": 80, "stored": 20}, 10, "reading", (2, 4), 40),
        ("running", {"pending": 80, "stored": 20}, 0.5, "reading", None, None),
        ("running", {"pending": 300, "stored": 60}, 3_600, "reading", (2, 4), 150),
        ("running", {"stored": 20}, 10, "finishing", (2, 4), 0),
        ("succeeded", {"stored": 20}, 10, None, None, None),
    ],
)
def test_progress_says_stage_rate_and_time_left(
    status: str,
    counts: dict[str, int],
    seconds: float,
    stage: str | None,
    rate: tuple[float, float] | None,
    left: int | None,
) -> None:
    source = Source(status=status, current_item="a.md", started_at=NOW - timedelta(seconds=seconds))
    stored = counts.get("stored", 0)

    said = progress(source, Tally(counts, 2 * stored, stored, 2 * stored), NOW)

    assert (said.stage, said.seconds_left) == (stage, left)
    assert (said.rate and (said.rate.documents, said.rate.chunks)) == rate


@pytest.fixture
async def watch(tenant: Tenant) -> AsyncIterator[SourceWatch]:
    watch = SourceWatch(tenant.platform.db, lambda: datetime.now(UTC))
    yield watch
    await watch.close()


async def test_a_source_is_followed_over_http_to_its_end(tenant: Tenant) -> None:
    source_id = await add(tenant, folder("shop", **NOTES))
    address = f"/api/v1/knowledge/sources/{source_id}/events"
    following = asyncio.create_task(
        tenant.client.get(address, headers={**tenant.owner, "Last-Event-ID": "7"})
    )
    await asyncio.sleep(0.1)
    await tenant.platform.ingestion.run(tenant.scope, source_id)

    response = await asyncio.wait_for(following, 10)

    assert response.headers["content-type"].startswith("text/event-stream")
    events = [parsed(block) for block in response.text.strip().split("\n\n")]
    assert [event["id"] for event in events] == list(range(8, 8 + len(events)))
    assert [event["event"] for event in events] == ["progress"] * (len(events) - 1) + ["done"]
    assert events[0]["data"]["status"] in {"queued", "running"}
    assert events[-1]["data"]["progress"]["stored"] == len(NOTES)
    assert events[-1]["data"] == (await source_of(tenant, source_id)).model_dump(mode="json")


def parsed(block: str) -> dict[str, Any]:
    fields = dict(line.split(": ", 1) for line in block.splitlines())
    return {"id": int(fields["id"]), "event": fields["event"], "data": json.loads(fields["data"])}


async def test_a_source_that_is_not_read_is_told_once(tenant: Tenant) -> None:
    source_id = await tenant.read(folder("shop", one="# One\n\nA note."))

    response = await tenant.client.get(f"/api/v1/knowledge/sources/{source_id}/events", headers=tenant.owner)

    assert [parsed(block)["event"] for block in response.text.strip().split("\n\n")] == ["done"]


async def test_whoever_may_not_read_knowledge_follows_nothing(tenant: Tenant, stranger: Tenant) -> None:
    source_id = await add(tenant, folder("shop", one="# One\n\nA note."))
    address = f"/api/v1/knowledge/sources/{source_id}/events"

    for headers, status in ((stranger.owner, 404), (tenant.publishable, 403), ({}, 401)):
        assert (await tenant.client.get(address, headers=headers)).status_code == status


async def tell(tenant: Tenant, source_id: UUID, action: str) -> None:
    address = f"/api/v1/knowledge/sources/{source_id}/{action}"
    assert (await tenant.client.post(address, headers=tenant.owner)).is_success


async def test_a_paused_source_is_followed_on_and_a_deleted_one_ends(
    tenant: Tenant, watch: SourceWatch
) -> None:
    source_id = await add(tenant, folder("shop", **NOTES))
    await tell(tenant, source_id, "pause")
    updates = watch.follow(tenant.scope, source_id)
    assert (await anext(updates)).data["status"] == "paused"

    await tell(tenant, source_id, "resume")
    assert (await anext(updates)).data["status"] == "queued"
    await remove(tenant, source_id)

    last = await anext(updates)
    assert (last.type, last.data) == ("done", {"id": str(source_id), "status": "deleted"})
    with pytest.raises(StopAsyncIteration):
        await anext(updates)


async def test_all_who_follow_a_source_share_one_look_and_leave_none_behind(
    tenant: Tenant, watch: SourceWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    get = SourceService.get

    async def counted(self: SourceService, source_id: UUID) -> Any:
        nonlocal looks
        looks += 1
        return await get(self, source_id)

    monkeypatch.setattr(SourceService, "get", counted)
    source_id = await add(tenant, folder("shop", one="# One\n\nA note."))
    looks = 0
    followers = [watch.follow(tenant.scope, source_id) for _ in range(20)]
    first = await asyncio.gather(*(anext(follower) for follower in followers))
    assert len({update.data["id"] for update in first}) == 1
    await asyncio.sleep(1.1)
    assert looks <= 4

    for follower in followers:
        await follower.aclose()
    looks = 0
    await asyncio.sleep(0.7)
    assert looks == 0


async def test_a_stop_of_the_server_ends_every_stream(tenant: Tenant, watch: SourceWatch) -> None:
    source_id = await add(tenant, folder("shop", one="# One\n\nA note."))
    updates = [watch.follow(tenant.scope, source_id) for _ in range(3)]
    for follower in updates:
        await anext(follower)
    waiting = [asyncio.ensure_future(anext(follower, None)) for follower in updates]
    await asyncio.sleep(0.05)

    await watch.close()

    assert await asyncio.wait_for(asyncio.gather(*waiting), 2) == [None, None, None]
    assert await anext(watch.follow(tenant.scope, source_id), None) is None


async def test_a_stream_pings_while_there_is_nothing_to_say_and_closes_with_its_listener() -> None:
    closed = asyncio.Event()

    async def events() -> AsyncGenerator[Frame]:
        try:
            yield Frame(1, "progress", {"text": "two\nlines"})
            await asyncio.sleep(60)
        finally:
            closed.set()

    stream = frames(events(), ping_seconds=0.05)
    assert await anext(stream) == b'id: 1\nevent: progress\ndata: {"text":"two\\nlines"}\n\n'
    assert await anext(stream) == b"event: ping\ndata: {}\n\n"
    await stream.aclose()
    assert closed.is_set()


async def test_a_cancelled_source_that_is_followed_is_done(tenant: Tenant, watch: SourceWatch) -> None:
    source_id = await add(tenant, folder("shop", one="# One\n\nA note."))
    updates = watch.follow(tenant.scope, source_id)
    await anext(updates)
    await cancel(tenant, source_id)

    last = await anext(updates)
    assert (last.type, last.data["status"]) == ("done", "cancelled")
    with pytest.raises(StopAsyncIteration):
        await anext(updates)
