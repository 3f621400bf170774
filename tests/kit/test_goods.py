"""What is said of a product's price and stock."""

import pytest

from concierge.kit.goods import availability, offer
from concierge.kit.money import money


@pytest.mark.parametrize(
    ("price", "currency", "said"),
    [
        ("349.00 EUR", None, "€349"),
        ("349,00", "EUR", "€349"),
        ("12.5", "USD", "$12.50"),
        ("$1,299.00", None, "$1,299"),
        ("1.299,50 €", None, "€1,299.50"),
        ("1299", "SEK", "1,299 SEK"),
        ("USD 5", None, "$5"),
        ("349", None, "349"),
        ("1 299", "NOK", "1,299 NOK"),
        ("1,299", "GBP", "£1,299"),
        ("0.99", "GBP", "£0.99"),
    ],
)
def test_a_price_is_said_as_people_write_it(price: str, currency: str | None, said: str) -> None:
    found = money(price, currency)

    assert found is not None
    assert found[1] == said


@pytest.mark.parametrize(
    "price", ["", "on request", "from 3 EUR", "-5", "1e9", "5 or 6", "9" * 400, "٣", "1,2,3"]
)
def test_what_is_no_price_is_not_made_one(price: str) -> None:
    assert money(price) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("in stock", "in stock"),
        ("in_stock", "in stock"),
        ("https://schema.org/InStock", "in stock"),
        ("http://schema.org/OutOfStock", "out of stock"),
        ("true", "in stock"),
        ("12", "in stock"),
        ("0", "out of stock"),
        ("-3", "out of stock"),
        ("PreOrder", "available to pre-order"),
        ("onbackorder", "on back order"),
        ("ask us", None),
        ("", None),
    ],
)
def test_stock_is_told_from_what_shops_write(value: str, said: str | None) -> None:
    assert availability(value) == said


@pytest.mark.parametrize(
    ("title", "prices", "stock", "said"),
    [
        ("Oak Table", ["349"], "in stock", "The Oak Table costs €349 and is in stock."),
        ("Wool Socks", ["12.5"], "out of stock", "The Wool Socks cost €12.50 and are out of stock."),
        ("Glass", ["5"], None, "The Glass costs €5."),
        ("The Palma", [], "1", "The Palma is in stock."),
        ("Oak Table", ["399", "349", "399"], None, "The Oak Table costs from €349 to €399."),
        ("Table: oak", ["5"], None, "“Table: oak” costs €5."),
        ("Oak Table", ["on request"], "maybe", None),
        ("Oak Table", [], None, None),
    ],
)
def test_price_and_stock_are_one_sentence(
    title: str, prices: list[str], stock: str | None, said: str | None
) -> None:
    assert offer(title, prices, "EUR", stock) == said
