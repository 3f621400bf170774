"""The demo shop's catalogue says what its documents say."""

import re
from decimal import Decimal
from pathlib import Path

from concierge.catalog.schemas.offers import EntryIn, PromotionIn
from concierge.catalog.schemas.products import ProductIn
from concierge.entrypoints.demo.offers import demo_catalog

DOCUMENTS = Path(__file__).parents[2] / "concierge/entrypoints/demo/documents"
ROW = re.compile(r"^\| (?P<name>[^|]+?) \|(?: \d+ \|)? (?:\*\*)?\$(?P<price>[\d,]+)(?:\*\*)?(?: instead of \$(?P<was>\d+))? \|$", re.MULTILINE)  # fmt: skip
# What the price list calls by the name of a variant, with the article number of it.
VARIANTS = {
    "Pandan loveseat in cork textile": "S-114-CORK",
    "Coir lounge chair in cork textile": "C-220-CORK",
    "Lagoon table, 180 cm": "T-301-180",
    "Lagoon made to measure, 140–220 cm": "T-301-MTM",
    "Monsoon bed 160 × 200 cm": "B-501",
    "Monsoon bed 180 × 200 cm": "B-502",
    "Sandbar lounge set, four pieces": "O-640",
    "Wood care kit (oil, cloths, fine pad)": "A-901",
    "Outdoor oil, 1 litre": "A-902",
}


def test_every_row_is_valid_and_every_price_is_that_of_the_price_list() -> None:
    found = demo_catalog()
    products = [ProductIn.model_validate(row) for row in found["products"]]
    prices = {product.title: product.price for product in products}
    prices |= {product.sku: product.price for product in products}
    prices |= {variant.sku: variant.price for product in products for variant in product.variants}
    listed = list(ROW.finditer((DOCUMENTS / "price-overview.md").read_text(encoding="utf-8")))

    assert len(listed) == 28
    for row in listed:
        name = VARIANTS.get(row["name"], row["name"])
        assert prices[name] == Decimal((row["was"] or row["price"]).replace(",", "")), row["name"]


def test_promotions_hold_on_the_days_that_the_offers_page_names() -> None:
    found = demo_catalog()
    promotions = [PromotionIn.model_validate(row) for row in found["promotions"]]

    assert [
        (own.begins.isoformat(), own.ends.isoformat()) for own in promotions if own.begins and own.ends
    ] == [
        ("2026-11-01", "2027-01-31"),
        ("2026-11-01", "2027-01-31"),
        ("2026-12-01", "2026-12-31"),
    ]
    assert {EntryIn.model_validate(row).kind for row in found["entries"]} == {
        "policy",
        "company",
        "support",
        "faq",
    }
