"""Usage is counted exactly, by organization and month, however many count at once."""

import asyncio
from datetime import UTC, date, datetime

import pytest

from concierge.accounts.scope import Unit
from concierge.billing.schemas import Meter
from concierge.billing.service import Usage
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio


async def amounts(tenant: Tenant, usage: Usage) -> dict[Meter, int]:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        return (await usage.of_month(Unit(session, tenant.scope))).amounts


async def count(tenant: Tenant, usage: Usage, meter: Meter, amount: int) -> None:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        await usage.count(Unit(session, tenant.scope), meter, amount)


async def test_what_is_counted_adds_up(tenant: Tenant) -> None:
    usage = Usage()
    await count(tenant, usage, Meter.TOKENS_IN, 1_200)
    await count(tenant, usage, Meter.TOKENS_IN, 300)
    await count(tenant, usage, Meter.TOKENS_OUT, 0)

    assert await amounts(tenant, usage) == {
        Meter.TURNS: 0,
        Meter.TOKENS_IN: 1_500,
        Meter.TOKENS_OUT: 0,
        Meter.MICRO_DOLLARS: 0,
        Meter.WEB_SEARCHES: 0,
    }


async def test_a_turn_counts_everything_it_used_at_once(tenant: Tenant) -> None:
    usage = Usage()
    used = {Meter.TURNS: 1, Meter.TOKENS_IN: 900, Meter.TOKENS_OUT: 80, Meter.MICRO_DOLLARS: 3_000_000_000}
    for _ in range(2):
        async with tenant.platform.db.transaction(tenant.org_id) as session:
            await usage.count_all(Unit(session, tenant.scope), used)

    counted = await amounts(tenant, usage)
    assert {meter: counted[meter] for meter in used} == {meter: 2 * amount for meter, amount in used.items()}


async def test_many_who_count_at_once_lose_nothing_and_never_wait_in_a_circle(tenant: Tenant) -> None:
    usage = Usage()
    one_way = {Meter.TURNS: 1, Meter.WEB_SEARCHES: 2}
    other_way = dict(reversed(one_way.items()))

    async def once(used: dict[Meter, int]) -> None:
        async with tenant.platform.db.transaction(tenant.org_id) as session:
            await usage.count_all(Unit(session, tenant.scope), used)

    await asyncio.gather(*(once(used) for used in (one_way, other_way) * 20))

    counted = await amounts(tenant, usage)
    assert (counted[Meter.TURNS], counted[Meter.WEB_SEARCHES]) == (40, 80)


async def test_what_is_taken_back_was_not_used(tenant: Tenant) -> None:
    usage = Usage()

    async def fail_after_counting() -> None:
        async with tenant.platform.db.transaction(tenant.org_id) as session:
            await usage.count(Unit(session, tenant.scope), Meter.TURNS)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_after_counting()

    assert (await amounts(tenant, usage))[Meter.TURNS] == 0


async def test_usage_of_one_organization_is_not_anothers(tenant: Tenant, stranger: Tenant) -> None:
    usage = Usage()
    await count(tenant, usage, Meter.TURNS, 5)

    assert (await amounts(tenant, usage))[Meter.TURNS] == 5
    assert (await amounts(stranger, usage))[Meter.TURNS] == 0


async def test_each_month_begins_at_zero(tenant: Tenant) -> None:
    clock = [datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)]
    usage = Usage(lambda: clock[0])
    await count(tenant, usage, Meter.TURNS, 7)

    clock[0] = datetime(2026, 2, 1, tzinfo=UTC)
    assert (await amounts(tenant, usage))[Meter.TURNS] == 0
    await count(tenant, usage, Meter.TURNS, 1)
    assert (await amounts(tenant, usage))[Meter.TURNS] == 1

    clock[0] = datetime(2026, 1, 1, tzinfo=UTC)
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        january = await usage.of_month(Unit(session, tenant.scope))
    assert (january.since, january.amounts[Meter.TURNS]) == (date(2026, 1, 1), 7)


async def test_less_than_nothing_cannot_be_used(tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="cannot be given back"):
        await count(tenant, Usage(), Meter.TURNS, -1)
