from concierge.catalog.service.contexts import ProductContexts
from concierge.catalog.service.importing import CatalogImports, Import
from concierge.catalog.service.offers import EntryService, PromotionService
from concierge.catalog.service.products import ProductService
from concierge.catalog.service.reading import CatalogReading
from concierge.catalog.service.settings import CatalogSettingsService

__all__ = [
    "CatalogImports",
    "CatalogReading",
    "CatalogSettingsService",
    "EntryService",
    "Import",
    "ProductContexts",
    "ProductService",
    "PromotionService",
]
