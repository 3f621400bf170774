"""The demo shop's catalogue: the products, offers and texts that its documents speak of, as a shop would import them."""

import json
from pathlib import Path
from typing import Any

from concierge.accounts.scope import Unit
from concierge.catalog.routes.parts import Catalog
from concierge.catalog.schemas.offers import CatalogSettings, EntryIn, PromotionIn
from concierge.catalog.schemas.products import ProductIn
from concierge.catalog.service import (
    CatalogSettingsService,
    EntryService,
    ProductService,
    PromotionService,
)

CATALOG = Path(__file__).parent / "catalog.json"


def demo_catalog() -> dict[str, Any]:
    return json.loads(CATALOG.read_text(encoding="utf-8"))


async def load_catalog(unit: Unit, parts: Catalog) -> None:
    """Errors: UnavailableError while the model cannot be asked."""
    found = demo_catalog()
    settings = CatalogSettings.model_validate(found["settings"])
    await CatalogSettingsService(unit, parts.clock).change(settings)
    products = ProductService(unit, parts.reader, parts.clock)
    await products.create_all([ProductIn.model_validate(row) for row in found["products"]])
    promotions = PromotionService(unit, parts.reader, parts.clock)
    for row in found["promotions"]:
        await promotions.create(PromotionIn.model_validate(row))
    entries = EntryService(unit, parts.reader, parts.clock)
    for row in found["entries"]:
        await entries.create(EntryIn.model_validate(row))
