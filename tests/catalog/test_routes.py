"""The catalogue over HTTP: what may be in it, and what is refused with one clear problem for each field."""

from typing import Any

import pytest

from concierge.kit.ids import new_id
from tests.catalog.selling import Shop

pytestmark = pytest.mark.anyio

SOFA: dict[str, Any] = {
    "sku": "S-101",
    "title": "Palma sofa",
    "category": "Furniture > Sofas",
    "price": "999",
    "availability": "in_stock",
    "attributes": {"Colour": ["Sand", "Charcoal"], "Material": "coconut wood"},
}


async def test_a_product_is_kept_as_it_was_given_and_says_what_it_is(seller: Shop) -> None:
    product_id = await seller.add("products", **SOFA)

    found = (await seller.call("GET", f"/products/{product_id}")).json()

    assert found["sku"] == "S-101"
    assert found["currency"] == "USD"
    assert found["attributes"] == {"Colour": ["Sand", "Charcoal"], "Material": ["coconut wood"]}
    assert found["text"] == (
        "The Palma sofa costs $999 and is in stock. Colour: Sand, Charcoal. It is made of coconut wood."
    )


async def test_html_in_names_is_read_as_a_browser_shows_it(seller: Shop) -> None:
    body = {"sku": "<b>S-1</b>", "title": "Palma&nbsp;<i>sofa</i><script>alert(1)</script>"}

    found = (await seller.call("POST", "/products", body)).json()

    assert (found["sku"], found["title"]) == ("S-1", "Palma sofa")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"price": "-1"}, "price"),
        ({"price": "1e12"}, "price"),
        ({"price": "NaN"}, "price"),
        ({"currency": "DM"}, "currency"),
        ({"currency": "ZZZ"}, "currency"),
        ({"quantity": 10**9}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "ftp://shop.example/sofa"}, "url"),
        ({"image_url": "data:image/png;base64,AAAA"}, "image_url"),
        ({"title": "<p> </p>"}, "title"),
        ({"sku": ""}, "sku"),
        ({"sale_price": "1000"}, "sale_price"),
        ({"sale_begins": "2026-12-01", "sale_ends": "2026-11-01"}, "sale_ends"),
        ({"availability": "maybe"}, "availability"),
        ({"audience": "Trade Customers"}, "audience"),
        ({"attributes": {f"a{number}": "x" for number in range(41)}}, "attributes"),
        ({"variants": [{"sku": "S-101"}]}, "variants"),
        ({"variants": [{"sku": "A"}, {"sku": "A"}]}, "variants"),
        ({"variants": [{"sku": f"V-{number}"} for number in range(201)]}, "variants"),
        ({"variants": [{"sku": "A", "price": "-1"}]}, "variants.0.price"),
        ({"parent": "S-100"}, "parent"),
        ({"featured_rank": 0}, "featured_rank"),
    ],
)
async def test_what_cannot_be_sold_is_refused_field_by_field(
    wrong: dict[str, Any], field: str, seller: Shop
) -> None:
    response = await seller.call("POST", "/products", {**SOFA, **wrong})

    assert response.status_code == 422
    assert [problem["field"] for problem in response.json()["errors"]] == [field]


async def test_every_wrong_field_has_its_own_problem(seller: Shop) -> None:
    response = await seller.call("POST", "/products", {**SOFA, "price": "-1", "url": "x:y", "currency": "?"})

    assert {problem["field"] for problem in response.json()["errors"]} == {"price", "url", "currency"}


async def test_an_article_number_names_one_product(seller: Shop) -> None:
    await seller.add("products", **SOFA)

    response = await seller.call("POST", "/products", {**SOFA, "title": "Another"})

    assert (response.status_code, response.json()["code"]) == (409, "sku_taken")


async def test_two_organizations_may_use_the_same_article_number(seller: Shop, coconut: Shop) -> None:
    product_id = await seller.add("products", **SOFA)

    assert (await coconut.call("GET", f"/products/{product_id}")).json()["code"] == "product_not_found"
    assert (await coconut.call("DELETE", f"/products/{product_id}")).status_code == 404
    assert (await seller.call("GET", f"/products/{product_id}")).status_code == 200


async def test_a_change_must_hold_together_with_what_is_there(seller: Shop) -> None:
    product_id = await seller.add("products", **SOFA)

    refused = await seller.call("PATCH", f"/products/{product_id}", {"sale_price": "1000"})
    emptied = await seller.call("PATCH", f"/products/{product_id}", {"price": None, "category": None})

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
    assert "sale_price must not be higher" in refused.json()["detail"]
    assert (emptied.json()["price"], emptied.json()["category"]) == (None, "")
    assert emptied.json()["text"].startswith("The Palma sofa is in stock.")


async def test_a_product_that_is_gone_or_hidden_is_told_of_no_more(seller: Shop) -> None:
    product_id = await seller.add("products", **SOFA)
    other_id = await seller.product("C-1", "Kelapa chair", "129", category="Chairs")

    await seller.call("PATCH", f"/products/{other_id}", {"active": False})
    assert await seller.titles("Kelapa chair") == []
    await seller.call("DELETE", f"/products/{product_id}")

    assert await seller.titles("Palma sofa") == []
    assert (await seller.asked("sofas")).pricing == ()


async def test_a_list_goes_on_where_it_ended_and_can_be_narrowed(seller: Shop) -> None:
    for number in range(5):
        await seller.product(f"C-{number}", f"Chair {number}", category="Chairs" if number else "Stools")

    first = (await seller.call("GET", "/products?limit=2")).json()
    second = (await seller.call("GET", f"/products?limit=2&cursor={first['next_cursor']}")).json()
    chairs = (await seller.call("GET", "/products?category=chair")).json()
    named = (await seller.call("GET", "/products?search=R%203")).json()

    assert [item["sku"] for item in first["items"] + second["items"]] == ["C-4", "C-3", "C-2", "C-1"]
    assert len(chairs["items"]) == 4
    assert [item["sku"] for item in named["items"]] == ["C-3"]


async def test_featured_products_are_shown_in_their_order(seller: Shop) -> None:
    for sku in ("A-1", "A-2", "A-3"):
        await seller.product(sku, f"Chair {sku}", "10")

    put = await seller.call("PUT", "/featured", {"skus": ["A-3", "A-1"]})
    unknown = await seller.call("PUT", "/featured", {"skus": ["A-2", "nothing"]})

    assert [item["sku"] for item in put.json()] == ["A-3", "A-1"]
    assert (unknown.status_code, unknown.json()["code"]) == (404, "skus_not_found")
    assert [entry.title for entry in (await seller.asked("Hello")).featured] == ["Chair A-3", "Chair A-1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"begins": "2026-12-01", "ends": "2026-11-01"},
        {"percent": 10, "amount": 5},
        {"percent": 100},
        {"percent": 0},
        {"amount": 0},
        {"applies_to": "category"},
        {"applies_to": "skus"},
        {"category": "Sofas"},
        {"skus": ["S-1"]},
        {"text": ""},
    ],
)
async def test_a_promotion_must_hold_together(wrong: dict[str, Any], seller: Shop) -> None:
    response = await seller.call("POST", "/promotions", {"title": "Week", "text": "A week.", **wrong})

    assert response.status_code == 422


async def test_a_promotion_can_be_changed_and_ended(seller: Shop) -> None:
    promotion_id = await seller.add("promotions", title="Week", text="A week.", percent=10)

    over = await seller.call("PATCH", f"/promotions/{promotion_id}", {"ends": "2020-01-01"})
    refused = await seller.call("PATCH", f"/promotions/{promotion_id}", {"amount": "5"})
    gone = await seller.call("DELETE", f"/promotions/{promotion_id}")

    assert (over.status_code, over.json()["holds"]) == (200, False)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
    assert gone.status_code == 204
    assert (await seller.call("GET", "/promotions")).json() == []


async def test_entries_are_told_by_kind_and_in_their_order(seller: Shop) -> None:
    await seller.add("entries", kind="faq", title="Second?", text="Yes.", position=2)
    first = await seller.add("entries", kind="faq", title="First?", text="Yes.", position=1)
    await seller.add("entries", kind="policy", title="Returns", text="Thirty days.")

    faqs = (await seller.call("GET", "/entries?kind=faq")).json()
    changed = await seller.call("PATCH", f"/entries/{first}", {"text": "No."})

    assert [entry["title"] for entry in faqs] == ["First?", "Second?"]
    assert changed.json()["text"] == "No."
    assert [entry.text for entry in (await seller.asked("Hello")).faqs] == ["No.", "Yes."]


async def test_settings_say_the_currency_of_products_that_name_none(seller: Shop) -> None:
    changed = await seller.call(
        "PUT",
        "/settings",
        {"currency": "eur", "time_zone": "Europe/Berlin", "synonyms": {"davenport": "Sofas"}},
    )
    await seller.add("products", **SOFA)

    assert changed.json()["currency"] == "EUR"
    assert (await seller.asked("davenport under 1000")).filters == ("Sofas", "up to €1,000")
    assert (await seller.asked("Palma")).matches[0].text.startswith("The Palma sofa costs €999")
    for wrong in ({"time_zone": "Berlin"}, {"currency": "EURO"}):
        assert (await seller.call("PUT", "/settings", wrong)).status_code == 422


async def test_what_is_not_there_is_not_found(seller: Shop) -> None:
    for path in ("products", "promotions", "entries"):
        for method in ("GET", "DELETE"):
            assert (await seller.call(method, f"/{path}/{new_id()}")).status_code == 404
