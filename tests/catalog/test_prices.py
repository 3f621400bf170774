"""What something costs on a day, and how that is said."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from concierge.catalog.indexing import offered
from concierge.catalog.prices import Discount, Discounts, RunningPromotion, Sale, price_on, said_price
from concierge.catalog.schemas.products import ProductIn
from concierge.catalog.statements import state, without_prices
from concierge.kit.money import amount_of, rounded, said

TODAY = date(2026, 11, 26)
SALE = Sale(Decimal(899), date(2026, 11, 1), date(2027, 1, 31))
prices = st.decimals(min_value="0.01", max_value="999999.99", places=2)
days = st.dates(date(2026, 1, 1), date(2027, 12, 31))


def product(**values: Any) -> ProductIn:
    return ProductIn.model_validate({"sku": "S-101", "title": "Palma sofa", **values})


def text(wanted: ProductIn, today: date | None = TODAY, *discounts: Discount) -> str:
    return state(offered(wanted, "USD"), today, discounts).text


def test_a_statement_is_made_of_sentences_fit_to_be_repeated() -> None:
    sofa = product(
        price="899",
        availability="in_stock",
        attributes={"Material": "Reclaimed coconut wood", "Colours": ["sand", "charcoal"]},
    )

    assert text(sofa) == (
        "The Palma sofa costs $899 and is in stock. Colours: sand, charcoal. It is made of reclaimed coconut wood."
    )


def test_while_a_sale_holds_the_text_says_until_when_and_instead_of_what() -> None:
    sofa = product(price="999", sale_price="899", sale_begins="2026-11-01", sale_ends="2026-11-30")

    assert text(sofa) == "The Palma sofa costs $899 until 30 November instead of $999."
    assert text(sofa, date(2026, 10, 31)) == "The Palma sofa costs $999."
    assert text(sofa, date(2026, 12, 1)) == "The Palma sofa costs $999."
    assert text(sofa, date(2026, 11, 30)).startswith("The Palma sofa costs $899")


def test_of_several_reductions_the_lowest_counts_and_none_is_added() -> None:
    ten, fifty = Discount(Decimal(10), None, None), Discount(None, Decimal(50), date(2026, 12, 1))

    assert price_on(TODAY, Decimal(999), "USD", SALE, [ten, fifty]).now == Decimal("899.00")
    assert price_on(TODAY, Decimal(999), "USD", None, [ten, fifty]).now == Decimal("899.10")
    assert price_on(TODAY, Decimal(100), "USD", None, [ten, fifty]).until == date(2026, 12, 1)


def test_a_discount_that_would_leave_nothing_is_none() -> None:
    assert not price_on(TODAY, Decimal(50), "USD", None, [Discount(None, Decimal(50), None)]).is_reduced


def test_a_discount_is_on_everything_on_a_category_or_on_products() -> None:
    ten = Discount(Decimal(10), None, None)
    discounts = Discounts.of(
        [RunningPromotion("category", "sofa", (), ten), RunningPromotion("skus", "", ("C-1",), ten)]
    )

    assert discounts.on("S-1", "sofa") == (ten,)
    assert discounts.on("C-1", "chair") == (ten,)
    assert discounts.on("C-2", "chair") == ()


def test_variants_are_said_with_their_prices_and_what_is_gone() -> None:
    bed = product(
        title="Monsoon bed",
        variants=[
            {"sku": "B-1", "title": "160 cm", "price": "1099", "availability": "in_stock"},
            {"sku": "B-2", "title": "180 cm", "price": "1199", "availability": "out_of_stock"},
        ],
    )

    assert text(bed) == (
        "The Monsoon bed costs from $1,099 to $1,199 and is in stock. 160 cm: $1,099. 180 cm: $1,199. "
        "Out of stock just now: 180 cm."
    )


def test_a_description_never_says_a_price_of_its_own() -> None:
    sofa = product(price="999", description="Three seats. Now only $799! It was 1.299 € once.\n- Soft")

    assert text(sofa) == "The Palma sofa costs $999. Three seats. Soft."


@given(prices, days, st.integers(1, 99))
def test_a_statement_has_the_same_sentences_whatever_holds_on_the_day(
    price: Decimal, today: date, percent: int
) -> None:
    sofa = product(price=price, availability="in_stock", description="Soft. Low.", attributes={"Seats": "3"})
    plain = state(offered(sofa, "EUR"), None)
    reduced = state(offered(sofa, "EUR"), today, [Discount(Decimal(percent), None, None)])

    assert len(plain.sentences) == len(reduced.sentences)
    assert [reduced.text[start:end] for start, end in reduced.sentences[1:]] == [
        plain.text[start:end] for start, end in plain.sentences[1:]
    ]


@given(prices, days, days)
def test_a_reduction_never_raises_a_price_nor_outlives_its_last_day(
    price: Decimal, today: date, ends: date
) -> None:
    found = price_on(today, price, "USD", Sale(Decimal("10.00"), None, ends), [])

    assert found.now <= price
    assert found.is_reduced == (price > 10 and today <= ends)


@given(prices, st.sampled_from(["USD", "EUR", "SEK", "GBP"]))
def test_what_is_said_of_a_price_is_read_as_the_same_price(price: Decimal, currency: str) -> None:
    found = amount_of(said(price, currency))

    assert found is not None
    assert found[0] == price


@given(prices)
def test_a_price_without_cents_is_rounded_to_whole_units(price: Decimal) -> None:
    assert rounded(price, "JPY") == rounded(price, "JPY").to_integral_value()


def test_a_price_that_changes_alone_leaves_everything_else_that_is_said() -> None:
    assert without_prices(text(product(price="999"))) == without_prices(
        text(product(price="1,299.50".replace(",", "")))
    )


def test_the_year_is_said_where_it_is_another() -> None:
    reduced = price_on(TODAY, Decimal(999), "USD", SALE, [])

    assert said_price(reduced, "USD", TODAY) == "$899 until 31 January 2027 instead of $999"
