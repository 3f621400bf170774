"""What an order comes to, in decimals, halves rounded up as shops do. Pure."""

from dataclasses import replace
from decimal import Context, Decimal, localcontext
from typing import Final

from concierge.kit.money import rounded
from concierge.tools.arithmetic.order import LineSum, Order, Total

# More digits than any sum of a thousand of the dearest thing has.
_EXACT: Final = Context(prec=40)


def total(order: Order) -> Total:
    """Each line, the reduction and each extra are rounded to the currency's smallest coin; the total is their sum."""
    currency = order.currency
    with localcontext(_EXACT):
        lines = tuple(
            LineSum(line, rounded(line.row.price * line.quantity, currency)) for line in order.lines
        )
        subtotal = sum((own.amount for own in lines), rounded(Decimal(0), currency))
        reduction = rounded(subtotal * (order.percent_off or 0) / 100, currency)
        extras = tuple(replace(extra, amount=rounded(extra.amount, currency)) for extra in order.extras)
        whole = subtotal - reduction + sum((extra.amount for extra in extras), Decimal(0))
    return Total(lines, subtotal, reduction, extras, whole, currency)
