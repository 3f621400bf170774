"""Files of products, row by row: tables, JSON and the XML of shopping feeds, whatever their encoding."""

from concierge.catalog.reading.goods import GivenProduct, ImportOptions, RowProblem, products_of
from concierge.catalog.reading.source import Format, RowSource, opened

__all__ = [
    "Format",
    "GivenProduct",
    "ImportOptions",
    "RowProblem",
    "RowSource",
    "opened",
    "products_of",
]
