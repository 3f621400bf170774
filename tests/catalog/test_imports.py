"""Files of products: read in any usual form, row by row, and compared with what is there."""

import json
from typing import Any

import pytest

from concierge.accounts.scope import TenantScope
from tests.catalog.selling import Shop

pytestmark = pytest.mark.anyio

TABLE = (
    "Art. no.;Name;Price;Category;Colour;Stock\n"
    "S-101;Palma sofa;999,00 €;Sofas;Sand, Charcoal;in stock\n"
    "C-201;Kelapa chair;129,00 €;Chairs;Natural;12\n"
)
MAPPING = {"Art. no.": "sku"}
GOOGLE = """<?xml version="1.0"?>
<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel><title>Shop</title>
<item><g:id>B-501</g:id><g:item_group_id>B-500</g:item_group_id><title>Monsoon bed</title>
 <g:title>Monsoon bed &amp; slats</g:title><g:size>160</g:size><g:price>1099.00 USD</g:price>
 <g:availability>in_stock</g:availability><g:product_type>Furniture &gt; Beds</g:product_type>
 <g:link>https://shop.example/bed</g:link></item>
<item><g:id>B-502</g:id><g:item_group_id>B-500</g:item_group_id><g:title>Monsoon bed</g:title><g:size>180</g:size>
 <g:price>1199.00 USD</g:price><g:sale_price>999.00 USD</g:sale_price>
 <g:sale_price_effective_date>2026-11-01T00:00+0100/2026-11-30T23:59+0100</g:sale_price_effective_date>
 <g:availability>out of stock</g:availability></item>
<item><g:id>L-1</g:id><g:title>Lamp</g:title><g:price>gratis</g:price></item>
</channel></rss>"""


async def imported(shop: Shop, data: str | bytes, expected: int = 200, **form: Any) -> dict[str, Any]:
    mapping = form.pop("mapping", {})
    response = await shop.tenant.client.post(
        "/api/v1/catalog/import",
        headers=shop.tenant.owner,
        files={"file": ("goods", data.encode() if isinstance(data, str) else data)},
        data={"mapping": json.dumps(mapping), **{name: str(value) for name, value in form.items()}},
    )
    assert response.status_code == expected, response.text
    return response.json()


def counts(report: dict[str, Any]) -> tuple[int, ...]:
    return tuple(report[name] for name in ("new", "changed", "unchanged", "removed", "failed"))


async def listed(shop: Shop) -> dict[str, dict[str, Any]]:
    return {item["sku"]: item for item in (await shop.call("GET", "/products?limit=200")).json()["items"]}


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
async def test_a_table_of_any_program_is_read(delimiter: str, encoding: str, seller: Shop) -> None:
    table = TABLE.replace(",00", ".00").replace("Sand, Charcoal", "Sand/Charcoal").replace(";", delimiter)

    report = await imported(seller, table.encode(encoding), mapping=MAPPING)

    assert counts(report) == (2, 0, 0, 0, 0)
    products = await listed(seller)
    assert products["S-101"]["attributes"] == {"Colour": ["Sand", "Charcoal"]}
    assert (products["S-101"]["currency"], products["S-101"]["price"]) == ("EUR", "999.000")
    assert (products["C-201"]["quantity"], products["C-201"]["in_stock"]) == (12, True)


async def test_a_report_says_what_each_column_was_taken_for_and_what_rows_become(seller: Shop) -> None:
    report = await imported(seller, TABLE, mapping=MAPPING, dry_run=True)

    assert report["mapping"] == {
        "Art. no.": "sku", "Name": "title", "Price": "price", "Category": "category", "Colour": "attribute",
        "Stock": "availability",
    }  # fmt: skip
    assert report["first"][0]["text"] == "The Palma sofa costs €999 and is in stock. Colour: Sand, Charcoal."
    assert counts(report) == (2, 0, 0, 0, 0)
    assert await listed(seller) == {}


async def test_what_is_there_is_compared_and_only_changes_are_stored(seller: Shop) -> None:
    await imported(seller, TABLE, mapping=MAPPING)
    platform = seller.tenant.platform
    assert await platform.catalog.reading.run(TenantScope(seller.tenant.org_id)) == 2

    again = await imported(seller, TABLE, mapping=MAPPING)
    cheaper = await imported(seller, TABLE.replace("999,00", "949,00"), mapping=MAPPING)
    settings = (await seller.call("GET", "/settings")).json()

    assert counts(again) == (0, 0, 2, 0, 0)
    assert counts(cheaper) == (0, 1, 1, 0, 0)
    # A price alone changes nothing of what the product is about, so nothing is read again.
    assert (settings["products"], settings["waiting"]) == (2, 0)
    assert (await seller.asked("Palma sofa")).matches[0].text.startswith("The Palma sofa costs €949")


async def test_products_are_found_by_their_words_before_they_are_read_for_meaning(seller: Shop) -> None:
    await imported(seller, TABLE, mapping=MAPPING)

    assert (await seller.call("GET", "/settings")).json()["waiting"] == 2
    assert (await seller.titles("Do you have the article S-101?"))[0] == "Palma sofa"
    assert (await seller.titles("cheapest chair"))[0] == "Kelapa chair"


async def test_replacing_removes_what_the_file_does_not_have(seller: Shop) -> None:
    await seller.product("OLD-1", "Old stool", "5")
    dry = await imported(seller, TABLE, mapping=MAPPING, replace=True, dry_run=True)
    assert dry["removed"] == 1
    assert "OLD-1" in await listed(seller)

    report = await imported(seller, TABLE, mapping=MAPPING, replace=True)

    assert counts(report) == (2, 0, 0, 1, 0)
    assert set(await listed(seller)) == {"S-101", "C-201"}
    assert await seller.titles("Old stool") == []


async def test_a_row_that_is_broken_keeps_its_product_from_being_removed(seller: Shop) -> None:
    await imported(seller, TABLE, mapping=MAPPING)
    broken = TABLE.replace("129,00 €", "on request")

    report = await imported(seller, broken, mapping=MAPPING, replace=True)
    unknown = await imported(seller, broken.replace("C-201", ""), mapping=MAPPING, replace=True)

    assert counts(report) == (0, 0, 1, 0, 1)
    assert set(await listed(seller)) == {"S-101", "C-201"}
    assert "cannot be told" in unknown["kept"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("X-1;;5;;;", "no title"),
        (";Stool;5;;;", "no article number"),
        ("X-1;Stool;-5;;;", "no amount"),
        ("X-1;Stool;5 XQZ;;;", "not known"),
        ("S-101;Stool;5;;;", "same article number as row 2"),
        ("X-1;Stool;5;;;;;more", "only 6 columns"),
        (f"X-1;{'long ' * 100};5;;;", "title"),
        ("X-1;Stool;9999999999;;;", "price"),
        ('X-1;"Stool;5;;;', "never closed"),
    ],
)
async def test_a_broken_row_is_told_by_its_number_and_the_others_are_imported(
    row: str, reason: str, seller: Shop
) -> None:
    report = await imported(seller, f"{TABLE}{row}\n", mapping=MAPPING)

    assert report["new"] == 2
    assert [problem["row"] for problem in report["problems"]] == [4]
    assert reason in report["problems"][0]["reason"]


async def test_a_merchant_feed_is_read_with_its_variants_and_sales(seller: Shop) -> None:
    report = await imported(seller, GOOGLE)

    assert (report["format"], counts(report)) == ("xml", (1, 0, 0, 0, 1))
    assert report["problems"] == [
        {"row": 3, "sku": "L-1", "reason": "Its price “gratis” is no amount of money."}
    ]
    bed = (await listed(seller))["B-500"]
    assert (bed["title"], bed["category"], bed["in_stock"]) == (
        "Monsoon bed & slats",
        "Furniture > Beds",
        True,
    )
    assert [(own["sku"], own["price"], own["in_stock"]) for own in bed["variants"]] == [
        ("B-501", "1099.00", True),
        ("B-502", "1199.00", False),
    ]
    assert (await imported(seller, GOOGLE))["unchanged"] == 1


async def test_variants_that_stand_apart_become_one_product(seller: Shop) -> None:
    rows = "id,item_group_id,title,price,size\nA-1,A,Stool,5,S\nB-1,B,Bench,9,S\nA-2,A,Stool,6,L\n"

    report = await imported(seller, rows)

    assert counts(report) == (2, 0, 0, 0, 0)
    assert [own["sku"] for own in (await listed(seller))["A"]["variants"]] == ["A-1", "A-2"]


@pytest.mark.parametrize(
    "rows",
    [
        '[{"sku": "A", "title": "Stool", "price": 5.50, "colour": ["red", "blue"]}]',
        '{"meta": {"pages": [1]}, "data": {"products": [{"sku": "A", "title": "Stool", "price": "5.50", "colour": "red, blue"}]}}',
        '{"sku": "A", "title": "Stool", "price": 5.5, "colour": ["red", "blue"]}\n',
        '{"sku": "A", "title": "Stool", "price": 5.5, "colour": ["red", "blue"]}\n{broken\n',
    ],
)
async def test_json_is_read_as_a_list_within_an_object_or_line_by_line(rows: str, seller: Shop) -> None:
    report = await imported(seller, rows)

    assert report["new"] == 1
    assert report["failed"] == ("broken" in rows)
    product = (await listed(seller))["A"]
    assert (product["price"], product["attributes"]) == ("5.500", {"Colour": ["red", "blue"]})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 a spreadsheet", "not a list of products"),
        (b"one column\nonly\n", "two columns"),
        (b"a,b\n\x00\x01,2\n", "binary"),
        (b"[1, 2]", "no list of objects"),
        (b"<html><body>Hello</body></html>", "no items"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><rss><item><id>1</id></item></rss>', "entities"),
    ],
)
async def test_what_is_no_list_of_products_is_refused_with_the_reason(
    data: bytes, reason: str, seller: Shop
) -> None:
    report = await imported(seller, data, expected=422)

    assert report["code"] == "import_unreadable"
    assert reason in report["detail"]


async def test_a_file_that_breaks_off_is_imported_as_far_as_it_goes(seller: Shop) -> None:
    report = await imported(seller, GOOGLE[: GOOGLE.index("<item><g:id>L-1")])
    cut = await imported(seller, '[{"sku": "A", "title": "Stool"}, {"sku": "B", "ti')

    assert (report["new"], cut["new"]) == (1, 1)
    assert all("From here on" in own["problems"][-1]["reason"] for own in (report, cut))


async def test_a_mapping_with_an_unknown_field_is_refused(seller: Shop) -> None:
    report = await imported(seller, TABLE, expected=422, mapping={"Name": "nmae"})

    assert report["code"] == "import_mapping_invalid"
    assert "the fields are sku" in report["detail"]


async def test_an_import_into_one_organization_is_nothing_to_another(seller: Shop, coconut: Shop) -> None:
    before = await listed(coconut)

    await imported(seller, TABLE, mapping=MAPPING, replace=True)

    assert await listed(coconut) == before


async def test_a_large_file_goes_through_in_chunks(seller: Shop) -> None:
    rows = "".join(f"N-{number},Stool {number},{number % 90 + 5}\n" for number in range(1_200))

    report = await imported(seller, f"id,title,price\n{rows}")
    again = await imported(seller, f"id,title,price\n{rows}")

    assert counts(report) == (1_200, 0, 0, 0, 0)
    assert counts(again) == (0, 0, 1_200, 0, 0)
