"""What a turn is told of the catalogue: what fits the message, what holds today, and nothing else."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from concierge.accounts.scope import EVERYTHING, Audiences
from concierge.entrypoints.demo.offers import demo_catalog
from tests.catalog.selling import Shop

pytestmark = pytest.mark.anyio

REQUESTS = [
    json.loads(line)
    for line in (Path(__file__).parent / "requests.jsonl").read_text(encoding="utf-8").splitlines()
]


async def test_requests_find_their_products_and_small_talk_finds_none(coconut: Shop) -> None:
    skus = {product["title"]: product["sku"] for product in demo_catalog()["products"]}
    asking = [request for request in REQUESTS if request["products"]]
    found: dict[str, list[str]] = {}
    for request in REQUESTS:
        matches = (await coconut.asked(request["message"])).matches
        found[request["message"]] = [skus[entry.title] for entry in matches if entry.kind == "product"]

    hits = [own for own in asking if set(found[own["message"]][:3]) & set(own["products"])]
    matched = [request for request in REQUESTS if found[request["message"]]]
    true = [request for request in matched if request["products"]]

    assert len(hits) / len(asking) >= 0.94
    assert len(true) / len(matched) >= 0.97


async def test_a_promotion_is_said_while_it_holds_and_never_before_or_after(seller: Shop) -> None:
    await seller.product("S-1", "Palma sofa", "999", category="Sofas", availability="in_stock")
    await seller.product("C-1", "Kelapa chair", "129", category="Chairs")
    offer = {"title": "Palma week", "text": "The Palma sofa is cheaper this week.", "amount": "100"}
    await seller.add(
        "promotions", **offer, applies_to="skus", skus=["S-1"], begins="2026-11-20", ends="2026-11-30"
    )
    await seller.call("PUT", "/featured", {"skus": ["S-1"]})

    during = await seller.asked("How much is the Palma sofa?")
    assert (
        during.matches[0].text.startswith("The Palma sofa costs $899 until 30 November instead of $999")
        or during.matches[0].kind == "promotion"
    )
    assert [promotion.title for promotion in during.promotions] == ["Palma week"]
    assert during.featured[0].was == 999
    assert next(own for own in during.pricing if own.category == "Sofas").said == "$899"
    assert await seller.titles("What's on sale?") == ["Palma sofa"]

    for moment in (datetime(2026, 11, 19, 12, tzinfo=UTC), datetime(2026, 12, 1, 12, tzinfo=UTC)):
        seller.now.at = moment
        for message in ("How much is the Palma sofa?", "Palma week", "What's on sale?", "sofas under 900"):
            context = await seller.asked(message)
            told = [*context.matches, *context.featured, *context.promotions]
            assert not any("899" in entry.text or "this week" in entry.text for entry in told)
            assert not any(entry.kind == "promotion" for entry in context.matches)
            assert context.promotions == ()
            assert all(entry.was is None for entry in (*context.matches, *context.featured))
            assert next(own for own in context.pricing if own.category == "Sofas").said == "$999"


async def test_a_day_begins_where_the_organization_is(seller: Shop) -> None:
    await seller.product("S-1", "Palma sofa", "999", category="Sofas")
    await seller.add(
        "promotions",
        title="Last day",
        text="Only today.",
        percent="10",
        begins="2026-11-26",
        ends="2026-11-26",
    )
    await seller.call("PUT", "/settings", {"time_zone": "Asia/Tokyo"})

    seller.now.at = datetime(2026, 11, 25, 15, 30, tzinfo=UTC)
    assert len((await seller.asked("sofa")).promotions) == 1
    seller.now.at = datetime(2026, 11, 26, 15, 30, tzinfo=UTC)
    assert (await seller.asked("sofa")).promotions == ()


async def test_a_promotion_must_hold_on_the_visitors_day_too(seller: Shop) -> None:
    await seller.product("S-1", "Palma sofa", "999", category="Sofas")
    await seller.add("promotions", title="Week", text="A week of sofas.", percent="10", ends="2026-11-26")

    assert len((await seller.asked("sofa", today=date(2026, 11, 26))).promotions) == 1
    assert (await seller.asked("sofa", today=date(2026, 11, 27))).promotions == ()


async def test_a_changed_price_shows_at_once_in_every_process(seller: Shop) -> None:
    product_id = await seller.product("S-1", "Palma sofa", "999", category="Sofas")
    other_process = Shop.of(seller.tenant)
    for shop in (seller, other_process):
        assert (await shop.asked("Palma sofa")).matches[0].price == 999

    await seller.call("PATCH", f"/products/{product_id}", {"price": "949"})

    for shop in (seller, other_process):
        context = await shop.asked("Palma sofa")
        assert (context.matches[0].price, context.pricing[0].said) == (949, "$949")
        assert "$949" in context.matches[0].text


async def test_a_filter_is_hard_where_something_fits(coconut: Shop) -> None:
    context = await coconut.asked("sofas under 950")

    products = [entry for entry in context.matches if entry.kind == "product"]
    assert context.filters == ("Sofas", "up to $950")
    assert {entry.title for entry in products} == {"Palma sofa", "Pandan loveseat"}


async def test_where_nothing_fits_the_nearest_is_told_and_that_it_does_not_fit(coconut: Shop) -> None:
    context = await coconut.asked("a sofa under 500 dollars")

    assert context.filters == ("nothing Sofas, up to $500; these come nearest",)
    assert context.matches[0].title == "Palma sofa"


async def test_the_order_that_was_asked_for_is_kept(coconut: Shop) -> None:
    cheapest = [entry.price for entry in (await coconut.asked("cheapest tables")).matches[:2]]
    dearest = await coconut.asked("What is your most expensive sofa?")

    assert cheapest == sorted(price for price in cheapest if price is not None)
    assert dearest.matches[0].title == "Copra corner sofa"


async def test_prices_in_other_money_are_not_compared_and_that_is_said(coconut: Shop) -> None:
    context = await coconut.asked("a sofa under 1000 euros")

    assert context.filters[-1] == "the prices are in USD, so they were not compared"


async def test_policies_and_questions_are_evidence_too(coconut: Shop) -> None:
    assert (await coconut.asked("What is your return policy?")).matches[0].kind == "policy"
    assert (await coconut.asked("Are your pieces vegan?")).matches[0].kind == "faq"


async def test_every_sentence_has_its_vector(coconut: Shop) -> None:
    context = await coconut.asked("Tell me about the Palma sofa")

    for entry in (*context.matches, *context.featured, *context.policies, *context.faqs):
        assert entry.sentence_vectors.shape == (len(entry.sentences), 384)
        assert all(entry.text[start:end].strip() for start, end in entry.sentences)


async def test_what_is_for_some_is_seen_by_nobody_else(seller: Shop) -> None:
    await seller.product("S-1", "Palma sofa", "999", category="Sofas")
    await seller.product("S-2", "Trade sofa", "499", category="Trade goods", audience="trade")
    await seller.add(
        "entries", kind="policy", title="Trade terms", text="Traders pay later.", audience="trade"
    )
    await seller.add("promotions", title="Trade week", text="Trade sofas.", percent="5", audience="trade")

    for message in ("sofa", "trade sofa", "trade goods under 600", "cheapest sofa", "Trade terms"):
        public = await seller.asked(message)
        shown = (*public.matches, *public.policies, *public.promotions)
        assert not any("Trade" in entry.title for entry in shown)
        assert not any("Trade" in told for told in public.filters)
        assert [own.category for own in public.pricing] == ["Sofas"]
    for audiences in (Audiences.of(["trade"]), EVERYTHING):
        theirs = await seller.asked("trade sofa", audiences=audiences)
        assert theirs.matches[0].title == "Trade sofa"
        assert theirs.policies[0].title == "Trade terms"


async def test_an_organization_without_a_catalogue_offers_nothing(seller: Shop) -> None:
    context = await seller.asked("sofa")

    assert (context.version, context.matches, context.pricing) == (0, (), ())


async def test_another_organizations_products_are_not_found(seller: Shop, coconut: Shop) -> None:
    await seller.product("X-1", "Palma imitation", "1")

    assert await seller.titles("Palma sofa") == ["Palma imitation"]
    assert "Palma imitation" not in await coconut.titles("Palma")
