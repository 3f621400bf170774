"""All SQL of the catalogue room."""

from concierge.catalog.repository.offers import OfferRepository
from concierge.catalog.repository.products import NewVectors, ProductRepository, PutProduct
from concierge.catalog.repository.search import Asked, FoundProduct, SearchRepository, State
from concierge.catalog.repository.statics import StaticRow, StaticsRepository

__all__ = [
    "Asked",
    "FoundProduct",
    "NewVectors",
    "OfferRepository",
    "ProductRepository",
    "PutProduct",
    "SearchRepository",
    "State",
    "StaticRow",
    "StaticsRepository",
]
