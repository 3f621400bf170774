"""When a source is due to be read again: by its pack's policy, by a clock that these tests move."""

from datetime import timedelta

import pytest

from tests.factories.tenants import Tenant
from tests.kit.site import Site, page
from tests.knowledge.reading import (
    folder,
    single,
    source_of,
)
from tests.knowledge.surfing import PAGE, START, FrozenClock, conditional, latest, planned, policy

pytestmark = pytest.mark.anyio


async def test_a_source_is_due_when_its_time_is_over_and_not_before(
    surfer: Tenant, site: Site, clock: FrozenClock
) -> None:
    await policy(surfer, ttl_days=7, priority="high")
    site.pages["/shop"] = conditional(PAGE, '"one"')
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))
    source = await source_of(surfer, source_id)
    assert (source.synced_at, source.next_due_at) == (START, START + timedelta(days=7))
    assert await planned(surfer, source_id) == [(START + timedelta(days=7), 10)]

    clock.pass_days(6.9)
    await surfer.platform.ingestion.refresh(surfer.scope, source_id)
    assert (await source_of(surfer, source_id)).status == "succeeded"
    clock.pass_days(0.2)
    await surfer.platform.ingestion.refresh(surfer.scope, source_id)

    assert (await source_of(surfer, source_id)).status == "queued"
    assert await planned(surfer, source_id) == []
    # A second look finds that it is being read already.
    await surfer.platform.ingestion.refresh(surfer.scope, source_id)
    await surfer.platform.ingestion.run(surfer.scope, source_id)
    entry = await latest(surfer, source_id)
    assert (entry["trigger"], entry["unchanged"]) == ("scheduled", 1)
    assert len(site.seen) == 2
    assert await planned(surfer, source_id) == [(clock.now + timedelta(days=7), 10)]


async def test_a_website_that_was_away_is_asked_again_after_a_day(
    surfer: Tenant, site: Site, clock: FrozenClock
) -> None:
    site.pages["/shop"] = page(b"", 500)
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))

    source = await source_of(surfer, source_id)
    assert (source.synced_at, source.next_due_at) == (None, START + timedelta(days=1))
    clock.pass_days(1)
    site.pages["/shop"] = conditional(PAGE, '"one"')
    await surfer.platform.ingestion.refresh(surfer.scope, source_id)
    await surfer.platform.ingestion.run(surfer.scope, source_id)

    assert (await source_of(surfer, source_id)).synced_at == clock.now


async def test_a_new_policy_plans_anew_what_is_there(surfer: Tenant, site: Site) -> None:
    site.pages["/shop"] = conditional(PAGE, '"one"')
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))
    uploaded = await surfer.read(folder("notes", one="# One\n\nA note."))
    assert await planned(surfer, source_id) == [(START + timedelta(days=30), 0)]

    await policy(surfer, ttl_days=2, priority="low")
    assert await planned(surfer, source_id) == [(START + timedelta(days=2), -10)]
    await policy(surfer, recrawl="never")
    assert await planned(surfer, source_id) == []
    assert (await source_of(surfer, source_id)).next_due_at is None
    await policy(surfer, recrawl="changed")
    # What a patch leaves out stays: still two days.
    assert await planned(surfer, source_id) == [(START + timedelta(days=2), -10)]
    assert await planned(surfer, uploaded) == []


async def test_a_deleted_source_is_not_looked_at_again(surfer: Tenant, site: Site) -> None:
    site.pages["/shop"] = conditional(PAGE, '"one"')
    source_id = await surfer.read(single(site.url("/shop"), None, "url"))

    await surfer.client.delete(f"/api/v1/knowledge/sources/{source_id}", headers=surfer.owner)

    assert await planned(surfer, source_id) == []
    await surfer.platform.ingestion.refresh(surfer.scope, source_id)
