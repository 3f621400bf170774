"""Five visits in three weeks: what is remembered, superseded and forgotten, and how the same question is answered each time."""

from collections.abc import AsyncIterator

import pytest

from concierge.entrypoints.wiring import DatabaseAddress
from concierge.llm.embeddings import LocalEmbedder
from tests.conftest import SETTINGS
from tests.scenarios.visiting import Browser, Shop, Turn, opened

pytestmark = pytest.mark.anyio

QUESTION = "What sofa would you recommend?"
HOME = "https://coconut.example/"


@pytest.fixture(scope="module")
async def shop(database: DatabaseAddress, embedder: LocalEmbedder) -> AsyncIterator[Shop]:
    async with opened(SETTINGS, database, embedder) as shop:
        yield shop


def sentences(turn: Turn) -> int:
    return turn.text.count("[")


async def first_visit(ann: Browser) -> None:
    """Somebody nobody knows, on a phone, from a search engine."""
    ann.visits(current_page=HOME, referrer="https://www.google.com/", device="mobile", language="en-GB")
    hello = await ann.says("Hello")
    assert hello.strategy["fallback"] == "showcase"
    assert "Palma sofa" in hello.text
    assert hello.customer["response_style"] == "concise"
    assert hello.customer["data_sources"]["response_style"] == "device"

    unknown = await ann.says(QUESTION)
    assert unknown.strategy["fallback"] == "discovery"
    assert unknown.text.endswith("?")
    assert sentences(unknown) <= 2
    assert "Copra corner sofa" in unknown.text

    await ann.says("We are furnishing a small holiday flat and want a sofa under $900.")
    known = await ann.says(QUESTION)
    assert "wants a sofa under $900" in known.remembered
    assert "Palma sofa" in known.text
    assert "Copra" not in known.text


async def second_visit(ann: Browser) -> None:
    """Back on the same phone, on the page of prices, with more to spend."""
    ann.visits(current_page="https://coconut.example/pricing", device="mobile")
    prices = await ann.says("Hi there, what do you have for pricing?")
    assert prices.customer["returning"] is True
    assert prices.strategy["fallback"] == "assumption"
    assert "sofas from $899" in prices.text
    assert "up to $900" in (await ann.says(QUESTION)).trace["product"]["filters"]

    await ann.says("Actually my budget for the sofa is $1,500 now.")
    richer = await ann.says(QUESTION)
    assert "has a budget of $1,500" in richer.remembered
    assert "wants a sofa under $900" not in richer.remembered
    assert "Pandan loveseat" in richer.text


async def third_visit(ann: Browser) -> None:
    """On a computer, signed in: who they are is known, and so is what the phone knew."""
    ann.visits(current_page="https://coconut.example/account", device="desktop")
    await ann.is_identified("u-77", email="ann@example.com", name="Ann")
    hello = await ann.says("Hello again")
    assert hello.strategy["opening"] == "welcome_back"
    assert hello.customer["profile_type"] == "identified"
    assert hello.customer["email"] == "ann@example.com"
    assert "sofa" in hello.text
    told = await ann.says("what do you know about me?")
    assert "budget of $1,500" in told.text
    assert "$900" not in told.text
    assert len((await ann.says(QUESTION)).text) > 0


async def fourth_visit(ann: Browser) -> None:
    """Something they bought gives trouble, again and again."""
    ann.visits(current_page="https://coconut.example/help", device="desktop")
    first = await ann.says("My Lagoon table wobbles!")
    assert first.strategy["fallback"] == "helpful"
    assert not first.strategy["purchase_step"]
    await ann.says("It still wobbles, this is so annoying")
    third = await ann.says("STILL wobbling, third time I ask!!")
    assert third.strategy["tone"] == "empathetic"
    assert third.reply["escalation_suggested"] is True
    assert third.strategy["escalation"]["reason"] in {"anger", "loop"}
    assert any("Lagoon table" in value for value in third.remembered)
    recommended = await ann.says(QUESTION)
    assert "order it" not in recommended.text


async def fifth_visit(ann: Browser) -> None:
    """Back once more: what it was about comes first, and goes when it is told to."""
    ann.visits(current_page=HOME, device="desktop")
    hello = await ann.says("Hello")
    assert "Lagoon table" in hello.text
    gone = await ann.says("forget that I have a Lagoon table")
    assert "Lagoon table" in gone.text
    after = await ann.says(QUESTION)
    assert not any("Lagoon" in value for value in after.remembered)
    assert "has a budget of $1,500" in after.remembered
    assert not any("Lagoon" in fact["value"] for fact in await ann.memory())


async def test_five_visits(shop: Shop) -> None:
    ann = await shop.browser()
    for days, visit in (
        (0, first_visit),
        (4, second_visit),
        (5, third_visit),
        (6, fourth_visit),
        (6, fifth_visit),
    ):
        shop.days_later(days)
        await visit(ann)


async def test_what_is_not_said_again_is_forgotten_in_time(shop: Shop) -> None:
    tenant = shop.tenant
    kept = await tenant.client.put(
        "/api/v1/customers/memory-settings",
        headers=tenant.secret,
        json={"memory": "on", "days": {"problem": 7}},
    )
    assert kept.status_code == 200, kept.text
    ben = await shop.browser()
    ben.visits(current_page=HOME, device="desktop")
    await ben.says("My Atoll coffee table is scratched.")
    assert any("Atoll" in value for value in (await ben.says("Hello")).remembered)
    shop.days_later(8)
    ben.visits(current_page=HOME, device="desktop")
    assert (await ben.says("Hello")).remembered == []


async def test_two_visitors_who_type_the_same_get_what_fits_each(shop: Shop) -> None:
    stranger, guest = await shop.browser(), await shop.browser()
    guest.visits(current_page=HOME, device="desktop")
    await guest.says("I want a sofa under $950.")
    shop.days_later(1)
    guest.visits(current_page=HOME, device="desktop")
    stranger.visits(current_page=HOME, device="mobile")
    theirs, ours = await stranger.says(QUESTION), await guest.says(QUESTION)
    assert theirs.text != ours.text
    assert "Copra corner sofa" in theirs.text
    assert "Copra corner sofa" not in ours.text
    assert theirs.strategy["parameters"]["max_tokens"] <= 300 < ours.strategy["parameters"]["max_tokens"]
