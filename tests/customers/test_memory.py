"""What is left of a conversation the next time somebody comes."""

import pytest

from concierge.accounts.scope import Unit
from concierge.customers.schemas.memory import MemorySettings
from concierge.customers.service import MemoryView, RecallService
from concierge.customers.traits import Traits
from concierge.kit.ids import new_id
from tests.customers.remembering import DAY, NOON, Guest, a_guest
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio


@pytest.fixture
async def guest(tenant: Tenant) -> Guest:
    return await a_guest(tenant)


async def allow(tenant: Tenant, **settings: object) -> None:
    async with tenant.platform.db.transaction(tenant.org_id) as session:
        view = MemoryView(Unit(session, tenant.scope))
        await view.change_settings(MemorySettings.model_validate(settings))


async def test_what_was_said_is_known_the_next_time(guest: Guest) -> None:
    await guest.says("I'm looking for a gray sofa under $900. We have two cats.")

    assert await guest.facts(at=NOON + DAY) == {
        "is looking for a sofa",
        "wants the sofa in grey",
        "wants a sofa under $900",
        "has two cats",
    }


async def test_what_is_to_the_point_comes_first(guest: Guest) -> None:
    await guest.says("I'm looking for a sofa under $900.")
    await guest.says("We use Postgres and Django.")

    first = (await guest.recalled("Which databases do you support?")).facts[0]

    assert first.value == "uses PostgreSQL"
    assert first.relevance > 0.2


async def test_a_newer_statement_takes_over_and_the_older_stays_in_the_history(guest: Guest) -> None:
    await guest.says("We live in Berlin and my budget is $900.", at=NOON)
    await guest.says("We moved to Hamburg, and my budget is $1,200 now.", at=NOON + DAY)

    assert await guest.facts() == {"lives in Hamburg", "has a budget of $1,200"}
    assert await guest.history() == [
        ("has a budget of $900", False),
        ("lives in Berlin", False),
        ("has a budget of $1,200", True),
        ("lives in Hamburg", True),
    ]


async def test_a_turn_is_remembered_once_however_often_the_job_runs(guest: Guest) -> None:
    turn_id, _ = await guest.says("We are vegan.")
    before = (await guest.recalled("food")).facts[0].confidence

    for _ in range(3):
        await guest.tenant.platform.remembering.run(guest.tenant.scope, turn_id)

    (fact,) = (await guest.recalled("food")).facts
    assert fact.confidence == before


async def test_what_is_said_again_is_surer(guest: Guest) -> None:
    await guest.says("We are vegan.")
    once = (await guest.recalled("food")).facts[0].confidence
    await guest.says("I'm vegan, by the way.", at=NOON + DAY)

    (again,) = (await guest.recalled("food")).facts
    assert once < again.confidence < 1


async def test_a_job_that_comes_late_does_not_undo_what_was_said_since(guest: Guest) -> None:
    early, _ = await guest.says("I live in Berlin.", remembered=False)
    await guest.says("I live in Hamburg.", at=NOON + DAY)

    await guest.tenant.platform.remembering.run(guest.tenant.scope, early)

    assert await guest.facts() == {"lives in Hamburg"}
    assert await guest.history() == [("lives in Berlin", False), ("lives in Hamburg", True)]


async def test_facts_expire_by_their_kind(guest: Guest) -> None:
    await allow(guest.tenant, days={"problem": 10})
    await guest.says("My Lagoon table wobbles. We are vegan.")

    assert len(await guest.facts(at=NOON + 9 * DAY)) == 2
    assert await guest.facts(at=NOON + 11 * DAY) == {"is vegan"}


@pytest.mark.parametrize("consent", ["off", "anonymous_off"])
async def test_without_consent_nothing_is_kept_and_nothing_kept_is_lost(consent: str, guest: Guest) -> None:
    await guest.says("We are vegan.")
    await allow(guest.tenant, memory=consent)

    turn_id, _ = await guest.says("We live in Berlin.", remembered=False)
    await guest.tenant.platform.remembering.run(guest.tenant.scope, turn_id)

    assert await guest.facts() == {"is vegan"}


async def test_a_conversation_is_summed_up(guest: Guest) -> None:
    _, conversation_id = await guest.says("Hello! Do you have oak tables?")
    await guest.says("And how long is delivery?", conversation_id=conversation_id, at=NOON + DAY)

    (summary,) = (await guest.recalled("tables")).summaries

    assert summary.conversation_id == conversation_id
    assert summary.text == (
        "Asked: Do you have oak tables? Last: And how long is delivery? Answered: We have three of them."
    )


async def test_only_the_latest_conversations_are_told_of(guest: Guest) -> None:
    for number in range(5):
        await guest.says(f"Question number {number}?", at=NOON + number * DAY)

    told = [summary.text.split("?")[0] for summary in (await guest.recalled("number")).summaries]

    assert told == [f"Asked: Question number {number}" for number in (4, 3, 2)]


async def test_what_a_reading_shows_of_somebody_is_kept_with_them(guest: Guest) -> None:
    cues = {
        "communication_style": "casual",
        "technical_level": "expert",
        "response_style": "neutral",
        "language": "en",
    }
    analysis = {
        "emotional_state": "happy",
        "personalization_cues": cues,
        "confidence": {"personalization_cues": 0.9, "emotional_state": 0.8},
    }
    await guest.says("hey, cool stuff", analysis=analysis)

    async with guest.tenant.platform.db.transaction(guest.tenant.org_id) as session:
        row = await RecallService(Unit(session, guest.tenant.scope)).traits_of(guest.customer_id)

    assert Traits.of(row).leading("technical_level", NOON) == ("expert", 0.31)
    assert Traits.of(row).leading("response_style", NOON) is None


async def test_secrets_are_never_kept(guest: Guest) -> None:
    await guest.says(
        "My card is 4111 1111 1111 1111 and my password is hunter2. I'm gay and catholic. I want a red lamp."
    )

    exported = str(await guest.history()) + str((await guest.recalled("card")).summaries)

    assert await guest.facts() == {"is looking for a lamp", "wants the lamp in red"}
    for secret in ("4111", "hunter2", "gay", "catholic"):
        assert secret not in exported


async def test_an_erased_turn_takes_its_facts_along(guest: Guest) -> None:
    turn_id, _ = await guest.says("We are vegan.")
    platform, org_id = guest.tenant.platform, guest.tenant.org_id

    async with platform.db.transaction(org_id) as session:
        driver = session.info["driver"]
        await driver.execute("DELETE FROM turns WHERE org_id = %s AND id = %s", [org_id, turn_id])

    assert await guest.facts() == set()


async def test_a_job_of_a_turn_that_is_gone_does_nothing(tenant: Tenant) -> None:
    await tenant.platform.remembering.run(tenant.scope, new_id())


async def test_nobody_elses_memory_is_recalled(guest: Guest, stranger: Tenant) -> None:
    await guest.says("We are vegan.")
    other = await a_guest(guest.tenant)
    foreign = Guest(stranger, guest.visitor_id, guest.customer_id)

    assert await other.facts() == set()
    assert await foreign.facts() == set()


async def test_two_who_turn_out_to_be_one_share_what_is_remembered(guest: Guest) -> None:
    other = await a_guest(guest.tenant)
    await guest.says("I live in Berlin. We are vegan.", at=NOON)
    await other.says("I live in Hamburg. We have two cats.", at=NOON + DAY)

    async with guest.tenant.platform.db.transaction(guest.tenant.org_id) as session:
        view = MemoryView(Unit(session, guest.tenant.scope))
        await view.absorb(guest.customer_id, other.customer_id)

    assert await other.facts() == {"lives in Hamburg", "is vegan", "has two cats"}
    assert ("lives in Berlin", False) in await other.history()
    assert await guest.facts() == set()
