"""One conversation for each built-in persona in the demo's shop: its stages move as they should, and it sounds like itself."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from concierge.agents.templates import STAGES
from concierge.entrypoints.wiring import DatabaseAddress
from concierge.llm.embeddings import LocalEmbedder
from tests.chat.test_cost_of_a_turn import sent
from tests.conftest import SETTINGS
from tests.factories.tenants import Tenant
from tests.scenarios.visiting import Browser, Shop, Turn, opened

pytestmark = pytest.mark.anyio

EXPERTISE = "/api/v1/domain-expertise"
# What is said, the stage it comes to, and whether its step is taken or why it is not.
SALES = (
    ("Hello", "qualify", "greeting"),
    ("What sofa would you recommend?", "qualify", "taken"),
    ("It's for our small holiday flat, we have two kids", "value", "taken"),
    ("Is the wood of your sofas certified?", "proof", "taken"),
    ("Where can I park at the showroom?", "proof", "settled"),
    ("I'd like to order the Palma sofa", "next_step", "taken"),
    ("Thanks, bye!", "next_step", "closed"),
)
ENGINEER = (
    ("Which shelves do you have?", "assess", "taken"),
    ("It must fit a niche that is 120 cm wide", "architecture", "taken"),
    ("What do I lose compared with a simpler shelf?", "tradeoffs", "taken"),
    ("How do I mount the Frond shelf to the wall?", "implementation", "taken"),
)
SUPPORT = (
    ("How long is the warranty on the Palma sofa?", "diagnose", "no_trouble"),
    ("My Monsoon bed is creaking", "diagnose", "taken"),
    ("Only when I turn over, since last week", "reproduce", "taken"),
    ("I tapped the wedges, and nothing changed", "resolve", "taken"),
    ("How do I fix a creaking Monsoon bed?", "resolve", "taken"),
    ("It works now, thank you!", "resolve", "closed"),
    ("Now my Lagoon table wobbles", "diagnose", "taken"),
)
GURU = (
    ("How does coconut wood differ from oak?", "orient", "taken"),
    ("Why does the colour of the wood get deeper?", "insight", "taken"),
    ("How often should I oil a table top?", "tips", "taken"),
    ("Where can I read more about caring for indoor wood?", "resources", "taken"),
)
TALKS = {
    "sales_representative": SALES,
    "solutions_engineer": ENGINEER,
    "support_expert": SUPPORT,
    "domain_guru": GURU,
}


@pytest.fixture(scope="module")
async def shop(database: DatabaseAddress, embedder: LocalEmbedder) -> AsyncIterator[Shop]:
    async with opened(SETTINGS, database, embedder) as shop:
        yield shop


async def led_by(tenant: Tenant, template: str | None) -> dict[str, Any]:
    """Make the tenant's agent a persona from a template, or nobody in particular again."""
    body: dict[str, Any] = {"domain_expertise_enabled": template is not None}
    if template is not None:
        listed = await tenant.client.get(f"{EXPERTISE}/personas", headers=tenant.secret)
        known = next((own for own in listed.json() if own["template_name"] == template), None)
        if known is None:
            made = await tenant.client.post(
                f"{EXPERTISE}/personas/from-template",
                headers=tenant.secret,
                json={"template_name": template},
            )
            assert made.status_code == 201, made.text
            known = made.json()
        body["persona_id"] = known["id"]
    path = f"{EXPERTISE}/agents/{tenant.agent_id}/domain-expertise"
    changed = await tenant.client.patch(path, headers=tenant.secret, json=body)
    assert changed.status_code == 200, changed.text
    return changed.json()


async def visitor(shop: Shop) -> Browser:
    browser = await shop.browser()
    browser.visits(current_page="https://coconut.example/")
    return browser


async def talk(shop: Shop, template: str | None, messages: Sequence[str]) -> list[Turn]:
    await led_by(shop.tenant, template)
    browser = await visitor(shop)
    return [await browser.says(message) for message in messages]


@pytest.mark.parametrize("template", TALKS)
async def test_a_conversation_goes_through_the_stages_of_its_persona(template: str, shop: Shop) -> None:
    expected = TALKS[template]
    turns = await talk(shop, template, [message for message, _, _ in expected])
    went = [
        (message, turn.trace["stage"]["name"], turn.trace["stage"]["held"] or "taken")
        for (message, _, _), turn in zip(expected, turns, strict=True)
    ]
    assert went == list(expected)
    for turn in turns:
        assert turn.text.count("?") <= 1
        assert turn.trace["stage"]["because"]
    said = [turn.text for turn in turns]
    wordings = [wording for stage in STAGES.values() for wording in stage.wordings]
    repeated = [wording for wording in wordings if sum(wording in text for text in said) > 1]
    assert repeated == []


async def test_sales_asks_about_the_need_and_then_what_weighs_most(shop: Shop) -> None:
    asked, told = (await talk(shop, "sales_representative", [SALES[1][0], SALES[2][0]]))[:2]
    assert asked.text.endswith(STAGES["qualify"].wordings[0])
    assert told.text.endswith(STAGES["value"].wordings[0])


async def test_trouble_stops_a_sale_and_nothing_is_sold(shop: Shop) -> None:
    messages = [SALES[1][0], "Wait, the legs of my Kelapa chair are broken and nobody answers my mails!"]
    _, upset = await talk(shop, "sales_representative", messages)
    assert upset.trace["stage"]["move"] == "trouble"
    assert upset.trace["stage"]["held"] is not None
    assert not any(wording in upset.text for wording in STAGES["qualify"].wordings)


async def test_the_persona_is_named_in_the_reply_and_its_stage_is_not(shop: Shop) -> None:
    turn = (await talk(shop, "domain_guru", [GURU[0][0]]))[0]
    assert turn.reply["persona_applied"] == "Domain Guru"
    assert turn.trace["persona"]["template_name"] == "domain_guru"
    assert "stage" not in turn.reply
    listed = await shop.tenant.client.get(
        f"/api/v1/conversations/{turn.reply['conversation_id']}/turns", headers=shop.tenant.secret
    )
    assert listed.json()["items"][0]["reply"]["stage"]["name"] == "orient"


async def test_with_expertise_off_nobody_in_particular_answers(shop: Shop) -> None:
    turn = (await talk(shop, None, [GURU[0][0]]))[0]
    assert turn.reply["persona_applied"] is None
    assert (turn.trace["stage"], turn.trace["persona"]) == (None, None)


async def test_another_persona_takes_over_in_the_middle_from_its_own_beginning(shop: Shop) -> None:
    await led_by(shop.tenant, "domain_guru")
    browser = await visitor(shop)
    await browser.says("Why does the colour of the wood get deeper?")
    await led_by(shop.tenant, "sales_representative")
    turn = await browser.says("Which sofas do you have?")
    assert (turn.trace["stage"]["name"], turn.trace["stage"]["before"]) == ("qualify", None)
    assert turn.reply["persona_applied"] == "Sales Representative"


async def test_a_turn_that_is_led_asks_the_database_no_more(shop: Shop) -> None:
    tenant, costs = shop.tenant, list[list[int]]()
    for template in (None, "sales_representative"):
        await led_by(tenant, template)
        conversation = (await tenant.ask("Which sofas do you have?"))["conversation_id"]
        costs.append([])
        for _ in range(3):
            with sent() as statements:
                await tenant.ask("Is the wood certified?", conversation_id=conversation)
                await tenant.platform.chat.drain()
            costs[-1].append(len(statements))
    led, plain = costs
    assert led[1:] == plain[1:]
