"""A catalogue too large to compare all of it: the same is found, by posting lists and by the order of prices."""

import io
from decimal import Decimal

import httpx
import pytest

from concierge.catalog.matching import SMALL
from concierge.catalog.service import Import
from concierge.entrypoints.wiring import Platform
from tests.catalog.selling import Shop
from tests.factories.tenants import make_tenant

pytestmark = pytest.mark.anyio

KINDS = ("Sofa", "Chair", "Lamp", "Desk")
SIZE = SMALL + 200


@pytest.fixture(scope="module")
async def warehouse(platform: Platform, client: httpx.AsyncClient) -> Shop:
    """Products 0 to 2,199: every fourth a sofa, a chair, a lamp or a desk; each costs 100 and its number."""
    found = Shop.of(await make_tenant(platform, client))
    rows = "".join(
        f"N-{number},{KINDS[number % 4]} {number},Furniture > {KINDS[number % 4]}s,{100 + number},"
        f"{'Sand' if number % 8 < 4 else 'Black'},{'in stock' if number % 3 else 'out of stock'}\n"
        for number in range(SIZE)
    )
    table = f"sku,title,category,price,colour,availability\n{rows}"
    await platform.catalog.imports.run(found.tenant.scope, Import(io.BytesIO(table.encode())))
    await found.add(
        "promotions",
        title="One sofa",
        text="A sofa for less.",
        amount="1000",
        applies_to="skus",
        skus=["N-1200"],
    )
    return found


async def prices(shop: Shop, message: str) -> list[Decimal | None]:
    return [entry.price for entry in (await shop.asked(message)).matches if entry.kind == "product"]


async def test_the_cheapest_and_the_dearest_are_found_and_a_promotion_counts(warehouse: Shop) -> None:
    assert (await prices(warehouse, "What is your cheapest chair?"))[:2] == [101, 105]
    assert (await prices(warehouse, "the most expensive lamp"))[:2] == [2298, 2294]
    assert (await prices(warehouse, "cheapest sofa"))[:2] == [100, 104]
    assert (await warehouse.titles("What's on sale?"))[0] == "Sofa 1200"
    assert 300 in await prices(warehouse, "a sofa between 299 and 301 dollars")


async def test_conditions_hold_for_everything_that_is_found(warehouse: Shop) -> None:
    context = await warehouse.asked("black desks between 500 and 600 dollars in stock")

    assert context.filters == ("Desks", "Black", "from $500 to $600", "in stock")
    assert context.matches
    for entry in context.matches:
        assert entry.title.startswith("Desk")
        assert "Colour: Black." in entry.text
        assert entry.in_stock
        assert entry.price is not None
        assert 500 <= entry.price <= 600


async def test_what_comes_nearest_is_found_where_nothing_fits(warehouse: Shop) -> None:
    context = await warehouse.asked("chairs under 50 dollars")

    assert context.filters == ("nothing Chairs, up to $50; these come nearest",)
    assert [entry.price for entry in context.matches][:2] == [101, 105]


async def test_a_product_is_found_by_its_name_and_its_number(warehouse: Shop) -> None:
    context = await warehouse.asked("How much is Sofa 1204?")

    assert next(entry.title for entry in context.matches if entry.kind == "product") == "Sofa 1204"
    assert (await warehouse.titles("Do you have N-1205?"))[0] == "Chair 1205"


async def test_an_upper_level_of_categories_holds_all_below_it(warehouse: Shop) -> None:
    assert (await prices(warehouse, "cheapest furniture"))[:3] == [100, 101, 102]
