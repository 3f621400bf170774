"""Says what an order comes to: the sum first, then how it is made up, each price with its row. Pure."""

import re
from decimal import Decimal
from typing import Final

from concierge.catalog.schemas.context import CatalogEntry
from concierge.chat.sums import Sum
from concierge.chat.writers.brief import AnswerBrief, WrittenAnswer
from concierge.chat.writers.catalog import passage_of
from concierge.chat.writers.shelf import Shelf
from concierge.kit.money import said
from concierge.knowledge.schemas import Passage

NO_SUCH_OFFER: Final = "I don't see a {percent} % offer running today, though."
_PERCENT: Final = r"(?<![\d.,]){percent}(?:[.,]0+)?\s*(?:%|percent)"


def summed(brief: AnswerBrief) -> WrittenAnswer | None:
    """The answer to a plainly asked sum; None for all other questions."""
    own = brief.sum
    if own is None:
        return None
    shelf = Shelf()
    shelf.say(f"{said(own.total.total, own.total.currency)}: {_made_up(own, shelf)}.")
    if own.percent is not None and not _is_offered(own.percent, brief):
        shelf.say(NO_SUCH_OFFER.format(percent=f"{own.percent.normalize():f}"))
    return shelf.written()


def _made_up(own: Sum, shelf: Shelf) -> str:
    lines = [
        f"{line.line.quantity} × {line.line.row.names[0]} at {_price(line.line.row.price, entry, own, shelf)}"
        for line, entry in zip(own.total.lines, own.rows, strict=True)
    ]
    *first, last = lines
    parts = [f"{', '.join(first)} and {last}" if first else last]
    if own.percent is not None:
        parts.append(f"less {own.percent.normalize():f} %")
    parts += [f"plus {said(extra.amount, own.total.currency)} {extra.name}" for extra in own.total.extras]
    return f"{', '.join(parts)} [{_cited(own, shelf)}]"


def _cited(own: Sum, shelf: Shelf) -> int:
    """The working of it as a source, which ends with the total."""
    start, end = own.passage.sentences[-1]
    claim = said(own.total.total, own.total.currency)
    return shelf.cite(own.passage, own.passage.text[start:end], start, end, said=claim)


def _price(price: Decimal, entry: CatalogEntry, own: Sum, shelf: Shelf) -> str:
    """A price with the row's own sentence behind it, where that sentence holds it."""
    told, passage = said(price, own.total.currency), passage_of(entry, 0)
    place = _sentence_with(told, passage)
    if place is None:
        return told
    start, end = place
    return f"{told} [{shelf.cite(passage, passage.text[start:end], start, end, said=told)}]"


def _sentence_with(told: str, passage: Passage) -> tuple[int, int] | None:
    return next((span for span in passage.sentences if told in passage.text[slice(*span)]), None)


def _is_offered(percent: Decimal, brief: AnswerBrief) -> bool:
    pattern = re.compile(_PERCENT.format(percent=re.escape(f"{percent.normalize():f}")))
    promotions = brief.products.promotions if brief.products else ()
    return any(pattern.search(f"{own.title} {own.text} {own.conditions}") for own in promotions)
