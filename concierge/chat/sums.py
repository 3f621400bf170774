"""What an order that a visitor asks the sum of comes to, as evidence like any other. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from concierge.catalog.schemas.context import CatalogEntry, ProductContext
from concierge.chat.writers.catalog import passage_of_tool
from concierge.kit.money import said
from concierge.knowledge.schemas import Passage
from concierge.tools.arithmetic import PricedRow, Total, read_order, total

TITLE: Final = "Calculated from the catalogue's prices"


@dataclass(frozen=True, slots=True)
class Sum:
    """`rows` are the products of the total's lines, in their order; `passage` shows how it was worked out. `percent` is the
    reduction that was asked for, whether or not there is one.
    """

    total: Total
    rows: tuple[CatalogEntry, ...]
    passage: Passage
    percent: Decimal | None = None


def sum_of(message: str, product: ProductContext) -> Sum | None:
    """Return what an order comes to at today's prices, where the message plainly asks for that."""
    entries = {str(entry.id): entry for entry in (*product.matches, *product.featured) if _is_priced(entry)}
    order = read_order(message, [_row(entry) for entry in entries.values()])
    if order is None:
        return None
    summed = total(order)
    working = _working(summed)
    rows = tuple(entries[own.line.row.id] for own in summed.lines)
    return Sum(
        summed, rows, passage_of_tool(TITLE, working, tuple(_lines(working.splitlines()))), order.percent_off
    )


def _working(summed: Total) -> str:
    """How it was worked out, one line of it in each sentence."""
    lines = [
        f"{own.line.quantity} × {own.line.row.names[0]} at {_said(own.line.row.price, summed)}"
        f" = {_said(own.amount, summed)}."
        for own in summed.lines
    ]
    if summed.reduction:
        lines.append(f"Less {_said(summed.reduction, summed)} of {_said(summed.subtotal, summed)}.")
    lines += [f"{extra.name.capitalize()}: {_said(extra.amount, summed)}." for extra in summed.extras]
    return "\n".join([*lines, f"Total: {_said(summed.total, summed)}."])


def _said(amount: Decimal, summed: Total) -> str:
    return said(amount, summed.currency)


def _is_priced(entry: CatalogEntry) -> bool:
    return entry.kind == "product" and entry.price is not None and entry.currency is not None


def _row(entry: CatalogEntry) -> PricedRow:
    return PricedRow(str(entry.id), _names(entry), entry.price or Decimal(0), entry.currency or "USD")


def _names(entry: CatalogEntry) -> tuple[str, ...]:
    return (entry.title,)


def _lines(lines: Iterable[str]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    at = 0
    for line in lines:
        spans.append((at, at + len(line)))
        at += len(line) + 1
    return spans
