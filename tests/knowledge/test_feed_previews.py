"""Feeds are looked at before they are added: what each row would become, and which column is what."""

import json

import pytest

from tests.factories.tenants import Tenant
from tests.knowledge.feeding import GOODS, give, preview, read, refused
from tests.knowledge.reading import source_of, texts_in

pytestmark = pytest.mark.anyio


async def test_a_preview_shows_what_a_feed_would_become_and_keeps_nothing(tenant: Tenant) -> None:
    seen = await preview(tenant, GOODS + "4,,No name.,,1,in stock,\n1,Again,,,,,\n")

    assert (seen["kind"], seen["format"]) == ("products", "csv")
    assert (seen["total"], seen["readable"], seen["failed"]) == (5, 3, 2)
    assert seen["map"] == {
        "id": "id",
        "title": "title",
        "description": "description",
        "url": "link",
        "price": "price",
        "availability": "availability",
    }
    assert seen["attributes"] == ["material"]
    assert seen["rows"][0] == {
        "row": 2,
        "id": "1",
        "title": "Oak Table",
        "text": (
            "# Oak Table\n\nA table for six.\n\nThe Oak Table costs €349 and is in stock.\n\n- Material: Oak"
        ),
        "url": "https://shop.example/oak",
        "language": None,
        "updated": None,
    }
    assert [(problem["row"], problem["id"]) for problem in seen["problems"]] == [(5, "4"), (6, "1")]
    assert "no title" in seen["problems"][0]["reason"]
    assert "same id as row 2" in seen["problems"][1]["reason"]
    sources = await tenant.client.get(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/sources", headers=tenant.owner
    )
    assert sources.json()["items"] == []
    assert await texts_in(tenant) == []


async def test_the_first_ten_rows_are_shown_and_all_are_counted(tenant: Tenant) -> None:
    seen = await preview(tenant, "id,title\n" + "".join(f"{i},Thing {i}\n" for i in range(30)))

    assert [row["id"] for row in seen["rows"]] == [str(i) for i in range(10)]
    assert (seen["total"], seen["readable"]) == (30, 30)


async def test_a_feed_may_not_be_fetched_from_our_own_network(tenant: Tenant) -> None:
    response = await give(tenant, None, path="/preview", url="http://127.0.0.1:5432/goods.csv")

    assert response.status_code == 422
    assert response.json()["code"] in {"url_private_address", "url_invalid"}


async def test_columns_are_mapped_as_was_said(tenant: Tenant) -> None:
    rows = {"shop": {"items": [{"nr": 7, "label": {"en": "Oak Table"}, "cost": 349, "tag": "new"}]}}
    options = {
        "items": "shop.items",
        "map": {"id": "nr", "title": "label.en", "price": "cost", "currency": "=SEK"},
        "attributes": ["tag"],
    }

    seen = await preview(tenant, json.dumps(rows), options=json.dumps(options))

    assert seen["rows"][0]["id"] == "7"
    assert seen["rows"][0]["text"] == "# Oak Table\n\nThe Oak Table costs 349 SEK.\n\n- Tag: new"


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        ('{"map": {"title": "naem"}}', "feed_mapping_invalid", "“naem”"),
        ('{"map": {"titel": "name"}}', "feed_options_invalid", "“titel” is no field"),
        ('{"attributes": ["colour"]}', "feed_mapping_invalid", "“colour”"),
        ('{"map": {"title": ""}}', "feed_mapping_invalid", "Which column holds the title"),
        ('{"delimiter": ","}', "feed_options_invalid", "delimiter"),
        ("{", "feed_options_invalid", "not valid"),
        ('{"map": {"title": "a\\u0000"}}', "feed_options_invalid", "NUL"),
    ],
)
async def test_options_that_do_not_fit_are_refused_with_the_reason(
    tenant: Tenant, options: str, code: str, says: str
) -> None:
    found, detail = await refused(tenant, GOODS, options=options)

    assert (found, says in detail) == (code, True), detail


async def test_the_variants_of_a_product_are_one_document(tenant: Tenant) -> None:
    rows = (
        "Handle,Title,Body (HTML),Option1 Name,Option1 Value,Variant Price,Variant Inventory Qty,Image Src\n"
        'oak,Oak Table,"<p>A <b>table</b>.</p>",Wood,Natural,349.00,0,https://cdn.example/1.jpg\n'
        "oak,,,,Smoked,399.00,4,\n"
    )

    seen = await preview(tenant, rows, options='{"map": {"currency": "=USD"}}')

    assert (seen["total"], seen["readable"], seen["joined"], seen["failed"]) == (2, 1, 1, 0)
    assert seen["rows"][0]["text"] == (
        "# Oak Table\n\nA table.\n\nThe Oak Table costs from $349 to $399 and is in stock.\n\n- Wood: Natural, Smoked"
    )


async def test_either_a_file_or_an_address_is_given(tenant: Tenant) -> None:
    both = await give(tenant, GOODS, url="https://shop.example/goods.csv")
    neither = await give(tenant, None, name="x")

    for response in (both, neither):
        assert (response.status_code, response.json()["code"]) == (422, "feed_not_given")


async def test_names_and_values_that_no_reader_can_see_do_no_harm(tenant: Tenant) -> None:
    rows = r"""[
        {"id": "\ud800\u0000", "title": "Oak \u0000Table\ud800", "\u0000na\ud800me": "\u202eevil", "\ud83d\ude00": "smile",
         "url": "https://shop.example/\ud800", "currency": "\u0000", "price": "5", "updated": "99999-99-99"},
        {"id": "2", "title": "\u200b", "x": 1},
        {"id": "3", "\ud800": 1, "\ud800": 2}
    ]"""

    seen = await preview(tenant, rows)
    source_id = await read(tenant, rows, name="odd\u202e.json")

    assert (seen["readable"], seen["failed"]) == (1, 2)
    assert seen["rows"][0]["title"] == "Oak Table"
    assert (seen["rows"][0]["url"], seen["rows"][0]["updated"]) == (None, None)
    assert (await source_of(tenant, source_id)).progress.stored == 1
    assert "Oak Table costs 5" in (await texts_in(tenant))[0]
