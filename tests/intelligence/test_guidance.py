"""What a turn knows of an organization's wishes: at hand without a statement, and never older than it may be."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import time
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event

from concierge.entrypoints.wiring import Platform
from concierge.intelligence.schemas.control import (
    NO_GUIDANCE,
    Condition,
    Consequence,
    Guidance,
    Rule,
    RuleIn,
)
from concierge.intelligence.service import GuidanceService, RuleService
from concierge.intelligence.view import OfficeHours
from concierge.kit.errors import UnavailableError
from concierge.kit.lately import LIFETIME_S
from concierge.llm.embedders import QuestionVectors, Vector
from concierge.llm.embeddings import LOCAL_SPACE, VectorSpace
from tests.factories.tenants import Tenant
from tests.intelligence.guiding import RULE, attribute_with, call, rule_with

pytestmark = pytest.mark.anyio


@contextmanager
def connections(platform: Platform) -> Generator[list[Any]]:
    """Collect how often the database is turned to meanwhile."""
    taken: list[Any] = []

    def note(*parts: Any) -> None:
        taken.append(parts)

    pool = platform.db.engine.sync_engine.pool
    event.listen(pool, "checkout", note)
    try:
        yield taken
    finally:
        event.remove(pool, "checkout", note)


class Moving:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def another(platform: Platform, clock: Moving, vectors: QuestionVectors | None = None) -> GuidanceService:
    """The guidance of another process on the same database."""
    return GuidanceService(platform.db, vectors or QuestionVectors(platform.embedders), clock)


async def guidance(tenant: Tenant) -> Guidance:
    return await tenant.platform.guidance.of(tenant.scope)


async def test_an_organization_that_said_nothing_has_what_most_have(tenant: Tenant) -> None:
    found = await guidance(tenant)

    assert (found.rules, found.attributes, found.vectors) == ((), (), {})
    assert (found.office_hours, found.llm_allowed) == (NO_GUIDANCE.office_hours, True)


async def test_what_was_said_is_there(tenant: Tenant, stranger: Tenant) -> None:
    await rule_with(tenant)
    await rule_with(tenant, name="Off", enabled=False)
    await attribute_with(tenant)
    await call(tenant, "PUT", "/settings", {"opens": "08:30", "closes": "17:00", "llm_allowed": False})

    found = await guidance(tenant)

    assert found.rules == (
        Rule(
            "Outages",
            Condition(phrases=("is down", "outage"), page_contains="/status"),
            Consequence(dimension="urgency_level", raise_to="critical"),
        ),
    )
    (attribute,) = found.attributes
    assert (attribute.name, attribute.values[0].phrases) == ("customer_kind", ("my shop", "wholesale"))
    assert (found.office_hours, found.llm_allowed) == (OfficeHours(time(8, 30), time(17)), False)
    assert (await guidance(stranger)).rules == ()


async def test_attributes_come_with_the_vectors_of_their_values(tenant: Tenant) -> None:
    await attribute_with(tenant)
    await attribute_with(tenant, name="other", values=[{"value": "a"}, {"value": "b"}, {"value": "c"}])

    found = await guidance(tenant)

    texts = ["trade: buys to sell again", "private: buys for the home"]
    expected = await QuestionVectors(tenant.platform.embedders).of(LOCAL_SPACE, texts)
    assert found.vectors["other"].shape == (3, 384)
    assert np.allclose(found.vectors["customer_kind"], expected, atol=0.02)


async def test_a_day_may_last_until_midnight(tenant: Tenant) -> None:
    await call(tenant, "PUT", "/settings", {"opens": "00:00", "closes": "24:00"})

    hours = (await guidance(tenant)).office_hours

    assert all(hours.open_at(moment) for moment in (time(0), time(12), time(23, 59)))


async def test_it_is_loaded_once_and_then_at_hand(tenant: Tenant) -> None:
    await rule_with(tenant)
    await attribute_with(tenant)

    with connections(tenant.platform) as first:
        found = await guidance(tenant)
    with connections(tenant.platform) as then:
        again = [await guidance(tenant) for _ in range(20)]

    assert (len(first), len(then)) == (1, 0)
    assert all(own is found for own in again)


@pytest.mark.parametrize(
    "change",
    [
        ("POST", "/rules", {**RULE, "name": "New"}),
        ("PATCH", "/rules/{rule}", {"name": "Changed"}),
        ("DELETE", "/rules/{rule}", None),
        ("PATCH", "/attributes/{attribute}", {"description": "Changed"}),
        ("DELETE", "/attributes/{attribute}", None),
        ("PUT", "/settings", {"llm_allowed": False}),
    ],
    ids=lambda change: f"{change[0]} {change[1]}",
)
async def test_a_change_holds_at_once(change: tuple[str, str, Any], tenant: Tenant, stranger: Tenant) -> None:
    rule, attribute = await rule_with(tenant), await attribute_with(tenant)
    before, theirs = await guidance(tenant), await guidance(stranger)
    method, path, body = change

    response = await call(tenant, method, path.format(rule=rule["id"], attribute=attribute["id"]), body)

    assert response.is_success, response.text
    assert await guidance(tenant) is not before
    assert (await guidance(tenant)).version != before.version
    assert await guidance(stranger) is theirs


async def test_the_same_said_again_is_the_same_version(tenant: Tenant) -> None:
    clock = Moving()
    service = another(tenant.platform, clock)
    await rule_with(tenant)
    first = await service.of(tenant.scope)

    clock.seconds += LIFETIME_S
    second = await service.of(tenant.scope)

    assert second is not first
    assert second.version == first.version


async def test_what_another_process_changed_holds_after_seconds(tenant: Tenant) -> None:
    clock = Moving()
    elsewhere = another(tenant.platform, clock)
    assert (await elsewhere.of(tenant.scope)).rules == ()

    await rule_with(tenant)

    clock.seconds += LIFETIME_S - 0.1
    assert (await elsewhere.of(tenant.scope)).rules == ()
    clock.seconds += 0.2
    assert len((await elsewhere.of(tenant.scope)).rules) == 1


class Interrupted(QuestionVectors):
    """Vectors during whose making somebody adds a rule, once."""

    def __init__(self, platform: Platform, tenant: Tenant) -> None:
        super().__init__(platform.embedders)
        self._tenant = tenant
        self.service: GuidanceService | None = None

    async def of(self, space: VectorSpace, texts: Sequence[str]) -> list[Vector]:
        if self.service is not None:
            service, self.service = self.service, None
            async with service.changing(self._tenant.scope) as unit:
                await RuleService(unit).create(RuleIn.model_validate(RULE))
        return await super().of(space, texts)


async def test_what_is_changed_while_it_is_loaded_is_not_missed(tenant: Tenant) -> None:
    await attribute_with(tenant)
    vectors = Interrupted(tenant.platform, tenant)
    service = another(tenant.platform, Moving(), vectors)
    vectors.service = service

    first = await service.of(tenant.scope)
    second = await service.of(tenant.scope)

    assert (len(first.rules), len(second.rules)) == (0, 1)


class Away(QuestionVectors):
    """A model that cannot be asked just now."""

    async def of(self, space: VectorSpace, texts: Sequence[str]) -> list[Vector]:
        raise UnavailableError(f"{space.model} cannot embed {len(texts)} texts.")


async def test_without_the_model_there_is_guidance_without_vectors(tenant: Tenant) -> None:
    await attribute_with(tenant)
    service = another(tenant.platform, Moving(), Away(tenant.platform.embedders))

    found = await service.of(tenant.scope)

    assert ([own.name for own in found.attributes], found.vectors) == (["customer_kind"], {})
    assert found.version != (await guidance(tenant)).version
