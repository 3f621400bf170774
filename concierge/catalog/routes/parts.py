"""What the routes of the room are given."""

from dataclasses import dataclass

from fastapi import Request

from concierge.catalog.service import CatalogImports, CatalogReading, ProductContexts
from concierge.catalog.vectors import StatementReader
from concierge.kit.clock import Clock


@dataclass(frozen=True, slots=True)
class Catalog:
    """What the application puts on `app.state.catalog`."""

    reader: StatementReader
    imports: CatalogImports
    reading: CatalogReading
    contexts: ProductContexts
    clock: Clock


def catalog(request: Request) -> Catalog:
    parts: Catalog = request.app.state.catalog
    return parts
