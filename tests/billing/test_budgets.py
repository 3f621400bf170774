"""Budgets: hard limits that hold for all processes, and give back what was not used."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from concierge.billing.budgets import Budget, Budgets
from concierge.billing.errors import BudgetSpentError
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

CALLS = Budget("calls", "hour", 10)
DAILY = Budget("money", "day", 1_000)
MONTHLY = Budget("money", "month", 5_000)


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 31, 23, 50, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def budgets(tenant: Tenant, time: Time) -> Budgets:
    return Budgets(tenant.platform.db, time)


async def test_what_was_set_aside_is_spent_in_part_and_the_rest_given_back(
    tenant: Tenant, budgets: Budgets
) -> None:
    reservation = await budgets.reserve(tenant.scope, {DAILY: 900, MONTHLY: 900})

    with pytest.raises(BudgetSpentError):
        await budgets.reserve(tenant.scope, {DAILY: 200})
    await budgets.commit(tenant.scope, reservation, {DAILY: 300, MONTHLY: 300})

    await budgets.reserve(tenant.scope, {DAILY: 700})
    assert await budgets.spent(tenant.scope, (DAILY, MONTHLY)) == {DAILY: 300, MONTHLY: 300}


async def test_a_call_that_was_not_made_costs_nothing(tenant: Tenant, budgets: Budgets) -> None:
    await budgets.release(tenant.scope, await budgets.reserve(tenant.scope, {CALLS: 10}))

    await budgets.reserve(tenant.scope, {CALLS: 10})


async def test_all_budgets_have_enough_or_nothing_is_set_aside(tenant: Tenant, budgets: Budgets) -> None:
    with pytest.raises(BudgetSpentError) as refused:
        await budgets.reserve(tenant.scope, {MONTHLY: 2_000, DAILY: 2_000})

    assert (refused.value.budget, refused.value.status) == ("money", 429)
    await budgets.reserve(tenant.scope, {MONTHLY: 5_000})


async def test_a_budget_begins_anew_with_its_period(tenant: Tenant, budgets: Budgets, time: Time) -> None:
    for budget in (CALLS, DAILY, MONTHLY):
        await budgets.commit(tenant.scope, await budgets.reserve(tenant.scope, {budget: budget.limit}))
    with pytest.raises(BudgetSpentError) as refused:
        await budgets.reserve(tenant.scope, {MONTHLY: 1})
    assert refused.value.renews_at == datetime(2026, 4, 1, tzinfo=UTC)

    time.now = refused.value.renews_at

    await budgets.reserve(tenant.scope, {CALLS: 10, DAILY: 1_000, MONTHLY: 5_000})


async def test_what_a_dead_process_had_set_aside_comes_back(
    tenant: Tenant, budgets: Budgets, time: Time
) -> None:
    time.now = time.now.replace(hour=12, minute=0)
    await budgets.reserve(tenant.scope, {DAILY: 1_000})
    time.now += timedelta(minutes=9)
    with pytest.raises(BudgetSpentError):
        await budgets.reserve(tenant.scope, {DAILY: 1})

    time.now += timedelta(minutes=1)

    await budgets.reserve(tenant.scope, {DAILY: 1_000})


async def test_racing_callers_never_set_aside_more_than_there_is(tenant: Tenant, budgets: Budgets) -> None:
    async def call(number: int) -> bool:
        wanted = {CALLS: 1, DAILY: 1} if number % 2 else {DAILY: 1, CALLS: 1}
        try:
            reservation = await budgets.reserve(tenant.scope, wanted)
        except BudgetSpentError:
            return False
        await budgets.commit(tenant.scope, reservation)
        return True

    made = await asyncio.gather(*map(call, range(40)))

    assert sum(made) == CALLS.limit
    assert await budgets.spent(tenant.scope, (CALLS, DAILY)) == {CALLS: 10, DAILY: 10}


async def test_one_organization_spends_nothing_of_another(
    tenant: Tenant, stranger: Tenant, budgets: Budgets
) -> None:
    await budgets.commit(tenant.scope, await budgets.reserve(tenant.scope, {CALLS: 10}))

    await budgets.reserve(stranger.scope, {CALLS: 10})
    assert await budgets.spent(stranger.scope, (CALLS,)) == {CALLS: 0}
